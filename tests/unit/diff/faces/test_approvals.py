"""Whose word is needed, and for exactly what."""

import copy

import pytest

from tap_templates.diff.api import compare_templates
from tap_templates.diff.faces.approvals import flags_named, refusals
from tap_templates.diff.model import FlagName, Template
from tap_templates.diff.security.analysers import ANALYSERS
from tap_templates.errors import UsageError

TRUST = {
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
    ]
}


def body(action, *, delay=1, bucket="b", mapped="m"):
    statement = {
        "Effect": "Allow",
        "Action": action,
        "Resource": {"Fn::Sub": "${Bucket.Arn}/${Prefix}/*"},
    }
    return {
        "Parameters": {"Prefix": {"Type": "String", "Default": "p"}},
        "Mappings": {"Unused": {"a": {"b": mapped}}},
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket}},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": delay}},
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": TRUST,
                    "Policies": [{"PolicyName": "p", "PolicyDocument": {"Statement": [statement]}}],
                },
            },
        },
    }


BROADENING = frozenset({FlagName.IAM_BROADENING})


def asked(before, after, *, approved=(), given=None):
    sides = [
        {"t.json": Template(path="t.json", body=each, parameters=given or {})}
        for each in (before, after)
    ]
    diff = compare_templates(*sides, analysers=ANALYSERS)
    return refusals(diff, sides, fail_on=BROADENING, approved=approved)


def test_a_broadening_is_refused_until_its_digest_is_approved():
    (refusal,) = asked(body("s3:GetObject"), body("s3:*"))
    assert (refusal.change.id, refusal.flags) == ("Role", (FlagName.IAM_BROADENING,))
    assert len(refusal.digest) == 16
    assert asked(body("s3:GetObject"), body("s3:*"), approved=[refusal.digest]) == ()


def test_a_change_that_is_not_asked_for_is_not_refused():
    assert asked(body("s3:*"), body("s3:GetObject")) == ()


def test_an_approval_holds_whatever_else_changes():
    (first,) = asked(body("s3:GetObject"), body("s3:*"))
    after = body("s3:*", delay=9, mapped="n")
    assert asked(body("s3:GetObject"), after, approved=[first.digest]) == ()


@pytest.mark.parametrize(
    "other",
    [
        (body("s3:GetObject"), body(["s3:*", "sqs:*"])),
        (body("s3:PutObject"), body("s3:*")),
        (body("s3:GetObject", bucket="c"), body("s3:*", bucket="c")),
    ],
)
def test_an_approval_is_for_no_other_change(other):
    (first,) = asked(body("s3:GetObject"), body("s3:*"))
    assert len(asked(*other, approved=[first.digest])) == 1


def test_another_value_of_a_parameter_it_uses_needs_another_word():
    sides = body("s3:GetObject"), body("s3:*")
    (first,) = asked(*sides)
    assert len(asked(*sides, approved=[first.digest], given={"Prefix": "q"})) == 1


def test_an_added_role_is_approved_with_all_it_may_do():
    """What is added tells no places: the digest must know the whole resource."""
    none, one, more = body("s3:GetObject"), body("s3:GetObject"), body("s3:GetObject")
    role = one["Resources"].pop("Role")
    none["Resources"].pop("Role")
    one["Resources"]["Role"] = role
    wider = copy.deepcopy(role)
    wider["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
    )
    more["Resources"]["Role"] = wider
    (first,) = asked(none, one)
    assert len(asked(none, more, approved=[first.digest])) == 1


def test_flags_are_read_and_unknown_ones_refused():
    assert flags_named("data_loss, exposure") == {FlagName.DATA_LOSS, FlagName.EXPOSURE}
    assert flags_named("all") == set(FlagName) - {FlagName.IAM_NARROWING}
    for wrong in ("", "data-loss", "data_loss,,x", ","):
        with pytest.raises(UsageError):
            flags_named(wrong)
