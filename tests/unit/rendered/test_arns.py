"""What each resource type is called."""

import pytest

from tap_templates.rendered.arns import SHAPES, bare_name
from tap_templates.rendered.resolve import resolve_stack
from tap_templates.rendered.tokens import is_known

A = "us-east-1:111122223333"
IT = "<s.It@us-east-1>"  # an id that AWS generates


@pytest.mark.parametrize(
    ("kind", "properties", "arn", "ref"),
    [
        ("ApiGatewayV2::Api", {"Name": "a"}, f"arn:aws:apigateway:us-east-1::/apis/{IT}", IT),
        ("ApiGatewayV2::Authorizer", {"Name": "a"}, None, IT),
        ("ApiGatewayV2::Deployment", {}, None, IT),
        ("ApiGatewayV2::Integration", {}, None, IT),
        ("ApiGatewayV2::Route", {"RouteKey": "GET /"}, None, IT),
        (
            "ApiGatewayV2::Stage",
            {"ApiId": "i", "StageName": "$default"},
            "arn:aws:apigateway:us-east-1::/apis/i/stages/$default",
            "$default",
        ),
        ("CloudWatch::Alarm", {"AlarmName": "a"}, f"arn:aws:cloudwatch:{A}:alarm:a", "a"),
        (
            "CloudWatch::Dashboard",
            {"DashboardName": "d"},
            "arn:aws:cloudwatch::111122223333:dashboard/d",
            "d",
        ),
        ("DynamoDB::GlobalTable", {"TableName": "t"}, f"arn:aws:dynamodb:{A}:table/t", "t"),
        (
            "EC2::EIP",
            {"Domain": "vpc"},
            f"arn:aws:ec2:{A}:elastic-ip/<s.It.AllocationId@us-east-1>",
            "<s.It.PublicIp@us-east-1>",
        ),
        *(
            (f"EC2::{kind}", {}, f"arn:aws:ec2:{A}:{word}/{IT}", IT)
            for kind, word in (
                ("FlowLog", "vpc-flow-log"),
                ("InternetGateway", "internet-gateway"),
                ("NatGateway", "natgateway"),
                ("RouteTable", "route-table"),
                ("SecurityGroup", "security-group"),
                ("SecurityGroupEgress", "security-group-rule"),
                ("SecurityGroupIngress", "security-group-rule"),
                ("Subnet", "subnet"),
                ("VPC", "vpc"),
                ("VPCEndpoint", "vpc-endpoint"),
            )
        ),
        ("EC2::Route", {}, None, IT),
        ("EC2::SubnetRouteTableAssociation", {}, None, IT),
        ("EC2::VPCGatewayAttachment", {}, None, IT),
        ("Events::Archive", {"ArchiveName": "a"}, f"arn:aws:events:{A}:archive/a", "a"),
        ("Events::Endpoint", {"Name": "e"}, f"arn:aws:events:{A}:endpoint/e", "e"),
        ("Events::EventBus", {"Name": "b"}, f"arn:aws:events:{A}:event-bus/b", "b"),
        ("Events::Rule", {"Name": "r", "EventBusName": "b"}, f"arn:aws:events:{A}:rule/b/r", "b|r"),
        (
            "Events::Rule",
            {"Name": "r", "EventBusName": f"arn:aws:events:{A}:event-bus/b"},
            f"arn:aws:events:{A}:rule/b/r",
            "b|r",
        ),
        ("Events::Rule", {"Name": "r"}, f"arn:aws:events:{A}:rule/r", "r"),
        ("IAM::Role", {"RoleName": "r"}, "arn:aws:iam::111122223333:role/r", "r"),
        ("IAM::Role", {"RoleName": "r", "Path": "/p/"}, "arn:aws:iam::111122223333:role/p/r", "r"),
        ("KMS::Alias", {"AliasName": "alias/k"}, f"arn:aws:kms:{A}:alias/k", "alias/k"),
        ("KMS::Key", {}, f"arn:aws:kms:{A}:key/<s.It@us-east-1>", "<s.It@us-east-1>"),
        (
            "Lambda::Alias",
            {"Name": "live", "FunctionName": "f"},
            f"arn:aws:lambda:{A}:function:f:live",
            f"arn:aws:lambda:{A}:function:f:live",
        ),
        (
            "Lambda::Alias",
            {"Name": "live", "FunctionName": f"arn:aws:lambda:{A}:function:f"},
            f"arn:aws:lambda:{A}:function:f:live",
            f"arn:aws:lambda:{A}:function:f:live",
        ),
        ("Lambda::EventInvokeConfig", {}, None, "<s.It@us-east-1>"),
        ("Lambda::Function", {"FunctionName": "f"}, f"arn:aws:lambda:{A}:function:f", "f"),
        ("Lambda::Permission", {}, None, "<s.It@us-east-1>"),
        (
            "Lambda::Version",
            {"FunctionName": "f"},
            f"arn:aws:lambda:{A}:function:f:<s.It.Version@us-east-1>",
            f"arn:aws:lambda:{A}:function:f:<s.It.Version@us-east-1>",
        ),
        ("Logs::LogGroup", {"LogGroupName": "/l"}, f"arn:aws:logs:{A}:log-group:/l", "/l"),
        ("KMS::ReplicaKey", {}, f"arn:aws:kms:{A}:key/{IT}", IT),
        (
            "ApiGatewayV2::DomainName",
            {"DomainName": "d.example.com"},
            "arn:aws:apigateway:us-east-1::/domainnames/d.example.com",
            "d.example.com",
        ),
        ("ApiGatewayV2::ApiMapping", {}, None, IT),
        ("Backup::BackupPlan", {}, f"arn:aws:backup:{A}:backup-plan:{IT}", IT),
        ("Backup::BackupSelection", {}, None, IT),
        (
            "Backup::BackupVault",
            {"BackupVaultName": "v"},
            f"arn:aws:backup:{A}:backup-vault:v",
            "v",
        ),
        (
            "CertificateManager::Certificate",
            {},
            f"arn:aws:acm:{A}:certificate/{IT}",
            f"arn:aws:acm:{A}:certificate/{IT}",
        ),
        ("CloudFormation::CustomResource", {"ServiceToken": "t"}, None, IT),
        (
            "Lambda::Url",
            {"TargetFunctionArn": "f"},
            None,
            "<s.It.FunctionArn@us-east-1>",
        ),
        ("RDS::DBCluster", {"DBClusterIdentifier": "c"}, f"arn:aws:rds:{A}:cluster:c", "c"),
        ("RDS::DBInstance", {"DBInstanceIdentifier": "i"}, f"arn:aws:rds:{A}:db:i", "i"),
        ("RDS::DBSubnetGroup", {"DBSubnetGroupName": "g"}, f"arn:aws:rds:{A}:subgrp:g", "g"),
        (
            "RDS::DBClusterParameterGroup",
            {"DBClusterParameterGroupName": "p"},
            f"arn:aws:rds:{A}:cluster-pg:p",
            "p",
        ),
        (
            "RDS::GlobalCluster",
            {"GlobalClusterIdentifier": "g"},
            "arn:aws:rds::111122223333:global-cluster:g",
            "g",
        ),
        ("Route53::HostedZone", {"Name": "example.com"}, f"arn:aws:route53:::hostedzone/{IT}", IT),
        ("Route53::RecordSet", {"Name": "a.example.com"}, None, "a.example.com"),
        ("Route53::RecordSetGroup", {}, None, IT),
        (
            "SecretsManager::Secret",
            {"Name": "x"},
            f"arn:aws:secretsmanager:{A}:secret:x-<s.It.Suffix@us-east-1>",
            f"arn:aws:secretsmanager:{A}:secret:x-<s.It.Suffix@us-east-1>",
        ),
        (
            "Route53::HealthCheck",
            {},
            "arn:aws:route53:::healthcheck/<s.It@us-east-1>",
            "<s.It@us-east-1>",
        ),
        ("S3::Bucket", {"BucketName": "b"}, "arn:aws:s3:::b", "b"),
        ("SNS::Topic", {"TopicName": "t"}, f"arn:aws:sns:{A}:t", f"arn:aws:sns:{A}:t"),
        ("SNS::Subscription", {}, None, "<s.It.Subscription@us-east-1>"),
        (
            "SQS::Queue",
            {"QueueName": "q"},
            f"arn:aws:sqs:{A}:q",
            "https://sqs.us-east-1.amazonaws.com/111122223333/q",
        ),
        (
            "Scheduler::Schedule",
            {"Name": "s", "GroupName": "g"},
            f"arn:aws:scheduler:{A}:schedule/g/s",
            "s",
        ),
        ("Scheduler::Schedule", {"Name": "s"}, f"arn:aws:scheduler:{A}:schedule/default/s", "s"),
        ("Scheduler::ScheduleGroup", {"Name": "g"}, f"arn:aws:scheduler:{A}:schedule-group/g", "g"),
        (
            "StepFunctions::StateMachine",
            {"StateMachineName": "m"},
            f"arn:aws:states:{A}:stateMachine:m",
            f"arn:aws:states:{A}:stateMachine:m",
        ),
        ("Unheard::Of", {"Name": "x"}, None, "<s.It@us-east-1>"),
    ],
)
def test_a_type_has_its_own_arn_and_ref(kind, properties, arn, ref):
    template = {"Resources": {"It": {"Type": f"AWS::{kind}", "Properties": properties}}}
    stack = resolve_stack(template, stack="s", region="us-east-1", parameters={})
    assert (stack.resources["It"].arn, stack.resources["It"].ref) == (arn, ref)


