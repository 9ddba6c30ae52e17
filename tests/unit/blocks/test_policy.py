"""The one place that makes statements refuses what would widen a grant in silence."""

import pytest
from awacs import aws, dynamodb, sqs, xray
from troposphere import Ref, encode_to_dict

from tap_templates.blocks.policy import (
    allow,
    allow_own_account,
    allow_service,
    deny_plain_text,
    document,
    trust_service,
)
from tap_templates.errors import ModelError

TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/t"
ACCOUNT = aws.StringEquals({"aws:SourceAccount": Ref("AWS::AccountId")})


def test_a_grant_renders_what_it_says():
    when = aws.StringEquals({"aws:RequestedRegion": "eu-west-1"})
    assert encode_to_dict(allow("Put", [dynamodb.PutItem], [TABLE], when)) == {
        "Sid": "Put",
        "Effect": "Allow",
        "Action": ["dynamodb:PutItem"],
        "Resource": [TABLE],
        "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
    }


@pytest.mark.parametrize(
    ("actions", "resources", "complaint"),
    [
        (
            [aws.Action("dynamodb", "PutItems")],
            [TABLE],
            "dynamodb:PutItems, which IAM does not know",
        ),
        ([sqs.SendMessageBatch], [TABLE], "sqs:SendMessageBatch, which IAM does not know"),
        ([aws.Action("dynamodb", "*")], [TABLE], "allows the pattern 'dynamodb:*'"),
        ([aws.Action("dynamodb", "Put*")], [TABLE], "allows the pattern 'dynamodb:Put*'"),
        ([aws.Action("*")], [TABLE], "allows the pattern '*'"),
        ([dynamodb.PutItem], ["*"], "dynamodb:PutItem on *, but the action can be limited"),
        ([dynamodb.PutItem, xray.PutTraceSegments], ["*"], "dynamodb:PutItem on *"),
        ([aws.Action("dinamodb", "PutItem")], [TABLE], "dinamodb:PutItem, which IAM does not know"),
        ([], [TABLE], "has no action or no resource"),
        ([dynamodb.PutItem], [], "has no action or no resource"),
    ],
)
def test_a_grant_that_is_too_wide_or_means_nothing_is_refused(actions, resources, complaint):
    with pytest.raises(ModelError) as caught:
        allow("Grant", actions, resources)
    assert complaint in str(caught.value)
    assert str(caught.value).startswith("statement Grant: ")
    assert caught.value.remedy


def test_everything_may_be_named_where_nothing_else_can():
    statement = encode_to_dict(allow("Trace", [xray.PutTraceSegments], ["*"]))
    assert statement["Resource"] == ["*"]


def test_a_repeated_condition_operator_is_refused_because_awacs_would_drop_one():
    twice = (
        aws.StringEquals("aws:SourceAccount", "1"),
        aws.StringEquals("aws:PrincipalOrgID", "o"),
    )
    assert len(aws.Condition(list(twice)).JSONrepr()["StringEquals"]) == 1  # the trap, still there
    with pytest.raises(ModelError, match="StringEquals more than once") as caught:
        allow("Put", [dynamodb.PutItem], [TABLE], *twice)
    assert caught.value.remedy == "put all keys of one operator into one dict"


def test_a_service_is_admitted_only_for_someone():
    with pytest.raises(ModelError, match="on behalf of anyone"):
        allow_service("Send", "events.amazonaws.com", [sqs.SendMessage], [TABLE])
    statement = encode_to_dict(
        allow_service("Send", "events.amazonaws.com", [sqs.SendMessage], [TABLE], ACCOUNT)
    )
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    }


def test_a_service_is_trusted_for_this_account_only_except_lambda_which_sends_no_source():
    scheduler = encode_to_dict(trust_service("scheduler.amazonaws.com"))["Statement"][0]
    assert "aws:SourceAccount" in scheduler["Condition"]["StringEquals"]
    function = encode_to_dict(trust_service("lambda.amazonaws.com"))["Statement"][0]
    assert "Condition" not in function


def test_plain_text_is_denied_to_everyone():
    statement = encode_to_dict(deny_plain_text([aws.Action("sqs", "*")], [TABLE]))
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_document_has_a_version_and_distinct_statements():
    put = allow("Put", [dynamodb.PutItem], [TABLE])
    assert encode_to_dict(document(put))["Version"] == "2012-10-17"
    with pytest.raises(ModelError, match="two statements called Put"):
        document(put, put)


def test_a_key_policy_leaves_administration_to_the_account():
    statement = encode_to_dict(allow_own_account("Administer", [dynamodb.PutItem]))
    assert statement["Principal"] == {
        "AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    }
