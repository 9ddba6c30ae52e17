"""A role that something outside the templates runs with is judged by what it says."""

import copy

import pytest

from tap_templates.iam.proof import prove
from tap_templates.rendered.view import StackSource, resolve_system

ACCOUNT = "111122223333"
OPERATED = {"role-operator": "a person runs with it"}
ROLE = {
    "RoleName": "role-operator",
    "AssumeRolePolicyDocument": {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Trust",
                "Effect": "Allow",
                "Action": ["sts:AssumeRole"],
                "Principal": {"Service": "cloudformation.amazonaws.com"},
                "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
            }
        ],
    },
    "Policies": [
        {
            "PolicyName": "grants",
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "Do",
                        "Effect": "Allow",
                        "Action": ["sqs:SendMessage"],
                        "Resource": [f"arn:aws:sqs:eu-west-1:{ACCOUNT}:queue-x"],
                    }
                ],
            },
        }
    ],
}


def codes(edit=lambda trust, grant: None, operated=OPERATED):
    role = copy.deepcopy(ROLE)
    edit(
        role["AssumeRolePolicyDocument"]["Statement"][0],
        role["Policies"][0]["PolicyDocument"]["Statement"][0],
    )
    template = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": role}}}
    view = resolve_system("tools", [StackSource("roles", template, ["eu-west-1"])])
    return {finding.code for finding in prove(view, {}, operated)}


def test_nobody_here_knows_its_needs():
    assert codes() == set()


def test_a_role_is_operated_only_if_the_system_says_so():
    assert "TAP-IAM-ROLE-UNUSED" in codes(operated={})


def test_its_name_may_have_variables_and_is_then_all_of_a_name():
    assert codes(operated={"role-${What}": "a person"}) == set()
    assert "TAP-IAM-ROLE-UNUSED" in codes(operated={"role-${What}-x": "a person"})
    assert "TAP-IAM-ROLE-UNUSED" in codes(operated={"role-${What}/x": "a person"})


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda trust, grant: grant.update(Action=["sqs:*"]), "TAP-IAM-WILDCARD-ACTION"),
        (lambda trust, grant: grant.update(Action=["sqs:SendIt"]), "TAP-IAM-UNKNOWN-ACTION"),
        (lambda trust, grant: grant.update(Resource=["*"]), "TAP-IAM-STAR-BUT-RESOURCE-LEVEL"),
        (lambda trust, grant: trust.update(Principal={"AWS": "*"}), "TAP-IAM-TRUST-STAR"),
        (lambda trust, grant: trust.pop("Condition"), "TAP-IAM-CONFUSED-DEPUTY"),
        (
            lambda trust, grant: trust.update(
                Principal={"AWS": "arn:aws:iam::999999999999:role/other"}
            ),
            "TAP-IAM-TRUST-PRINCIPAL",
        ),
        (
            lambda trust, grant: trust.update(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
            "TAP-IAM-TRUST-PRINCIPAL",
        ),
    ],
)
def test_what_it_says_is_judged(edit, code):
    assert code in codes(edit)
