"""E9504-E9507: networks whose parts do not fit, or hide more than they show."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar, Final

from ._addresses import Range, address_range, holds, overlap
from ._index import Index, Resource
from ._rule import Fault, TapRule
from ._values import Expr, Node

_VPC: Final = "AWS::EC2::VPC"
_DEFAULTS: Final = ("DestinationCidrBlock", "DestinationIpv6CidrBlock")
_PARTLY: Final = frozenset({"ACCEPT", "REJECT"})
_PRIVATE_WORDS: Final = re.compile(r"private|isolated|internal|database", re.IGNORECASE)


class _NetworkRule(TapRule):
    tags: ClassVar[list[str]] = ["resources", "ec2", "security"]  # type: ignore[misc]  # an instance variable upstream


@dataclass(frozen=True, slots=True)
class _Subnet:
    resource: Resource
    vpc: Expr
    place: Node
    range: Range


class SubnetRanges(_NetworkRule):
    """Demand subnets inside of their VPC's range and apart from each other.

    cfn-lint's E3059 and E3060 say so of plain templates; here a range under a condition is held
    against those that can apply at the same time: a subnet that has the range meant for the other
    region is in the range of neither. Looks at literal IPv4 ranges.
    """

    id = "E9504"
    shortdesc = "Subnets must lie in the range of their VPC, and apart"
    description = (
        "EC2 refuses such a subnet when the stack is created. Cut the range of the VPC into one "
        "part for each subnet, the same way on both sides of a condition."
    )
    source_url = "https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html"

    def check(self, index: Index) -> Iterator[Fault]:
        subnets = list(_subnets(index))
        for subnet in subnets:
            yield from self._outside(index, subnet)
        for one, other in combinations(subnets, 2):
            if (
                one.resource is not other.resource
                and one.vpc == other.vpc
                and not one.place.excludes(other.place)
                and overlap(one.range, other.range)
            ):
                yield Fault(
                    other.place.path,
                    f"{other.range} of {other.resource.logical_id} overlaps {one.range} of "
                    f"{one.resource.logical_id}: give each subnet a part of its own",
                )

    def _outside(self, index: Index, subnet: _Subnet) -> Iterator[Fault]:
        added = _added_ranges(index, subnet)
        if added is None:
            return
        vpc = next((each for each in index.typed(_VPC) if subnet.vpc == (each.logical_id,)), None)
        for given in vpc.get("CidrBlock") if vpc else ():
            main = address_range(given.text)
            if main is None or given.excludes(subnet.place):
                continue
            if not any(holds(each, subnet.range) for each in (main, *added)):
                yield Fault(
                    subnet.place.path,
                    f"{subnet.range} of {subnet.resource.logical_id} is not in {main}, the "
                    "range of its VPC: take a part of that",
                )


def _subnets(index: Index) -> Iterator[_Subnet]:
    for subnet in index.typed("AWS::EC2::Subnet"):
        for vpc in subnet.get("VpcId"):
            for place in subnet.get("CidrBlock"):
                found = address_range(place.text)
                if vpc.present and found and not vpc.excludes(place):
                    yield _Subnet(subnet, _vpc_of(index, vpc), place, found)


def _vpc_of(index: Index, given: Node) -> Expr:
    """Tell VPCs apart: Ref and GetAtt VpcId mean the same one."""
    found = index.resource_of(given.value)
    return (found[0].logical_id,) if found else index.expression(given.value)


def _added_ranges(index: Index, subnet: _Subnet) -> list[Range] | None:
    """Return the ranges added to a subnet's VPC, None where one of them cannot be seen."""
    found: list[Range] = []
    for added in index.typed("AWS::EC2::VPCCidrBlock"):
        for vpc in added.get("VpcId"):
            if _vpc_of(index, vpc) != subnet.vpc or vpc.excludes(subnet.place):
                continue
            for given in added.get("CidrBlock"):
                if given.excludes(subnet.place):
                    continue
                extra = address_range(given.text)
                if extra is None:
                    return None
                found.append(extra)
    return found


class PrivateToInternet(_NetworkRule):
    """Refuse a default route to an internet gateway where the subnets are meant to be private.

    They are if they, or the route table, are called so (private, isolated, internal, database),
    or if functions or databases of the template are in them. Silent about gateways that cannot
    be told apart, and about the main route table.
    """

    id = "E9505"
    shortdesc = "A private subnet must not be routed to an internet gateway"
    description = (
        "It makes the subnet public, whatever it is called: what has a public address there can "
        "be reached, and what has none, such as a function, reaches nothing. Route to a NAT "
        "gateway, or nowhere."
    )
    source_url = "https://docs.aws.amazon.com/vpc/latest/userguide/configure-subnets.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for route in index.typed("AWS::EC2::Route"):
            table = _one(index, route, "RouteTableId", "AWS::EC2::RouteTable")
            if table is None or not _is_default(route):
                continue
            why = _private_because(index, table)
            for gateway in route.get("GatewayId") if why else ():
                if _is_internet_gateway(index, gateway):
                    yield Fault(
                        gateway.path,
                        f"{route.logical_id} leads from {why} to the internet gateway: route to "
                        "a NAT gateway (NatGatewayId), or take the route out",
                    )


def _one(index: Index, resource: Resource, key: str, kind: str) -> Resource | None:
    """Return the resource of a type that a property refers to, if it is one alone."""
    found = [index.resource_of(node.value) for node in resource.get(key)]
    return found[0][0] if len(found) == 1 and found[0] and found[0][0].type == kind else None


