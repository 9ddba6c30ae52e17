"""Does a set of rules let through what another does not? Decided cell by cell.

Protocols, ports and addresses are cut at every bound that a rule has, so that a rule covers each
cell as a whole or not at all.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Final

from tap_templates.diff.security.network.rules import ANY_PROTOCOL, Network, Rule
from tap_templates.diff.security.texts import Atoms

_OTHER_PROTOCOL: Final = "(any other protocol)"
_EVERYWHERE: Final = ipaddress.ip_network("0.0.0.0/0")

Peer = tuple[int, int, int] | str  # version, first and last address; or a reference


def newly_allowed(
    before: Iterable[Rule], after: Iterable[Rule], atoms: Atoms
) -> Iterator[tuple[str, bool]]:
    """Iterate over what only `after` lets through: a witness, and whether it is certain."""
    old, new = list(before), sorted(after, key=_order)
    unknown_before = any(rule.is_unknown for rule in old if rule not in new)
    for rule in new:
        if rule in old:
            continue
        if rule.unread:
            yield f"a rule that cannot be read here: {atoms.spell(rule.unread)}", False
            continue
        candidates = [each for each in old if each.inbound == rule.inbound and not each.unread]
        ports = _uncovered(rule, candidates)
        if ports is not None:
            yield _spell(rule, *ports, atoms), not (rule.is_unknown or unknown_before)


def _order(rule: Rule) -> str:
    return repr((rule.inbound, rule.protocol, rule.ports, str(rule.peer), rule.unread))


def _uncovered(rule: Rule, old: list[Rule]) -> tuple[str, tuple[int, int]] | None:
    """Find a protocol and ports at which something is newly let through."""
    protocols = [rule.protocol]
    if rule.protocol == ANY_PROTOCOL:
        protocols = [_OTHER_PROTOCOL, *sorted({each.protocol for each in old} - {ANY_PROTOCOL})]
    for protocol in protocols:
        same = [each for each in old if each.protocol in (protocol, ANY_PROTOCOL)]
        for ports in _cells_of_ports(rule.ports, same):
            covering = [each for each in same if _covers_ports(each, ports)]
            if not all(_is_covered(peer, covering) for peer in _cells_of_peer(rule, covering)):
                return (rule.protocol, ports)
    return None


def _cells_of_ports(ports: tuple[int, int], old: list[Rule]) -> Iterator[tuple[int, int]]:
    first, last = ports
    if last < first:
        return  # no port at all
    starts = {first}
    for rule in old:
        starts |= {rule.ports[0], rule.ports[1] + 1}
    cuts = sorted(each for each in starts if first <= each <= last)
    for start, following in zip(cuts, [*cuts[1:], last + 1], strict=True):
        yield start, following - 1


def _covers_ports(rule: Rule, ports: tuple[int, int]) -> bool:
    # A rule of all protocols has all ports.
    return rule.protocol == ANY_PROTOCOL or (
        rule.ports[0] <= ports[0] and ports[1] <= rule.ports[1]
    )


def _cells_of_peer(rule: Rule, old: list[Rule]) -> Iterator[Peer]:
    if isinstance(rule.peer, str):
        yield rule.peer
        return
    version, first, last = _span(rule.peer)
    starts = {first}
    for each in old:
        if not isinstance(each.peer, str) and each.peer.version == version:
            starts |= {_span(each.peer)[1], _span(each.peer)[2] + 1}
    cuts = sorted(each for each in starts if first <= each <= last)
    for start, following in zip(cuts, [*cuts[1:], last + 1], strict=True):
        yield version, start, following - 1


def _span(network: Network) -> tuple[int, int, int]:
    return network.version, int(network[0]), int(network[-1])


def _is_covered(peer: Peer, old: list[Rule]) -> bool:
    if isinstance(peer, str):
        # Members of a group, or of a list, are somewhere.
        return any(each.peer in (peer, _EVERYWHERE) for each in old)
    version, first, last = peer
    for each in old:
        if not isinstance(each.peer, str):
            other, start, end = _span(each.peer)
            if other == version and start <= first and last <= end:
                return True
    return False


def _spell(rule: Rule, protocol: str, ports: tuple[int, int], atoms: Atoms) -> str:
    where = rule.peer if not isinstance(rule.peer, str) else atoms.spell(rule.peer)
    said = "all traffic" if protocol == ANY_PROTOCOL else protocol
    if protocol in ("tcp", "udp"):
        said += f" {ports[0]}" if ports[0] == ports[1] else f" {ports[0]}-{ports[1]}"
    return f"{said} {'from' if rule.inbound else 'to'} {where}"
