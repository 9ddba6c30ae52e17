"""Peerings: of networks that are there, routed on both sides, and nothing routed into the void."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.networks_routes import Region
from tap_templates.compiler.invariants.values import as_list, inside
from tap_templates.rendered.view import Located

_PEERING = "https://docs.aws.amazon.com/vpc/latest/peering/create-vpc-peering-connection.html"
_ROUTING = "https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-routing.html"
_CONNECTION = "AWS::EC2::VPCPeeringConnection"
_VIA = "VpcPeeringConnectionId"
_IN_SUBNETS = {
    "AWS::Lambda::Function": ("VpcConfig", "SubnetIds"),
    "AWS::RDS::DBSubnetGroup": ("SubnetIds",),
}


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two VPCs of a peering, and the other one's range."""

    vpc: Located
    other: IPv4Network


def _vpc(compiled: CompiledSystem, region: str, ref: object) -> Located | None:
    for each in compiled.view.resources("AWS::EC2::VPC"):
        if each.stack.region == region and each.resource.ref == ref:
            return each
    return None


def _ends(compiled: CompiledSystem, peering: Located) -> tuple[Located | None, Located | None]:
    properties, own = peering.resource.properties, peering.stack.region
    there = str(properties.get("PeerRegion", own))
    requester = _vpc(compiled, own, properties.get("VpcId"))
    return requester, _vpc(compiled, there, properties.get("PeerVpcId"))


def _range(vpc: Located) -> IPv4Network | None:
    try:
        return IPv4Network(str(vpc.resource.properties.get("CidrBlock")))
    except ValueError:
        return None  # TAP-NET-03 tells of it


def _sides(compiled: CompiledSystem, peering: Located) -> Iterator[_Side]:
    requester, accepter = _ends(compiled, peering)
    if requester is None or accepter is None:
        return
    for vpc, other in ((requester, accepter), (accepter, requester)):
        found = _range(other)
        if found is not None:
            yield _Side(vpc, found)


def _unknown_ends(compiled: CompiledSystem) -> Iterator[Fault]:
    for peering in compiled.view.resources(_CONNECTION):
        requester, accepter = _ends(compiled, peering)
        for vpc, name in ((requester, "VpcId"), (accepter, "PeerVpcId")):
            if vpc is None:
                stated = peering.resource.properties.get(name)
                yield fault_at(
                    peering,
                    f"joins {stated}, which is no VPC of the system in the region it names",
                    "give it the VpcId of the network stack, and PeerRegion the other region",
                    f"/Properties/{name}",
                )
        if "PeerRoleArn" in peering.resource.properties:
            yield fault_at(
                peering,
                "takes a role to be accepted with, as another account's VPC would need",
                "leave PeerRoleArn out: CloudFormation accepts for its own account",
                "/Properties/PeerRoleArn",
            )


def _one_way(compiled: CompiledSystem) -> Iterator[Fault]:
    routes = [
        each
        for each in compiled.view.resources("AWS::EC2::Route")
        if _VIA in each.resource.properties
    ]
    for peering in compiled.view.resources(_CONNECTION):
        for side in _sides(compiled, peering):
            region = side.vpc.stack.region
            to = {
                str(each.resource.properties.get("DestinationCidrBlock"))
                for each in routes
                if each.stack.region == region
                and each.resource.properties[_VIA] == peering.resource.ref
            }
            if str(side.other) not in to:
                said = f"only to {', '.join(sorted(to))}" if to else "nothing"
                yield fault_at(
                    peering,
                    f"{region} routes {said} over it, and not to {side.other} of the other side: "
                    "no packet, or no answer, gets there",
                    f"add a route to {side.other} to the route tables of {region}: peer_routes() "
                    "in blocks/peering.py",
                )


def _partly(compiled: CompiledSystem) -> Iterator[Fault]:
    """Find subnets in use whose table lacks the route that tables beside it have."""
    routed: dict[tuple[str, str], set[str]] = {}
    for route in compiled.view.resources("AWS::EC2::Route"):
        properties = route.resource.properties
        if _VIA in properties:
            key = (route.stack.region, str(properties[_VIA]))
            routed.setdefault(key, set()).add(str(properties.get("RouteTableId")))
    for peering in compiled.view.resources(_CONNECTION):
        for side in _sides(compiled, peering):
            name = side.vpc.stack.region
            tables = routed.get((name, str(peering.resource.ref)), set())
            region = Region(compiled.view, name)
            for user, subnet in _users(compiled, side.vpc) if tables else ():
                if region.route_table(subnet.resource.ref) not in tables:
                    yield fault_at(
                        peering,
                        f"is not routed from {subnet.resource.logical_id} in {name}, where "
                        f"{user.resource.logical_id} is, and is so from other subnets: what is in "
                        "that zone times out",
                        f"add a route to {side.other} to its route table as well",
                    )


def _users(compiled: CompiledSystem, vpc: Located) -> Iterator[tuple[Located, Located]]:
    """Find the functions and groups of database subnets in a VPC, with each of their subnets."""
    subnets = {
        each.resource.ref: each
        for each in compiled.view.resources("AWS::EC2::Subnet")
        if each.stack.region == vpc.stack.region
        and each.resource.properties.get("VpcId") == vpc.resource.ref
    }
    for kind, keys in _IN_SUBNETS.items():
        for user in compiled.view.resources(kind):
            for identity in as_list(inside(user.resource.properties, *keys)):
                if str(identity) in subnets:
                    yield user, subnets[str(identity)]


def _void(compiled: CompiledSystem) -> Iterator[Fault]:
    reaches: dict[str, list[tuple[str, IPv4Network]]] = {}
    for peering in compiled.view.resources(_CONNECTION):
        reaches[str(peering.resource.ref)] = [
            (side.vpc.stack.region, side.other) for side in _sides(compiled, peering)
        ]
    for route in compiled.view.resources("AWS::EC2::Route"):
        properties = route.resource.properties
        if _VIA not in properties:
            continue
        found = reaches.get(str(properties[_VIA]))
        path = f"/Properties/{_VIA}"
        if found is None:
            yield fault_at(
                route,
                f"leads into {properties[_VIA]}, which is no peering of the system",
                "give it the output PeeringConnectionId of the peering stack",
                path,
            )
            continue
        wanted = {str(other) for region, other in found if region == route.stack.region}
        stated = str(properties.get("DestinationCidrBlock"))
        if wanted and stated not in wanted:
            yield fault_at(
                route,
                f"leads {stated} over a peering with {', '.join(sorted(wanted))}, where it ends",
                f"route {', '.join(sorted(wanted))}, and nothing else, over it",
                "/Properties/DestinationCidrBlock",
            )


NETWORKS_PEERING = (
    Invariant(
        code="TAP-NET-08",
        promise="A peering joins two VPCs of the system, each in the region it names.",
        source_url=_PEERING,
        check=_unknown_ends,
    ),
    Invariant(
        code="TAP-NET-09",
        promise="A peering is routed on both sides.",
        source_url=_ROUTING,
        check=_one_way,
    ),
    Invariant(
        code="TAP-NET-10",
        promise="What is routed over a peering is the other side's range, and the peering exists.",
        source_url=_ROUTING,
        check=_void,
    ),
    Invariant(
        code="TAP-NET-11",
        promise="What a peering is for is routed to it from each of its zones.",
        source_url=_ROUTING,
        check=_partly,
    ),
)