def test_the_arn_attribute_of_a_log_group_names_its_streams():
    template = {
        "Resources": {
            "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/l"}},
        },
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Log", "Arn"]}}},
    }
    stack = resolve_stack(template, stack="s", region="us-east-1", parameters={})
    assert stack.outputs["Arn"] == f"arn:aws:logs:{A}:log-group:/l:*"


@pytest.mark.parametrize(
    ("kind", "attribute", "expected"),
    [
        ("ApiGatewayV2::Api", "ApiId", IT),
        ("EC2::EIP", "AllocationId", "<s.It.AllocationId@us-east-1>"),
        ("EC2::SecurityGroup", "GroupId", IT),
        ("EC2::SecurityGroup", "VpcId", "v"),
        ("EC2::Subnet", "SubnetId", IT),
        ("EC2::Subnet", "CidrBlock", "10.0.0.0/24"),
        ("EC2::Subnet", "AvailabilityZone", "<s.It.AvailabilityZone@us-east-1>"),
        ("EC2::VPC", "VpcId", IT),
        ("EC2::VPC", "CidrBlock", "10.0.0.0/24"),
        ("EC2::VPC", "DefaultSecurityGroup", "<s.It.DefaultSecurityGroup@us-east-1>"),
        ("RDS::DBCluster", "DBClusterArn", f"arn:aws:rds:{A}:cluster:<s.It@us-east-1>"),
        ("RDS::DBCluster", "DBClusterResourceId", "<s.It.DBClusterResourceId@us-east-1>"),
        ("RDS::DBCluster", "Endpoint.Address", "<s.It.Endpoint.Address@us-east-1>"),
        ("RDS::DBCluster", "ReadEndpoint.Address", "<s.It.ReadEndpoint.Address@us-east-1>"),
        ("RDS::GlobalCluster", "GlobalEndpoint.Address", "<s.It.GlobalEndpoint.Address@us-east-1>"),
        ("Lambda::Url", "FunctionUrl", "<s.It.FunctionUrl@us-east-1>"),
        ("Route53::HostedZone", "Id", IT),
    ],
)
def test_an_attribute_that_is_the_id_or_a_property_is_told(kind, attribute, expected):
    properties = {"VpcId": "v", "CidrBlock": "10.0.0.0/24"}
    template = {
        "Resources": {"It": {"Type": f"AWS::{kind}", "Properties": properties}},
        "Outputs": {"Told": {"Value": {"Fn::GetAtt": ["It", attribute]}}},
    }
    stack = resolve_stack(template, stack="s", region="us-east-1", parameters={})
    assert stack.outputs["Told"] == expected


