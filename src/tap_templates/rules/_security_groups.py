"""E9501-E9503: security groups that let in or out more than they say."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from ._addresses import Range, address_range, is_anywhere
from ._index import Index
from ._rule import Fault, TapRule
from ._values import Node

_GROUP: Final = "AWS::EC2::SecurityGroup"
_INGRESS: Final = "AWS::EC2::SecurityGroupIngress"
_RANGES: Final = ("CidrIp", "CidrIpv6")

# What RDS and Aurora listen on if nothing else is said.
_DATABASES: Final = {1433: "SQL Server", 1521: "Oracle", 3306: "MySQL", 5432: "PostgreSQL"}


class _GroupRule(TapRule):
    tags: ClassVar[list[str]] = ["resources", "ec2", "security"]  # type: ignore[misc]  # an instance variable upstream


@dataclass(frozen=True, slots=True)
class _Admitted:
    """A range that a rule lets in, and the rule."""

    place: Node
    range: Range
    rule: Node


def _admitted(index: Index) -> Iterator[_Admitted]:
    """Yield the ranges that are let in, inside of groups and beside them."""
    inside = (
        rule for group in index.typed(_GROUP) for rule in group.elements("SecurityGroupIngress")
    )
    beside = (each.properties for each in index.typed(_INGRESS))
    for rule in (*inside, *beside):
        for key in _RANGES:
            for place in rule.get(key):
                if not place.present:
                    continue
                for text in sorted(index.texts_anywhere(place.value) or ()):
                    if found := address_range(text):
                        yield _Admitted(place, found, rule)


class OpenToAnybody(_GroupRule):
    """Refuse ingress from the whole internet, or from most of it.

    Parameters count with the values given to cfn-lint, else with their default. Silent about
    ranges that cannot be seen, and about prefix lists.
    """

    id = "E9501"
    shortdesc = "A security group must not let the whole internet in"
    description = (
        "Admit the security group of what is in front, or a range that is yours. What must face "
        "the internet is better an API or a load balancer that says so with a written exception."
    )
    source_url = "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for each in _admitted(index):
            if is_anywhere(each.range):
                yield Fault(
                    each.place.path,
                    f"admits {each.range}, which is anybody: name a security group "
                    "(SourceSecurityGroupId) or a range of your own",
                )


class EgressByDefault(_GroupRule):
    """Demand that a security group says itself what it lets out.

    Rules beside the group (AWS::EC2::SecurityGroupEgress) do not count: whether they displace the
    default is not documented. Silent where the list cannot be seen.
    """

    id = "E9502"
    shortdesc = "A security group must say what it lets out"
    description = (
        "Without a rule of its own, EC2 puts in one that lets everything out to everywhere; an "
        "empty list is no rule. Where nothing should go out, let it lead to 127.0.0.1/32."
    )
    source_url = (
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"
        "aws-resource-ec2-securitygroup.html"
    )

    def check(self, index: Index) -> Iterator[Fault]:
        for group in index.typed(_GROUP):
            for given in group.get("SecurityGroupEgress"):
                for _, rules in given.lists():
                    if rules == ():
                        yield Fault(
                            given.path,
                            f"{group.logical_id} lets everything out: add SecurityGroupEgress "
                            "with what it needs, or with 127.0.0.1/32 for nothing",
                        )


class DatabaseToRange(_GroupRule):
    """Refuse a database port that is open to a range of addresses.

    Silent where protocol or ports cannot be seen.
    """

    id = "E9503"
    shortdesc = "A database port must be open to a security group, not to a range"
    description = (
        "A range admits whatever will ever run in it. Admit the security group of the callers "
        "(SourceSecurityGroupId); where a peered VPC in another region leaves no choice, since "
        "its groups cannot be named, ignore this rule at that one resource and say why."
    )
    source_url = (
        "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/"
        "Overview.RDSSecurityGroups.html"
    )

    def check(self, index: Index) -> Iterator[Fault]:
        for each in _admitted(index):
            open_to = [f"{port} ({_DATABASES[port]})" for port in _DATABASES if _opens(each, port)]
            if open_to:
                yield Fault(
                    each.place.path,
                    f"opens {', '.join(open_to)} to {each.range}: admit the security group of "
                    "the callers instead (SourceSecurityGroupId)",
                )


def _opens(admitted: _Admitted, port: int) -> bool:
    """Say whether a rule surely opens a TCP port to the range, in one of its branches."""
    rule, place = admitted.rule, admitted.place
    for protocol in _beside(place, rule.get("IpProtocol")):
        if protocol.text == "-1":
            return True
        if protocol.text not in {"tcp", "6"}:
            continue
        for first in _beside(protocol, _beside(place, rule.get("FromPort"))):
            for last in _beside(first, _beside(protocol, _beside(place, rule.get("ToPort")))):
                if _is_port(first) and _is_port(last) and _port(first) <= port <= _port(last):
                    return True
    return False


def _beside(one: Node, others: Iterable[Node]) -> Iterator[Node]:
    return (each for each in others if not one.excludes(each))


def _port(node: Node) -> int:
    return int(node.text or "0")


def _is_port(node: Node) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,5}", node.text or "", re.ASCII))


RULES = (OpenToAnybody, EgressByDefault, DatabaseToRange)
