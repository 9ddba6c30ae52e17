"""What the templates and the handlers must agree on, though neither imports the other."""

import inspect
import json
import re
from collections import defaultdict

import pytest
from conformance.committed import manifest_of, templates_of, view_of

from market_events import failures, schema
from market_ingestion.core import METHOD, PATH
from market_storage.core import Operation
from market_table import keys

PRIMARY, SECONDARY = "us-east-1", "us-west-2"
each_region = pytest.mark.parametrize("region", [PRIMARY, SECONDARY])
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
ACCOUNT_CONCURRENCY, UNRESERVED = 1000, 100


@pytest.fixture
def machine(resource):
    return resource("processing", PRIMARY, "PipelineMachine")


@pytest.fixture
def tasks(machine):
    """Every task of the machine, branches included, by its name."""
    found = {}

    def collect(states):
        for name, state in states.items():
            for branch in state.get("Branches", ()):
                collect(branch["States"])
            if state["Type"] == "Task":
                found[name] = state

    collect(machine["Definition"]["States"])
    return found


def handlers_of(states, kind):
    for state in states.values():
        for branch in state.get("Branches", ()):
            yield from handlers_of(branch["States"], kind)
        yield from state.get(kind, ())


@pytest.mark.parametrize("kind", ["Retry", "Catch"])
def test_every_error_of_our_own_is_one_that_the_handlers_raise(machine, kind):
    raised = {
        name
        for name, each in inspect.getmembers(failures, inspect.isclass)
        if issubclass(each, failures.Failure)
    }
    named = {
        error
        for handler in handlers_of(machine["Definition"]["States"], kind)
        for error in handler["ErrorEquals"]
    }
    own = {name for name in named if "." not in name}
    assert own
    assert own <= raised


def test_only_what_may_pass_is_tried_again(machine):
    """`Park…` and `Reject` retry everything: they only put a message into a queue."""
    named = {
        error
        for handler in handlers_of(machine["Definition"]["States"], "Retry")
        for error in handler["ErrorEquals"]
    }
    assert {name for name in named if "." not in name} == {"TemporaryFailure"}


def test_each_step_calls_its_function_with_what_it_reads(tasks):
    event = {"event.$", "digest.$", "execution.$"}
    wanted = {
        "Validate": ("validation", {"event.$", "execution.$"}),
        "Enrich": ("enrichment", {"event.$"}),
        "Store": ("storage", event | {"operation"}),
        "Record": ("storage", event | {"operation", "enrichment.$"}),
        "Compensate": ("compensation", event | {"error.$"}),
    }
    called = {
        name: (
            task["Parameters"]["FunctionName"].split(":function:function-market-")[1],
            set(task["Parameters"]["Payload"]),
        )
        for name, task in tasks.items()
        if "FunctionName" in task["Parameters"]
    }
    assert called == {name: (f"{what}-dev:live", given) for name, (what, given) in wanted.items()}


def test_storage_is_asked_for_what_it_knows(tasks):
    asked = {
        name: tasks[name]["Parameters"]["Payload"]["operation"] for name in ("Store", "Record")
    }
    assert asked == {"Store": Operation.STORE.value, "Record": Operation.RECORD.value}


def test_runs_are_kept_and_start_once_each(machine):
    """An Express run starts at least once and keeps no history: it could be compensated twice."""
    assert machine["StateMachineType"] == "STANDARD"


@each_region
def test_the_rule_lets_through_what_ingestion_puts_and_hands_all_of_it_on(resource, region):
    rule = resource("events", region, "PipelineRule")
    assert rule["State"] == "ENABLED"
    assert rule["EventPattern"] == {
        "source": [schema.SOURCE],
        "detail-type": [schema.DETAIL_TYPE],
        "detail": {"type": sorted(schema.TYPES, reverse=True)},
    }
    (target,) = rule["Targets"]
    assert not {"Input", "InputPath", "InputTransformer"} & set(target)


def test_the_route_is_the_one_that_the_function_answers(resource):
    assert resource("ingestion", PRIMARY, "IngestionRoute")["RouteKey"] == f"{METHOD} {PATH}"


