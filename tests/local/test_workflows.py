"""State machines, and the rules that start them: deployed by CloudFormation, and really run."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from local.conftest import PRIMARY, SECONDARY, eventually
from local.reading import problems, spoiled
from local.stack_sets import StackSet
from local.workflows import BODY, SOURCE, UNIQUE, Workflow


@pytest.fixture(scope="module")
def stack_set(clients):
    made = StackSet(clients, TemplateBody=BODY, Capabilities=["CAPABILITY_IAM"]).create()
    yield made
    assert made.delete()["Status"] == "SUCCEEDED"


@pytest.fixture
def workflow(clients, stack_set):
    return Workflow(clients, stack_set, PRIMARY)


@pytest.fixture
def other(clients, stack_set):
    """The same in the other region."""
    return Workflow(clients, stack_set, SECONDARY)


FINE = {"do": "go", "left": "go", "right": "go"}


def test_the_machine_is_what_its_template_says(workflow, other):
    for each in (workflow, other):
        found = each.client("stepfunctions").describe_state_machine(
            stateMachineArn=each.ids["Machine"]
        )
        definition = json.loads(found["definition"])
        task = definition["States"]["Validate"]
        assert f":{each.region}:" in task["Parameters"]["FunctionName"]
        assert task["Parameters"]["FunctionName"].endswith(":live")
        assert (task["TimeoutSeconds"], task["Retry"][0]["BackoffRate"]) == (20, 2)
        assert found["tracingConfiguration"] == {"enabled": True}
        logging = found["loggingConfiguration"]
        assert (logging["level"], logging["includeExecutionData"]) == ("ERROR", False)
        (destination,) = logging["destinations"]
        assert each.region in destination["cloudWatchLogsLogGroup"]["logGroupArn"]


def test_all_of_it_is_read_back(stack_set):
    for region in (PRIMARY, SECONDARY):
        assert problems(stack_set, region, BODY) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("Machine", {"Definition": {"StartAt": "Known"}}),
        ("Machine", {"TracingConfiguration": {"Enabled": False}}),
        ("Machine", {"LoggingConfiguration": {"Level": "ALL"}}),
        ("Machine", {"StateMachineType": "EXPRESS"}),
        ("Rule", {"Targets": []}),
        ("Archive", {"RetentionDays": 1}),
    ],
)
def test_reading_back_notices_what_differs(stack_set, name, change):
    (problem,) = problems(stack_set, PRIMARY, spoiled(BODY, name, change))
    assert f": {name} (" in problem


def test_an_execution_goes_through_functions_choices_and_branches(workflow, other):
    for each in (workflow, other):
        found = each.run(**FINE)
        assert found["status"] == "SUCCEEDED"
        output = json.loads(found["output"])
        said = output["validated"]["said"]
        assert said["execution"] == found["name"]
        assert output["both"] == dict.fromkeys(("left", "right"), found["name"])
        assert output["detail"] == FINE


def test_a_choice_may_end_it(workflow):
    found = workflow.run(do="known")
    assert found["status"] == "SUCCEEDED"
    assert json.loads(found["output"])["known"] is True


def test_an_error_is_retried_by_its_class(workflow):
    found = workflow.run(**FINE | {"do": "busy"})
    assert found["status"] == "SUCCEEDED"
    assert json.loads(found["output"])["validated"]["said"]["retries"] == 2


def test_an_error_that_stays_ends_the_execution_under_its_name(workflow):
    found = workflow.run(do="always busy")
    assert (found["status"], found["error"]) == ("FAILED", "Busy")
    assert json.loads(found["cause"])["errorMessage"] == "later"
    events = workflow.client("stepfunctions").get_execution_history(
        executionArn=found["executionArn"]
    )["events"]
    assert sum(each["type"] == "TaskFailed" for each in events) == 3


def test_an_error_is_caught_by_its_class_and_parked(workflow, other):
    for each in (workflow, other):
        found = each.run(do="refuse", id=each.region)
        assert (found["status"], found["error"]) == ("FAILED", "Rejected")
        said = json.loads(each.received("Failed")["Body"])
        assert said == {"event": {"do": "refuse", "id": each.region}, "error": "Refused"}


def test_a_failing_branch_is_caught_for_all_of_them(workflow):
    found = workflow.run(**FINE | {"right": "refuse"})
    assert (found["status"], found["error"], found["cause"]) == ("FAILED", "Compensated", "undone")
    assert json.loads(workflow.received("Failed")["Body"])["error"] == "Refused"


def test_failures_ring(workflow):
    workflow.run(do="always busy")
    workflow.rings("MachineAlarm")
    workflow.rings("FunctionAlarm")
    cloudwatch = workflow.client("cloudwatch")
    names = {
        each["MetricName"]
        for each in cloudwatch.list_metrics(Namespace="AWS/States")["Metrics"]
        if {"Name": "StateMachineArn", "Value": workflow.ids["Machine"]} in each["Dimensions"]
    }
    assert names >= {"ExecutionsStarted", "ExecutionsFailed", "ExecutionTime"}


def test_an_invocation_is_counted_once_whoever_makes_it(workflow):
    cloudwatch, name = workflow.client("cloudwatch"), f"workflow-{UNIQUE}"

    def sums():
        now = datetime.now(UTC)
        found = {}
        for metric in ("Invocations", "Errors"):
            points = cloudwatch.get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName=metric,
                Dimensions=[{"Name": "FunctionName", "Value": name}],
                StartTime=now - timedelta(hours=1),
                EndTime=now + timedelta(minutes=1),
                Period=3600,
                Statistics=["Sum"],
            )["Datapoints"]
            found[metric] = sum(each["Sum"] for each in points)
        return found["Invocations"], found["Errors"]

    before = sums()
    payload = json.dumps({"do": "refuse", "retries": 0})
    workflow.client("lambda").invoke(FunctionName=name, Qualifier="live", Payload=payload)
    workflow.run(do="known")
    after = sums()
    assert (after[0] - before[0], after[1] - before[1]) == (2, 1)


def test_an_event_starts_the_machine_with_its_envelope_and_a_replay_does_again(workflow):
    before = workflow.executions()
    began = datetime.now(UTC) - timedelta(seconds=2)
    workflow.put(do="known", id="e")
    (first,) = eventually(lambda: workflow.executions() - before)
    envelope = json.loads(workflow.ended(first)["input"])
    assert (envelope["source"], envelope["detail"]) == (SOURCE, {"do": "known", "id": "e"})
    assert envelope["detail-type"] == "tests"
    assert "replay-name" not in envelope
    events = workflow.client("events")
    bus = events.describe_event_bus(Name=workflow.ids["Bus"])["Arn"]
    archive = events.describe_archive(ArchiveName=f"workflow-{UNIQUE}")
    events.start_replay(
        ReplayName=f"again-{UNIQUE}",
        EventSourceArn=archive["ArchiveArn"],
        EventStartTime=began,
        EventEndTime=datetime.now(UTC) + timedelta(seconds=2),
        Destination={"Arn": bus},
    )

    def replayed():  # among events of other tests in these seconds
        runs = workflow.executions() - before - {first}
        envelopes = [json.loads(workflow.ended(each)["input"]) for each in runs]
        return [each for each in envelopes if each["detail"].get("id") == "e"]

    (same,) = eventually(replayed)
    cloudwatch, dimension = workflow.client("cloudwatch"), f"workflow-{UNIQUE}"
    counted = {
        each["MetricName"]
        for each in cloudwatch.list_metrics(Namespace="AWS/Events")["Metrics"]
        if {"Name": "RuleName", "Value": dimension} in each["Dimensions"]
    }
    assert counted >= {"MatchedEvents", "Invocations"}
    assert same["replay-name"] == f"again-{UNIQUE}"
    assert same["id"] == envelope["id"]


def test_an_execution_that_cannot_be_started_leaves_its_event_in_the_queue(workflow):
    """The role of the rule loses its permission: the event is kept, with the reason."""
    iam = workflow.client("iam")
    known = {"RoleName": workflow.ids["RuleRole"], "PolicyName": "It"}
    policy = iam.get_role_policy(**known)["PolicyDocument"]
    iam.delete_role_policy(**known)
    before = workflow.executions()
    try:
        workflow.put(do="known", id="lost")
        message = workflow.received("Undelivered", MessageAttributeNames=["All"])
    finally:
        iam.put_role_policy(**known, PolicyDocument=json.dumps(policy))
    said = {key: each["StringValue"] for key, each in message["MessageAttributes"].items()}
    assert said["ERROR_CODE"] == "NO_PERMISSIONS"
    assert said["TARGET_ARN"] == workflow.ids["Machine"]
    assert json.loads(message["Body"])["detail"] == {"do": "known", "id": "lost"}
    assert workflow.executions() == before


def test_a_machine_that_is_gone_leaves_the_event_in_the_queue(workflow):
    events, name = workflow.client("events"), f"workflow-{UNIQUE}"
    where = {"Rule": name, "EventBusName": workflow.ids["Bus"]}
    (target,) = events.list_targets_by_rule(**where)["Targets"]
    events.put_targets(Targets=[target | {"Arn": target["Arn"] + "x"}], **where)
    try:
        workflow.put(do="known")
        message = workflow.received("Undelivered", MessageAttributeNames=["All"])
    finally:
        events.put_targets(Targets=[target], **where)
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_RESOURCE"


def test_a_killed_regions_executions_stand_still_and_go_on(workflow, other, control):
    states = other.client("stepfunctions")
    started = states.start_execution(
        stateMachineArn=other.ids["Machine"], input=json.dumps({"detail": FINE})
    )
    control("kill", region=SECONDARY)
    assert workflow.run(**FINE)["status"] == "SUCCEEDED"
    control("heal", region=SECONDARY)
    found = states.describe_execution(executionArn=started["executionArn"])
    assert found["status"] == "RUNNING"
    assert other.ended(started["executionArn"])["status"] == "SUCCEEDED"
