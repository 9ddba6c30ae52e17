"""What machines that fail over call: really run, with the words and the errors of AWS."""

import io
import json
import zipfile
from uuid import uuid4

import pytest
from local.conftest import PRIMARY, SECONDARY, eventually
from local.workflows import CODE

UNIQUE = uuid4().hex[:8]
GLOBAL = f"global-{UNIQUE}"
ROLE = "arn:aws:iam::123456789012:role/any"


def cluster(region):
    return f"cluster-{UNIQUE}-{region}"


@pytest.fixture(scope="module")
def run(clients):
    """Run one task in a region; give how its execution ended."""
    made = {}

    def one(integration, given, region=SECONDARY):
        states = clients("stepfunctions", region)
        task = {
            "Type": "Task",
            "Resource": f"arn:aws:states:::{integration}",
            "Parameters": given,
            "End": True,
        }
        name = f"machine-{uuid4().hex[:8]}"
        definition = json.dumps({"StartAt": "It", "States": {"It": task}})
        arn = states.create_state_machine(name=name, definition=definition, roleArn=ROLE)
        made[arn["stateMachineArn"]] = states
        started = states.start_execution(stateMachineArn=arn["stateMachineArn"])

        def ended():
            found = states.describe_execution(executionArn=started["executionArn"])
            return None if found["status"] == "RUNNING" else found

        return eventually(ended)

    yield one
    for arn, states in made.items():
        states.delete_state_machine(stateMachineArn=arn)


def output(ended):
    assert ended["status"] == "SUCCEEDED", ended
    return json.loads(ended["output"])


@pytest.fixture(scope="module")
def database(clients):
    """A global database over both regions, written to in the first."""
    engine = {"Engine": "aurora-postgresql", "EngineVersion": "17.7"}
    master = {"MasterUsername": "postgres", "MasterUserPassword": "x" * 12}
    first, second = clients("rds", PRIMARY), clients("rds", SECONDARY)
    first.create_db_cluster(DBClusterIdentifier=cluster(PRIMARY), **engine, **master)
    arns = {PRIMARY: described(clients, PRIMARY)["DBClusterArn"]}
    first.create_global_cluster(
        GlobalClusterIdentifier=GLOBAL, SourceDBClusterIdentifier=arns[PRIMARY]
    )
    second.create_db_cluster(
        DBClusterIdentifier=cluster(SECONDARY), GlobalClusterIdentifier=GLOBAL, **engine
    )
    arns[SECONDARY] = described(clients, SECONDARY)["DBClusterArn"]
    yield arns
    for region, rds in ((SECONDARY, second), (PRIMARY, first)):  # the writer goes last
        rds.remove_from_global_cluster(
            GlobalClusterIdentifier=GLOBAL, DbClusterIdentifier=arns[region]
        )
        rds.delete_db_cluster(DBClusterIdentifier=cluster(region), SkipFinalSnapshot=True)
    first.delete_global_cluster(GlobalClusterIdentifier=GLOBAL)


def described(clients, region):
    asked = {"DBClusterIdentifier": cluster(region)}
    return clients("rds", region).describe_db_clusters(**asked)["DBClusters"][0]


def writer(answer):
    (whole,) = answer["GlobalClusters"]
    (arn,) = [each["DbClusterArn"] for each in whole["GlobalClusterMembers"] if each["IsWriter"]]
    return arn


def test_the_writer_is_seen_moved_and_moved_back(run, database):
    asked = {"GlobalClusterIdentifier": GLOBAL}
    look = "aws-sdk:rds:describeGlobalClusters"
    assert writer(output(run(look, asked))) == database[PRIMARY]
    there = asked | {"TargetDbClusterIdentifier": database[SECONDARY]}
    moved = output(run("aws-sdk:rds:failoverGlobalCluster", there | {"AllowDataLoss": True}))
    assert moved["GlobalCluster"]["GlobalClusterIdentifier"] == GLOBAL
    assert writer(output(run(look, asked))) == database[SECONDARY]
    back = asked | {"TargetDbClusterIdentifier": database[PRIMARY]}
    output(run("aws-sdk:rds:switchoverGlobalCluster", back))
    assert writer(output(run(look, asked))) == database[PRIMARY]


def test_a_cluster_of_the_region_is_described(run, database):
    asked = {"DbClusterIdentifier": cluster(SECONDARY)}
    (found,) = output(run("aws-sdk:rds:describeDBClusters", asked))["DbClusters"]
    assert found["DbClusterArn"] == database[SECONDARY]


