"""What a resource is called: physical name, `Ref`, `Fn::GetAtt` and ARN, in one table per type.

A type or an attribute that is not in the table gives a token, and no ARN: then nothing can be
proved about it, and what needs the proof says so.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tap_templates.rendered.tokens import token


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How AWS names a type. The texts are formats over `Context.fields`, `{name}` and `{arn}`.

    `{Property}` is a property of the resource, reduced to its bare name if it is an ARN.
    """

    name: str | None = None  # property with the physical name; None: AWS generates the identity
    arn: str | None = None
    ref: str = "{name}"
    attributes: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)  # of properties that are left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a resource is created."""

    stack: str
    logical_id: str
    region: str
    account: str
    partition: str
    url_suffix: str

    def token(self, attribute: str = "") -> str:
        what = f"{self.stack}.{self.logical_id}"
        return token(f"{what}.{attribute}" if attribute else what, self.region)


@dataclass(frozen=True, slots=True)
class Identity:
    """What other resources may say of one."""

    name: str | None  # None: AWS generates it
    arn: str | None  # None: not in the table
    ref: str
    attributes: Mapping[str, str]


_FIELD = re.compile(r"\{(\w+)\}")
_ARN = "arn:{partition}:"
_OWN = "{region}:{account}:"


def _arn(service: str, resource: str) -> str:
    return f"{_ARN}{service}:{_OWN}{resource}"


def _ec2(resource: str, attribute: str, **attributes: str) -> Shape:
    """Describe a type whose id AWS generates: `Ref` and one attribute are that id."""
    return Shape(
        arn=_arn("ec2", f"{resource}/{{name}}"), attributes={attribute: "{name}", **attributes}
    )


