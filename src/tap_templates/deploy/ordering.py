"""In which order the decisions are carried out. Pure, and the same for the same input.

- In each region stacks follow the manifest's order, so nothing comes before what it depends on.
- Created: the primary first. It holds what the standby copies from.
- Updated: the standby first, all of it as far as dependencies allow; then the health gate; then
  the primary. A bad update shows where no customer is served.
- Instances are updated before new ones are added: new ones would get the old template.
- What takes an output comes after what makes it, across regions.
- A parameter may be overridden only after every instance knows it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tap_templates.deploy.decisions import Decision, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One operation on one stack in one region."""

    decision: Decision
    is_override: bool  # an UpdateInstances; otherwise what the decision's kind says
    waits_for_all: bool = False  # overrides a parameter that is new to the stack set
    needs: frozenset[tuple[str, str]] = field(default_factory=frozenset)  # (stack, region)

    @property
    def stack(self) -> str:
        return self.decision.stack

    @property
    def region(self) -> str:
        return self.decision.region

    @property
    def is_update(self) -> bool:
        return self.is_override or self.decision.kind is Kind.UPDATE


def order(nodes: Iterable[Node], stacks: Iterable[str], standby: str) -> tuple[Node, ...]:
    """Sort topologically; among what may come next, take updates of the standby first."""
    index = {name: position for position, name in enumerate(stacks)}
    waiting = sorted(nodes, key=lambda node: _rank(node, index, standby))
    before = {id(node): _before(node, waiting, index, standby) for node in waiting}
    done: list[Node] = []
    finished: set[int] = set()
    while waiting:
        ready = next(node for node in waiting if before[id(node)] <= finished)
        waiting.remove(ready)
        finished.add(id(ready))
        done.append(ready)
    return tuple(done)


def _rank(node: Node, index: Mapping[str, int], standby: str) -> tuple[bool, int, bool, bool]:
    is_standby = node.region == standby
    return (
        not (is_standby and node.is_update),
        index[node.stack],
        node.is_override,
        is_standby != node.is_update,
    )


def _before(
    node: Node, nodes: Iterable[Node], index: Mapping[str, int], standby: str
) -> frozenset[int]:
    return frozenset(
        id(other)
        for other in nodes
        if other is not node
        and (
            (other.stack, other.region) in node.needs
            or (other.region == node.region and index[other.stack] < index[node.stack])
            or (other.stack == node.stack and _comes_first(other, node, standby))
        )
    )


def _comes_first(one: Node, other: Node, standby: str) -> bool:
    """Order the nodes of one stack. One line for each rule of the module's docstring."""
    if one.is_override != other.is_override:
        same = one.region == other.region
        return other.is_override and (same or other.waits_for_all)
    if one.is_update != other.is_update:
        return one.is_update
    return (one.region == standby) == one.is_update
