"""Which changes replace a resource: planted pairs and, beside each, a harmless twin."""

from typing import Any

import pytest

from tap_templates.diff import documented
from tap_templates.diff.schemas import known_types, schema_of

VPC = {"Resources": {"Vpc": {"Type": "AWS::EC2::VPC"}, "Other": {"Type": "AWS::EC2::VPC"}}}

# Type, properties before, after, and what CloudFormation does. One edit a row.
PAIRS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("AWS::RDS::DBCluster", {"StorageEncrypted": False}, {"StorageEncrypted": True}, "always"),
    ("AWS::RDS::DBCluster", {"BackupRetentionPeriod": 7}, {"BackupRetentionPeriod": 8}, "never"),
    ("AWS::RDS::DBCluster", {"Engine": "aurora-mysql"}, {"Engine": "aurora-postgresql"}, "may"),
    ("AWS::RDS::DBCluster", {"EngineVersion": "15.3"}, {"EngineVersion": "15.4"}, "never"),
    ("AWS::RDS::DBInstance", {"DBName": "a"}, {"DBName": "b"}, "always"),
    ("AWS::RDS::DBInstance", {"MultiAZ": False}, {"MultiAZ": True}, "never"),
    ("AWS::RDS::DBInstance", {"BackupRetentionPeriod": 1}, {"BackupRetentionPeriod": 7}, "never"),
    ("AWS::RDS::DBInstance", {"AvailabilityZone": "a"}, {"AvailabilityZone": "b"}, "may"),
    ("AWS::RDS::DBInstance", {"StorageType": "gp2"}, {"StorageType": "gp3"}, "never"),
    ("AWS::RDS::GlobalCluster", {"Engine": "aurora-mysql"}, {"Engine": "aurora"}, "always"),
    (
        "AWS::RDS::GlobalCluster",
        {"DeletionProtection": True},
        {"DeletionProtection": False},
        "never",
    ),
    *(
        (
            f"AWS::DynamoDB::{kind}",
            {"AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}]},
            {"AttributeDefinitions": [{"AttributeName": name, "AttributeType": "N"}]},
            expected,
        )
        for kind in ("Table", "GlobalTable")
        for name, expected in (("a", "may"), ("b", "never"))
    ),
    (
        "AWS::DynamoDB::Table",
        {},
        {"LocalSecondaryIndexes": [{"IndexName": "i"}]},
        "may",
    ),
    ("AWS::DynamoDB::GlobalTable", {"TableName": "a"}, {"TableName": "b"}, "always"),
    (
        "AWS::DynamoDB::GlobalTable",
        {"KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}]},
        {"KeySchema": [{"AttributeName": "b", "KeyType": "HASH"}]},
        "may",
    ),
    ("AWS::DynamoDB::GlobalTable", {"BillingMode": "A"}, {"BillingMode": "B"}, "never"),
    ("AWS::S3::Bucket", {"BucketName": "a"}, {"BucketName": "b"}, "always"),
    ("AWS::S3::Bucket", {}, {"ObjectLockEnabled": True}, "never"),
    (
        "AWS::S3::Bucket",
        {"ReplicationConfiguration": {"Role": "a", "Rules": []}},
        {"ReplicationConfiguration": {"Role": "b", "Rules": []}},
        "never",
    ),
    (
        "AWS::Route53::HealthCheck",
        {"HealthCheckConfig": {"Type": "HTTP", "FailureThreshold": 3}},
        {"HealthCheckConfig": {"Type": "TCP", "FailureThreshold": 3}},
        "always",
    ),
    (
        "AWS::Route53::HealthCheck",
        {"HealthCheckConfig": {"Type": "HTTP", "FailureThreshold": 3}},
        {"HealthCheckConfig": {"Type": "HTTP", "FailureThreshold": 5}},
        "never",
    ),
    # The whole block appears: what matters is whether the create-only value within it does.
    ("AWS::EC2::VPCEndpoint", {}, {"DnsOptions": {"PrivateDnsPreference": "X"}}, "always"),
    ("AWS::EC2::VPCEndpoint", {}, {"DnsOptions": {"DnsRecordIpType": "ipv4"}}, "never"),
    ("AWS::Route53::RecordSet", {"Name": "a.b."}, {"Name": "c.b."}, "always"),
    ("AWS::Route53::RecordSet", {"TTL": "60"}, {"TTL": "300"}, "never"),
    ("AWS::Route53::HostedZone", {"Name": "a."}, {"Name": "b."}, "always"),
    ("AWS::Events::EventBus", {"EventSourceName": "a"}, {"EventSourceName": "b"}, "always"),
    ("AWS::Events::Rule", {"EventBusName": "a"}, {"EventBusName": "b"}, "may"),
    ("AWS::Events::Rule", {"Description": "a"}, {"Description": "b"}, "never"),
    ("AWS::Events::Archive", {"RetentionDays": 1}, {"RetentionDays": 2}, "never"),
    ("AWS::Events::Endpoint", {"Name": "a"}, {"Name": "b"}, "always"),
    ("AWS::EC2::SecurityGroup", {"GroupDescription": "a"}, {"GroupDescription": "b"}, "always"),
    (
        "AWS::EC2::SecurityGroup",
        {"SecurityGroupIngress": [{"IpProtocol": "tcp", "CidrIp": "10.0.0.0/8"}]},
        {"SecurityGroupIngress": [{"IpProtocol": "tcp", "CidrIp": "10.0.0.0/16"}]},
        "never",
    ),
    ("AWS::EC2::SecurityGroupIngress", {"FromPort": 1}, {"FromPort": 2}, "always"),
    ("AWS::EC2::SecurityGroupIngress", {"Description": "a"}, {"Description": "b"}, "never"),
    ("AWS::Lambda::Function", {"FunctionName": "a"}, {"FunctionName": "b"}, "always"),
    ("AWS::Lambda::Function", {"Timeout": 3}, {"Timeout": 4}, "never"),
    ("AWS::Lambda::Version", {"CodeSha256": "a"}, {"CodeSha256": "b"}, "always"),
    ("AWS::Lambda::Url", {"AuthType": "AWS_IAM"}, {"AuthType": "NONE"}, "never"),
    (
        "AWS::StepFunctions::StateMachine",
        {"StateMachineType": "A"},
        {"StateMachineType": "B"},
        "always",
    ),
    ("AWS::StepFunctions::StateMachine", {"RoleArn": "a"}, {"RoleArn": "b"}, "never"),
    ("AWS::ApiGatewayV2::Api", {"ProtocolType": "HTTP"}, {"ProtocolType": "WEBSOCKET"}, "always"),
    ("AWS::ApiGatewayV2::Api", {"Description": "a"}, {"Description": "b"}, "never"),
    ("AWS::ApiGatewayV2::Stage", {"StageName": "a"}, {"StageName": "b"}, "always"),
    ("AWS::Backup::BackupVault", {"EncryptionKeyArn": "a"}, {"EncryptionKeyArn": "b"}, "always"),
    ("AWS::Backup::BackupSelection", {"BackupPlanId": "a"}, {"BackupPlanId": "b"}, "always"),
    ("AWS::IAM::Role", {"Path": "/a/"}, {"Path": "/b/"}, "always"),
    ("AWS::IAM::Role", {"Description": "a"}, {"Description": "b"}, "never"),
    ("AWS::IAM::ManagedPolicy", {"Description": "a"}, {"Description": "b"}, "always"),
    ("AWS::KMS::Key", {"Description": "a"}, {"Description": "b"}, "never"),
    ("AWS::KMS::Key", {"KeySpec": "A"}, {"KeySpec": "B"}, "never"),
    ("AWS::SQS::Queue", {"QueueName": "a"}, {"QueueName": "b"}, "always"),
    ("AWS::SQS::Queue", {"VisibilityTimeout": 30}, {"VisibilityTimeout": 60}, "never"),
    ("AWS::SNS::Topic", {"TopicName": "a"}, {"TopicName": "b"}, "always"),
    ("AWS::SNS::Subscription", {"Protocol": "sqs"}, {"Protocol": "lambda"}, "always"),
    ("AWS::CloudWatch::Alarm", {"Threshold": 1}, {"Threshold": 2}, "never"),
    ("AWS::Logs::LogGroup", {"LogGroupName": "a"}, {"LogGroupName": "b"}, "always"),
    ("AWS::Logs::LogGroup", {"RetentionInDays": 7}, {"RetentionInDays": 14}, "never"),
    ("AWS::EC2::Subnet", {"CidrBlock": "10.0.0.0/24"}, {"CidrBlock": "10.0.1.0/24"}, "always"),
    ("AWS::EC2::Subnet", {"MapPublicIpOnLaunch": True}, {"MapPublicIpOnLaunch": False}, "never"),
    ("AWS::Scheduler::Schedule", {"ScheduleExpression": "a"}, {"ScheduleExpression": "b"}, "never"),
]


@pytest.mark.parametrize(("kind", "before", "after", "expected"), PAIRS)
def test_what_cloudformation_does(resource, kind, before, after, expected):
    change = resource(kind, before, after)
    assert (change.action, change.replacement, change.cosmetic) == ("modify", expected, False)
    assert change.certain
    assert change.direct
    assert change.because
    assert change.properties


def test_a_reason_names_the_place(resource):
    change = resource("AWS::SQS::Queue", {"FifoQueue": False}, {"FifoQueue": True})
    assert change.because[0] == "/Properties/FifoQueue is create-only"
    [place] = change.properties
    assert (place.path, place.before, place.after) == ("/Properties/FifoQueue", False, True)


def test_every_documented_exception_is_of_a_type_and_property_that_exist():
    for kind, pointer in [*documented.BEHAVIOURS, *documented.INTERRUPTIONS, *documented.SET_PATHS]:
        node = schema_of(kind).root
        for step in pointer.split("/")[1:]:
            node = node.items() if step == "*" else node.child(step)
            assert node is not None, (kind, pointer)


def test_documented_exceptions_say_where_they_are_from():
    for behaviour in documented.BEHAVIOURS.values():
        assert behaviour.source.startswith("https://docs.aws.amazon.com/")
    assert all(source.startswith("https://") for source in documented.INTERRUPTIONS.values())


def test_stateful_types_exist():
    gone = {"AWS::QLDB::Ledger"}  # no schema any more, still in old templates
    assert documented.STATEFUL - known_types() <= gone | {
        "AWS::Organizations::Account",
    }
    assert documented.TAKES_SNAPSHOT <= documented.STATEFUL


def test_an_exception_that_the_schema_agrees_with_is_not_needed():
    """So that the table shrinks when schemas get better."""
    for (kind, pointer), behaviour in documented.BEHAVIOURS.items():
        schema = schema_of(kind)
        path = tuple(pointer.split("/")[1:])
        said = "always" if path in schema.create_only else "never"
        said = "may" if path in schema.conditional else said
        only_explains = "the update fails" in behaviour.because
        assert said != behaviour.replacement or only_explains, (kind, pointer)


class TestInterruptions:
    def test_a_known_one_is_told_with_its_source(self, resource):
        change = resource(
            "AWS::RDS::DBInstance", {"DBInstanceClass": "a"}, {"DBInstanceClass": "b"}
        )
        assert change.replacement == "never"
        assert any("interrupts it (https://" in each for each in change.because)
        assert documented.NO_INTERRUPTION_DATA not in change.because

    def test_otherwise_it_is_said_that_nothing_is_known(self, resource):
        change = resource("AWS::Lambda::Function", {"Timeout": 3}, {"Timeout": 4})
        assert change.because == (documented.NO_INTERRUPTION_DATA,)


class TestUnknown:
    def test_an_unknown_type_is_compared_and_may_be_replaced(self, resource):
        change = resource("AWS::Nonsense::Thing", {"A": "1"}, {"A": "2"})
        assert (change.replacement, change.certain, change.cosmetic) == ("may", False, False)
        assert "there is no schema of AWS::Nonsense::Thing" in change.because[0]
        assert [each.path for each in change.properties] == ["/Properties/A"]

    def test_an_unknown_type_that_is_equal_is_equal(self, resource):
        assert resource("AWS::Nonsense::Thing", {"A": "1"}, {"A": "1"}) is None
        assert resource("AWS::Nonsense::Thing", {"A": "1"}, {"A": 1}).cosmetic

    def test_a_custom_resource_decides_itself(self, resource):
        change = resource("Custom::Thing", {"A": "1"}, {"A": "2"})
        assert (change.replacement, change.certain) == ("may", False)
        assert "custom resource" in change.because[0]

    def test_a_property_that_no_schema_knows(self, resource):
        change = resource("AWS::SQS::Queue", {"Newest": 1}, {"Newest": 2})
        assert (change.replacement, change.certain) == ("may", False)
        assert "does not know /Properties/Newest" in change.because[0]

    def test_a_nested_stack_hides_what_it_changes(self, resource):
        change = resource("AWS::CloudFormation::Stack", {"TemplateURL": "a"}, {"TemplateURL": "b"})
        assert (change.replacement, change.certain) == ("never", False)
        assert "nested stack is not known" in " ".join(change.because)


OPEN = {"Parameters": {"P": {"Type": "String"}, "Q": {"Type": "String"}}}


class TestCertainty:
    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            ("a", {"Ref": "P"}, ("may", False)),
            ({"Ref": "P"}, {"Ref": "Q"}, ("may", False)),
            # Whatever P is, these differ.
            ({"Fn::Sub": "a-${P}"}, {"Fn::Sub": "b-${P}"}, ("always", True)),
            ({"Fn::Sub": "${P}-a"}, {"Fn::Sub": "${P}-b"}, ("always", True)),
            ({"Fn::Sub": "${P}"}, {"Fn::Sub": "${P}-b"}, ("always", True)),
            ({"Fn::Sub": "${P}${Q}"}, {"Fn::Sub": "${P}"}, ("may", False)),
            ({"Fn::ImportValue": "x"}, {"Fn::ImportValue": "y"}, ("may", False)),
            ({"Fn::Sub": "${AWS::AccountId}"}, "111122223333", ("may", False)),
            ("{{resolve:ssm:/a}}", "{{resolve:ssm:/b}}", ("may", False)),
            ("a", "b", ("always", True)),
        ],
    )
    def test_what_a_deployment_fills_in_is_uncertain(self, resource, before, after, expected):
        change = resource("AWS::SQS::Queue", {"QueueName": before}, {"QueueName": after}, both=OPEN)
        assert (change.replacement, change.certain) == expected

    def test_one_resource_for_another_is_certain(self, resource):
        change = resource(
            "AWS::EC2::Subnet", {"VpcId": {"Ref": "Vpc"}}, {"VpcId": {"Ref": "Other"}}, both=VPC
        )
        assert (change.replacement, change.certain) == ("always", True)

    def test_a_text_for_a_resource_that_was_there_may_be_the_same(self, resource):
        change = resource(
            "AWS::EC2::Subnet", {"VpcId": "vpc-1"}, {"VpcId": {"Ref": "Vpc"}}, both=VPC
        )
        assert (change.replacement, change.certain) == ("may", False)

    def test_a_text_for_a_new_resource_is_certain(self, changes):
        subnet = {"Type": "AWS::EC2::Subnet"}
        before = {"Resources": {"R": {**subnet, "Properties": {"VpcId": "vpc-1"}}}}
        new = {"R": {**subnet, "Properties": {"VpcId": {"Ref": "Vpc"}}}}
        found = changes(before, {"Resources": {**new, "Vpc": {"Type": "AWS::EC2::VPC"}}})
        assert (found["R"].replacement, found["R"].certain) == ("always", True)

    def test_an_unknown_condition_leaves_both_open(self, resource):
        both = {**OPEN, "Conditions": {"C": {"Fn::Equals": [{"Ref": "P"}, "x"]}}}
        change = resource(
            "AWS::SQS::Queue",
            {"QueueName": {"Fn::If": ["C", "a", "b"]}},
            {"QueueName": {"Fn::If": ["C", "a", "c"]}},
            both=both,
        )
        assert (change.replacement, change.certain) == ("may", False)

    def test_a_second_certain_change_makes_the_change_certain(self, resource):
        change = resource(
            "AWS::SQS::Queue",
            {"DelaySeconds": 1, "MaximumMessageSize": 1024},
            {"DelaySeconds": {"Ref": "P"}, "MaximumMessageSize": 2048},
            both=OPEN,
        )
        assert (change.replacement, change.certain) == ("never", True)


def test_a_type_under_another_is_refused_by_cloudformation(changes):
    before = {"Resources": {"R": {"Type": "AWS::SQS::Queue"}}}
    change = changes(before, {"Resources": {"R": {"Type": "AWS::SNS::Topic"}}})["R"]
    assert (change.action, change.replacement) == ("modify", "always")
    assert "CloudFormation refuses" in change.because[0]
    assert change.flag_names == ("data_loss",)


def test_a_fixed_name_that_stays_is_in_the_way(resource):
    fixed = {"QueueName": "q.fifo"}
    change = resource(
        "AWS::SQS::Queue", {**fixed, "FifoQueue": False}, {**fixed, "FifoQueue": True}
    )
    assert any("QueueName is fixed and stays" in each for each in change.because)
    change = resource("AWS::SQS::Queue", {"FifoQueue": False}, {"FifoQueue": True})
    assert not any("fixed and stays" in each for each in change.because)
