"""Planted openings to strangers, each with a twin that stays closed."""

import pytest

from tap_templates.diff.model import FlagName
from tap_templates.diff.security.exposure.analyser import judge_exposure

BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
CLOSED_BUCKET = {"PublicAccessBlockConfiguration": dict.fromkeys(BLOCKS, True)}
PERMISSION = {"FunctionName": "f", "Action": "lambda:InvokeFunction",
              "Principal": "events.amazonaws.com"}  # fmt: skip
RULE = "arn:aws:events:us-east-1:111122223333:rule/r"

# type, closed, open
SETTINGS = [
    ("AWS::Lambda::Url", {"AuthType": "AWS_IAM", "TargetFunctionArn": "f"},
     {"AuthType": "NONE", "TargetFunctionArn": "f"}),
    ("AWS::ApiGatewayV2::Route", {"ApiId": "a", "RouteKey": "POST /x", "AuthorizationType": "JWT"},
     {"ApiId": "a", "RouteKey": "POST /x"}),
    ("AWS::ApiGateway::Method", {"HttpMethod": "GET", "AuthorizationType": "AWS_IAM"},
     {"HttpMethod": "GET", "AuthorizationType": "NONE"}),
    ("AWS::S3::Bucket", CLOSED_BUCKET, {}),
    ("AWS::S3::Bucket", {"Tags": []}, {"AccessControl": "PublicRead"}),
    ("AWS::RDS::DBInstance", {"PubliclyAccessible": False}, {"PubliclyAccessible": True}),
    ("AWS::RDS::DBCluster", {}, {"PubliclyAccessible": "true"}),
    ("AWS::Cognito::IdentityPool", {"AllowUnauthenticatedIdentities": False},
     {"AllowUnauthenticatedIdentities": "true"}),
    ("AWS::EC2::SnapshotBlockPublicAccess", {"State": "block-all-sharing"},
     {"State": "unblocked"}),
    ("AWS::Lambda::Permission", {**PERMISSION, "SourceArn": RULE}, PERMISSION),
    ("AWS::Lambda::Permission", {**PERMISSION, "SourceAccount": "111122223333"}, PERMISSION),
    ("AWS::Lambda::Permission", {**PERMISSION, "SourceArn": RULE},
     {**PERMISSION, "SourceArn": "arn:aws:s3:::*"}),
    ("AWS::Lambda::Permission", {**PERMISSION, "Principal": "111122223333"},
     {**PERMISSION, "Principal": "*", "FunctionUrlAuthType": "NONE"}),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", {"Scheme": "internal"}, {}),
    ("AWS::EC2::Subnet", {"VpcId": "v"}, {"VpcId": "v", "MapPublicIpOnLaunch": True}),
    ("AWS::AppSync::GraphQLApi", {"AuthenticationType": "AWS_IAM"},
     {"AuthenticationType": "API_KEY"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "closed", "opened"), SETTINGS)
def test_an_opening_is_told_once(judge, kind, closed, opened):
    before, after = ({"X": {"Type": kind, "Properties": each}} for each in (closed, opened))
    flags = judge(judge_exposure, before, after)
    assert flags
    assert {each.name for each in flags} == {FlagName.EXPOSURE}
    assert all(each.witness and each.certain for each in flags)
    assert judge(judge_exposure, after, before) == []
    other = {"X": {"Type": kind, "Properties": {**opened, "Tags": [{"Key": "k", "Value": "v"}]}}}
    assert judge(judge_exposure, after, other) == []


def test_a_new_bucket_is_closed_by_default(judge):
    bucket = {"X": {"Type": "AWS::S3::Bucket", "Properties": {}}}
    assert judge(judge_exposure, {}, bucket) == []
    loose = {"PublicAccessBlockConfiguration": dict.fromkeys(BLOCKS, False)}
    opened = {"X": {"Type": "AWS::S3::Bucket", "Properties": loose}}
    assert len(judge(judge_exposure, {}, opened)) == 4
    assert len(judge(judge_exposure, bucket, opened)) == 4


def _queue(**statement):
    given = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*", **statement}
    return {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Policy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [given]},
            },
        },
    }


CLOSED = _queue(Principal={"Service": "events.amazonaws.com"})
OPEN = [
    {"Principal": "*"},
    {"Principal": {"AWS": "*"}},
    {"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
    {"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalOrgID": "*"}}},
    {"Principal": "*", "Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}},
    {"NotPrincipal": {"AWS": "444455556666"}},
]
BOUND = [
    {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
    {"Principal": "*", "Condition": {"StringEquals": {"AWS:SourceOwner": "111122223333"}}},
    {"Principal": "*", "Condition": {"ArnLike": {"aws:SourceArn": RULE}}},
    {"Principal": {"AWS": "444455556666"}},
    {"Principal": "*", "Effect": "Deny"},
]


@pytest.mark.parametrize("statement", OPEN)
def test_a_policy_for_anyone_is_told(judge, statement):
    (flag,) = judge(judge_exposure, CLOSED, _queue(**statement))
    assert flag.name is FlagName.EXPOSURE
    assert flag.witness.startswith("sqs:SendMessage on ")
    assert flag.witness.endswith(" by anyone")


@pytest.mark.parametrize("statement", BOUND)
def test_a_policy_that_is_bound_is_silent(judge, statement):
    assert judge(judge_exposure, CLOSED, _queue(**statement)) == []


def test_a_deny_of_strangers_closes_a_policy(judge):
    anyone = _queue(Principal="*")
    statements = anyone["Policy"]["Properties"]["PolicyDocument"]["Statement"]
    statements.append(
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Principal": "*",
         "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}
    )  # fmt: skip
    assert judge(judge_exposure, CLOSED, anyone) == []


def test_what_hangs_on_a_parameter_is_uncertain(judge):
    def url(auth):
        return {"X": {"Type": "AWS::Lambda::Url", "Properties": {"AuthType": auth}}}

    parameters = {"Auth": {"Type": "String"}}
    (flag,) = judge(judge_exposure, url("AWS_IAM"), url({"Ref": "Auth"}), parameters=parameters)
    assert not flag.certain


def test_operations_of_an_api_in_openapi(judge):
    def api(**operation):
        body = {"openapi": "3.0.1", "paths": {"/x": {"post": operation}}}
        return {"X": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Body": body}}}

    closed = api(security=[{"jwt": []}])
    (flag,) = judge(judge_exposure, closed, api())
    assert flag.witness == "POST /x without authorization"
    assert judge(judge_exposure, api(), closed) == []