def test_what_a_custom_resource_gives_only_its_function_knows():
    template = {
        "Resources": {"It": {"Type": "Custom::Thing", "Properties": {"ServiceToken": "t"}}},
        "Outputs": {"Told": {"Value": {"Fn::GetAtt": ["It", "Version"]}}},
    }
    stack = resolve_stack(template, stack="s", region="us-east-1", parameters={})
    assert stack.outputs["Told"] == "<s.It.Version@us-east-1>"
    assert stack.resources["It"].ref == IT


def test_a_dynamic_reference_stays_as_it_is_and_is_not_known():
    secret = "{{resolve:secretsmanager:secret-x-${AWS::Region}:SecretString:password}}"
    template = {"Outputs": {"Told": {"Value": {"Fn::Sub": secret}}}}
    stack = resolve_stack(template, stack="s", region="us-east-1", parameters={})
    told = stack.outputs["Told"]
    assert told == "{{resolve:secretsmanager:secret-x-us-east-1:SecretString:password}}"
    assert not is_known(told)


def test_the_table_of_types_is_sorted_and_speaks_of_aws_types_only():
    assert list(SHAPES) == sorted(SHAPES)
    assert all(kind.startswith("AWS::") for kind in SHAPES)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("plain", "plain"),
        ("arn:aws:events:us-east-1:1:event-bus/b", "b"),
        ("arn:aws:lambda:us-east-1:1:function:f:live", "f"),
        ("arn:aws:short", "arn:aws:short"),
    ],
)
def test_a_bare_name_is_the_last_part_of_an_arn(text, name):
    assert bare_name(text) == name
