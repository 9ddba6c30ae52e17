"""Block: VPC endpoints, so that calls to AWS need not leave the VPC.

Each endpoint's policy admits the principals of this account only: credentials of another account
that someone brought in are of no use from here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from troposphere import AWSObject, Ref, ec2

from tap_templates.blocks.network import Network, Vpc
from tap_templates.blocks.network_parts import flat, named
from tap_templates.blocks.policy import (
    Grant,
    allow_own_principals,
    allow_step_answers,
    document,
)
from tap_templates.blocks.security_group import (
    HTTPS,
    Admission,
    Group,
    admit,
    group_id,
    security_group,
)
from tap_templates.blocks.text import Text, sub
from tap_templates.errors import ModelError
from tap_templates.model.names import OWN_REGION

# As the service name of the endpoint spells them. EC2 refuses a policy for any other
# (https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html).
WITH_POLICY = frozenset(
    {
        "events",
        "kms",
        "lambda",
        "logs",
        "monitoring",
        "secretsmanager",
        "sns",
        "sqs",
        "states",
        "sts",
    }
)


class GatewayEndpoints(NamedTuple):
    dynamodb: ec2.VPCEndpoint
    s3: ec2.VPCEndpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceEndpoints:
    """Endpoints with the group that guards them; iterates over its resources."""

    group: ec2.SecurityGroup
    admission: Admission
    endpoints: tuple[ec2.VPCEndpoint, ...]

    def __iter__(self) -> Iterator[AWSObject]:
        yield from flat(self.group, self.admission, self.endpoints)


def gateway_endpoints(
    title: str, reference: Network, vpc: Vpc, *, deploy_steps: bool = False
) -> GatewayEndpoints:
    """Route DynamoDB and S3 from private and isolated subnets past NAT, at no charge.

    The callers' security group must let HTTPS out: see `https_to_anywhere`. With `deploy_steps`,
    functions in the VPC may answer CloudFormation.
    """
    tables = (*vpc.private.route_tables, *vpc.isolated.route_tables)

    def endpoint(part: str, service: str, *more: Grant) -> ec2.VPCEndpoint:
        return ec2.VPCEndpoint(
            f"{title}{part}Endpoint",
            ServiceName=_service_name(service),
            VpcEndpointType="Gateway",
            VpcId=vpc.id,
            RouteTableIds=[Ref(table) for table in tables],
            PolicyDocument=document(allow_own_principals(), *more),
            Tags=named("vpc-endpoint", f"{reference.purpose}-{service}"),
        )

    answers = [allow_step_answers()] if deploy_steps else []
    return GatewayEndpoints(endpoint("DynamoDb", "dynamodb"), endpoint("S3", "s3", *answers))


def interface_endpoints(
    title: str, reference: Network, vpc: Vpc, *, callers: Group, services: Sequence[str]
) -> InterfaceEndpoints:
    """Give `services` an address in each private subnet, for HTTPS from `callers` alone.

    The names that SDKs use anyway lead to them. Each costs by the hour and zone, whether it is
    used or not. Raises ModelError for a service of which it is not known that it takes a policy.
    """
    if unknown := sorted(set(services) - WITH_POLICY):
        raise ModelError(
            f"interface endpoints of {reference.purpose!r}",
            f"are for {', '.join(unknown)}, not known to take an endpoint policy",
            "correct the name, or look the service up and add it to WITH_POLICY in "
            "blocks/network_endpoints.py",
        )
    if not services or len(set(services)) < len(services):
        raise ModelError(
            f"interface endpoints of {reference.purpose!r}",
            "are for no service, or for one twice",
            "name each service once; private DNS leads to one endpoint only",
        )
    group = security_group(
        f"{title}Endpoints",
        f"{reference.purpose}-endpoints",
        vpc.id,
        describes=f"Interface endpoints of the VPC {reference.purpose}",
    )
    admission = admit(
        f"{title}Endpoints", callers, group, port=HTTPS, why="Calls to AWS through its endpoints"
    )
    endpoints = tuple(
        ec2.VPCEndpoint(
            f"{title}{service.title()}Endpoint",
            ServiceName=_service_name(service),
            VpcEndpointType="Interface",
            VpcId=vpc.id,
            SubnetIds=vpc.private.ids,
            SecurityGroupIds=[group_id(group)],
            PrivateDnsEnabled=True,
            PolicyDocument=document(allow_own_principals()),
            Tags=named("vpc-endpoint", f"{reference.purpose}-{service}"),
        )
        for service in services
    )
    return InterfaceEndpoints(group=group, admission=admission, endpoints=endpoints)


def _service_name(service: str) -> Text:
    return sub(f"com.amazonaws.{OWN_REGION}.{service}")
