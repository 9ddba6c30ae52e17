"""Policies, definitions and patterns are compared as what they say, however they are written."""

import json
from typing import Any

import pytest

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "A",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": "*",
        },
        {"Sid": "B", "Effect": "Deny", "Action": "s3:DeleteObject", "Resource": ["a", "b"]},
    ],
}
REORDERED = {
    "Statement": [
        {"Sid": "B", "Effect": "Deny", "Action": ["s3:DeleteObject"], "Resource": ["b", "a"]},
        {
            "Sid": "A",
            "Effect": "Allow",
            "Action": ["s3:PutObject", "S3:getobject"],
            "Resource": ["*"],
        },
    ],
    "Version": "2012-10-17",
}
WIDER = {
    **POLICY,
    "Statement": [{**POLICY["Statement"][0], "Action": "s3:*"}, POLICY["Statement"][1]],
}
MACHINE = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "x", "End": True}}}
OTHER = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "y", "End": True}}}
BOTH = {
    "Parameters": {"Open": {"Type": "String"}},
    "Resources": {"Fn": {"Type": "AWS::Lambda::Function"}},
}
_QUEUE = "AWS::SQS::Queue"
_MACHINE = "AWS::StepFunctions::StateMachine"
DOCUMENTS: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    ("AWS::S3::BucketPolicy", {"PolicyDocument": POLICY}, {"PolicyDocument": REORDERED}, True),
    (
        "AWS::S3::BucketPolicy",
        {"PolicyDocument": POLICY},
        {"PolicyDocument": json.dumps(REORDERED)},
        True,
    ),
    ("AWS::S3::BucketPolicy", {"PolicyDocument": POLICY}, {"PolicyDocument": WIDER}, False),
    ("AWS::IAM::ManagedPolicy", {"PolicyDocument": POLICY}, {"PolicyDocument": REORDERED}, True),
    (
        "AWS::IAM::Role",
        {"AssumeRolePolicyDocument": POLICY},
        {"AssumeRolePolicyDocument": REORDERED},
        True,
    ),
    (
        "AWS::IAM::Role",
        {
            "Policies": [
                {"PolicyName": "a", "PolicyDocument": POLICY},
                {"PolicyName": "b", "PolicyDocument": POLICY},
            ]
        },
        {
            "Policies": [
                {"PolicyName": "b", "PolicyDocument": REORDERED},
                {"PolicyName": "a", "PolicyDocument": POLICY},
            ]
        },
        True,
    ),
    (
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {
                "Statement": [
                    {"Effect": "Allow", "Action": "x:Y", "Principal": {"AWS": "111122223333"}}
                ]
            }
        },
        {
            "AssumeRolePolicyDocument": {
                "Statement": {
                    "Effect": "Allow",
                    "Action": ["x:Y"],
                    "Principal": {"AWS": ["arn:aws:iam::111122223333:root"]},
                }
            }
        },
        True,
    ),
    (
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {
                "Statement": [
                    {"Effect": "Allow", "Action": "x:Y", "Principal": {"AWS": "111122223333"}}
                ]
            }
        },
        {
            "AssumeRolePolicyDocument": {
                "Statement": [{"Effect": "Allow", "Action": "x:Y", "Principal": {"AWS": "*"}}]
            }
        },
        False,
    ),
    (
        "AWS::KMS::Key",
        {
            "KeyPolicy": {
                "Statement": [
                    {"Effect": "Allow", "Action": "kms:*", "Condition": {"Bool": {"a": True}}}
                ]
            }
        },
        {
            "KeyPolicy": {
                "Statement": [
                    {"Effect": "Allow", "Action": "kms:*", "Condition": {"Bool": {"a": ["true"]}}}
                ]
            }
        },
        True,
    ),
    (
        _QUEUE,
        {"RedrivePolicy": {"maxReceiveCount": 3}},
        {"RedrivePolicy": '{"maxReceiveCount": "3"}'},
        True,
    ),
    (
        _QUEUE,
        {"RedrivePolicy": {"maxReceiveCount": 3}},
        {"RedrivePolicy": '{"maxReceiveCount": 4}'},
        False,
    ),
    (
        _MACHINE,
        {"DefinitionString": json.dumps(MACHINE)},
        {"DefinitionString": json.dumps(MACHINE, indent=2)},
        True,
    ),
    (_MACHINE, {"DefinitionString": json.dumps(MACHINE)}, {"Definition": MACHINE}, True),
    (_MACHINE, {"DefinitionString": json.dumps(MACHINE)}, {"Definition": OTHER}, False),
    (
        _MACHINE,
        {
            "DefinitionString": '{"a": "${arn}", "n": ${n}}',
            "DefinitionSubstitutions": {"arn": "x", "n": 3},
        },
        {"Definition": {"a": "x", "n": 3}},
        True,
    ),
    (
        _MACHINE,
        {
            "Definition": {"a": "${arn}"},
            "DefinitionSubstitutions": {"arn": {"Fn::GetAtt": ["Fn", "Arn"]}},
        },
        {"DefinitionString": {"Fn::Sub": '{"a": "${Fn.Arn}"}'}},
        True,
    ),
    (
        _MACHINE,
        {"DefinitionString": {"Fn::Join": ["", ['{"a": "', {"Fn::GetAtt": ["Fn", "Arn"]}, '"}']]}},
        {"DefinitionString": {"Fn::Sub": '{ "a" : "${Fn.Arn}" }'}},
        True,
    ),
    (
        _MACHINE,
        {"DefinitionString": {"Fn::Sub": '{"a": "${Fn.Arn}"}'}},
        {"DefinitionString": {"Fn::Sub": '{"a": "${Fn}"}'}},
        False,
    ),
    (
        "AWS::CloudWatch::Dashboard",
        {"DashboardBody": '{"a":1}'},
        {"DashboardBody": '{ "a": 1 }'},
        True,
    ),
    (
        "AWS::CloudWatch::Dashboard",
        {"DashboardBody": '{"a":1}'},
        {"DashboardBody": '{"a":2}'},
        False,
    ),
    # Text that is not said to be JSON is text.
    ("AWS::SSM::Parameter", {"Value": '{"a":1}'}, {"Value": '{ "a": 1 }'}, False),
    (
        "AWS::Events::Rule",
        {"EventPattern": {"source": ["a", "b"]}},
        {"EventPattern": {"source": ["b", "a"]}},
        True,
    ),
    (
        "AWS::Events::Rule",
        {"EventPattern": {"d": [{"numeric": [">", 0, "<", 5]}]}},
        {"EventPattern": {"d": [{"numeric": ["<", 5, ">", 0]}]}},
        False,
    ),
    (
        "AWS::Events::Archive",
        {"EventPattern": {"source": ["a"]}},
        {"EventPattern": '{"source":["a"]}'},
        True,
    ),
    (
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {
                "Statement": {"Effect": "Allow", "Action": "x:Y", "Principal": "*"}
            }
        },
        {
            "AssumeRolePolicyDocument": {
                "Statement": {"Effect": "Allow", "Action": "x:Y", "Principal": {"AWS": "*"}}
            }
        },
        True,
    ),
    # A reference without quotes, as of a number.
    (
        _MACHINE,
        {"DefinitionString": {"Fn::Sub": '{"n": ${Open}, "a": 1}'}},
        {"DefinitionString": {"Fn::Sub": '{"a": 1, "n": ${Open}}'}},
        True,
    ),
    (
        _MACHINE,
        {"DefinitionString": {"Fn::Sub": '{"n": ${Open}}'}},
        {"DefinitionString": {"Fn::Sub": '{"n": "${Open}"}'}},
        False,
    ),
    (
        _MACHINE,
        {"DefinitionString": {"Fn::ToJsonString": {"a": {"Ref": "Open"}}}},
        {"Definition": {"a": {"Ref": "Open"}}},
        True,
    ),
]


@pytest.mark.parametrize(("kind", "before", "after", "is_equal"), DOCUMENTS)
def test_documents_are_compared_as_what_they_say(resource, kind, before, after, is_equal):
    assert resource(kind, before, after, both=BOTH).cosmetic is is_equal
