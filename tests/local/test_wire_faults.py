"""Faults on the wire: every kind of call a deploy makes is failed, cut off, and not survived.

Between boto3 and the engine sits a session that counts requests and spoils one: throttled, a server
error, access denied, a time-out after the effect, a kill after the effect. Then the deploy runs
again, unspoiled, and has to reach the same end state. Each case is an environment of its own, so
that none starts from what another left.
"""

import hashlib
import itertools
import json
import time
from collections import Counter
from dataclasses import dataclass, field, replace

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError
from local.conftest import PRIMARY, SECONDARY

from tap_templates.deploy.connection import connect
from tap_templates.deploy.desired import PackageFile, Target, desired_state
from tap_templates.deploy.destroy import plan_destroy
from tap_templates.deploy.drift import drift
from tap_templates.deploy.errors import DeployError
from tap_templates.deploy.events import Failed, Succeeded
from tap_templates.deploy.executor import apply
from tap_templates.deploy.following import Pace
from tap_templates.deploy.observed import observe
from tap_templates.deploy.planner import Options
from tap_templates.deploy.rollout import join, plan_rollout
from tap_templates.deploy.running import Means
from tap_templates.deploy.status import status
from tap_templates.errors import TapError
from tap_templates.local import engine as engines

MODES = ("throttle", "server error", "access denied", "time-out after the effect", "kill")
REFUSALS = {
    "throttle": (400, "Throttling"),
    "server error": (500, "InternalFailure"),
    "access denied": (403, "AccessDenied"),
}
READING = ("Describe", "Get", "Head", "List", "Detect")
SUFFIXES = itertools.count()


class KilledError(BaseException):
    """The process was ended after its request had its effect."""


class Body:
    def __init__(self, text):
        self.text = text.encode()

    def stream(self, *args, **kwargs):
        yield self.text


@dataclass
class Wire:
    """What goes over the wire of one run, and which request is spoiled how."""

    spoil: tuple[str, int] | None = None  # operation, 0-based occurrence
    mode: str = ""
    seen: list[tuple[str, str]] = field(default_factory=list)  # operation, region

    def send(self, inner, request, operation, region):
        occurrence = sum(name == operation for name, _ in self.seen)
        self.seen.append((operation, region))
        if self.spoil != (operation, occurrence):
            return inner.send(request)
        if self.mode in REFUSALS:
            code, name = REFUSALS[self.mode]
            text = f"<ErrorResponse><Error><Code>{name}</Code></Error></ErrorResponse>"
            if "json" in str(request.headers.get("Content-Type", "")):
                text = json.dumps({"__type": name, "message": "spoiled"})
            return AWSResponse(request.url, code, {}, Body(text))
        inner.send(request)
        if self.mode == "kill":
            raise KilledError
        raise ReadTimeoutError(endpoint_url=request.url)


class SpoiledSession:
    """Stands in for a session: its clients are made once for all cases, and send through `wire`."""

    def __init__(self, account):
        self.session = boto3.session.Session(
            aws_access_key_id=account, aws_secret_access_key="local", region_name=SECONDARY
        )
        self.made = {}
        self.wire = Wire()

    def client(self, service, *, region_name, **kwargs):
        key = (service, region_name)
        if key not in self.made:
            client = self.session.client(service, region_name=region_name, **kwargs)
            asked = []
            client.meta.events.register("before-call", lambda model, **_: asked.append(model.name))
            inner = client._endpoint.http_session
            client._endpoint.http_session = _Through(self, inner, asked, region_name)
            self.made[key] = client
        return self.made[key]


@dataclass
class _Through:
    session: SpoiledSession
    inner: object
    asked: list[str]
    region: str

    def send(self, request):
        return self.session.wire.send(self.inner, request, self.asked[-1], self.region)

    def close(self):
        self.inner.close()


QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "q-${Suffix}"}}}
TOPIC = {
    "Type": "AWS::SNS::Topic",
    "Properties": {"TopicName": {"Fn::Sub": "t-${Suffix}"}, "DisplayName": {"Ref": "From"}},
}


