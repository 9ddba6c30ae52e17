"""What provisioning a type takes comes from its schema, and what IAM does not know is dropped."""

import pytest

from tap_templates.blocks.ignored import ignoring
from tap_templates.blocks.provisioning import provisioning_actions, resources_of
from tap_templates.blocks.stack_sets import _filled, _named, stack_set_roles
from tap_templates.errors import ModelError


def test_a_type_takes_what_its_handlers_list():
    actions = provisioning_actions(["AWS::SQS::Queue"])
    assert {"sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes"} <= set(actions)
    assert all(action.startswith("sqs:") for action in actions)


def test_patterns_are_spelled_out_and_what_iam_does_not_know_is_dropped():
    actions = provisioning_actions(["AWS::DynamoDB::GlobalTable", "AWS::KMS::Key"])
    assert "dynamodb:DescribeTable" in actions
    assert not [action for action in actions if "*" in action]
    assert "kms:ReEncrypt" not in actions


def test_more_types_take_more():
    one = set(provisioning_actions(["AWS::SQS::Queue"]))
    two = set(provisioning_actions(["AWS::SQS::Queue", "AWS::SNS::Topic"]))
    assert one < two


def test_a_type_without_a_schema_is_refused():
    with pytest.raises(ModelError, match="AWS::SQS::Qeue: has no schema") as caught:
        provisioning_actions(["AWS::SQS::Qeue"])
    assert "correct its name" in caught.value.remedy


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("sqs:DeleteQueue", ("arn:${AWS::Partition}:sqs:*:${AWS::AccountId}:queue-*",)),
        ("sqs:ListQueues", ("*",)),
        (
            "kinesis:DescribeStream",
            ("arn:${AWS::Partition}:kinesis:*:${AWS::AccountId}:stream/*",),
        ),
    ],
)
def test_an_action_is_limited_to_our_names_or_to_the_account(action, expected):
    assert _named(action, ()) == expected


def test_an_arn_format_is_filled_in():
    (arn,) = resources_of("sqs:DeleteQueue")
    assert arn == "arn:${Partition}:sqs:${Region}:${Account}:${QueueName}"
    assert _filled(arn) == "arn:${AWS::Partition}:sqs:*:${AWS::AccountId}:*"


def test_roles_for_no_type_may_pass_no_role():
    made = stack_set_roles(["AWS::SQS::Queue"], regions=["us-east-1"])
    text = str([policy.to_dict() for policy in made.policies])
    assert "PassRole" not in text


def test_an_ignored_rule_carries_its_reason():
    assert ignoring({"W3037": "because"}) == {
        "cfn-lint": {"config": {"ignore_checks": ["W3037"]}},
        "tap.ignore_reasons": {"W3037": "because"},
    }
