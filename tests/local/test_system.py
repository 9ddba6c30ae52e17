"""trading-events on the engine: rolled out to both regions, alive, and gone again."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from local.conftest import PRIMARY, ROOT, SECONDARY, eventually
from local.rollout import host_packages, rolled_out

from tap_templates.local import engine as engines
from tap_templates.local import readback, support
from templates.trading_events import TRADING_EVENTS

BOTH = (PRIMARY, SECONDARY)
BUS = "bus-trading-events-dev"
TABLE = "table-trading-transactions-dev"
FAILED = "queue-trading-processing-failed-dev"
EVENT = json.loads((ROOT / "tests" / "handlers" / "events" / "trade-executed.json").read_text())


@pytest.fixture(scope="module")
def packages():
    return host_packages(TRADING_EVENTS.packages)


@pytest.fixture(scope="module")
def system(packages):
    with rolled_out(TRADING_EVENTS.name, packages, "tests-system") as rollout:
        yield rollout


@pytest.fixture
def leaving(packages):
    with rolled_out(TRADING_EVENTS.name, packages, "tests-leaving") as rollout:
        yield rollout


@pytest.fixture
def event():
    return {**EVENT["detail"], "eventId": str(uuid4())}


def put(system, detail, region=PRIMARY, **where):
    entry = {
        "EventBusName": BUS,
        "Source": "trading-system",
        "DetailType": "TradeExecuted",
        "Detail": json.dumps(detail),
    }
    answer = system.clients("events", region).put_events(Entries=[entry], **where)
    assert answer["FailedEntryCount"] == 0


def item(system, event, region):
    found = system.clients("dynamodb", region).get_item(
        TableName=TABLE, Key={"id": {"S": event["eventId"]}}
    )
    return found.get("Item")


def endpoint(system):
    return {"EndpointId": system.outputs("endpoint", PRIMARY)["EndpointId"]}


def outcomes(system, event, region):
    """What the processor of a region said of an event, in its log, in order."""
    logs = system.clients("logs", region)
    name = "/aws/lambda/function-trading-processor-dev"
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
    lines = [
        line for page in pages for each in page["events"] for line in each["message"].splitlines()
    ]
    said = [json.loads(line) for line in lines if line.startswith("{") and event["eventId"] in line]
    return [each["message"] for each in said]


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
    assert (
        checked.coverage.text
        == f"{checked.coverage.total} of {checked.coverage.total} resources live"
    )
    assert checked.coverage.total > 80


def test_an_event_is_in_both_tables_once(system, event):
    put(system, event, **endpoint(system))
    for region in BOTH:
        found = eventually(lambda region=region: item(system, event, region))
        assert found["sourceRegion"] == {"S": PRIMARY}
    said = eventually(
        lambda: (
            sorted(out)
            if len(out := [each for region in BOTH for each in outcomes(system, event, region)])
            >= 2
            else None
        )
    )
    assert said == ["duplicate", "processed"]


def test_a_duplicate_changes_nothing(system, event):
    put(system, event)
    stored = eventually(lambda: item(system, event, SECONDARY))
    before = eventually(lambda: outcomes(system, event, PRIMARY))
    put(system, event)
    after = eventually(
        lambda: out if len(out := outcomes(system, event, PRIMARY)) > len(before) else None
    )
    assert after[-1] == "duplicate"
    assert item(system, event, SECONDARY) == stored


def test_a_poison_event_is_parked_and_rings(system, event, packages):
    """Three attempts, then the failure queue, then the alarm, then a message of the topic."""
    sqs, sns = system.clients("sqs"), system.clients("sns")
    bell = sqs.create_queue(QueueName="bell")["QueueUrl"]
    asked = {"QueueUrl": bell, "AttributeNames": ["QueueArn"]}
    sns.subscribe(
        TopicArn=system.outputs("alerts", PRIMARY)["AlarmTopicArn"],
        Protocol="sqs",
        Endpoint=sqs.get_queue_attributes(**asked)["Attributes"]["QueueArn"],
    )
    put(system, {**event, "price": 1.5})
    url = sqs.get_queue_url(QueueName=FAILED)["QueueUrl"]
    messages = eventually(
        lambda: sqs.receive_message(QueueUrl=url, VisibilityTimeout=0).get("Messages")
    )
    failure = json.loads(messages[0]["Body"])
    assert failure["requestContext"]["condition"] == "RetriesExhausted"
    assert failure["requestContext"]["approximateInvokeCount"] == 3
    assert failure["responsePayload"]["errorType"] == "PoisonEvent"
    assert failure["requestPayload"]["detail"]["eventId"] == event["eventId"]
    assert item(system, event, PRIMARY) is None

    def rung():
        for message in sqs.receive_message(QueueUrl=bell).get("Messages", []):
            said = json.loads(json.loads(message["Body"])["Message"])
            if "processing-failed-not-empty" in said["AlarmName"]:
                return said["NewStateValue"]
        return None

    assert eventually(rung) == "ALARM"


def test_an_event_that_cannot_be_delivered_is_kept(system, event):
    """Without its permission EventBridge may not invoke: the delivery queue has the event."""
    function = "function-trading-processor-dev"
    client = system.clients("lambda", SECONDARY)
    policy = client.get_policy(FunctionName=function, Qualifier="live")["Policy"]
    statement = json.loads(policy)["Statement"][0]
    known = {"FunctionName": function, "Qualifier": "live", "StatementId": statement["Sid"]}
    client.remove_permission(**known)
    try:
        put(system, event, SECONDARY)
        sqs = system.clients("sqs", SECONDARY)
        url = sqs.get_queue_url(QueueName="queue-trading-delivery-failed-dev")["QueueUrl"]
        request = {"QueueUrl": url, "MessageAttributeNames": ["All"]}
        messages = eventually(lambda: sqs.receive_message(**request).get("Messages"))
    finally:
        client.add_permission(
            **known,
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=statement["Condition"]["ArnLike"]["AWS:SourceArn"],
        )
    attributes = {
        key: each["StringValue"] for key, each in messages[0]["MessageAttributes"].items()
    }
    assert attributes["ERROR_CODE"] == "NO_PERMISSIONS"
    assert attributes["RULE_ARN"].endswith("rule-trading-events-to-processor-dev")
    assert json.loads(messages[0]["Body"])["detail"] == event


def test_the_heartbeat_keeps_the_primary_healthy(system):
    """The alarm that the health check follows has data, so events go to the primary."""
    asked = {"AlarmNamePrefix": "alarm-trading-events-ingestion"}

    def states():
        alarms = system.clients("cloudwatch").describe_alarms(**asked)["MetricAlarms"]
        return [each["StateValue"] for each in alarms]

    eventually(lambda: states() == ["OK"])
    for region in BOTH:
        sqs = system.clients("sqs", region)
        urls = sqs.list_queues(QueueNamePrefix="queue-trading-heartbeat")["QueueUrls"]
        assert len(urls) == 2


def test_a_dead_primary_loses_nothing(system, event):
    """Ingestion moves, the standby processes; what was for the primary arrives when it is back."""
    there = endpoint(system)
    engines.control(system.clients.engine, "kill", region=PRIMARY)
    try:
        put(system, event, SECONDARY, **there)
        assert eventually(lambda: item(system, event, SECONDARY))["sourceRegion"] == {
            "S": SECONDARY
        }
    finally:
        before = engines.control(system.clients.engine, "faults")
        engines.control(system.clients.engine, "heal", region=PRIMARY)
    assert before["waiting"] == 1
    assert eventually(lambda: outcomes(system, event, PRIMARY)) == ["duplicate"]
    assert item(system, event, PRIMARY)["sourceRegion"] == {"S": SECONDARY}


def test_ingestion_is_moved_by_the_health_check_and_not_by_the_alarms_state(system, event):
    """As the runbook says: inverting the health check moves it, SetAlarmState does not."""
    there = endpoint(system)
    route53, cloudwatch = system.clients("route53"), system.clients("cloudwatch")
    (check,) = route53.list_health_checks()["HealthChecks"]
    follows = check["HealthCheckConfig"]["AlarmIdentifier"]["Name"]
    cloudwatch.set_alarm_state(AlarmName=follows, StateValue="ALARM", StateReason="a drill")
    put(system, event, **there)
    assert eventually(lambda: item(system, event, PRIMARY))["sourceRegion"] == {"S": PRIMARY}
    moved = {**event, "eventId": str(uuid4())}
    route53.update_health_check(HealthCheckId=check["Id"], Inverted=True)
    try:
        put(system, moved, **there)
    finally:
        route53.update_health_check(HealthCheckId=check["Id"], Inverted=False)
    assert eventually(lambda: item(system, moved, PRIMARY))["sourceRegion"] == {"S": SECONDARY}


def test_a_replay_of_the_archive_changes_nothing(system, event):
    put(system, event)
    eventually(lambda: outcomes(system, event, PRIMARY))
    events = system.clients("events")
    archive = events.describe_archive(ArchiveName="archive-trading-events-dev")
    bus = events.describe_event_bus(Name=BUS)["Arn"]
    now = datetime.now(UTC)
    events.start_replay(
        ReplayName=f"replay-{event['eventId']}",
        EventSourceArn=archive["ArchiveArn"],
        EventStartTime=now - timedelta(hours=1),
        EventEndTime=now + timedelta(hours=1),
        Destination={"Arn": bus},
    )
    said = eventually(lambda: out if len(out := outcomes(system, event, PRIMARY)) > 1 else None)
    assert said[-1] == "duplicate"


def test_taking_it_down_leaves_nothing(leaving):
    """All but the retained table, which is then deleted by hand as its runbook says."""
    leaving.delete()
    for region in BOTH:
        left = {
            "buses": [
                each["Name"]
                for each in leaving.clients("events", region).list_event_buses()["EventBuses"]
                if each["Name"] != "default"
            ],
            "functions": leaving.clients("lambda", region).list_functions()["Functions"],
            "queues": leaving.clients("sqs", region).list_queues().get("QueueUrls"),
            "topics": leaving.clients("sns", region).list_topics()["Topics"],
            "alarms": leaving.clients("cloudwatch", region).describe_alarms()["MetricAlarms"],
            "dashboards": leaving.clients("cloudwatch", region).list_dashboards()[
                "DashboardEntries"
            ],
            "schedules": leaving.clients("scheduler", region).list_schedules()["Schedules"],
            "archives": leaving.clients("events", region).list_archives()["Archives"],
            "endpoints": leaving.clients("events", region).list_endpoints()["Endpoints"],
            "logs": leaving.clients("logs", region).describe_log_groups()["logGroups"],
        }
        assert {name: found for name, found in left.items() if found} == {}
        assert leaving.clients("dynamodb", region).list_tables()["TableNames"] == [TABLE]
    assert leaving.clients("route53").list_health_checks()["HealthChecks"] == []
    roles = leaving.clients("iam").list_roles()["Roles"]
    assert {each["RoleName"] for each in roles if "StackSet" not in each["RoleName"]} == set()
    assert leaving.home.list_stack_sets(Status="ACTIVE")["Summaries"] == []


def test_the_support_table_knows_all_types(system):
    for stack in system.manifest["stacks"]:
        template = json.loads(system.template(stack))
        assert support.not_simulated(template).not_simulated == {}