@pytest.fixture(scope="module")
def target(root, tmp_path_factory):
    """An engine with buckets and roles, and a system of two stacks with an output between them."""
    engines.stop(root, name="tests-wire")
    running = engines.start(root, name="tests-wire")
    wire = {"endpoint_url": running.endpoint_url, "aws_access_key_id": running.account}
    wire["aws_secret_access_key"] = "local"
    for region in (PRIMARY, SECONDARY):
        s3 = boto3.client("s3", region_name=region, **wire)
        place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(
            Bucket=f"bucket-artifacts-{region}-{running.account}",
            **({} if region == "us-east-1" else place),
        )
        s3.close()
    iam = boto3.client("iam", region_name=PRIMARY, **wire)
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}}
    made = f"arn:aws:iam::{running.account}:role/role-administration"
    for role, who in (("administration", trust["Principal"]), ("execution", {"AWS": made})):
        statement = {**trust, "Principal": who, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_role(RoleName=f"role-{role}", AssumeRolePolicyDocument=document)
    iam.close()
    blob = tmp_path_factory.mktemp("package") / "blob.zip"
    blob.write_bytes(b"not really a zip")
    session = SpoiledSession(running.account)
    yield running, blob, session
    for client in session.made.values():
        client.close()
    engines.stop(root, name="tests-wire")


def desired_of(target, suffix, *, changed=False):
    running, blob, _ = target
    digest = hashlib.sha256(blob.read_bytes()).hexdigest()
    parameters = {"Suffix": {"Type": "String"}}
    delay = {"DelaySeconds": 7} if changed else {}
    source = {
        "Parameters": parameters,
        "Resources": {"Q": QUEUE | {"Properties": {**QUEUE["Properties"], **delay}}},
        "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Q", "QueueName"]}}},
    }
    user = {
        "Parameters": {**parameters, "From": {"Type": "String"}, "CodeKey": {"Type": "String"}},
        "Resources": {"T": TOPIC},
    }
    bodies = {"source": json.dumps(source).encode(), "user": json.dumps(user).encode()}
    output = {"output": {"stack": "source", "region": PRIMARY, "name": "Name"}}

    def entry(name, **more):
        digest = hashlib.sha256(bodies[name]).hexdigest()
        shared = {"template": f"{name}.json", "sha256": digest, "capabilities": []}
        return {"name": name, "regions": [PRIMARY, SECONDARY], **shared, **more}

    manifest = {
        "schema": "tap.manifest/1",
        "system": "wire",
        "regions": {"primary": PRIMARY, "secondary": SECONDARY},
        "packages": {"blob": {"sha256": digest}},
        "stacks": [
            entry("source", depends_on=[], parameters={"Suffix": suffix}),
            entry(
                "user",
                depends_on=["source"],
                parameters={"Suffix": suffix, "From": output, "CodeKey": {"package": "blob"}},
            ),
        ],
    }
    packages = {"blob": PackageFile(path=blob, sha256=digest)}
    roles = Target(
        account=running.account,
        suffix=suffix,
        administration_role_arn=f"arn:aws:iam::{running.account}:role/role-administration",
        execution_role_name="role-execution",
    )
    return desired_state(manifest, bodies, packages, roles)


@dataclass
class Deploy:
    """A verb in process, as the command line runs it: joined, planned, applied.

    `update` is a deploy of a changed template; `destroy` starts, as that does, from a deploy.
    """

    target: tuple
    verb: str = "deploy"
    suffix: str = field(default_factory=lambda: f"s{next(SUFFIXES)}")

    @property
    def desired(self):
        return desired_of(self.target, self.suffix, changed=self.verb != "deploy")

    def prepare(self):
        """Deploy what the verb starts from."""
        if self.verb != "deploy":
            assert Deploy(self.target, suffix=self.suffix).run(Wire()) == Succeeded()

    def cloud(self, wire):
        running, _, session = self.target
        session.wire = wire
        return connect(
            lambda: session,
            self.desired,
            sleep=lambda _: None,
            random=lambda: 0.5,
            endpoint_url=running.endpoint_url,
        )

    def run(self, wire):
        desired, cloud = self.desired, self.cloud(wire)
        pace = Pace(sleep=lambda _: time.sleep(0.01), clock=time.monotonic, poll_seconds=0.01)
        means = Means(pace=pace)
        joined = join(desired, cloud, means)
        if joined:
            return joined
        options = Options(made=str(next(SUFFIXES)), gate=False)
        if self.verb == "destroy":
            stateful = {each.digest for each in plan_destroy(desired, cloud, options).approvals}
            made = plan_destroy(desired, cloud, replace(options, approved=frozenset(stateful)))
        else:
            made = plan_rollout(desired, cloud, options)
        return (
            Succeeded(nothing_to_do=True) if made.is_empty else apply(made, desired, cloud, means)
        )

    def standing(self):
        """What is there in the end, apart from names and ids."""
        desired = self.desired
        rows = status(desired, observe(self.cloud(Wire()), desired))
        return [(row.stack, row.region, row.status, row.is_ours, row.running) for row in rows]