def _is_default(route: Resource) -> bool:
    ranges = [address_range(n.text) for key in _DEFAULTS for n in route.get(key)]
    return any(found is not None and found.prefixlen == 0 for found in ranges)


def _is_internet_gateway(index: Index, gateway: Node) -> bool:
    found = index.resource_of(gateway.value)
    if found is None:
        return (gateway.text or "").startswith("igw-")
    return found[0].type == "AWS::EC2::InternetGateway"


def _private_because(index: Index, table: Resource) -> str | None:
    if _called_private(table):
        return f"{table.logical_id}, private by its name,"
    for association in index.typed("AWS::EC2::SubnetRouteTableAssociation"):
        if _one(index, association, "RouteTableId", "AWS::EC2::RouteTable") is not table:
            continue
        subnet = _one(index, association, "SubnetId", "AWS::EC2::Subnet")
        if subnet is not None and _called_private(subnet):
            return f"{subnet.logical_id}, private by its name,"
        if subnet is not None and (user := _user_of(index, subnet)):
            return f"{subnet.logical_id}, in which {user.logical_id} is,"
    return None


def _called_private(resource: Resource) -> bool:
    names = [
        value.text or ""
        for tag in resource.elements("Tags")
        for key in tag.get("Key")
        if key.text == "Name"
        for value in tag.get("Value")
    ]
    return any(_PRIVATE_WORDS.search(each) for each in (resource.logical_id, *names))


def _user_of(index: Index, subnet: Resource) -> Resource | None:
    """Return a function or a group of database subnets that is in a subnet."""
    for kind, keys in (
        ("AWS::Lambda::Function", ("VpcConfig", "SubnetIds")),
        ("AWS::RDS::DBSubnetGroup", ("SubnetIds",)),
    ):
        for user in index.typed(kind):
            for listed in user.elements(*keys):
                found = index.resource_of(listed.value)
                if found is not None and found[0] is subnet:
                    return user
    return None


class NoPrivateDns(_NetworkRule):
    """Demand private DNS of interface endpoints for services of AWS.

    Asks nothing for services of others, whose owner decides, nor for DynamoDB and S3, for which
    gateway endpoints do without. Silent about what cannot be seen.
    """

    id = "E9506"
    shortdesc = "An interface endpoint must have private DNS"
    description = (
        "Without it SDKs resolve the public name of the service and never use the endpoint, "
        "which is paid for and proves nothing. Set PrivateDnsEnabled to true."
    )
    source_url = (
        "https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html"
    )

    def check(self, index: Index) -> Iterator[Fault]:
        for endpoint in index.typed("AWS::EC2::VPCEndpoint"):
            if not any(node.text == "Interface" for node in endpoint.get("VpcEndpointType")):
                continue
            if not all(_is_of_aws(index, n) for n in endpoint.get("ServiceName")):
                continue
            for given in endpoint.get("PrivateDnsEnabled"):
                if given.absent or given.truth is False:
                    yield Fault(
                        given.path,
                        f"{endpoint.logical_id} is bypassed by whoever uses the service's own "
                        "name: set PrivateDnsEnabled to true",
                    )


def _is_of_aws(index: Index, service: Node) -> bool:
    parts = index.expression(service.value)
    if not parts or not isinstance(parts[0], str) or not parts[0].startswith("com.amazonaws."):
        return False
    written = "".join(each if isinstance(each, str) else "-" for each in parts)
    return not re.search(r"[.](vpce|dynamodb|s3)([.]|$)", written)


class NoFlowLog(_NetworkRule):
    """Demand a flow log of all traffic in the template of each VPC.

    Silent where a flow log is for something that cannot be seen.
    """

    id = "E9507"
    shortdesc = "A VPC must have a flow log"
    description = (
        "What went where can be asked only of what was recorded at the time, and what somebody "
        "took away was accepted traffic. Add an AWS::EC2::FlowLog for the VPC with TrafficType "
        "ALL, under no other condition than the VPC itself."
    )
    source_url = "https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html"

    def check(self, index: Index) -> Iterator[Fault]:
        logs = list(index.typed("AWS::EC2::FlowLog"))
        for vpc in index.typed(_VPC):
            under = {each.condition for each in logs if _may_record(index, each, vpc)}
            if not under & {None, vpc.condition}:
                only = f" unless {', '.join(sorted(filter(None, under)))} holds" if under else ""
                yield Fault(
                    vpc.path,
                    f"nobody records what goes through {vpc.logical_id}{only}: add an "
                    "AWS::EC2::FlowLog whose ResourceId is the VPC",
                )
            kinds = [
                (log, kind)
                for log in logs
                if _may_record(index, log, vpc)
                for kind in log.get("TrafficType")
            ]
            for log, kind in kinds if all(each.text in _PARTLY for _, each in kinds) else ():
                yield Fault(
                    kind.path,
                    f"{log.logical_id} records only a part of what goes through "
                    f"{vpc.logical_id} ({kind.text}): set TrafficType to ALL",
                )


def _may_record(index: Index, log: Resource, vpc: Resource) -> bool:
    """Say whether a flow log is one of a VPC, or of what cannot be told."""
    for target in log.get("ResourceId"):
        found = index.resource_of(target.value)
        if found is None or found[0] is vpc:
            return True
    return False


RULES = (
    SubnetRanges,
    PrivateToInternet,
    NoPrivateDns,
    NoFlowLog,
)
