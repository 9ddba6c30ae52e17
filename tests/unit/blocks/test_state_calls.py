"""What tasks call and what choices compare: spelled as AWS spells it, granted as it is called."""

from datetime import UTC, datetime

import pytest
from troposphere import Ref, encode_to_dict

from tap_templates.blocks import state_choices as choices
from tap_templates.blocks.bus import Bus
from tap_templates.blocks.queue import Queue
from tap_templates.blocks.state_calls import (
    Expression,
    GetItem,
    Publish,
    PutItem,
    SdkCall,
    Send,
    UpdateItem,
    grants,
)
from tap_templates.blocks.state_events import PutEvent
from tap_templates.blocks.table import Table
from tap_templates.blocks.topic import Topic
from tap_templates.errors import ModelError

TABLE = Table("market-events")
KEY = {"PK": {"S.$": "$.id"}}


@pytest.mark.parametrize(
    ("call", "integration", "given", "sids"),
    [
        (
            Publish(topic=Topic("t"), message={"id.$": "$.id"}, subject="s", key=Ref("KeyArn")),
            "sns:publish",
            {"Message": {"id.$": "$.id"}, "Subject": "s", "TopicArn": ...},
            {"SnsPublish": ["sns:Publish"], "UseKey1": ["kms:Decrypt", "kms:GenerateDataKey"]},
        ),
        (
            GetItem(table=TABLE, key=KEY),
            "dynamodb:getItem",
            {"ConsistentRead": True, "Key": KEY, "TableName": ...},
            {"DynamodbGetItem": ["dynamodb:GetItem"]},
        ),
        (
            PutItem(
                table=TABLE,
                item=KEY,
                condition=Expression(text="attribute_not_exists(#p)", names={"#p": "PK"}),
            ),
            "dynamodb:putItem",
            {
                "ConditionExpression": "attribute_not_exists(#p)",
                "ExpressionAttributeNames": {"#p": "PK"},
                "Item": KEY,
                "TableName": ...,
            },
            {"DynamodbPutItem": ["dynamodb:PutItem"]},
        ),
        (
            UpdateItem(
                table=TABLE,
                key=KEY,
                update=Expression(text="SET a = :a", values={":a": {"S": "x"}}),
                condition=Expression(text="b = :b", values={":b": {"S": "y"}}),
            ),
            "dynamodb:updateItem",
            {
                "ConditionExpression": "b = :b",
                "ExpressionAttributeValues": {":a": {"S": "x"}, ":b": {"S": "y"}},
                "Key": KEY,
                "TableName": ...,
                "UpdateExpression": "SET a = :a",
            },
            {"DynamodbUpdateItem": ["dynamodb:UpdateItem"]},
        ),
    ],
    ids=lambda value: getattr(value, "integration", ""),
)
def test_a_call_knows_its_parameters_and_what_it_needs(call, integration, given, sids):
    assert call.integration == integration
    parameters = call.parameters()
    assert {key: ... if given[key] is ... else parameters[key] for key in parameters} == given
    made = [encode_to_dict(each) for each in grants([call, call])]
    assert {each["Sid"]: each["Action"] for each in made} == sids


@pytest.mark.parametrize(
    ("made", "rule"),
    [
        (choices.equals("$.a", value=True), {"BooleanEquals": True}),
        (choices.equals("$.a", "x"), {"StringEquals": "x"}),
        (choices.equals("$.a", 1), {"NumericEquals": 1}),
        (choices.below("$.a", 1.5), {"NumericLessThan": 1.5}),
        (choices.at_most("$.a", "b"), {"StringLessThanEquals": "b"}),
        (
            choices.above("$.a", datetime(2026, 1, 2, tzinfo=UTC)),
            {"TimestampGreaterThan": "2026-01-02T00:00:00Z"},
        ),
        (
            choices.at_least("$.a", choices.At("$.b", float)),
            {"NumericGreaterThanEqualsPath": "$.b"},
        ),
        (choices.matches("$.a", "x*"), {"StringMatches": "x*"}),
        (choices.present("$.a"), {"IsPresent": True}),
        (choices.is_null("$.a"), {"IsNull": True}),
    ],
    ids=str,
)
def test_a_comparison_follows_from_the_value(made, rule):
    assert made.rule == {"Variable": "$.a", **rule}


def test_choices_combine():
    one, other = choices.present("$.a"), choices.is_null("$.b")
    assert choices.any_of(one, choices.negate(other)).rule == {
        "Or": [
            {"Variable": "$.a", "IsPresent": True},
            {"Not": {"Variable": "$.b", "IsNull": True}},
        ]
    }
    assert [*choices.all_of(one, other).rule] == ["And"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: choices.equals("a", 1), "is of no path"),
        (lambda: choices.below("$.a", value=True), "truth values in an order"),
        (lambda: choices.above("$.a", datetime(2026, 1, 2)), "no time zone"),  # noqa: DTZ001 - that is what is refused
    ],
)
def test_a_comparison_that_cannot_be_is_refused(make, says):
    with pytest.raises(ModelError, match=says):
        make()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"service": "RDS"}, "not spelled as the SDK does"),
        ({"operation": "FailoverGlobalCluster"}, "not spelled as the SDK does"),
        ({"given": {"globalClusterIdentifier": "x"}}, "PascalCase"),
        ({"allowed": {}}, "no action or no resource"),
        ({"allowed": {"rds:FailoverGlobalCluster": []}}, "no action or no resource"),
        ({"allowed": {"rds:*": ["arn"]}}, "no single action"),
    ],
)
def test_a_call_of_aws_is_spelled_right(changes, says):
    given = {"service": "rds", "operation": "failoverGlobalCluster", "given": {}}
    with pytest.raises(ModelError, match=says):
        SdkCall(**{**given, "allowed": {"rds:FailoverGlobalCluster": ["arn"]}, **changes})


def test_an_action_that_does_not_exist_is_refused():
    call = SdkCall(service="rds", operation="failOver", given={}, allowed={"rds:FailOver": ["arn"]})
    with pytest.raises(ModelError, match="which IAM does not know"):
        grants([call])


def test_a_message_names_its_queue_by_url():
    assert (
        "queue-q-"
        in encode_to_dict(Send(queue=Queue("q"), body={}).parameters())["QueueUrl"]["Fn::Sub"]
    )


def test_each_kind_of_event_is_a_statement_of_its_own():
    kinds = ("failed over", "failed", "failed")
    calls = [
        PutEvent(bus=Bus("orders"), source="orders.dr", detail_type=kind, detail={"epoch.$": "$.e"})
        for kind in kinds
    ]
    (entry,) = calls[0].parameters()["Entries"]
    assert (entry["Source"], entry["DetailType"]) == ("orders.dr", "failed over")
    found = [encode_to_dict(each) for each in grants(calls)]
    assert [each["Sid"] for each in found] == ["EventsPutEvents", "EventsPutEvents2"]
    types = [each["Condition"]["ForAllValues:StringEquals"]["events:detail-type"] for each in found]
    assert types == [["failed over"], ["failed"]]
    assert all(each["Condition"]["Null"]["events:source"] == "false" for each in found)
