"""Where packets from a subnet can go, and what security groups let through, as templates say it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any, Final

from tap_templates.compiler.invariants.values import as_list, flag, number
from tap_templates.rendered.view import Located, SystemView

ANYWHERE: Final = "0.0.0.0/0"
HTTPS: Final = 443
_TCP: Final = ("-1", "6", "tcp")
_EC2: Final = "AWS::EC2::"


@dataclass(frozen=True, slots=True)
class Region:
    """The networks that a system makes in one region."""

    view: SystemView
    name: str

    def each(self, kind: str) -> Iterator[Located]:
        for found in self.view.resources(f"{_EC2}{kind}"):
            if found.stack.region == self.name:
                yield found

    def made(self, kind: str, ref: Any) -> Located | None:
        """Find what an id means, if a stack of the system makes it."""
        return next((each for each in self.each(kind) if each.resource.ref == ref), None)

    def route_table(self, subnet: str) -> str | None:
        """Name the table that a subnet is associated with; without one the main table counts."""
        for each in self.each("SubnetRouteTableAssociation"):
            if each.resource.properties.get("SubnetId") == subnet:
                return str(each.resource.properties.get("RouteTableId"))
        return None

    def has_acl(self, subnet: str) -> bool:
        return any(
            each.resource.properties.get("SubnetId") == subnet
            for each in self.each("SubnetNetworkAclAssociation")
        )

    def leads_out(self, subnet: str) -> bool:
        """Tell whether what has no public address gets out: by a NAT gateway that does itself."""
        for route in self._default_routes(subnet):
            nat = self.made("NatGateway", route.get("NatGatewayId"))
            if nat is None:
                # Over a transit gateway, say, where another network decides.
                if not {"GatewayId", "NatGatewayId"} & route.keys():
                    return True
                continue
            if nat.resource.properties.get("ConnectivityType") == "private":
                continue
            if self.is_public(str(nat.resource.properties.get("SubnetId"))):
                return True
        return False

    def is_public(self, subnet: str) -> bool:
        """Tell whether what has a public address gets out: by an attached internet gateway."""
        attached = {
            each.resource.properties.get("InternetGatewayId")
            for each in self.each("VPCGatewayAttachment")
        }
        return any(route.get("GatewayId") in attached for route in self._default_routes(subnet))

    def _default_routes(self, subnet: str) -> Iterator[Mapping[str, Any]]:
        table = self.route_table(subnet)
        for each in self.each("Route"):
            route = each.resource.properties
            is_default = route.get("DestinationCidrBlock") == ANYWHERE
            if table and is_default and route.get("RouteTableId") == table:
                yield route

    def endpoints(self, kind: str, vpc: str, service: str) -> list[Mapping[str, Any]]:
        """List the endpoints of a kind for a service of this region."""
        name = f"com.amazonaws.{self.name}.{service}"
        return [
            each.resource.properties
            for each in self.each("VPCEndpoint")
            if each.resource.properties.get("VpcEndpointType", "Gateway") == kind
            and each.resource.properties.get("VpcId") == vpc
            and each.resource.properties.get("ServiceName") == name
        ]

    def resolves_endpoints(self, vpc: str) -> bool:
        """Tell whether names of AWS lead to the endpoints of a VPC."""
        found = self.made("VPC", vpc)
        given: Mapping[str, Any] = found.resource.properties if found else {}
        return (
            flag(given.get("EnableDnsHostnames")) is True
            and flag(given.get("EnableDnsSupport")) is not False
        )

    def lets_out(self, group: str, vpc: str, *, to: list[str] | None = None) -> bool:
        """Tell whether a group lets HTTPS out to any address, or to the members of groups."""
        made = self.made("SecurityGroup", group)
        if made is not None and "SecurityGroupEgress" not in made.resource.properties:
            return True  # EC2 has put in a rule that lets everything out
        for rule in self._rules(made, group, "SecurityGroupEgress"):
            if rule.get("CidrIp") == ANYWHERE:
                return True
            if to is None and "DestinationPrefixListId" in rule:
                return True
            if to is not None and (
                rule.get("DestinationSecurityGroupId") in to
                or _holds(rule.get("CidrIp"), self.made("VPC", vpc))
            ):
                return True
        return False

    def admits(self, group: str, vpc: str, source: list[str]) -> bool:
        """Tell whether a group admits HTTPS from the members of other groups of the VPC."""
        for rule in self._rules(self.made("SecurityGroup", group), group, "SecurityGroupIngress"):
            if rule.get("SourceSecurityGroupId") in source:
                return True
            if _holds(rule.get("CidrIp"), self.made("VPC", vpc)):
                return True
        return False

    def _rules(self, made: Located | None, group: str, key: str) -> Iterator[Mapping[str, Any]]:
        inline = as_list(made.resource.properties.get(key)) if made else []
        apart = [
            each.resource.properties
            for each in self.each(key)
            if each.resource.properties.get("GroupId") == group
        ]
        for rule in (*inline, *apart):
            if isinstance(rule, Mapping) and _is_https(rule):
                yield rule


def _is_https(rule: Mapping[str, Any]) -> bool:
    protocol = str(rule.get("IpProtocol"))
    if protocol == "-1":
        return True
    first, last = number(rule.get("FromPort")), number(rule.get("ToPort"))
    return protocol in _TCP and first is not None and last is not None and first <= HTTPS <= last


def _holds(given: Any, vpc: Located | None) -> bool:
    """Tell whether a range holds all of a VPC."""
    try:
        wide = IPv4Network(str(given))
        own = IPv4Network(str(vpc.resource.properties.get("CidrBlock"))) if vpc else None
    except ValueError:
        return False
    return own is not None and own.subnet_of(wide)