def cases_of(calls, known):
    """Pick the requests to spoil: of each kind the first and the last.

    The others differ in nothing but the stack they are for; what is `known` from another verb is
    left out.
    """
    counts = Counter(name for name, _ in calls)
    return [
        (name, at, mode)
        for name, count in sorted(counts.items())
        if name not in known
        for at in sorted({0, count - 1})
        for mode in MODES
    ]


def test_whatever_happens_to_a_call_the_next_run_reaches_the_same_end(target, capsys):
    known = set()
    for verb in ("deploy", "update", "destroy"):
        straight, wire = Deploy(target, verb), Wire()
        straight.prepare()
        assert straight.run(wire) == Succeeded()
        wanted = straight.standing()
        expected = {("ABSENT", False)} if verb == "destroy" else {("CURRENT", True)}
        assert {(status, ours) for _, _, status, ours, _ in wanted} == expected
        cases = cases_of(wire.seen, known)
        known.update(name for name, _ in wire.seen)
        stopped = sum(_survive(Deploy(target, verb), case, wanted) for case in cases)
        with capsys.disabled():
            print(
                f"\n{verb}: {len(cases)} cases over {len({name for name, _, _ in cases})} kinds of "
                f"call; {len(cases) - stopped} went on, {stopped} stopped and were taken up again"
            )
        assert cases


def _survive(deploy, case, wanted):
    """Run with the fault and then without; say whether the first run stopped."""
    name, at, mode = case
    deploy.prepare()
    reason = ""
    try:
        outcome = deploy.run(Wire(spoil=(name, at), mode=mode))
    except KilledError:
        reason = "killed"
    except TapError as error:
        reason = f"{error} {error.remedy}"
    else:
        reason = outcome.what if isinstance(outcome, Failed) else ""
    again = deploy.run(Wire())
    assert isinstance(again, Succeeded), (case, reason, again)
    assert deploy.standing() == wanted, (case, reason)
    assert deploy.run(Wire()) == Succeeded(nothing_to_do=True), case
    return bool(reason)


def test_plan_status_and_drift_only_read_and_only_in_the_pair(target):
    deploy, wire = Deploy(target), Wire()
    assert not plan_rollout(deploy.desired, deploy.cloud(wire)).is_empty
    assert deploy.run(Wire()) == Succeeded()
    desired, cloud = deploy.desired, deploy.cloud(wire)
    assert plan_rollout(desired, cloud).is_empty
    status(desired, observe(cloud, desired))
    pace = Pace(sleep=lambda _: time.sleep(0.01), clock=time.monotonic, poll_seconds=0.01)
    assert {row.status for row in drift(desired, cloud, pace)} == {"IN_SYNC"}
    assert wire.seen
    for operation, region in wire.seen:
        assert operation.startswith(READING), operation
        assert region in {PRIMARY, SECONDARY}


def test_a_deploy_calls_no_other_region(target):
    wire = Wire()
    Deploy(target).run(wire)
    assert {region for _, region in wire.seen} == {PRIMARY, SECONDARY}


def test_a_refusal_says_which_call_of_which_service_was_refused(target):
    with pytest.raises(DeployError, match="cloudformation in us-west-2") as caught:
        Deploy(target).run(Wire(spoil=("CreateStackSet", 0), mode="access denied"))
    assert caught.value.remedy
