"""What is equal in meaning is cosmetic; beside each equal pair stands one that is not."""

import json
from typing import Any

import pytest

from tap_templates.diff.api import compare_templates
from tap_templates.diff.load import templates_from

BOTH: dict[str, Any] = {
    "Parameters": {
        "Env": {"Type": "String", "Default": "dev"},
        "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
        "Open": {"Type": "String"},
    },
    "Mappings": {"M": {"us-east-1": {"k": "v", "l": ["p", "q"]}}},
    "Conditions": {
        "East": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]},
        "Dev": {"Fn::And": [{"Condition": "East"}, {"Fn::Equals": [{"Ref": "Env"}, "dev"]}]},
        "Hung": {"Fn::Equals": [{"Ref": "Open"}, "x"]},
        "Same": {"Fn::Equals": ["x", {"Ref": "Open"}]},
        "Not": {"Fn::Not": [{"Condition": "Hung"}]},
    },
    "Resources": {
        "Fn": {"Type": "AWS::Lambda::Function"},
        "Topic": {"Type": "AWS::SNS::Topic"},
    },
}
_QUEUE = "AWS::SQS::Queue"
_FUNCTION = "AWS::Lambda::Function"


def _named(value: Any) -> dict[str, Any]:
    return {"QueueName": value}


TEXTS: list[tuple[Any, Any, Any]] = [
    # before, equal after, different after
    ({"Fn::Sub": "a-${Env}"}, "a-dev", "a-prod"),
    ({"Fn::Join": ["-", ["a", {"Ref": "Env"}]]}, {"Fn::Sub": "a-${Env}"}, {"Fn::Sub": "b-${Env}"}),
    (
        {"Fn::Join": [":", ["a", {"Ref": "AWS::AccountId"}]]},
        {"Fn::Sub": "a:${AWS::AccountId}"},
        {"Fn::Sub": "a:${AWS::StackName}"},
    ),
    ({"Fn::GetAtt": "Fn.Arn"}, {"Fn::GetAtt": ["Fn", "Arn"]}, {"Fn::GetAtt": ["Topic", "Arn"]}),
    ({"Fn::Sub": "${Fn.Arn}"}, {"Fn::GetAtt": ["Fn", "Arn"]}, {"Ref": "Fn"}),
    ({"Fn::Sub": "${Fn}"}, {"Ref": "Fn"}, {"Ref": "Topic"}),
    ({"Fn::Sub": ["${x}-1", {"x": {"Ref": "Fn"}}]}, {"Fn::Sub": "${Fn}-1"}, {"Fn::Sub": "${Fn}-2"}),
    ({"Fn::Sub": "${!Literal}"}, "${Literal}", "${!Literal}"),
    ({"Fn::Select": [1, ["a", "b"]]}, "b", "a"),
    ({"Fn::Select": ["0", {"Fn::Split": ["-", "b-c"]}]}, "b", "c"),
    ({"Fn::Select": [1, {"Ref": "List"}]}, "b", "a"),
    ({"Fn::Join": ["", {"Ref": "List"}]}, "ab", "ba"),
    ({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "k"]}, "v", "w"),
    ({"Fn::FindInMap": ["M", "x", "y", {"DefaultValue": "v"}]}, "v", "w"),
    # Whatever is looked up, it is this.
    ({"Fn::FindInMap": ["M", {"Ref": "Open"}, "k"]}, "v", "w"),
    ({"Fn::If": ["East", "a", "b"]}, "a", "b"),
    ({"Fn::If": ["Dev", "a", "b"]}, "a", "b"),
    ({"Fn::If": ["Hung", "a", "a"]}, "a", "b"),
    (
        {"Fn::If": ["Hung", "a", "b"]},
        {"Fn::If": ["Same", "a", "b"]},
        {"Fn::If": ["Same", "b", "a"]},
    ),
    ({"Fn::If": ["Hung", "a", "b"]}, {"Fn::If": ["Not", "b", "a"]}, {"Fn::If": ["Not", "a", "b"]}),
    (
        {"Fn::Sub": "arn:${AWS::Partition}:x:${AWS::Region}"},
        "arn:aws:x:us-east-1",
        "arn:aws:x:us-west-2",
    ),
    ({"Fn::Select": [0, {"Fn::Cidr": ["10.0.0.0/16", 2, 8]}]}, "10.0.0.0/24", "10.0.1.0/24"),
    ({"Fn::GetAZs": ""}, {"Fn::GetAZs": {"Ref": "AWS::Region"}}, {"Fn::GetAZs": "us-west-2"}),
]


