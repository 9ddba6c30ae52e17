"""What is not simulated is said, by type and count; what nobody knows is refused."""

import pytest
from local.conftest import PRIMARY

from tap_templates.local import engine as engines
from tap_templates.local import readback, support
from tap_templates.local.readback_compare import differences
from tap_templates.local.readback_types import CHECKS
from tap_templates.local.support import UnsupportedTypeError
from tap_templates.rendered.resolve import resolve_stack


def template(*types):
    return {"Resources": {f"R{index}": {"Type": name} for index, name in enumerate(types)}}


def test_counts_are_said_in_one_line():
    found = support.not_simulated(
        template("AWS::SQS::Queue", "AWS::SSM::Document", "AWS::SSM::Document")
    )
    assert found.text == (
        "1 of 3 resources live, 2 not simulated: "
        "2 AWS::SSM::Document (the engine has no Systems Manager documents)"
    )


def test_all_alive_needs_no_more_words():
    assert support.not_simulated(template("AWS::SQS::Queue")).text == "1 of 1 resources live"


def test_a_type_that_is_not_in_the_table_is_refused():
    with pytest.raises(UnsupportedTypeError, match="AWS::Bogus::Thing"):
        support.not_simulated(template("AWS::SQS::Queue", "AWS::Bogus::Thing"))


def test_the_engine_serves_the_same_table(engine):
    assert engines.control(engine, "support")["types"] == support.table()


def test_the_table_says_why():
    for name, entry in support.table().items():
        assert entry.keys() == {"live", "note" if entry["live"] else "why"}, name
        assert entry["live"] or entry["why"]
    assert list(support.table()) == sorted(
        support.table(), key=lambda n: (not support.table()[n]["live"], n)
    )


def test_what_is_live_can_be_read_back():
    live = {name for name, entry in support.table().items() if entry["live"]}
    assert live - CHECKS.keys() == {
        "AWS::DynamoDB::Table",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
    }


def test_the_engine_refuses_the_canary(clients):
    assert list(readback.check_canary(clients, PRIMARY)) == []


def test_reading_back_notices_what_is_missing_and_what_is_different(clients):
    """Two queues in the template; in the world one is another, and one is not there."""
    cloudformation, sqs = clients("cloudformation"), clients("sqs")
    body = '{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}, "X": {"Type": "AWS::SQS::Queue"}}}'
    stack = cloudformation.create_stack(StackName="read-back", TemplateBody=body)["StackId"]
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1}
    )
    listed = cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    urls = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed}
    sqs.delete_queue(QueueUrl=urls["X"])
    wanted = template("AWS::SQS::Queue")["Resources"]["R0"]
    resolved = resolve_stack(
        {
            "Resources": {
                "Q": wanted | {"Properties": {"DelaySeconds": 5}},
                "X": wanted,
                "Lost": wanted,
            }
        },
        stack="read-back",
        region=PRIMARY,
        parameters={},
    )
    problems = list(readback.check_stack(clients, stack, resolved))
    assert problems[0].endswith("Q (AWS::SQS::Queue): DelaySeconds is '0' and not 5")
    assert "X (AWS::SQS::Queue): cannot be read back" in problems[1]
    assert problems[2] == "read-back in us-east-1: Lost is not there"


@pytest.mark.parametrize(
    ("wanted", "found", "same"),
    [
        (1, "1", True),
        ("60", 60, True),
        (True, "true", True),
        (True, 1, False),
        ("a", "b", False),
        ("<alerts.Key.Arn@us-east-1>", "anything", True),
        ({"a": [1]}, {"a": ["1"], "more": 2}, True),
        ({"a": [1, 2]}, {"a": [1]}, False),
        ({"a": 1}, None, False),
    ],
)
def test_values_are_compared_as_what_they_mean(wanted, found, same):
    assert (differences({"x": wanted}, {"x": found}) == []) is same
