"""market-pipeline on the engine: real code behind the compiled templates, in both regions."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from local.apis import post, signed
from local.conftest import PRIMARY, ROOT, SECONDARY, eventually
from local.rollout import host_packages, rolled_out

from market_table.instruments import parse_instrument
from tap_templates.local import readback, support
from templates.market_pipeline import MARKET_PIPELINE

BOTH = (PRIMARY, SECONDARY)
BUS, TABLE = "bus-market-events-dev", "table-market-events-dev"
FAILED = "queue-market-failed-dev"
ENRICHMENT = "function-market-enrichment-dev"
INSTRUMENTS = json.loads((ROOT / "scripts" / "instruments.json").read_text())
SYMBOL, CURRENCY = INSTRUMENTS[0]["symbol"], INSTRUMENTS[0]["currency"]


@pytest.fixture(scope="module")
def packages():
    return host_packages(MARKET_PIPELINE.packages)


@contextmanager
def stocked(packages, name):
    """market-pipeline on an engine of its own, with its instruments."""
    with rolled_out(MARKET_PIPELINE.name, packages, name) as rollout:
        for each in INSTRUMENTS:
            rollout.clients("dynamodb").put_item(
                TableName=TABLE, Item=parse_instrument(each).item()
            )
        yield rollout


@pytest.fixture(scope="module")
def system(packages):
    with stocked(packages, "tests-market") as rollout:
        yield rollout


@pytest.fixture
def leaving(packages):
    with stocked(packages, "tests-market-leaving") as rollout:
        yield rollout


def now():
    return datetime.now(UTC)


def trade(**changes):
    return {
        "eventId": str(uuid4()),
        "type": "trade",
        "symbol": SYMBOL,
        "venue": "XAMS",
        "currency": CURRENCY,
        "occurredAt": now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "tradeId": "T-1",
        "price": "612.40",
        "quantity": "25",
    } | changes


def quote(**changes):
    amounts = {"bidPrice": "612.3", "bidSize": "100", "askPrice": "612.4", "askSize": "50"}
    return {k: v for k, v in trade().items() if k not in {"tradeId", "price", "quantity"}} | {
        "type": "quote", **amounts, **changes,
    }  # fmt: skip


def ingest(system, body, region=PRIMARY):
    url = system.outputs("ingestion", region)["ApiUrl"] + "/ingest"
    said = json.dumps(body).encode()
    return signed(url, system.clients.engine.account, region=region, said=said)


def item(system, event, region=PRIMARY):
    key = {"PK": {"S": f"EVENT#{event['eventId']}"}, "SK": {"S": "EVENT"}}
    return (
        system.clients("dynamodb", region)
        .get_item(TableName=TABLE, Key=key, ConsistentRead=True)
        .get("Item")
    )


def with_status(system, event, status, region=PRIMARY):
    found = item(system, event, region)
    return found if found and found["status"]["S"] == status else None


def series(system, event, region=PRIMARY):
    """The row of an event in the time series of its symbol."""
    found = system.clients("dynamodb", region).query(
        TableName=TABLE,
        IndexName="TimeSeriesIndex",
        KeyConditionExpression="TS_PK = :series",
        ExpressionAttributeValues={
            ":series": {"S": f"{event['symbol']}#{event['type']}#{event['occurredAt'][:10]}"}
        },
    )
    return [each for each in found["Items"] if each["PK"]["S"] == f"EVENT#{event['eventId']}"]


def audited(system, event, region=PRIMARY):
    """The versions of an event's audit object, oldest first."""
    day = event["occurredAt"][:10].replace("-", "/")
    s3 = system.clients("s3", region)
    bucket = system.outputs("audit", region)["AuditBucketName"]
    key = f"events/{day}/{event['eventId']}.json"
    listed = s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", [])
    return [
        json.load(s3.get_object(Bucket=bucket, Key=key, VersionId=each["VersionId"])["Body"])
        for each in listed
    ]


def runs(system, event, region=PRIMARY):
    """The executions an event has had, with their whole description, oldest first."""
    states = system.clients("stepfunctions", region)
    machine = system.outputs("processing", region)["PipelineArn"]
    listed = states.get_paginator("list_executions").paginate(stateMachineArn=machine)
    found = [
        states.describe_execution(executionArn=each["executionArn"])
        for page in listed
        for each in page["executions"]
    ]
    own = [each for each in found if event["eventId"] in each["input"]]
    return sorted(own, key=lambda each: each["startDate"])


def ended(system, event, count=1, region=PRIMARY):
    """Wait until an event has had so many executions, all ended, and give them."""

    def done():
        found = runs(system, event, region)
        return found if len(found) >= count and all("stopDate" in each for each in found) else None

    return eventually(done, seconds=40)


def parked(system, event, region=PRIMARY):
    """Take the message of an event out of the failed queue."""
    sqs = system.clients("sqs", region)
    url = sqs.get_queue_url(QueueName=FAILED)["QueueUrl"]

    def find():
        for message in sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1
        ).get("Messages", []):
            body = json.loads(message["Body"])
            if body["event"].get("eventId") == event["eventId"]:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                return body
        return None

    return eventually(find)


