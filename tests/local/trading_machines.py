"""Worlds in which the machines of trading-dr run: a role, a global database, functions by script.

What the engine knows is real: the table, the global database, the topic, the bus. The functions
are one that does as its world's script says. A task that shall fail is led to that function, too,
which fails as often as it is told and then makes the call itself. The event source mapping is kept
in the script but in one world, so that not dozens of them are polled.
"""

import fcntl
import json
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from local.trading_script import CODE
from troposphere import encode_to_dict

from templates.trading_dr.machines import (
    Surroundings,
    failback_definition,
    failover_definition,
)
from templates.trading_dr.shared import ALARMS, BUS, FAILOVER

HOME, HERE = "us-east-1", "us-east-2"
ACCOUNT = "123456789012"
FUNCTION, ROLE = "scripted", f"arn:aws:iam::{ACCOUNT}:role/any"
QUEUE, TOPIC, EVENTS = "notices", "machines", "machines"
_NAME, _HERE_ARN, _HOME_ARN = "nameofworld", "arn-of-here", "arn-of-home"
_CONSUMER = "00000000-0000-0000-0000-000000000000"
CUT = "2026-11-20T12:00:00.000000Z"


def resolved(value, world):
    """Write what CloudFormation would make of a rendered value in this region."""
    known = {
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": "aws",
        "AWS::Region": HERE,
        "AWS::URLSuffix": "amazonaws.com",
        "EnvironmentSuffix": world,
    }
    match value:
        case {"Ref": str(name)} if len(value) == 1:
            return known[name]
        case {"Fn::Sub": str(text)} if len(value) == 1:
            return re.sub(r"\$\{([^}]+)\}", lambda found: known[found[1]], text)
        case dict():
            return {key: resolved(each, world) for key, each in value.items()}
        case list():
            return [resolved(each, world) for each in value]
    return value


def tasks(states):
    """Iterate over all tasks, with their names, inner ones too."""
    for name, state in states.items():
        if state["Type"] == "Task":
            yield name, state
        if state["Type"] == "Map":
            yield from tasks(state["ItemProcessor"]["States"])


def hurried(state):
    """Wait a tenth of a second, once, where the machine waits for minutes."""
    for each in state.get("Retry", ()):
        each |= {"IntervalSeconds": 1, "BackoffRate": 1}
        each["MaxAttempts"] = min(each["MaxAttempts"], 2)
    if state["Type"] == "Wait":
        state["Seconds"] = 1


@cache
def rendered(make):
    """Render a machine, with placeholders for what a world has of its own."""
    given = Surroundings(
        home=HOME,
        global_cluster=f"g-{_NAME}",
        global_cluster_arn="any",
        cluster=_HERE_ARN,
        other_cluster=_HOME_ARN,
        consumer=_CONSUMER,
        consumer_arn="any",
        topic_key=None,
    )
    text = json.dumps(resolved(encode_to_dict(make(given).body()), _NAME))
    for reference, shared in ((ALARMS, TOPIC), (BUS, EVENTS)):
        text = text.replace(reference.name.replace("${EnvironmentSuffix}", _NAME), shared)
    return text


