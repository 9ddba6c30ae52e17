"""Address ranges as the rules for networks read them: literals only, whatever their notation."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeAlias

Range: TypeAlias = IPv4Network | IPv6Network

# No network of one's own is larger: 10.0.0.0/8, and what registries give out for IPv6.
_LARGEST_OWN = {4: 8, 6: 20}
_UNIQUE_LOCAL = IPv6Network("fc00::/7")


def address_range(text: str | None) -> Range | None:
    """Read a range in CIDR notation; None for what is none."""
    try:
        return None if text is None else ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def is_anywhere(found: Range) -> bool:
    """Say whether a range is the whole internet, or so much of it that it might as well be."""
    return found.prefixlen < _LARGEST_OWN[found.version] and not holds(_UNIQUE_LOCAL, found)


def holds(outer: Range, inner: Range) -> bool:
    """Say whether one range lies within another."""
    return overlap(outer, inner) and outer.prefixlen <= inner.prefixlen


def overlap(one: Range, other: Range) -> bool:
    """Say whether two ranges share an address: then one of them holds the other."""
    return one.version == other.version and one.overlaps(other)
