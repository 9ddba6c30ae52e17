"""The bootstrap repeats safely, waits for what runs, and says which resource failed."""

import json
from dataclasses import dataclass, field, replace

import pytest

from tap_templates.deploy.bootstrap import PlainStack, bootstrap, missing, plain_stacks
from tap_templates.deploy.errors import DeployError
from tap_templates.deploy.following import Pace

TEMPLATE = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}
STACK = PlainStack(
    name="artifacts", region="r1", template=TEMPLATE, parameters={"A": "1"}, capabilities=()
)


@dataclass
class Facts:
    status: str


@dataclass
class Event:
    logical_id: str
    status: str
    reason: str
    resource_type: str = "AWS::S3::Bucket"
    physical_id: str = ""


@dataclass
class Account:
    """One stack in one region: what is read of it, and what is done to it."""

    statuses: list[str] = field(default_factory=list)  # one a look; the last one stays
    template: dict = field(default_factory=lambda: TEMPLATE)
    events: tuple[Event, ...] = ()
    calls: list[tuple[str, dict]] = field(default_factory=list)

    def stack(self, region, stack_id):
        if not self.statuses:
            return None
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return Facts(status)

    def stack_template(self, region, stack_id):
        return json.dumps(self.template)

    def stack_events(self, region, stack_id):
        return self.events

    endpoint_url: str | None = None

    def call(self, region, service, operation, **request):
        self.calls.append((operation, request))
        if service != "cloudformation":
            return {"Account": "123456789012"}
        ends = "CREATE" if operation == "create_stack" else "UPDATE"
        self.statuses = [f"{ends}_IN_PROGRESS", *(self.after or [f"{ends}_COMPLETE"])]
        return {}

    after: list[str] = field(default_factory=list)


def run(account):
    waits = []
    pace = Pace(sleep=waits.append, clock=lambda: float(len(waits)), poll_seconds=1.0)
    bootstrap([STACK], account, account, pace, lambda text: None)
    return [operation for operation, _ in account.calls]


def test_what_is_not_there_is_created():
    account = Account()
    assert missing([STACK], account) == (STACK,)
    assert run(account) == ["create_stack"]
    request = account.calls[0][1]
    assert request["StackName"] == "bootstrap-artifacts"
    assert json.loads(request["TemplateBody"]) == TEMPLATE
    assert request["Parameters"] == [{"ParameterKey": "A", "ParameterValue": "1"}]


def test_a_template_that_is_too_long_to_send_goes_by_the_bucket_of_its_region():
    """Which a stack before it has made; it lies there under its own digest."""
    long = {"Resources": {f"Bucket{n}": {"Type": "AWS::S3::Bucket"} for n in range(2000)}}
    account = Account()
    pace = Pace(sleep=lambda _: None, clock=lambda: 0.0, poll_seconds=1.0)
    bootstrap([replace(STACK, template=long)], account, account, pace, lambda text: None)
    assert [operation for operation, _ in account.calls] == [
        *("get_caller_identity", "put_object", "create_stack")
    ]
    stored, request = account.calls[1][1], account.calls[2][1]
    assert "TemplateBody" not in request
    assert json.loads(stored["Body"]) == long
    assert stored["Bucket"] == "bucket-artifacts-r1-123456789012"
    assert stored["ExpectedBucketOwner"] == "123456789012"
    where = f"{stored['Bucket']}/{stored['Key']}"
    assert request["TemplateURL"] == f"https://s3.r1.amazonaws.com/{where}"
    assert stored["Key"].startswith("templates/bootstrap/artifacts/")


def test_what_is_as_it_should_be_is_left_alone():
    account = Account(statuses=["CREATE_COMPLETE"])
    assert missing([STACK], account) == ()
    assert run(account) == []


def test_another_template_is_an_update():
    account = Account(statuses=["CREATE_COMPLETE"], template={"Resources": {}})
    assert missing([STACK], account) == (STACK,)
    assert run(account) == ["update_stack"]


def test_what_is_being_made_is_waited_for_and_not_made_again():
    account = Account(statuses=["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"])
    assert run(account) == []


def test_a_failure_names_the_first_resource_that_failed():
    account = Account(
        after=["ROLLBACK_COMPLETE"],
        events=(
            Event("Bucket", "CREATE_FAILED", "the name is taken"),
            Event("bootstrap-artifacts", "CREATE_IN_PROGRESS", "", "AWS::CloudFormation::Stack"),
        ),
    )
    with pytest.raises(DeployError, match="ended ROLLBACK_COMPLETE: Bucket: the name is taken"):
        run(account)


def test_a_stack_that_is_never_done_is_given_up():
    account = Account(statuses=["CREATE_IN_PROGRESS"])
    ticks = iter(range(0, 10**6, 3600))
    pace = Pace(sleep=lambda _: None, clock=lambda: float(next(ticks)))
    with pytest.raises(DeployError, match="is not done in time"):
        bootstrap([STACK], account, account, pace, lambda text: None)


def test_the_manifest_gives_a_stack_for_each_region_in_order():
    manifest = {
        "stacks": [
            {"name": "a", "regions": ["r1", "r2"], "parameters": {}, "capabilities": []},
            {"name": "b", "regions": ["r2"], "parameters": {}, "capabilities": ["X"]},
        ]
    }
    stacks = plain_stacks(manifest, {"a": b"{}", "b": b"{}"})
    assert [(each.name, each.region) for each in stacks] == [("a", "r1"), ("a", "r2"), ("b", "r2")]