@dataclass
class World:
    """A pair in which one region is where the machines run."""

    clients: object
    folder: Path
    name: str
    arns: dict = field(default_factory=dict)
    runs: list = field(default_factory=list)
    mapping: str = ""  # a real one; without it, it is the script's

    @property
    def path(self):
        return self.folder / self.name

    def build(self):
        rds = {region: self.clients("rds", region) for region in (HOME, HERE)}
        known = {"Engine": "aurora-postgresql", "EngineVersion": "17.7"}
        first = rds[HOME].create_db_cluster(
            DBClusterIdentifier=f"c-{self.name}-home",
            MasterUsername="orders_master",
            MasterUserPassword="not-a-secret",
            **known,
        )["DBCluster"]
        rds[HOME].create_global_cluster(
            GlobalClusterIdentifier=f"g-{self.name}",
            SourceDBClusterIdentifier=first["DBClusterArn"],
        )
        second = rds[HERE].create_db_cluster(
            DBClusterIdentifier=f"c-{self.name}-here",
            GlobalClusterIdentifier=f"g-{self.name}",
            **known,
        )["DBCluster"]
        self.arns = {HOME: first["DBClusterArn"], HERE: second["DBClusterArn"]}
        self.clients("dynamodb", HERE).create_table(
            TableName=self.table,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.script(
            calls=[],
            faults={},
            fence=1,
            moving=0,
            rounds=0,
            mapping="Disabled",
            **{"global": f"g-{self.name}"},
        )
        return self

    def script(self, **changes):
        """Change what the script says, and give all of it; the function waits meanwhile."""
        self.path.touch()
        with self.path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            said = json.loads(file.read() or "{}") | changes
            file.seek(0)
            file.truncate()
            json.dump(said, file)
            file.flush()
        return said

    @property
    def table(self):
        return resolved(encode_to_dict({"n": {"Fn::Sub": FAILOVER.name}}), self.name)["n"]

    def definition(self, make, *, proxied=(), cut_after=None):
        """Resolve a definition; lead `proxied` tasks to the function; end after one, if asked."""
        text = rendered(make)
        for placeholder, value in (
            (_NAME, self.name),
            (_HERE_ARN, self.arns[HERE]),
            (_HOME_ARN, self.arns[HOME]),
            (_CONSUMER, self.mapping or _CONSUMER),
        ):
            text = text.replace(placeholder, value)
        body = json.loads(text)
        for state in body["States"].values():
            hurried(state)
        for name, state in tasks(body["States"]):
            hurried(state)
            self._lead(name, state, always=name in proxied)
        if cut_after:
            self._cut(body["States"], cut_after)
        return body

    def _lead(self, name, state, *, always):
        function = f"arn:aws:lambda:{HERE}:{ACCOUNT}:function:{FUNCTION}"
        integration = state["Resource"].partition(":::")[2]
        told = {"world": self.name, "state": name}
        if integration == "lambda:invoke":
            state["Parameters"]["FunctionName"] = function
            state["Parameters"]["Payload"] |= told
        elif always or ("EventSourceMapping" in integration and not self.mapping):
            # A function's error has no dot in its name here: what is before the last is cut off.
            for handler in (*state["Retry"], *state.get("Catch", ())):
                names = handler["ErrorEquals"]
                names += [
                    each.rpartition(".")[2] for each in names if not each.startswith("States.")
                ]
            state["Resource"] = function
            state["Parameters"] = {**told, "integration": integration, "given": state["Parameters"]}

    @staticmethod
    def _cut(states, name):
        states["Cut"] = {"Type": "Fail", "Error": "Cut", "Cause": "cut off"}
        states[name] |= {"Next": "Cut"}
        states[name].pop("End", None)

    def start(self, make, **how):
        """Start a run; wait for it with `ended`."""
        states = self.clients("stepfunctions", HERE)
        number = len(self.runs)
        machine = states.create_state_machine(
            name=f"m-{self.name}-{number}",
            definition=json.dumps(self.definition(make, **how)),
            roleArn=ROLE,
        )
        started = states.start_execution(
            stateMachineArn=machine["stateMachineArn"], name=f"run-{self.name}-{number}", input="{}"
        )
        self.runs.append(started["executionArn"])
        return started["executionArn"]

    def ended(self, arn, seconds=60):
        states = self.clients("stepfunctions", HERE)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = states.describe_execution(executionArn=arn)
            if found["status"] != "RUNNING":
                return found
            time.sleep(0.4)
        raise AssertionError(f"{arn} does not end")

    def run(self, make, **how):
        return self.ended(self.start(make, **how))

    def entered(self, arn):
        """List the states of a run, in order."""
        states = self.clients("stepfunctions", HERE)
        pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
        return [
            event["stateEnteredEventDetails"]["name"]
            for page in pages
            for event in page["events"]
            if "stateEnteredEventDetails" in event
        ]

    def item(self, key):
        found = self.clients("dynamodb", HERE).get_item(
            TableName=self.table, Key={"id": {"S": key}}, ConsistentRead=True
        )
        return found.get("Item")

    def role(self):
        """Give epoch, active region, phase and settled epoch."""
        item = self.item("role")
        return (
            int(item["epoch"]["N"]),
            item["active"]["S"],
            item["phase"]["S"],
            int(item["settled"]["N"]),
        )

    def cuts(self):
        return {key: value["S"] for key, value in self.item("role")["cuts"]["M"].items()}

    def latched(self):
        item = self.item("latch")
        return item and item["latched"]["BOOL"]

    def writer(self):
        found = self.clients("rds", HERE).describe_global_clusters(
            GlobalClusterIdentifier=f"g-{self.name}"
        )
        (cluster,) = [
            each["DBClusterArn"]
            for each in found["GlobalClusters"][0]["GlobalClusterMembers"]
            if each["IsWriter"]
        ]
        return cluster.split(":")[3]

    def fail_over(self):
        """Leave things as a failover leaves them, without one."""
        self.clients("rds", HERE).failover_global_cluster(
            GlobalClusterIdentifier=f"g-{self.name}",
            TargetDbClusterIdentifier=self.arns[HERE],
            AllowDataLoss=True,
        )
        self.put_role(epoch=2, active=HERE, phase="serving", settled=2)
        self.clients("dynamodb", HERE).update_item(
            TableName=self.table,
            Key={"id": {"S": "role"}},
            UpdateExpression="SET cuts.#one = :cut",
            ExpressionAttributeNames={"#one": "1"},
            ExpressionAttributeValues={":cut": {"S": CUT}},
        )
        self.clients("dynamodb", HERE).put_item(
            TableName=self.table,
            Item={"id": {"S": "latch"}, "latched": {"BOOL": True}, "epoch": {"N": "2"}},
        )
        self.script(fence=2, mapping="Enabled")
        return self

    def put_role(self, **attributes):
        """Write a role as another run would have left it."""
        item = {
            "id": {"S": "role"},
            "run": {"S": "another-run"},
            "since": {"S": datetime.now(UTC).isoformat()},
            "cuts": {"M": {}},
        }
        for name, value in attributes.items():
            item[name] = {"N": str(value)} if isinstance(value, int) else {"S": value}
        self.clients("dynamodb", HERE).put_item(TableName=self.table, Item=item)


class Places:
    """What all worlds share: the function, the topic, the bus, and the queue of what they say."""

    def __init__(self, clients, folder):
        self.clients, self.folder = clients, folder
        self.said = []
        for service in ("dynamodb", "events", "rds", "stepfunctions"):
            for region in (HOME, HERE):
                clients(service, region)  # made here, so that threads do not each make their own
        sqs = clients("sqs", HERE)
        self.queue = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
        arn = f"arn:aws:sqs:{HERE}:{ACCOUNT}:{QUEUE}"
        topic = clients("sns", HERE).create_topic(Name=TOPIC)["TopicArn"]
        clients("sns", HERE).subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"RawMessageDelivery": "true"},
        )
        events = clients("events", HERE)
        events.create_event_bus(Name=EVENTS)
        pattern = json.dumps({"source": ["trading.orders"]})
        events.put_rule(Name="all", EventBusName=EVENTS, EventPattern=pattern)
        events.put_targets(Rule="all", EventBusName=EVENTS, Targets=[{"Id": "queue", "Arn": arn}])
        packed = BytesIO()
        with ZipFile(packed, "w") as file:
            file.writestr("index.py", CODE)
        clients("lambda", HERE).create_function(
            FunctionName=FUNCTION,
            Runtime="python3.14",
            Handler="index.handler",
            Role=ROLE,
            Timeout=20,
            Code={"ZipFile": packed.getvalue()},
            Environment={
                "Variables": {"WORLDS": str(folder), "ENDPOINT": clients.engine.endpoint_url}
            },
        )

    def world(self, name):
        return World(self.clients, self.folder, name).build()

    def world_with_mapping(self, name):
        """A world with a mapping that Lambda knows, and a queue that it would feed from."""
        sqs = self.clients("sqs", HERE)
        sqs.create_queue(QueueName=name)
        made = self.clients("lambda", HERE).create_event_source_mapping(
            EventSourceArn=f"arn:aws:sqs:{HERE}:{ACCOUNT}:{name}",
            FunctionName=FUNCTION,
            Enabled=False,
        )
        world = self.world(name)
        world.mapping = made["UUID"]
        return world

    def mapping_state(self, world):
        found = self.clients("lambda", HERE).get_event_source_mapping(UUID=world.mapping)
        return found["State"]

    def about(self, arn):
        """Give what was said of a run: what the notices are about, and the types of events."""
        sqs, run = self.clients("sqs", HERE), arn.rpartition(":")[2]
        while messages := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for each in messages:
                self.said.append(json.loads(each["Body"]))
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=each["ReceiptHandle"])
        notices = [each for each in self.said if each.get("run") == run]
        types = [
            each["detail-type"] for each in self.said if each.get("detail", {}).get("run") == run
        ]
        return notices, types


MACHINES = {"failover": failover_definition, "failback": failback_definition}
