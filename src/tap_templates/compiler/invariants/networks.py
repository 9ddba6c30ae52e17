"""Networks: ranges that can be routed to each other, and subnets that lie in them."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.networks_peering import NETWORKS_PEERING
from tap_templates.compiler.invariants.networks_reach import NETWORKS_REACH
from tap_templates.rendered.view import Located

_PEERING = "https://docs.aws.amazon.com/vpc/latest/peering/invalid-peering-configurations.html"
_SUBNETS = "https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html"
_VPC = "AWS::EC2::VPC"
_SUBNET = "AWS::EC2::Subnet"
_PATH = "/Properties/CidrBlock"


def _range(located: Located) -> IPv4Network | None:
    try:
        return IPv4Network(str(located.resource.properties.get("CidrBlock")))
    except ValueError:
        return None


def _unreadable(compiled: CompiledSystem) -> Iterator[Fault]:
    for located in compiled.view.resources(_VPC, _SUBNET):
        if _range(located) is None:
            stated = located.resource.properties.get("CidrBlock")
            yield fault_at(
                located,
                f"has the range {stated!r}, which is no IPv4 network this check can compare",
                "write it out, such as 10.40.0.0/16, by region if need be: CidrPlan in "
                "blocks/network_ranges.py",
                _PATH,
            )


def _overlapping_networks(compiled: CompiledSystem) -> Iterator[Fault]:
    ranges = [
        (each, found)
        for each in compiled.view.resources(_VPC)
        if (found := _range(each)) is not None
    ]
    for (one, ours), (other, theirs) in combinations(ranges, 2):
        if ours.overlaps(theirs):
            yield fault_at(
                other,
                f"has the range {theirs}, which overlaps {ours} of {one.place}: the two can "
                "never be peered",
                "give each VPC of the system a range of its own; a range cannot be changed later",
                _PATH,
            )


def _misplaced_subnets(compiled: CompiledSystem) -> Iterator[Fault]:
    for stack in compiled.view.stacks:
        vpcs = {
            each.ref: found
            for each in stack.resources.values()
            if each.type == _VPC and (found := _range(Located(stack, each))) is not None
        }
        placed: dict[str, list[tuple[str, IPv4Network]]] = {}
        for resource in stack.resources.values():
            located = Located(stack, resource)
            found = _range(located) if resource.type == _SUBNET else None
            vpc = str(resource.properties.get("VpcId"))
            if found is None or vpc not in vpcs:
                continue
            if not found.subnet_of(vpcs[vpc]):
                yield fault_at(
                    located,
                    f"has the range {found}, which is not in {vpcs[vpc]} of its VPC",
                    "cut it from the VPC's range: CidrPlan.subnet() in blocks/network_ranges.py",
                    _PATH,
                )
            for name, other in placed.setdefault(vpc, []):
                if found.overlaps(other):
                    yield fault_at(
                        located,
                        f"has the range {found}, which overlaps {other} of {name}",
                        "give each subnet a range of its own",
                        _PATH,
                    )
            placed[vpc].append((resource.logical_id, found))


NETWORKS = (
    Invariant(
        code="TAP-NET-01",
        promise="No two VPCs of a system overlap, in whatever regions they are.",
        source_url=_PEERING,
        check=_overlapping_networks,
    ),
    Invariant(
        code="TAP-NET-02",
        promise="Every subnet lies in its VPC and overlaps no other.",
        source_url=_SUBNETS,
        check=_misplaced_subnets,
    ),
    Invariant(
        code="TAP-NET-03",
        promise="Every range of a VPC or subnet is one that can be compared.",
        source_url=_SUBNETS,
        check=_unreadable,
    ),
    *NETWORKS_REACH,
    *NETWORKS_PEERING,
)
