"""Block part: the role a function runs with, and what a VPC adds to it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from awacs import aws, ec2, logs, xray
from troposphere import AWSObject, Ref, awslambda, iam

from tap_templates.blocks.policy import ANYTHING, allow, deny, document, trust_service
from tap_templates.blocks.stack import StackParameter
from tap_templates.blocks.text import arn_text, sub
from tap_templates.model.names import OWN_REGION, Kind, Name

Placed = StackParameter | AWSObject
"""Something of a VPC: an id from another stack, or a resource of the same one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionNetwork:
    """Where in a VPC a function runs; AWS generates all these ids."""

    vpc: Placed
    subnets: tuple[Placed, ...]
    security_group: Placed

    def config(self) -> awslambda.VPCConfig:
        return awslambda.VPCConfig(
            SecurityGroupIds=[Ref(_title(self.security_group))],
            SubnetIds=[Ref(_title(each)) for each in self.subnets],
        )


def _title(placed: Placed) -> str:
    """Spell what `Ref` gives the id for: of a group it does so inside a VPC."""
    return placed.name if isinstance(placed, StackParameter) else str(placed.title)


def function_role(
    title: str,
    *,
    purpose: str,
    name: str,
    log_group: str,
    grants: Sequence[aws.Statement],
    network: FunctionNetwork | None,
) -> iam.Role:
    """Declare the role: `grants`, its own log, traces, and network interfaces in a VPC."""
    streams = sub(arn_text("logs", f"log-group:{log_group}:*"))
    statements = [
        *grants,
        allow("WriteOwnLog", [logs.CreateLogStream, logs.PutLogEvents], [streams]),
        # No resource can be named for X-Ray: service authorization reference, AWS X-Ray.
        allow("Trace", [xray.PutTelemetryRecords, xray.PutTraceSegments], [ANYTHING]),
        *(_interfaces(name, network) if network else ()),
    ]
    return iam.Role(
        f"{title}Role",
        RoleName=sub(Name(Kind.ROLE, purpose).text()),
        AssumeRolePolicyDocument=trust_service("lambda.amazonaws.com"),
        Policies=[iam.Policy(PolicyName="grants", PolicyDocument=document(*statements))],
    )


def _interfaces(name: str, network: FunctionNetwork) -> Iterator[aws.Statement]:
    """Let Lambda manage the function's network interfaces with this role, and its code not.

    Lambda has no other identity to do it with, so the role must allow it; calls by the function's
    code carry its ARN, and are denied
    (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html).
    """
    interfaces = sub(arn_text("ec2", "network-interface/*"))
    group = sub(arn_text("ec2", f"security-group/${{{_title(network.security_group)}}}"))
    subnets = [sub(arn_text("ec2", f"subnet/${{{_title(each)}}}")) for each in network.subnets]
    vpc = sub(arn_text("ec2", f"vpc/${{{_title(network.vpc)}}}"))
    manage = [
        ec2.AssignPrivateIpAddresses,
        ec2.DeleteNetworkInterface,
        ec2.UnassignPrivateIpAddresses,
    ]
    describe = [ec2.DescribeNetworkInterfaces, ec2.DescribeSubnets]
    yield allow("CreateInterfaces", [ec2.CreateNetworkInterface], [interfaces, group, *subnets])
    yield allow("ManageInterfaces", manage, [interfaces], aws.ArnEquals({"ec2:Vpc": vpc}))
    # No resource can be named for describing: service authorization reference, Amazon EC2.
    yield allow(
        "DescribeInterfaces",
        describe,
        [ANYTHING],
        aws.StringEquals({"ec2:Region": sub(OWN_REGION)}),
    )
    yield deny(
        "NoInterfacesByCode",
        [ec2.CreateNetworkInterface, *manage, *describe],
        [ANYTHING],
        aws.ArnEquals({"lambda:SourceFunctionArn": sub(arn_text("lambda", f"function:{name}"))}),
    )
