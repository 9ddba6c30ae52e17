"""Block: a VPC over three availability zones with public, private and isolated subnets.

Private subnets reach out through NAT, isolated ones reach nothing but the VPC and its gateway
endpoints, public ones hold the NAT gateways and nothing of ours: nothing gets a public address by
itself. Zones are numbered a, b, c in the order the region lists them, which differs by account.
What AWS generates (ids) crosses to other stacks as outputs only.

Peering the regions needs no change here: `CidrPlan.peer` is the range to route to, and
`private.route_tables` and `isolated.route_tables` are where the routes go.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from troposphere import AWSObject, Equals, GetAtt, GetAZs, If, Join, Ref, Select, ec2

from tap_templates.blocks.function import LOG_RETENTION_DAYS
from tap_templates.blocks.network_flow_log import FlowLog, flow_log
from tap_templates.blocks.network_parts import flat, named
from tap_templates.blocks.network_ranges import ZONES, CidrPlan, Tier, in_primary
from tap_templates.blocks.stack import StackParameter, StackTemplate
from tap_templates.blocks.text import Text
from tap_templates.model.names import Kind, Name

NAT_IN_EACH_ZONE = "NatGatewayInEachZone"
_LETTERS = "abc"
_ANYWHERE = "0.0.0.0/0"


class NatGateways(Enum):
    """How many NAT gateways a network has: the value of its parameter."""

    ONE_PER_AZ = "one-per-az"
    ONE = "one"  # cheaper; without its zone no private subnet reaches out


@dataclass(frozen=True, slots=True)
class Network:
    """The typed reference to a VPC: of one purpose in both regions, with a range for each."""

    purpose: str
    ranges: CidrPlan

    @property
    def name(self) -> str:
        """The tag `Name` of the VPC, which has no other name."""
        return Name(Kind.NETWORK, self.purpose).text()

    @property
    def flow_log_group(self) -> str:
        return f"/aws/vpc/{self.name}"


class Subnets(NamedTuple):
    """The subnets of a tier, one a zone, and how they are routed."""

    subnets: tuple[ec2.Subnet, ...]
    route_tables: tuple[ec2.RouteTable, ...]  # one a zone, or one for all
    routes: tuple[ec2.Route, ...]
    associations: tuple[ec2.SubnetRouteTableAssociation, ...]

    @property
    def ids(self) -> list[Ref]:
        return [Ref(each) for each in self.subnets]

    @property
    def joined_ids(self) -> Text:
        """The ids in one text, as an output is."""
        return Join(",", self.ids)


class Nat(NamedTuple):
    """The NAT gateway of a zone and its address."""

    gateway: ec2.NatGateway
    address: ec2.EIP


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc:
    """A VPC and all that belongs to it alone; iterates over its resources."""

    vpc: ec2.VPC
    internet_gateway: ec2.InternetGateway
    attachment: ec2.VPCGatewayAttachment
    nats: tuple[Nat, ...]
    public: Subnets
    private: Subnets
    isolated: Subnets
    flow_log: FlowLog

    def __iter__(self) -> Iterator[AWSObject]:
        yield from flat(
            self.vpc,
            self.internet_gateway,
            self.attachment,
            self.nats,
            self.public,
            self.private,
            self.isolated,
            self.flow_log,
        )

    @property
    def id(self) -> Text:
        return Ref(self.vpc)

    @property
    def cidr(self) -> Text:
        return GetAtt(self.vpc, "CidrBlock")


def network(
    stack: StackTemplate,
    title: str,
    reference: Network,
    *,
    nat_gateways: NatGateways,
    flow_log_kept_days: int = LOG_RETENTION_DAYS,
) -> Vpc:
    """Declare a VPC; the caller adds its resources to `stack`.

    The stack gets a parameter `NatGateways`, with `nat_gateways` as its default, and the
    conditions that tell regions and numbers of gateways apart: one network a stack.
    """
    in_primary(stack)
    count = stack.parameter(_nat_parameter(nat_gateways))
    stack.condition(NAT_IN_EACH_ZONE, Equals(count, NatGateways.ONE_PER_AZ.value))
    vpc = ec2.VPC(
        f"{title}Vpc",
        CidrBlock=reference.ranges.vpc,
        EnableDnsSupport=True,
        EnableDnsHostnames=True,
        Tags=named("vpc", reference.purpose),
    )
    making = _Making(title, reference, vpc)
    gateway = ec2.InternetGateway(
        f"{title}InternetGateway", Tags=named("internet-gateway", reference.purpose)
    )
    attachment = ec2.VPCGatewayAttachment(
        f"{title}InternetAttachment", VpcId=Ref(vpc), InternetGatewayId=Ref(gateway)
    )
    public = making.public(gateway, attachment)
    nats = tuple(making.nat(zone, public.subnets[zone], attachment) for zone in range(ZONES))
    return Vpc(
        vpc=vpc,
        internet_gateway=gateway,
        attachment=attachment,
        nats=nats,
        public=public,
        private=making.private(nats),
        isolated=making.isolated(),
        flow_log=flow_log(
            title,
            reference.purpose,
            vpc,
            log_group=reference.flow_log_group,
            kept_days=flow_log_kept_days,
        ),
    )


def _nat_parameter(default: NatGateways) -> StackParameter:
    return StackParameter(
        name="NatGateways",
        group="Network",
        label="NAT gateways",
        description="How private subnets reach the internet: through a gateway in each of their "
        "zones, or through one for all, which costs a third and fails with its zone.",
        default=default.value,
        allowed=tuple(each.value for each in NatGateways),
        constraint="one-per-az or one",
    )


@dataclass(frozen=True, slots=True)
class _Making:
    """What all parts of one network are made from."""

    title: str
    reference: Network
    vpc: ec2.VPC

    def public(self, gateway: ec2.InternetGateway, attachment: ec2.VPCGatewayAttachment) -> Subnets:
        table = self._table(Tier.PUBLIC)
        route = ec2.Route(
            f"{self.title}PublicDefault",
            DependsOn=[attachment.title],  # it refers to the gateway, which is of no VPC yet
            RouteTableId=Ref(table),
            DestinationCidrBlock=_ANYWHERE,
            GatewayId=Ref(gateway),
        )
        return self._tier(Tier.PUBLIC, (table,), (route,))

    def private(self, nats: tuple[Nat, ...]) -> Subnets:
        tables = tuple(self._table(Tier.PRIVATE, zone) for zone in range(ZONES))
        routes = tuple(
            ec2.Route(
                f"{self.title}PrivateDefault{_LETTERS[zone].upper()}",
                RouteTableId=Ref(table),
                DestinationCidrBlock=_ANYWHERE,
                NatGatewayId=self._gateway_of(zone, nats),
            )
            for zone, table in enumerate(tables)
        )
        return self._tier(Tier.PRIVATE, tables, routes)

    def isolated(self) -> Subnets:
        return self._tier(Tier.ISOLATED, (self._table(Tier.ISOLATED),), ())

    def nat(self, zone: int, subnet: ec2.Subnet, attachment: ec2.VPCGatewayAttachment) -> Nat:
        letter = _LETTERS[zone]
        purpose = f"{self.reference.purpose}-{letter}"
        address = ec2.EIP(
            f"{self.title}NatAddress{letter.upper()}",
            DependsOn=[attachment.title],  # it has no use, and no way out, before
            Domain="vpc",
            Tags=named("nat-address", purpose),
        )
        gateway = ec2.NatGateway(
            f"{self.title}NatGateway{letter.upper()}",
            AllocationId=GetAtt(address, "AllocationId"),
            SubnetId=Ref(subnet),
            Tags=named("nat-gateway", purpose),
        )
        if zone > 0:
            address.Condition = gateway.Condition = NAT_IN_EACH_ZONE
        return Nat(gateway, address)

    @staticmethod
    def _gateway_of(zone: int, nats: tuple[Nat, ...]) -> Text:
        first = Ref(nats[0].gateway)
        return first if zone == 0 else If(NAT_IN_EACH_ZONE, Ref(nats[zone].gateway), first)

    def _table(self, tier: Tier, zone: int | None = None) -> ec2.RouteTable:
        letter = "" if zone is None else _LETTERS[zone]
        purpose = "-".join(filter(None, (self.reference.purpose, tier.word, letter)))
        return ec2.RouteTable(
            f"{self.title}{tier.word.title()}Routes{letter.upper()}",
            VpcId=Ref(self.vpc),
            Tags=named("route-table", purpose),
        )

    def _tier(
        self, tier: Tier, tables: tuple[ec2.RouteTable, ...], routes: tuple[ec2.Route, ...]
    ) -> Subnets:
        subnets = tuple(self._subnet(tier, zone) for zone in range(ZONES))
        associations = tuple(
            # A subnet without one would follow the main table, which nobody here looks after.
            ec2.SubnetRouteTableAssociation(
                f"{subnet.title}Routing",
                SubnetId=Ref(subnet),
                RouteTableId=Ref(tables[zone % len(tables)]),
            )
            for zone, subnet in enumerate(subnets)
        )
        return Subnets(subnets, tables, routes, associations)

    def _subnet(self, tier: Tier, zone: int) -> ec2.Subnet:
        letter = _LETTERS[zone]
        return ec2.Subnet(
            f"{self.title}{tier.word.title()}Subnet{letter.upper()}",
            VpcId=Ref(self.vpc),
            AvailabilityZone=Select(zone, GetAZs()),
            CidrBlock=self.reference.ranges.subnet(tier, zone),
            MapPublicIpOnLaunch=False,
            Tags=named("subnet", f"{self.reference.purpose}-{tier.word}-{letter}"),
        )