def test_the_table_has_the_keys_that_the_handlers_write(resource):
    table = resource("data", SECONDARY, "EventsTable")
    types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
    assert types == dict.fromkeys(keys.KEY_ATTRIBUTES, "S")
    indexes = {
        index["IndexName"]: (
            *(each["AttributeName"] for each in index["KeySchema"]),
            index["Projection"]["ProjectionType"],
        )
        for index in table["GlobalSecondaryIndexes"]
    }
    assert indexes == {
        keys.REFERENCE_INDEX: (keys.REFERENCE_PARTITION, keys.REFERENCE_SORT, "ALL"),
        keys.TIME_INDEX: (keys.TIME_PARTITION, keys.TIME_SORT, "ALL"),
    }


@each_region
@pytest.mark.parametrize(
    ("stack", "alarm", "queue"),
    [
        ("processing", "FailedNotEmptyAlarm", "FailedQueue"),
        ("events", "UndeliveredNotEmptyAlarm", "UndeliveredQueue"),
    ],
)
def test_the_alarm_of_a_queue_watches_that_queue(resource, region, stack, alarm, queue):
    watching = resource(stack, region, alarm)
    assert watching["Dimensions"] == [
        {"Name": "QueueName", "Value": resource(stack, region, queue)["QueueName"]}
    ]
    assert watching["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert watching["TreatMissingData"] == "notBreaching"


@each_region
def test_the_key_of_the_topic_lets_alarms_and_compensation_in(view, region):
    key = view.stack("alerts", region).resources["AlarmsKey"].properties
    allowed = {each["Sid"] for each in key["KeyPolicy"]["Statement"]}
    assert {"UseByAlarms", "UseByPublishers"} <= allowed


def test_x04_all_systems_together_leave_an_account_what_lambda_demands(root):
    """By defaults: one environment of every system fits a region of an account as AWS gives it."""
    reserved = defaultdict(int)
    for path in sorted((root / "build" / "templates").glob("*/manifest.json")):
        manifest = json.loads(path.read_bytes())
        name = manifest["system"]
        view = view_of(manifest, templates_of(root, manifest_of(root, name)))
        for each in view.resources("AWS::Lambda::Function"):
            given = each.resource.properties.get("ReservedConcurrentExecutions", 0)
            reserved[each.stack.region] += int(given)
    assert reserved
    assert max(reserved.values()) <= ACCOUNT_CONCURRENCY - UNRESERVED


_LONGEST = {
    "EnvironmentSuffix": 12,
    "FunctionGroupId": len("sg-0123456789abcdef0"),
    "JwtAudience": 48,
    "JwtIssuer": 80,
    **{f"PrivateSubnet{zone}": len("subnet-0123456789abcdef0") for zone in "ABC"},
}


def test_versions_can_be_described_with_the_longest_values(committed):
    """Lambda takes 256 characters; more would stop a rollout at the first function."""
    for stack in ("ingestion", "processing"):
        for name, each in committed[stack]["Resources"].items():
            if each["Type"] == "AWS::Lambda::Version":
                text = each["Properties"]["Description"]["Fn::Sub"]
                longest = re.sub(r"\$\{(\w+)\}", lambda found: "x" * _LONGEST[found[1]], text)
                assert len(longest) <= 256, name


@pytest.mark.parametrize(
    ("issuer", "audience"),
    [
        ("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI", "a" * 26),
        (f"https://login.microsoftonline.com/{'0' * 36}/v2.0", f"api://{'0' * 36}"),
        ("https://login.example.com/", "market"),
        (f"https://{'i' * 72}", "a" * 48),
    ],
)
def test_issuers_people_have_are_accepted(committed, issuer, audience):
    for name, value in (("JwtIssuer", issuer), ("JwtAudience", audience)):
        pattern = committed["ingestion"]["Parameters"][name]["AllowedPattern"]
        assert re.fullmatch(pattern, value)
        assert len(value) <= _LONGEST[name]