@pytest.mark.parametrize(("before", "equal", "different"), TEXTS)
def test_intrinsics_that_come_to_the_same(resource, before, equal, different):
    assert resource(_QUEUE, _named(before), _named(equal), both=BOTH).cosmetic
    assert not resource(_QUEUE, _named(before), _named(different), both=BOTH).cosmetic


SCALARS: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    ("AWS::RDS::DBCluster", {"EngineVersion": "13.1"}, {"EngineVersion": "13.10"}, False),
    ("AWS::RDS::DBCluster", {"EngineVersion": 13}, {"EngineVersion": "13"}, True),
    (
        "AWS::Lambda::Permission",
        {"SourceAccount": "012345678901"},
        {"SourceAccount": "12345678901"},
        False,
    ),
    ("AWS::SSM::Parameter", {"Value": "1e3"}, {"Value": "1000"}, False),
    ("AWS::SSM::Parameter", {"Value": True}, {"Value": "true"}, True),
    ("AWS::SSM::Parameter", {"Value": "True"}, {"Value": "true"}, False),
    (_QUEUE, {"FifoQueue": True}, {"FifoQueue": "true"}, True),
    (_QUEUE, {"FifoQueue": True}, {"FifoQueue": "false"}, False),
    (_QUEUE, {"DelaySeconds": 1}, {"DelaySeconds": "1"}, True),
    (_QUEUE, {"DelaySeconds": 1}, {"DelaySeconds": "10"}, False),
    ("AWS::CloudWatch::Alarm", {"Threshold": 1}, {"Threshold": "1.0"}, True),
    ("AWS::CloudWatch::Alarm", {"Threshold": 1}, {"Threshold": True}, False),
    # In free JSON a number is no text, and true is not 1.
    ("AWS::Events::Rule", {"EventPattern": {"a": [1]}}, {"EventPattern": {"a": ["1"]}}, False),
    ("AWS::Events::Rule", {"EventPattern": {"a": [1]}}, {"EventPattern": {"a": [True]}}, False),
]


@pytest.mark.parametrize(("kind", "before", "after", "is_equal"), SCALARS)
def test_scalars_are_what_the_schema_says(resource, kind, before, after, is_equal):
    assert resource(kind, before, after).cosmetic is is_equal


RULES = [
    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8"},
    {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "10.0.0.0/8"},
]
TAGS = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
LISTS: list[tuple[str, dict[str, Any], bool]] = [
    ("AWS::EC2::SecurityGroup", {"SecurityGroupIngress": RULES}, True),
    (_QUEUE, {"Tags": TAGS}, True),
    ("AWS::DynamoDB::Table", {"Tags": TAGS}, True),
    ("AWS::CloudWatch::Alarm", {"AlarmActions": ["a", "b"]}, True),
    (
        "AWS::CloudWatch::Alarm",
        {"Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]},
        True,
    ),
    (_FUNCTION, {"VpcConfig": {"SubnetIds": ["a", "b"]}}, True),
    ("AWS::RDS::DBCluster", {"VpcSecurityGroupIds": ["a", "b"]}, True),
    (
        "AWS::DynamoDB::GlobalTable",
        {"Replicas": [{"Region": "us-east-1"}, {"Region": "us-west-2"}]},
        True,
    ),
    ("AWS::Route53::RecordSet", {"ResourceRecords": ["a", "b"]}, True),
    ("AWS::S3::Bucket", {"ReplicationConfiguration": {"Rules": [{"Id": "a"}, {"Id": "b"}]}}, True),
    ("AWS::IAM::Role", {"ManagedPolicyArns": ["a", "b"]}, True),
    # The schema says uniqueItems of these, and their order means something all the same.
    (_FUNCTION, {"Layers": ["a", "b"]}, False),
    (_FUNCTION, {"ImageConfig": {"Command": ["a", "b"]}}, False),
    ("AWS::S3::Bucket", {"CorsConfiguration": {"CorsRules": [{"Id": "a"}, {"Id": "b"}]}}, False),
    (
        "AWS::Glue::Table",
        {"TableInput": {"StorageDescriptor": {"Columns": [{"Name": "a"}, {"Name": "b"}]}}},
        False,
    ),
    (
        "AWS::CloudFront::Distribution",
        {"DistributionConfig": {"CacheBehaviors": [{"PathPattern": "a"}, {"PathPattern": "b"}]}},
        False,
    ),
]


def _reversed_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed_lists(each) for key, each in value.items()}
    return value[::-1] if isinstance(value, list) else value


@pytest.mark.parametrize(("kind", "properties", "is_set"), LISTS)
def test_order_counts_where_it_means_something(resource, kind, properties, is_set):
    assert resource(kind, properties, _reversed_lists(properties)).cosmetic is is_set