SHAPES: Mapping[str, Shape] = {
    "AWS::ApiGateway::Account": Shape(attributes={"Id": "{name}"}),
    "AWS::ApiGateway::BasePathMapping": Shape(),
    "AWS::ApiGateway::Deployment": Shape(attributes={"DeploymentId": "{name}"}),
    "AWS::ApiGateway::DomainName": Shape(
        name="DomainName",
        arn=_ARN + "apigateway:{region}::/domainnames/{name}",
        attributes={
            "DistributionDomainName": "{DistributionDomainName}",
            "DistributionHostedZoneId": "{DistributionHostedZoneId}",
            "DomainNameArn": "{arn}",
            "RegionalDomainName": "{RegionalDomainName}",
            "RegionalHostedZoneId": "{RegionalHostedZoneId}",
        },
    ),
    "AWS::ApiGateway::GatewayResponse": Shape(attributes={"Id": "{name}"}),
    "AWS::ApiGateway::Method": Shape(),
    "AWS::ApiGateway::Model": Shape(),
    "AWS::ApiGateway::RequestValidator": Shape(attributes={"RequestValidatorId": "{name}"}),
    "AWS::ApiGateway::Resource": Shape(attributes={"ResourceId": "{name}"}),
    "AWS::ApiGateway::RestApi": Shape(
        arn=_ARN + "apigateway:{region}::/restapis/{name}",
        attributes={"RestApiId": "{name}", "RootResourceId": "{RootResourceId}"},
    ),
    "AWS::ApiGateway::Stage": Shape(
        name="StageName", arn=_ARN + "apigateway:{region}::/restapis/{RestApiId}/stages/{name}"
    ),
    "AWS::ApiGatewayV2::Api": Shape(
        arn=_ARN + "apigateway:{region}::/apis/{name}", attributes={"ApiId": "{name}"}
    ),
    "AWS::ApiGatewayV2::ApiMapping": Shape(attributes={"ApiMappingId": "{name}"}),
    "AWS::ApiGatewayV2::Authorizer": Shape(attributes={"AuthorizerId": "{name}"}),
    "AWS::ApiGatewayV2::Deployment": Shape(attributes={"DeploymentId": "{name}"}),
    "AWS::ApiGatewayV2::DomainName": Shape(
        name="DomainName",
        arn=_ARN + "apigateway:{region}::/domainnames/{name}",
        attributes={
            "DomainNameArn": "{arn}",
            "RegionalDomainName": "{RegionalDomainName}",
            "RegionalHostedZoneId": "{RegionalHostedZoneId}",
        },
    ),
    "AWS::ApiGatewayV2::Integration": Shape(attributes={"IntegrationId": "{name}"}),
    "AWS::ApiGatewayV2::Route": Shape(attributes={"RouteId": "{name}"}),
    "AWS::ApiGatewayV2::Stage": Shape(
        name="StageName", arn=_ARN + "apigateway:{region}::/apis/{ApiId}/stages/{name}"
    ),
    "AWS::Backup::BackupPlan": Shape(
        arn=_arn("backup", "backup-plan:{name}"),
        attributes={"BackupPlanArn": "{arn}", "BackupPlanId": "{name}", "VersionId": "{VersionId}"},
    ),
    "AWS::Backup::BackupSelection": Shape(
        attributes={"Id": "{name}", "SelectionId": "{SelectionId}"}
    ),
    "AWS::Backup::BackupVault": Shape(
        name="BackupVaultName",
        arn=_arn("backup", "backup-vault:{name}"),
        attributes={"BackupVaultArn": "{arn}"},
    ),
    "AWS::CertificateManager::Certificate": Shape(
        arn=_arn("acm", "certificate/{name}"), ref="{arn}", attributes={"CertificateArn": "{arn}"}
    ),
    "AWS::CloudFormation::CustomResource": Shape(),
    "AWS::CloudWatch::Alarm": Shape(
        name="AlarmName", arn=_arn("cloudwatch", "alarm:{name}"), attributes={"Arn": "{arn}"}
    ),
    "AWS::CloudWatch::CompositeAlarm": Shape(
        name="AlarmName", arn=_arn("cloudwatch", "alarm:{name}"), attributes={"Arn": "{arn}"}
    ),
    "AWS::CloudWatch::Dashboard": Shape(
        name="DashboardName", arn=_ARN + "cloudwatch::{account}:dashboard/{name}"
    ),
    "AWS::DynamoDB::GlobalTable": Shape(
        name="TableName",
        arn=_arn("dynamodb", "table/{name}"),
        attributes={"Arn": "{arn}", "StreamArn": "{arn}/stream/{StreamLabel}"},
    ),
    "AWS::DynamoDB::Table": Shape(
        name="TableName",
        arn=_arn("dynamodb", "table/{name}"),
        attributes={"Arn": "{arn}", "StreamArn": "{arn}/stream/{StreamLabel}"},
    ),
    "AWS::EC2::EIP": Shape(
        arn=_arn("ec2", "elastic-ip/{AllocationId}"),
        ref="{PublicIp}",
        attributes={"AllocationId": "{AllocationId}", "PublicIp": "{PublicIp}"},
    ),
    "AWS::EC2::FlowLog": _ec2("vpc-flow-log", "Id"),
    "AWS::EC2::InternetGateway": _ec2("internet-gateway", "InternetGatewayId"),
    "AWS::EC2::NatGateway": _ec2("natgateway", "NatGatewayId"),
    "AWS::EC2::Route": Shape(),
    "AWS::EC2::RouteTable": _ec2("route-table", "RouteTableId"),
    "AWS::EC2::SecurityGroup": _ec2("security-group", "GroupId", Id="{name}", VpcId="{VpcId}"),
    "AWS::EC2::SecurityGroupEgress": _ec2("security-group-rule", "Id"),
    "AWS::EC2::SecurityGroupIngress": _ec2("security-group-rule", "Id"),
    "AWS::EC2::Subnet": _ec2(
        "subnet",
        "SubnetId",
        AvailabilityZone="{AvailabilityZone}",
        CidrBlock="{CidrBlock}",
        VpcId="{VpcId}",
    ),
    "AWS::EC2::SubnetRouteTableAssociation": Shape(attributes={"Id": "{name}"}),
    "AWS::EC2::VPC": _ec2("vpc", "VpcId", CidrBlock="{CidrBlock}"),
    "AWS::EC2::VPCEndpoint": _ec2("vpc-endpoint", "Id"),
    "AWS::EC2::VPCGatewayAttachment": Shape(),
    "AWS::EC2::VPCPeeringConnection": _ec2("vpc-peering-connection", "Id"),
    "AWS::Events::Archive": Shape(
        name="ArchiveName",
        arn=_arn("events", "archive/{name}"),
        attributes={"Arn": "{arn}", "ArchiveName": "{name}"},
    ),
    "AWS::Events::Endpoint": Shape(
        name="Name", arn=_arn("events", "endpoint/{name}"), attributes={"Arn": "{arn}"}
    ),
    "AWS::Events::EventBus": Shape(
        name="Name",
        arn=_arn("events", "event-bus/{name}"),
        attributes={"Arn": "{arn}", "Name": "{name}"},
    ),
    "AWS::Events::EventBusPolicy": Shape(),
    # On the default bus both are spelled without it: see `identify`.
    "AWS::Events::Rule": Shape(
        name="Name",
        arn=_arn("events", "rule/{EventBusName}/{name}"),
        ref="{EventBusName}|{name}",
        attributes={"Arn": "{arn}"},
        defaults={"EventBusName": "default"},
    ),
    "AWS::IAM::ManagedPolicy": Shape(
        name="ManagedPolicyName",
        arn=_ARN + "iam::{account}:policy{Path}{name}",
        ref="{arn}",
        attributes={"PolicyArn": "{arn}"},
        defaults={"Path": "/"},
    ),
    "AWS::IAM::Policy": Shape(name="PolicyName"),
    "AWS::IAM::Role": Shape(
        name="RoleName",
        arn=_ARN + "iam::{account}:role{Path}{name}",
        attributes={"Arn": "{arn}"},
        defaults={"Path": "/"},
    ),
    "AWS::IAM::RolePolicy": Shape(name="PolicyName"),
    "AWS::KMS::Alias": Shape(name="AliasName", arn=_arn("kms", "{name}")),
    "AWS::KMS::Key": Shape(
        arn=_arn("kms", "key/{name}"), attributes={"Arn": "{arn}", "KeyId": "{name}"}
    ),
    "AWS::KMS::ReplicaKey": Shape(
        arn=_arn("kms", "key/{name}"), attributes={"Arn": "{arn}", "KeyId": "{name}"}
    ),
    "AWS::Lambda::Alias": Shape(
        name="Name",
        arn=_arn("lambda", "function:{FunctionName}:{name}"),
        ref="{arn}",
        attributes={"AliasArn": "{arn}"},
    ),
    "AWS::Lambda::EventInvokeConfig": Shape(),
    "AWS::Lambda::EventSourceMapping": Shape(
        arn=_arn("lambda", "event-source-mapping:{name}"),
        attributes={"Id": "{name}", "EventSourceMappingArn": "{arn}"},
    ),
    "AWS::Lambda::Function": Shape(
        name="FunctionName", arn=_arn("lambda", "function:{name}"), attributes={"Arn": "{arn}"}
    ),
    "AWS::Lambda::Permission": Shape(),
    "AWS::Lambda::Url": Shape(
        ref="{FunctionArn}",
        attributes={"FunctionArn": "{FunctionArn}", "FunctionUrl": "{FunctionUrl}"},
    ),
    "AWS::Lambda::Version": Shape(
        arn=_arn("lambda", "function:{FunctionName}:{Version}"),
        ref="{arn}",
        attributes={"FunctionArn": "{arn}", "Version": "{Version}"},
    ),
    "AWS::Logs::LogGroup": Shape(
        name="LogGroupName",
        arn=_arn("logs", "log-group:{name}"),
        attributes={"Arn": "{arn}:*"},  # the streams: CloudFormation's spelling, not IAM's
    ),
    # What an attribute with a dot is, as Endpoint.Address, AWS alone knows: it is a token.
    "AWS::RDS::DBCluster": Shape(
        name="DBClusterIdentifier",
        arn=_arn("rds", "cluster:{name}"),
        attributes={"DBClusterArn": "{arn}", "DBClusterResourceId": "{DBClusterResourceId}"},
    ),
    "AWS::RDS::DBClusterParameterGroup": Shape(
        name="DBClusterParameterGroupName", arn=_arn("rds", "cluster-pg:{name}")
    ),
    "AWS::RDS::DBInstance": Shape(
        name="DBInstanceIdentifier",
        arn=_arn("rds", "db:{name}"),
        attributes={"DBInstanceArn": "{arn}", "DbiResourceId": "{DbiResourceId}"},
    ),
    "AWS::RDS::DBSubnetGroup": Shape(name="DBSubnetGroupName", arn=_arn("rds", "subgrp:{name}")),
    "AWS::RDS::GlobalCluster": Shape(
        name="GlobalClusterIdentifier", arn=_ARN + "rds::{account}:global-cluster:{name}"
    ),
    "AWS::Route53::HealthCheck": Shape(
        arn=_ARN + "route53:::healthcheck/{name}", attributes={"HealthCheckId": "{name}"}
    ),
    "AWS::Route53::HostedZone": Shape(
        arn=_ARN + "route53:::hostedzone/{name}", attributes={"Id": "{name}"}
    ),
    "AWS::Route53::RecordSet": Shape(ref="{Name}"),
    "AWS::Route53::RecordSetGroup": Shape(),
    "AWS::S3::Bucket": Shape(
        name="BucketName",
        arn=_ARN + "s3:::{name}",
        attributes={
            "Arn": "{arn}",
            "DomainName": "{name}.s3.{url_suffix}",
            "RegionalDomainName": "{name}.s3.{region}.{url_suffix}",
        },
    ),
    "AWS::S3::BucketPolicy": Shape(),
    "AWS::SNS::Subscription": Shape(ref="{Subscription}"),
    "AWS::SNS::Topic": Shape(
        name="TopicName",
        arn=_arn("sns", "{name}"),
        ref="{arn}",
        attributes={"TopicArn": "{arn}", "TopicName": "{name}"},
    ),
    "AWS::SNS::TopicPolicy": Shape(),
    "AWS::SQS::Queue": Shape(
        name="QueueName",
        arn=_arn("sqs", "{name}"),
        ref="https://sqs.{region}.{url_suffix}/{account}/{name}",
        attributes={
            "Arn": "{arn}",
            "QueueName": "{name}",
            "QueueUrl": "https://sqs.{region}.{url_suffix}/{account}/{name}",
        },
    ),
    "AWS::SQS::QueuePolicy": Shape(),
    "AWS::SSM::Parameter": Shape(
        name="Name",
        arn=_arn("ssm", "parameter{name}"),  # a name begins with a slash
        attributes={"Type": "{Type}", "Value": "{Value}"},
    ),
    "AWS::Scheduler::Schedule": Shape(
        name="Name",
        arn=_arn("scheduler", "schedule/{GroupName}/{name}"),
        attributes={"Arn": "{arn}"},
        defaults={"GroupName": "default"},
    ),
    "AWS::Scheduler::ScheduleGroup": Shape(
        name="Name", arn=_arn("scheduler", "schedule-group/{name}"), attributes={"Arn": "{arn}"}
    ),
    # Behind the name are six characters that AWS adds.
    "AWS::SecretsManager::Secret": Shape(
        name="Name",
        arn=_arn("secretsmanager", "secret:{name}-{Suffix}"),
        ref="{arn}",
        attributes={"Id": "{arn}"},
    ),
    "AWS::StepFunctions::StateMachine": Shape(
        name="StateMachineName",
        arn=_arn("states", "stateMachine:{name}"),
        ref="{arn}",
        attributes={"Arn": "{arn}", "Name": "{name}"},
    ),
}