def rings(system, name, region=PRIMARY):
    asked = {"AlarmNames": [f"alarm-{name}-dev"]}
    alarms = system.clients("cloudwatch", region)
    return alarms.describe_alarms(**asked)["MetricAlarms"][0]["StateValue"] == "ALARM"


@contextmanager
def without(system, function, region=PRIMARY):
    """Take a function's live alias away, so that nobody can invoke it."""
    client = system.clients("lambda", region)
    known = {"FunctionName": function, "Name": "live"}
    version = client.get_alias(**known)["FunctionVersion"]
    client.delete_alias(**known)
    try:
        yield
    finally:
        client.create_alias(**known, FunctionVersion=version)


def test_all_of_it_is_there(system):
    """Every resource is listed, and read back from its own service."""
    checked = readback.check_system(
        system.clients,
        system.manifest,
        system.folder,
        account=system.account,
        stack_id=system.stack_id,
        parameters=system.parameters,
    )
    assert checked.problems == ()
    total = checked.coverage.total
    assert checked.coverage.text == f"{total} of {total} resources live"
    assert total > 200


def test_the_support_table_knows_all_types(system):
    for stack in system.manifest["stacks"]:
        template = json.loads(system.template(stack))
        assert support.not_simulated(template).not_simulated == {}


def test_the_machine_that_runs_is_the_compiled_one(system):
    arn = system.outputs("processing", PRIMARY)["PipelineArn"]
    running = json.loads(
        system.clients("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"]
    )
    template = json.loads((system.folder / "processing.json").read_text())
    compiled = template["Resources"]["PipelineMachine"]["Properties"]["Definition"]

    def shape(value):
        match value:
            case {"Fn::Sub": _}:
                return "…"
            case dict():
                return {key: shape(each) for key, each in value.items()}
            case list():
                return [shape(each) for each in value]
        return value

    def same(ours, theirs):
        match ours:
            case "…":
                return isinstance(theirs, str) and theirs.startswith(
                    ("arn:", "https://", "http://")
                )
            case dict():
                return ours.keys() == theirs.keys() and all(
                    same(ours[key], theirs[key]) for key in ours
                )
            case list():
                return all(same(a, b) for a, b in zip(ours, theirs, strict=True))
        return ours == theirs

    assert same(shape(compiled), running)


@pytest.mark.parametrize("region", BOTH)
@pytest.mark.parametrize("make", [trade, quote])
def test_what_is_posted_is_recorded_with_its_time_series_row_and_audit_record(system, make, region):
    event = make()
    assert ingest(system, event, region) == (202, {"accepted": [event["eventId"]]})
    (run,) = ended(system, event, region=region)
    assert run["status"] == "SUCCEEDED"
    stored = item(system, event, region)
    assert stored["status"] == {"S": "RECORDED"}
    assert stored["isin"] == {"S": INSTRUMENTS[0]["isin"]}
    assert [row["PK"] for row in series(system, event, region)] == [stored["PK"]]
    (record,) = audited(system, event, region)
    price = "price" if make is trade else "bidPrice"
    assert record["event"][price] == event[price].rstrip("0")
    assert record["enrichment"]["isin"] == INSTRUMENTS[0]["isin"]
    # The other region has it too: the table is one.
    other = SECONDARY if region == PRIMARY else PRIMARY
    assert eventually(lambda: series(system, event, other))


def test_an_unsigned_request_reaches_nothing(system):
    url = system.outputs("ingestion", PRIMARY)["ApiUrl"] + "/ingest"
    event = trade()
    assert post(url, said=json.dumps(event).encode())[0] == 403
    assert item(system, event) is None


def test_an_invalid_request_is_refused_and_starts_nothing(system):
    event = trade(price="-0.0.1")
    status, answer = ingest(system, event)
    assert (status, answer["error"]) == (400, "InvalidEvent")
    assert "-0.0.1" not in json.dumps(answer)
    assert runs(system, event) == []


def test_an_invalid_event_on_the_bus_is_stored_nowhere_parked_and_rings(system):
    """Whoever may put on the bus need not come through ingestion."""
    event = trade(price=1.5)
    entry = {"EventBusName": BUS, "Source": "market.data", "DetailType": "market.event"}
    system.clients("events").put_events(Entries=[{**entry, "Detail": json.dumps(event)}])
    (run,) = ended(system, event)
    assert (run["status"], run["error"]) == ("FAILED", "InvalidEvent")
    assert item(system, event) is None
    assert audited(system, event) == []
    assert eventually(lambda: rings(system, "market-pipeline-failed"))
    assert eventually(lambda: rings(system, "market-failed-not-empty"))
    assert parked(system, event)["error"] == "InvalidEvent"