def test_protocols_have_two_spellings(resource):
    def group(**rule: Any) -> dict[str, Any]:
        return {"SecurityGroupIngress": [{"CidrIp": "10.0.0.0/8", **rule}]}

    kind = "AWS::EC2::SecurityGroup"
    assert resource(kind, group(IpProtocol="tcp"), group(IpProtocol="6")).cosmetic
    assert resource(kind, group(IpProtocol=-1), group(IpProtocol="-1", FromPort=0)).cosmetic
    assert not resource(kind, group(IpProtocol="tcp"), group(IpProtocol="17")).cosmetic


class TestAttributes:
    def test_metadata_is_cosmetic(self, changes):
        def queue(**more: Any) -> dict[str, Any]:
            return {"Resources": {"R": {"Type": _QUEUE, **more}}}

        assert changes(queue(), queue(Metadata={"a": 1}))["R"].cosmetic
        init = {"AWS::CloudFormation::Init": {"config": {}}}
        assert not changes(queue(), queue(Metadata=init))["R"].cosmetic

    def test_an_order_that_a_reference_implies_is_cosmetic(self, changes):
        def pair(depends: Any, url: Any = "x") -> dict[str, Any]:
            resource = {"Type": _QUEUE, "Properties": {"KmsMasterKeyId": url}, "DependsOn": depends}
            kinds = {name: {"Type": "AWS::KMS::Key"} for name in ("K", "L")}
            return {"Resources": {"R": resource, **kinds}}

        implied = {"Ref": "K"}
        assert changes(pair([], implied), pair("K", implied))["R"].cosmetic
        assert changes(pair(["K", "L"]), pair(["L", "K"]))["R"].cosmetic
        change = changes(pair("K"), pair("L"))["R"]
        assert (change.cosmetic, change.replacement) == (False, "never")

    def test_a_policy_that_is_the_default_is_cosmetic(self, changes):
        def queue(**more: Any) -> dict[str, Any]:
            return {"Resources": {"R": {"Type": _QUEUE, **more}}}

        assert changes(queue(), queue(DeletionPolicy="Delete"))["R"].cosmetic
        assert not changes(queue(), queue(DeletionPolicy="Retain"))["R"].cosmetic


def test_what_ssm_keeps_is_as_different_as_its_key(changes):
    def stack(key: str, kind: str) -> dict[str, Any]:
        queue = {"Type": _QUEUE, "Properties": {"QueueName": {"Ref": "P"}}}
        return {"Parameters": {"P": {"Type": kind, "Default": key}}, "Resources": {"R": queue}}

    stored = "AWS::SSM::Parameter::Value<String>"
    change = changes(stack("/a", stored), stack("/b", stored))["R"]
    assert (change.replacement, change.certain) == ("may", False)
    change = changes(stack("/a", "String"), stack("/b", "String"))["R"]
    assert (change.replacement, change.certain) == ("always", True)


def test_digits_without_quotes_are_kept():
    def template(digits: str) -> dict[str, Any]:
        properties = f"Properties: {{EngineVersion: {digits}}}"
        text = f"Resources: {{R: {{Type: AWS::RDS::DBCluster, {properties}}}}}"
        return templates_from({"t.yaml": text.encode()})

    [(_, change)] = compare_templates(template("13.1"), template("13.10")).changes()
    assert not change.cosmetic
    [(_, change)] = compare_templates(template("13.10"), template("'13.10'")).changes()
    assert change.cosmetic


def test_nothing_differs_in_what_is_not_touched(changes):
    assert changes(BOTH, BOTH) == {}


def test_yaml_and_json_of_one_template_are_equal():
    text = """
Parameters: {Env: {Type: String, Default: dev}}
Resources:
  R:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "a-${Env}"
      DelaySeconds: 5
      RedrivePolicy: {deadLetterTargetArn: !GetAtt D.Arn, maxReceiveCount: 3}
  D: {Type: AWS::SQS::Queue}
"""
    body = {
        "Parameters": {"Env": {"Type": "String", "Default": "dev"}},
        "Resources": {
            "R": {
                "Type": "AWS::SQS::Queue",
                "Properties": {
                    "QueueName": {"Fn::Sub": "a-${Env}"},
                    "DelaySeconds": 5,
                    "RedrivePolicy": {
                        "deadLetterTargetArn": {"Fn::GetAtt": ["D", "Arn"]},
                        "maxReceiveCount": 3,
                    },
                },
            },
            "D": {"Type": "AWS::SQS::Queue"},
        },
    }
    before = templates_from({"t.template": text.encode()})
    after = templates_from({"t.template": json.dumps(body).encode()})
    assert compare_templates(before, after).templates == ()