def bare_name(text: str) -> str:
    """Reduce an ARN to the name of the resource, without qualifier; leave a name as it is."""
    parts = text.split(":", 5)
    if parts[0] != "arn" or len(parts) < 6:
        return text
    kind, colon, rest = parts[5].partition(":")
    if colon:  # function:name[:qualifier], log-group:name[:*]
        return rest.partition(":")[0]
    return kind.rpartition("/")[2]


def identify(kind: str, place: Place, property_of: Callable[[str], Any]) -> Identity:
    """Work out what the resource is called.

    `property_of` resolves one property, so that two resources may name each other as long as
    their names do not.
    """
    shape = SHAPES.get(kind)
    if shape is None:
        return Identity(None, None, place.token(), {})
    given = property_of(shape.name) if shape.name else None
    name = str(given) if given is not None else None
    if kind == "AWS::Events::Rule" and _bus(property_of, shape) == "default":
        shape = Shape(arn=_arn("events", "rule/{name}"), attributes=shape.attributes)

    def fill(text: str, values: Mapping[str, str]) -> str:
        return _FIELD.sub(lambda match: value_of(match.group(1), values), text)

    def value_of(key: str, values: Mapping[str, str]) -> str:
        if key in values:
            return values[key]
        stated = property_of(key)
        if stated is None:
            return shape.defaults.get(key) or place.token(key)
        return str(stated) if key == "Path" else bare_name(str(stated))

    fields = {
        "partition": place.partition,
        "region": place.region,
        "account": place.account,
        "url_suffix": place.url_suffix,
        "name": name or place.token(),
    }
    arn = fill(shape.arn, fields) if shape.arn else None
    if arn:
        fields["arn"] = arn
    attributes = {key: fill(text, fields) for key, text in shape.attributes.items()}
    return Identity(name, arn, fill(shape.ref, fields), attributes)


def _bus(property_of: Callable[[str], Any], shape: Shape) -> str:
    stated = property_of("EventBusName")
    return shape.defaults["EventBusName"] if stated is None else bare_name(str(stated))