def test_while_enrichment_is_down_events_are_compensated_and_nothing_is_half_stored(system):
    event = trade()
    with without(system, ENRICHMENT):
        assert ingest(system, event)[0] == 202
        (run,) = ended(system, event)
    assert (run["status"], run["error"]) == ("FAILED", "Compensated")
    left = item(system, event)
    assert left["status"] == {"S": "COMPENSATED"}
    assert not {"price", "quantity", "TS_PK", "TS_SK", "isin"} & set(left)
    assert series(system, event) == []
    assert audited(system, event) == []
    body = parked(system, event)
    assert body["event"]["price"] == "612.4"
    assert body["error"].startswith("Lambda.")
    # Redriven once the cause is gone, it is recorded as if nothing had been.
    assert ingest(system, event)[0] == 202
    assert ended(system, event, 2)[-1]["status"] == "SUCCEEDED"
    assert with_status(system, event, "RECORDED")
    assert len(audited(system, event)) == 1


def test_an_event_without_instrument_is_compensated(system):
    event = trade(symbol="NOBODY")
    assert ingest(system, event)[0] == 202
    (run,) = ended(system, event)
    assert (run["status"], run["error"]) == ("FAILED", "Compensated")
    assert parked(system, event)["error"] == "UnknownInstrument"
    assert item(system, event)["reason"] == {"S": "UnknownInstrument"}


def test_compensation_tells_the_topic_ids_and_names_only(system):
    sqs, sns = system.clients("sqs"), system.clients("sns")
    url = sqs.create_queue(QueueName="ear")["QueueUrl"]
    asked = {"QueueUrl": url, "AttributeNames": ["QueueArn"]}
    arn = sqs.get_queue_attributes(**asked)["Attributes"]["QueueArn"]
    topic = system.outputs("alerts", PRIMARY)["AlarmTopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    event = trade(symbol="NOBODY", price="31337.5")
    ingest(system, event)

    def heard():
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
            "Messages", []
        ):
            said = json.loads(message["Body"])["Message"]
            if event["eventId"] in said:
                return said
        return None

    said = eventually(heard, seconds=40)
    assert "UnknownInstrument" in said
    assert "31337" not in said


def test_the_same_event_twice_is_stored_once(system):
    event = trade()
    assert ingest(system, event)[0] == 202
    ended(system, event)
    before = item(system, event)
    assert ingest(system, event)[0] == 202
    assert [each["status"] for each in ended(system, event, 2)] == ["SUCCEEDED", "SUCCEEDED"]
    assert item(system, event) == before
    assert len(series(system, event)) == 1
    assert len(audited(system, event)) == 1


def test_another_event_under_the_same_id_is_refused_and_the_first_stays(system):
    event = trade()
    ingest(system, event)
    ended(system, event)
    other = {**event, "price": "1.00"}
    assert ingest(system, other)[0] == 202
    assert ended(system, event, 2)[-1]["error"] == "InvalidEvent"
    assert parked(system, other)["error"] == "EventIdReused"
    assert item(system, event)["price"] == {"N": "612.4"}


def test_a_replay_of_the_archive_makes_no_duplicates(system):
    event = quote()
    ingest(system, event)
    ended(system, event)
    before = item(system, event)
    events = system.clients("events")
    archive = events.describe_archive(ArchiveName="archive-market-events-dev")
    events.start_replay(
        ReplayName=f"replay-{event['eventId']}",
        EventSourceArn=archive["ArchiveArn"],
        EventStartTime=now() - timedelta(hours=1),
        EventEndTime=now() + timedelta(hours=1),
        Destination={"Arn": events.describe_event_bus(Name=BUS)["Arn"]},
    )
    assert ended(system, event, 2)[-1]["status"] == "SUCCEEDED"
    assert item(system, event) == before
    assert len(series(system, event)) == 1
    assert len(audited(system, event)) == 1


def test_taking_it_down_leaves_nothing(leaving):
    for region in BOTH:
        s3 = leaving.clients("s3", region)
        name = leaving.outputs("audit", region)["AuditBucketName"]
        assert "Contents" not in s3.list_objects_v2(Bucket=name)
    leaving.delete()
    for region in BOTH:
        left = {
            "machines": leaving.clients("stepfunctions", region).list_state_machines()[
                "stateMachines"
            ],
            "apis": leaving.clients("apigatewayv2", region).get_apis()["Items"],
            "functions": leaving.clients("lambda", region).list_functions()["Functions"],
            "queues": leaving.clients("sqs", region).list_queues().get("QueueUrls"),
            "tables": leaving.clients("dynamodb", region).list_tables()["TableNames"],
            "archives": leaving.clients("events", region).list_archives()["Archives"],
            "logs": leaving.clients("logs", region).describe_log_groups()["logGroups"],
            "networks": [
                each["CidrBlock"]
                for each in leaving.clients("ec2", region).describe_vpcs()["Vpcs"]
                if each["CidrBlock"].startswith("10.4")
            ],
        }
        assert {name: found for name, found in left.items() if found} == {}
    assert leaving.home.list_stack_sets(Status="ACTIVE")["Summaries"] == []
