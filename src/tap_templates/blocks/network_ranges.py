"""The address ranges of a pair of VPCs, computed when compiling: a review shows real numbers.

One template serves both regions, so each range is a choice between two texts. How a range is cut
is a stability contract, as names are: another cut replaces every subnet and all that is in it.
"""

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network

from troposphere import Equals, If, Ref, encode_to_dict

from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.text import Text
from tap_templates.errors import ModelError

IN_PRIMARY = "InPrimaryRegion"
ZONES = 3  # availability zones a network spans
# https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
LARGEST_VPC = 16
SMALLEST_SUBNET = 28
_CUT = 4  # bits: sixteen subnets, four of each tier, one of the four kept for another zone
_OF_TIER = 4
_OURS = tuple(IPv4Network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


class Tier(Enum):
    """What a subnet may reach; the value is its place in the range, where 3 is still free."""

    PRIVATE = 0  # out through NAT, nothing in
    ISOLATED = 1  # nothing but the VPC and the gateway endpoints
    PUBLIC = 2  # the internet, for the NAT gateways alone

    @property
    def word(self) -> str:
        return self.name.lower()


def in_primary(stack: StackTemplate) -> str:
    """Declare, once in a stack, the condition that it is deployed in the primary region."""
    condition = Equals(Ref("AWS::Region"), Ref("PrimaryRegion"))
    given = stack.conditions.get(IN_PRIMARY)
    if given is not None and encode_to_dict(given) == encode_to_dict(condition):
        return IN_PRIMARY
    return stack.condition(IN_PRIMARY, condition)  # refuses one that means something else


@dataclass(frozen=True, slots=True, kw_only=True)
class CidrPlan:
    """Which range the VPC of each region has, and how it is cut into subnets.

    Raises ModelError unless both are private, from /16 to /24, and apart: a peering between
    ranges that overlap cannot be routed, and a range cannot be changed later.
    """

    primary: str
    secondary: str

    def __post_init__(self) -> None:
        primary, secondary = self._networks()
        if primary.overlaps(secondary):
            raise ModelError(
                f"ranges {primary} and {secondary}",
                "overlap, so the regions could never be peered",
                "give each region a range of its own",
            )

    @property
    def vpc(self) -> Text:
        """The range of the VPC in the region it is deployed in: needs the condition in_primary."""
        return _choice(*self._networks())

    @property
    def peer(self) -> Text:
        """The range of the VPC in the other region, for routes over a peering."""
        primary, secondary = self._networks()
        return _choice(secondary, primary)

    def subnet(self, tier: Tier, zone: int) -> Text:
        """The range of a subnet; zones count from 0."""
        if not 0 <= zone < ZONES:
            raise ModelError(
                f"{tier.word} subnet", f"is in zone {zone}", f"zones are 0 to {ZONES - 1}"
            )
        place = tier.value * _OF_TIER + zone
        primary, secondary = self._networks()
        return _choice(_cut(primary)[place], _cut(secondary)[place])

    def _networks(self) -> tuple[IPv4Network, IPv4Network]:
        return _network("primary", self.primary), _network("secondary", self.secondary)


def _cut(vpc: IPv4Network) -> list[IPv4Network]:
    return list(vpc.subnets(prefixlen_diff=_CUT))


def _choice(primary: IPv4Network, secondary: IPv4Network) -> Text:
    return If(IN_PRIMARY, str(primary), str(secondary))


def _network(region: str, text: str) -> IPv4Network:
    where = f"range {text!r} of the {region} region"
    try:
        found = IPv4Network(text)
    except ValueError as error:
        raise ModelError(where, f"is none: {error}", "write it like `10.40.0.0/16`") from error
    if not any(found.subnet_of(ours) for ours in _OURS):
        raise ModelError(
            where, "is not private", f"take it from {', '.join(str(each) for each in _OURS)}"
        )
    smallest = SMALLEST_SUBNET - _CUT
    if found.prefixlen > smallest:
        raise ModelError(
            where,
            f"is too small for {ZONES} zones of {len(Tier)} tiers, with room left",
            f"take a /{smallest} or larger",
        )
    if found.prefixlen < LARGEST_VPC:
        raise ModelError(where, "is larger than a VPC can be", f"take a /{LARGEST_VPC} of it")
    return found
