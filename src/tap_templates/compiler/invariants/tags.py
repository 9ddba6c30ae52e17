"""Tags: every taggable resource carries all of TAG_KEYS (X-02)."""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.values import as_list, tag_values
from tap_templates.model.names import MANAGED_BY, TAG_KEYS

_TAGS = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-resource-tags.html"

TAGS_AT: Mapping[str, str] = {
    "AWS::ApiGateway::DomainName": "Tags",
    "AWS::ApiGateway::RestApi": "Tags",
    "AWS::ApiGateway::Stage": "Tags",
    "AWS::ApiGatewayV2::Api": "Tags",
    "AWS::ApiGatewayV2::DomainName": "Tags",
    "AWS::ApiGatewayV2::Stage": "Tags",
    "AWS::Backup::BackupPlan": "BackupPlanTags",
    "AWS::Backup::BackupVault": "BackupVaultTags",
    "AWS::CertificateManager::Certificate": "Tags",
    "AWS::CloudWatch::Alarm": "Tags",
    "AWS::CloudWatch::CompositeAlarm": "Tags",
    "AWS::CloudWatch::Dashboard": "Tags",
    "AWS::DynamoDB::Table": "Tags",
    "AWS::EC2::EIP": "Tags",
    "AWS::EC2::FlowLog": "Tags",
    "AWS::EC2::InternetGateway": "Tags",
    "AWS::EC2::NatGateway": "Tags",
    "AWS::EC2::RouteTable": "Tags",
    "AWS::EC2::SecurityGroup": "Tags",
    "AWS::EC2::Subnet": "Tags",
    "AWS::EC2::VPC": "Tags",
    "AWS::EC2::VPCEndpoint": "Tags",
    "AWS::EC2::VPCPeeringConnection": "Tags",
    "AWS::Events::EventBus": "Tags",
    "AWS::Events::Rule": "Tags",
    "AWS::IAM::Role": "Tags",
    "AWS::KMS::Key": "Tags",
    "AWS::KMS::ReplicaKey": "Tags",
    "AWS::Lambda::EventSourceMapping": "Tags",
    "AWS::Lambda::Function": "Tags",
    "AWS::Logs::LogGroup": "Tags",
    "AWS::RDS::DBCluster": "Tags",
    "AWS::RDS::DBClusterParameterGroup": "Tags",
    "AWS::RDS::DBInstance": "Tags",
    "AWS::RDS::DBSubnetGroup": "Tags",
    "AWS::RDS::GlobalCluster": "Tags",
    "AWS::Route53::HealthCheck": "HealthCheckTags",
    "AWS::Route53::HostedZone": "HostedZoneTags",
    "AWS::S3::Bucket": "Tags",
    "AWS::SNS::Topic": "Tags",
    "AWS::SQS::Queue": "Tags",
    "AWS::SSM::Parameter": "Tags",
    "AWS::Scheduler::ScheduleGroup": "Tags",
    "AWS::SecretsManager::Secret": "Tags",
    "AWS::StepFunctions::StateMachine": "Tags",
}
"""Type to the property its tags are in."""

GLOBAL_TABLE = "AWS::DynamoDB::GlobalTable"  # its tags are in each replica; it has none itself

NOT_TAGGABLE = frozenset(
    {
        "AWS::ApiGateway::Account",
        "AWS::ApiGateway::BasePathMapping",
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::GatewayResponse",
        "AWS::ApiGateway::Method",
        "AWS::ApiGateway::Model",
        "AWS::ApiGateway::RequestValidator",
        "AWS::ApiGateway::Resource",
        "AWS::ApiGatewayV2::ApiMapping",
        "AWS::ApiGatewayV2::Authorizer",
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::Route",
        "AWS::Backup::BackupSelection",
        "AWS::CloudFormation::CustomResource",
        "Custom::SchemaMigration",
        "AWS::EC2::Route",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::Events::Archive",
        "AWS::Events::Endpoint",
        "AWS::Events::EventBusPolicy",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::RolePolicy",
        "AWS::KMS::Alias",
        "AWS::Lambda::Alias",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Url",
        "AWS::Lambda::Version",
        "AWS::Route53::RecordSet",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::Scheduler::Schedule",
    }
)


def _incomplete(compiled: CompiledSystem) -> Iterator[Fault]:
    for located in compiled.view.resources(GLOBAL_TABLE, *TAGS_AT):
        properties = located.resource.properties
        if located.resource.type == GLOBAL_TABLE:
            places = [
                (f"/Properties/Replicas/{index}/Tags", replica.get("Tags"), replica.get("Region"))
                for index, replica in enumerate(as_list(properties.get("Replicas")))
            ]
        else:
            where = TAGS_AT[located.resource.type]
            places = [(f"/Properties/{where}", properties.get(where), located.stack.region)]
        for path, tags, region in places:
            if problem := _problem(tags, str(region)):
                yield fault_at(
                    located,
                    problem,
                    "leave tagging to the build stage (compiler/build.py), which tags every type "
                    "whose property it knows",
                    path,
                )


def _problem(tags: Any, region: str) -> str | None:
    values = tag_values(tags)
    missing = [key for key in TAG_KEYS if not values.get(key)]
    if missing:
        return f"lacks the tag{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
    for key, right in (("Region", region), ("ManagedBy", MANAGED_BY)):
        if values[key] != right:
            return f"has the tag {key}={values[key]}, but it is {right}"
    return None


def _unknown(compiled: CompiledSystem) -> Iterator[Fault]:
    for stack, logical_id, body in compiled.raw_resources():
        kind = body["Type"]
        if kind not in TAGS_AT and kind not in NOT_TAGGABLE and kind != GLOBAL_TABLE:
            yield Fault(
                stack=stack,
                logical_id=logical_id,
                what=f"is of type {kind}, of which this check does not know whether it takes tags",
                remedy="add the type to TAGS_AT or NOT_TAGGABLE in compiler/invariants/tags.py; "
                "a test compares them with the schemas of cfn-lint",
            )


TAGS = (
    Invariant(
        code="TAP-TAG-01",
        promise="Every taggable resource has all our tags, with the region it really is in.",
        source_url=_TAGS,
        check=_incomplete,
    ),
    Invariant(
        code="TAP-TAG-02",
        promise="Of every type it is known whether, and where, it takes tags.",
        source_url=_TAGS,
        check=_unknown,
    ),
)
