"""What holds of every state of the machines, and what their roles may do. No engine is needed."""

import json
from datetime import timedelta

import pytest
from troposphere import encode_to_dict

from tap_templates.blocks.state_calls import grants
from templates.trading_dr import machines_parts as parts
from templates.trading_dr.machines import (
    Surroundings,
    failback_definition,
    failover_definition,
)

GIVEN = Surroundings(
    home="us-east-1",
    global_cluster="global-cluster-orders",
    global_cluster_arn="arn:global",
    cluster="arn:here",
    other_cluster="arn:other",
    consumer="uuid",
    consumer_arn="arn:mapping",
    topic_key="arn:key",
)
MADE = {"failover": failover_definition(GIVEN), "failback": failback_definition(GIVEN)}
BODIES = {name: encode_to_dict(made.body()) for name, made in MADE.items()}
REFUSED = "DynamoDB.ConditionalCheckFailedException"


def states(body):
    for name, state in body["States"].items():
        yield name, state
        if state["Type"] == "Map":
            yield from states(state["ItemProcessor"])


TASKS = [
    pytest.param(state, id=f"{kind}-{name}")
    for kind, body in BODIES.items()
    for name, state in states(body)
    if state["Type"] == "Task"
]
CONDITIONAL = [each for each in TASKS if "ConditionExpression" in each.values[0]["Parameters"]]
INVOKING = [each for each in TASKS if each.values[0]["Resource"]["Fn::Sub"].endswith("invoke")]


def integration(state):
    return state["Resource"]["Fn::Sub"].partition(":::")[2]


@pytest.mark.parametrize("state", TASKS)
def test_every_task_is_bounded_and_tried_again_with_growing_pauses(state):
    assert 10 <= state["TimeoutSeconds"] <= 310
    last = state["Retry"][-1]
    assert last["ErrorEquals"] == ["States.ALL"]
    assert (last["JitterStrategy"], last["BackoffRate"]) == ("FULL", 2)
    assert last["MaxAttempts"] >= 6
    assert last["MaxDelaySeconds"] <= 60


@pytest.mark.parametrize("kind", BODIES)
def test_every_task_is_caught_or_inside_of_what_is(kind):
    for name, state in BODIES[kind]["States"].items():
        if state["Type"] in ("Task", "Map"):
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name


@pytest.mark.parametrize("state", CONDITIONAL)
def test_a_condition_that_does_not_hold_is_read_and_not_tried_again(state):
    first = state["Retry"][0]
    names = [REFUSED, REFUSED.replace("DynamoDB", "DynamoDb")]  # whichever it is called
    assert (first["ErrorEquals"], first["MaxAttempts"]) == (names, 0)
    catches = {
        error: each["Next"] for each in state.get("Catch", ()) for error in each["ErrorEquals"]
    }
    if catches:  # that inside of the map is caught by the map
        assert catches[REFUSED] in ("ReadFence", "ReadClaim", "Recheck")


@pytest.mark.parametrize("state", CONDITIONAL)
def test_expressions_use_exactly_what_they_are_given(state):
    """DynamoDB refuses names and values that no expression uses."""
    given = state["Parameters"]
    text = f"{given['UpdateExpression']} {given['ConditionExpression']}"
    words = {word.strip("(),") for part in text.split() for word in part.replace(".", " ").split()}
    placeholders = {word for each in words for word in each.split("(") if word[:1] in "#:"}
    told = {*given["ExpressionAttributeNames"], *given["ExpressionAttributeValues"]}
    assert placeholders == {each.removesuffix(".$") for each in told}


def test_there_is_no_write_without_a_condition():
    writing = [each for each in TASKS if integration(each.values[0]).startswith("dynamodb:update")]
    assert [each.id for each in writing] == [each.id for each in CONDITIONAL]


@pytest.mark.parametrize("state", INVOKING)
def test_a_task_outlasts_its_function_and_waits_for_one_that_sleeps(state):
    name = json.dumps(state["Parameters"]["FunctionName"])
    longest = parts.REPLAYER_TIMEOUT if "replayer" in name else parts.RECOVERY_TIMEOUT
    assert timedelta(seconds=state["TimeoutSeconds"]) > longest
    assert name.endswith(':live"}')
    waiting = [
        each for each in state["Retry"] if "Lambda.ENINotReadyException" in each["ErrorEquals"]
    ]
    assert waiting[0]["MaxAttempts"] * waiting[0]["MaxDelaySeconds"] >= 300


@pytest.mark.parametrize("kind", BODIES)
def test_a_run_is_bounded_by_more_than_its_loops_take(kind):
    assert 3 * 3600 <= BODIES[kind]["TimeoutSeconds"] <= 6 * 3600


@pytest.mark.parametrize("kind", BODIES)
def test_failure_is_told_with_a_runbook_that_is_there(kind, request):
    notices = {
        name: state["Parameters"]["Message"]
        for name, state in states(BODIES[kind])
        if integration_of(state) == "sns:publish"
    }
    assert {"Notify", "NotifyFailed"} <= notices.keys()
    for message in notices.values():
        said = json.dumps(message)
        assert "Cause" not in said  # it may quote data
        for word in said.split():
            if word.startswith("docs/"):
                assert (request.config.rootpath / word.strip(',.;"}')).is_file(), word


def integration_of(state):
    return integration(state) if state["Type"] == "Task" else ""


def test_nothing_of_another_region_is_called():
    """The other region is named in a call to RDS of this region, and nowhere else."""
    for body in BODIES.values():
        for name, state in states(body):
            if state["Type"] == "Task" and "arn:other" in json.dumps(state["Parameters"]):
                assert integration(state) == "aws-sdk:rds:switchoverGlobalCluster", name


def allowed(kind):
    found = {}
    for each in grants(MADE[kind].calls()):
        statement = encode_to_dict(each)
        for action in statement["Action"]:
            found.setdefault(action, []).extend(statement["Resource"])
    return found


@pytest.mark.parametrize(
    ("kind", "order", "clusters"),
    [
        ("failover", "rds:FailoverGlobalCluster", ["arn:global", "arn:here", "arn:other"]),
        ("failback", "rds:SwitchoverGlobalCluster", ["arn:global", "arn:here", "arn:other"]),
    ],
)
def test_a_role_may_do_what_the_states_do_and_no_more(kind, order, clusters):
    found = allowed(kind)
    assert set(found) == {
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "events:PutEvents",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "lambda:GetEventSourceMapping",
        "lambda:InvokeFunction",
        "lambda:UpdateEventSourceMapping",
        "rds:DescribeGlobalClusters",
        order,
        "sns:Publish",
    }
    assert sorted(found[order]) == clusters
    assert found["lambda:UpdateEventSourceMapping"] == ["arn:mapping"]
    assert found["rds:DescribeGlobalClusters"] == ["arn:global"]


def test_only_the_failover_may_lose_data():
    orders = {
        kind: [
            state["Parameters"]
            for _, state in states(body)
            if integration_of(state).endswith("overGlobalCluster")
        ]
        for kind, body in BODIES.items()
    }
    assert [each.get("AllowDataLoss") for each in orders["failover"]] == [True]
    assert [each.get("AllowDataLoss") for each in orders["failback"]] == [None]
