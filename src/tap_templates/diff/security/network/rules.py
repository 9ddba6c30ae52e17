"""Rules of security groups as boxes: protocol, ports, and the peers they let through."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tap_templates.diff.model import Resource, StackView
from tap_templates.diff.security.naming import encoder
from tap_templates.diff.security.texts import Atoms, Encoder, has_atom, is_open, spell
from tap_templates.diff.values import NO_VALUE, scalar_text

GROUP: Final = "AWS::EC2::SecurityGroup"
INGRESS: Final = "AWS::EC2::SecurityGroupIngress"
EGRESS: Final = "AWS::EC2::SecurityGroupEgress"
TYPES: Final = (GROUP, INGRESS, EGRESS)
ANY_PROTOCOL: Final = "-1"
_ALL_PORTS: Final = (0, 65535)
_WITH_PORTS: Final = ("tcp", "udp", "icmp", "icmpv6")
_REFERENCES: Final = (
    "SourceSecurityGroupId",
    "SourceSecurityGroupName",
    "DestinationSecurityGroupId",
    "SourcePrefixListId",
    "DestinationPrefixListId",
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. What it says in ways we cannot read is `unread`, and equal to itself alone."""

    inbound: bool
    protocol: str
    ports: tuple[int, int]  # both included; for ICMP, type and code as they stand
    peer: Network | str  # addresses, or a reference: encoded, equal to itself alone
    unread: str = ""

    @property
    def is_unknown(self) -> bool:
        """Tell whether a part of the rule may turn out to be anything."""
        return bool(self.unread) or (isinstance(self.peer, str) and any(map(is_open, self.peer)))


def rules_of(resource: Resource, view: StackView, atoms: Atoms) -> frozenset[Rule]:
    """Read the rules that one resource states."""
    encode = encoder(view, atoms)
    properties = resource.properties
    found: list[Rule] = []
    if resource.type == GROUP:
        for name, inbound in (("SecurityGroupIngress", True), ("SecurityGroupEgress", False)):
            stated = properties.get(name, [])
            for each in stated if isinstance(stated, list) else [stated]:
                found += _rules(each, encode, inbound=inbound)
        if not properties.get("SecurityGroupEgress"):
            # EC2 gives a new group this rule, and CloudFormation removes it if one is stated.
            found += _rules({"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}, encode, inbound=False)
            found += _rules({"IpProtocol": "-1", "CidrIpv6": "::/0"}, encode, inbound=False)
    else:
        found += _rules(properties, encode, inbound=resource.type == INGRESS)
    return frozenset(found)


def group_of(resource: Resource, view: StackView) -> str:
    """Name the group a resource has rules of: by logical id, or by what is written."""
    if resource.type == GROUP:
        return resource.logical_id
    stated = resource.properties.get("GroupId", resource.properties.get("GroupName"))
    target = view.target(stated)
    return target.logical_id if target is not None else spell(stated)


def rules_of_group(group: str, view: StackView | None, atoms: Atoms) -> frozenset[Rule]:
    """Gather the rules of a group from all resources that state some."""
    if view is None:
        return frozenset()
    return frozenset(
        rule
        for resource in view.of_type(*TYPES)
        if group_of(resource, view) == group
        for rule in rules_of(resource, view, atoms)
    )


def _rules(stated: Any, encode: Encoder, *, inbound: bool) -> Iterator[Rule]:
    match stated:
        case {"Fn::If": [_, *branches]}:
            # Each branch is taken as there: what either lets through is looked at.
            for each in branches:
                if each != NO_VALUE:
                    yield from _rules(each, encode, inbound=inbound)
            return
    text = encode.text(stated) if not isinstance(stated, Mapping) else ""
    protocol = scalar_text(stated.get("IpProtocol")) if isinstance(stated, Mapping) else None
    ports = _ports(stated, protocol) if isinstance(stated, Mapping) and protocol else None
    if protocol is None or ports is None:
        text = text or str(sorted((str(k), encode.text(v)) for k, v in dict(stated).items()))
        yield Rule(inbound, ANY_PROTOCOL, _ALL_PORTS, "", unread=text)
        return
    for peer in _peers(stated, encode):
        yield Rule(inbound, protocol, ports, peer)


def _ports(stated: Mapping[str, Any], protocol: str) -> tuple[int, int] | None:
    if protocol not in _WITH_PORTS:
        return _ALL_PORTS
    bounds: list[int] = []
    for name in ("FromPort", "ToPort"):
        text = scalar_text(stated.get(name, -1))
        if text is None or not text.lstrip("-").isdecimal():
            return None
        bounds.append(int(text))
    first, last = bounds
    if protocol.startswith("icmp"):
        # A type and a code: all of both, all codes of one type, or one of each.
        if first == -1:
            return _ALL_PORTS
        return (first * 256, first * 256 + 255) if last == -1 else (first * 256 + last,) * 2
    return _ALL_PORTS if first == -1 else (first, last)


def _peers(stated: Mapping[str, Any], encode: Encoder) -> Iterator[Network | str]:
    for name in ("CidrIp", "CidrIpv6"):
        if name in stated:
            text = encode.text(stated[name])
            try:
                yield ipaddress.ip_network(text, strict=False)
            except ValueError:
                yield text
    for name in _REFERENCES:
        if name in stated:
            text = encode.text(stated[name])
            yield text if has_atom(text) else f"{name} {text}"
