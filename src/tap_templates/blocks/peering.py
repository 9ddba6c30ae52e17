"""Block: the peering of the two regions' networks, and what each side routes and admits over it.

A peering is made in one region, CloudFormation accepts it for the other one of the same account,
and neither side sends anything until its own route tables say so: the requester's stack routes
with the peering, another stack in the accepter's region routes back. Security groups of another
region cannot be named, only ranges
(https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html).
"""

from collections.abc import Sequence
from typing import NamedTuple

from troposphere import Ref, ec2

from tap_templates.blocks.ignored import ignoring
from tap_templates.blocks.network_parts import named
from tap_templates.blocks.network_ranges import CidrPlan
from tap_templates.blocks.security_group import Group, group_id
from tap_templates.blocks.stack import StackParameter
from tap_templates.blocks.text import Text, sub
from tap_templates.model.names import SECONDARY_REGION

_BY_RANGE = "the caller is in the peered VPC of another region, whose groups cannot be named"
PEER_VPC = StackParameter(
    name="PeerVpcId",
    group="Network",
    label="VPC of the other region",
    description="Output VpcId of the network stack of the other region; the deployer fills it in.",
    pattern=r"vpc-[0-9a-f]{8,17}",
    constraint="an id such as vpc-0123456789abcdef0",
)
PEERING = StackParameter(
    name="PeeringConnectionId",
    group="Network",
    label="Peering of the regions",
    description="Output PeeringConnectionId of the peering stack, which is in the other region; "
    "the deployer fills it in.",
    pattern=r"pcx-[0-9a-f]{8,17}",
    constraint="an id such as pcx-0123456789abcdef0",
)


class Peering(NamedTuple):
    """A peering and the routes of the side that asked for it."""

    connection: ec2.VPCPeeringConnection
    routes: tuple[ec2.Route, ...]

    @property
    def id(self) -> Text:
        return Ref(self.connection)


class PeerAccess(NamedTuple):
    """What the other region may reach here, and what here may reach there."""

    ingress: ec2.SecurityGroupIngress
    egress: ec2.SecurityGroupEgress


def peering(
    title: str,
    purpose: str,
    *,
    vpc: Text,
    peer_vpc: Text,
    tables: Sequence[Text],
    ranges: CidrPlan,
) -> Peering:
    """Peer the VPC of the primary region, where the stack is, with that of the secondary."""
    connection = ec2.VPCPeeringConnection(
        f"{title}Peering",
        VpcId=vpc,
        PeerVpcId=peer_vpc,
        PeerRegion=sub(SECONDARY_REGION),
        Tags=named("peering", purpose),
    )
    routes = peer_routes(title, Ref(connection), tables=tables, destination=ranges.secondary)
    return Peering(connection, routes)


def peer_routes(
    title: str, connection: Text, *, tables: Sequence[Text], destination: str
) -> tuple[ec2.Route, ...]:
    """Route from these tables to the range of the other region, over the peering."""
    return tuple(
        ec2.Route(
            f"{title}PeerRoute{number}",
            RouteTableId=table,
            DestinationCidrBlock=destination,
            VpcPeeringConnectionId=connection,
        )
        for number, table in enumerate(tables, 1)
    )


def peer_access(
    title: str, source: Group, target: Group, *, peer_range: Text, port: int, why: str
) -> PeerAccess:
    """Admit TCP on one port from the other region to `target`, and from `source` to there.

    Put it into the stack that routes: without the peering nothing gets here by it.
    """
    ingress = ec2.SecurityGroupIngress(
        f"{title}PeerIngress",
        Metadata=ignoring({"E9503": _BY_RANGE}),
        GroupId=group_id(target),
        CidrIp=peer_range,
        IpProtocol="tcp",
        FromPort=port,
        ToPort=port,
        Description=why,
    )
    egress = ec2.SecurityGroupEgress(
        f"{title}PeerEgress",
        GroupId=group_id(source),
        CidrIp=peer_range,
        IpProtocol="tcp",
        FromPort=port,
        ToPort=port,
        Description=why,
    )
    return PeerAccess(ingress, egress)