@pytest.mark.parametrize(
    ("operation", "given", "error"),
    [
        (
            "describeGlobalClusters",
            {"GlobalClusterIdentifier": "nobody"},
            "Rds.GlobalClusterNotFoundException",
        ),
        (
            "describeDBClusters",
            {"DbClusterIdentifier": "nobody"},
            "Rds.DbClusterNotFoundException",
        ),
        (
            "failoverGlobalCluster",
            {"GlobalClusterIdentifier": "nobody", "TargetDbClusterIdentifier": "nobody"},
            "Rds.GlobalClusterNotFoundException",
        ),
    ],
)
def test_errors_are_named_as_aws_does(run, database, operation, given, error):
    ended = run(f"aws-sdk:rds:{operation}", given)
    assert (ended["status"], ended["error"]) == ("FAILED", error)


@pytest.fixture(scope="module")
def mapping(clients):
    """A function that is fed from a queue, in the region of the machines."""
    functions, queues = clients("lambda", SECONDARY), clients("sqs", SECONDARY)
    url = queues.create_queue(QueueName=f"feeds-{UNIQUE}")["QueueUrl"]
    names = {"QueueUrl": url, "AttributeNames": ["QueueArn"]}
    functions.create_function(
        FunctionName=f"fed-{UNIQUE}",
        Runtime="python3.14",
        Role=ROLE,
        Handler="index.handler",
        Code={"ZipFile": zipped(CODE)},
    )
    made = functions.create_event_source_mapping(
        FunctionName=f"fed-{UNIQUE}",
        EventSourceArn=queues.get_queue_attributes(**names)["Attributes"]["QueueArn"],
        Enabled=False,
    )
    yield made["UUID"]
    functions.delete_event_source_mapping(UUID=made["UUID"])
    functions.delete_function(FunctionName=f"fed-{UNIQUE}")
    queues.delete_queue(QueueUrl=url)


def zipped(source):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("index.py", source)
    return file.getvalue()


def test_a_mapping_is_switched_and_seen(run, mapping):
    look = "aws-sdk:lambda:getEventSourceMapping"
    assert output(run(look, {"Uuid": mapping}))["State"] == "Disabled"
    on = output(run("aws-sdk:lambda:updateEventSourceMapping", {"Uuid": mapping, "Enabled": True}))
    assert (on["Uuid"], on["State"]) == (mapping, "Enabled")
    output(run("aws-sdk:lambda:updateEventSourceMapping", {"Uuid": mapping, "Enabled": False}))
    assert output(run(look, {"Uuid": mapping}))["State"] == "Disabled"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"Uuid": str(uuid4())}, "Lambda.ResourceNotFoundException"),
        ({"UUID": str(uuid4())}, "States.Runtime"),  # the API's own spelling
    ],
)
def test_a_mapping_that_is_not_there_is_an_error_of_lambda(run, mapping, given, error):
    ended = run("aws-sdk:lambda:getEventSourceMapping", given)
    assert (ended["status"], ended["error"]) == ("FAILED", error)


def test_an_event_is_put_with_an_object_as_its_detail(clients, run):
    events, sqs = clients("events", SECONDARY), clients("sqs", SECONDARY)
    bus = f"bus-{UNIQUE}"
    events.create_event_bus(Name=bus)
    url = sqs.create_queue(QueueName=f"said-{UNIQUE}")["QueueUrl"]
    arn = f"arn:aws:sqs:{SECONDARY}:{clients.engine.account}:said-{UNIQUE}"
    pattern = json.dumps({"source": ["orders.recovery"]})
    events.put_rule(Name="all", EventBusName=bus, EventPattern=pattern)
    events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "q", "Arn": arn}])
    entry = {
        "Detail": {"epoch": 2},
        "DetailType": "Failed over",
        "EventBusName": bus,
        "Source": "orders.recovery",
    }
    assert output(run("events:putEvents", {"Entries": [entry]}))["FailedEntryCount"] == 0
    (message,) = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    said = json.loads(message["Body"])
    assert (said["detail"], said["detail-type"]) == ({"epoch": 2}, "Failed over")


def test_an_event_that_the_bus_does_not_take_fails_the_task(run):
    entry = {"Detail": {}, "DetailType": "x", "EventBusName": "default", "Source": "aws.orders"}
    ended = run("events:putEvents", {"Entries": [entry]})
    assert (ended["status"], ended["error"]) == ("FAILED", "EventBridge.FailedEntry")
