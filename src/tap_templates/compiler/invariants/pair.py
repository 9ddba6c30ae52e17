"""Pair: what one region has, the other has too, or there is nothing to fail over to."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.values import as_list, inside
from tap_templates.model.system import Regions, Where
from tap_templates.rendered.resolve import ResolvedStack
from tap_templates.rendered.view import Located, SystemView

_PAIRS = "https://docs.aws.amazon.com/whitepapers/latest/disaster-recovery-workloads-on-aws/disaster-recovery-options-in-the-cloud.html"
_ENDPOINTS = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-global-endpoints.html"
# Regions that shall be peered, now or later, must not have one range: TAP-NET-01 holds them apart.
# A region that stands by need not work its queue off: TAP-SQS-06 wants one that does.
_OWN_IN_EACH_REGION = frozenset(
    {
        "AWS::EC2::Subnet /CidrBlock",
        "AWS::EC2::VPC /CidrBlock",
        "AWS::Lambda::EventSourceMapping /Enabled",
    }
)
_SHOWN = 60  # characters of a long text that differs


@dataclass(frozen=True, slots=True)
class _Pair:
    """The two regions, and those that a stack is told of by value and may name in both alike."""

    regions: Regions
    told: frozenset[str]

    def same(self, primary: str, secondary: str) -> bool:
        """Tell whether two texts differ only in that each means its own region, or the other.

        A text that names both regions is about the pair, and may be the same in both.
        """
        if primary == secondary:
            named = {each.replace("-", "") for each in self._split(primary)[1::2]}
            if len(named) != 1:
                return True
        ours, theirs = self._split(primary), self._split(secondary)
        if len(ours) != len(theirs) or ours[::2] != theirs[::2]:
            return False
        return all(
            one != other or one in self.told
            for one, other in zip(ours[1::2], theirs[1::2], strict=True)
        )

    def _split(self, text: str) -> list[str]:
        """Split into what stands between regions (even) and the regions (odd).

        Some names of AWS's own spell a region without its dashes.
        """
        names = (self.regions.primary, self.regions.secondary)
        spelled = "|".join((*names, *(name.replace("-", "") for name in names)))
        return re.split(rf"({spelled})(?![0-9])", text)


def _told(compiled: CompiledSystem, stack: ResolvedStack) -> frozenset[str]:
    """List the regions in the values that the system module gives this stack: it says so itself."""
    declared = compiled.system.stack(stack.stack)
    given = declared.parameters if declared else {}
    values = [str(stack.parameters.get(name)) for name in given]
    pair = compiled.system.regions
    return frozenset(
        region for region in (pair.primary, pair.secondary) if any(region in v for v in values)
    )


def _unlike(compiled: CompiledSystem) -> Iterator[Fault]:
    regions = compiled.system.regions
    for stack in compiled.system.stacks:
        if stack.where is not Where.BOTH:
            continue
        primary = compiled.view.stack(stack.name, regions.primary)
        secondary = compiled.view.stack(stack.name, regions.secondary)
        if primary is None or secondary is None:
            yield Fault(
                stack=stack.name,
                what="is for both regions, but was resolved in one",
                remedy="resolve the system with the regions of its manifest",
            )
            continue
        pair = _Pair(regions, _told(compiled, secondary))
        yield from _compare(primary, secondary, pair)


def _compare(primary: ResolvedStack, secondary: ResolvedStack, pair: _Pair) -> Iterator[Fault]:
    for kind, ours, theirs in (
        ("", set(primary.resources), set(secondary.resources)),
        ("output ", set(primary.outputs), set(secondary.outputs)),
    ):
        for lone in sorted(ours ^ theirs):
            there, not_there = pair.regions.primary, pair.regions.secondary
            if lone in theirs:
                there, not_there = not_there, there
            yield Fault(
                stack=primary.stack,
                logical_id="" if kind else lone,
                path=f"/Outputs/{lone}" if kind else "",
                what=f"{kind}{lone} is in {there} only: {not_there} lacks it",
                remedy="take the condition off, so that both regions have it",
            )
    for logical_id, one in primary.resources.items():
        other = secondary.resources.get(logical_id)
        if other is None or _swapped(one.properties, pair) == json.dumps(other.properties):
            continue
        for path, *texts in _differences(one.properties, other.properties, pair):
            if f"{one.type} {path}" in _OWN_IN_EACH_REGION:
                continue
            left, right = _excerpts(*texts)
            yield Fault(
                stack=primary.stack,
                logical_id=logical_id,
                path=f"/Properties{path}",
                what=f"is {left} in {pair.regions.primary} but {right} in {pair.regions.secondary}",
                remedy="say it in terms of AWS::Region, so that both regions are alike, or give "
                "the value to the stack in the system module",
            )


def _swapped(properties: Mapping[str, Any], pair: _Pair) -> str:
    """Write the properties with the regions exchanged: most often that settles it."""
    text = json.dumps(properties)
    names = (pair.regions.primary, pair.regions.secondary)
    for primary, secondary in (names, tuple(name.replace("-", "") for name in names)):
        pieces = text.split(primary)
        text = secondary.join(piece.replace(secondary, primary) for piece in pieces)
    return text


def _differences(
    one: Any, other: Any, pair: _Pair, path: str = ""
) -> Iterator[tuple[str, str, str]]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted({*one, *other}):
            missing = [side for side in (one, other) if key not in side]
            if missing:
                yield f"{path}/{key}", repr(one.get(key)), repr(other.get(key))
            else:
                yield from _differences(one[key], other[key], pair, f"{path}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differences(left, right, pair, f"{path}/{index}")
    elif isinstance(one, str) and isinstance(other, str):
        if not pair.same(one, other):
            yield path, repr(one), repr(other)
    elif one != other:
        yield path, repr(one), repr(other)


def _excerpts(one: str, other: str) -> tuple[str, str]:
    """Cut two long texts down to where they begin to differ."""
    if max(len(one), len(other)) <= _SHOWN:
        return one, other
    alike = zip(one, other, strict=False)
    start = next((i for i, (left, right) in enumerate(alike) if left != right), 0)
    start = max(0, start - _SHOWN // 3)
    return f"…{one[start : start + _SHOWN]}…", f"…{other[start : start + _SHOWN]}…"


def _endpoint(compiled: CompiledSystem) -> Iterator[Fault]:
    view, regions = compiled.view, compiled.system.regions
    pair = _Pair(regions, frozenset())
    for located in view.resources("AWS::Events::Endpoint"):
        properties = located.resource.properties
        buses = [
            view.find(str(bus.get("EventBusArn"))) for bus in as_list(properties.get("EventBuses"))
        ]
        problem = _routing_problem(properties, [_region(bus) for bus in buses], regions)
        if problem:
            yield fault_at(
                located,
                problem,
                "declare it with global_endpoint() in blocks/endpoint.py, over a bus that both "
                "regions have",
            )
            continue
        first, second = (_rules(view, bus) for bus in buses if bus)
        for name in sorted({*first, *second}):
            ours, theirs = first.get(name), second.get(name)
            if ours is None or theirs is None:
                lacking = regions.primary if ours is None else regions.secondary
                what = f"the bus in {lacking} lacks rule {name}, which the other one has"
            elif any(_differences(ours, theirs, pair)):
                what = f"rule {name} matches, sends or is enabled differently on the two buses"
            else:
                continue
            yield fault_at(located, what, "make the rule in a stack that is in both regions")
        if not first and not second:
            yield fault_at(
                located, "neither bus has a rule", "add the rule that events are for to both"
            )


def _region(bus: Located | None) -> str | None:
    return bus.stack.region if bus else None


def _routing_problem(
    properties: Mapping[str, Any], buses: list[str | None], regions: Regions
) -> str | None:
    names = {
        str(bus.get("EventBusArn")).rpartition("/")[2]
        for bus in as_list(properties.get("EventBuses"))
    }
    if sorted(map(str, buses)) != sorted((regions.primary, regions.secondary)):
        return "its buses are not one existing bus in each region of the pair"
    if len(names) != 1:
        return f"its buses have different names, {' and '.join(sorted(names))}"
    if buses[0] != regions.primary:
        return "its first bus, the primary one, is in the secondary region"
    route = inside(properties, "RoutingConfig", "FailoverConfig", "Secondary", "Route")
    if route != regions.secondary:
        return f"it fails over to {route}, which is not the secondary region"
    if inside(properties, "ReplicationConfig", "State") != "ENABLED":
        return "it does not replicate events, so that it never fails back by itself"
    return None


def _rules(view: SystemView, bus: Located) -> dict[str, dict[str, Any]]:
    """Collect what the rules of a bus do, by name; a pattern may be a text."""
    found: dict[str, dict[str, Any]] = {}
    for rule in view.resources("AWS::Events::Rule"):
        properties = rule.resource.properties
        if rule.stack.region != bus.stack.region:
            continue
        if properties.get("EventBusName") not in (bus.resource.name, bus.resource.arn):
            continue
        found[str(rule.resource.name)] = {
            "pattern": properties.get("EventPattern"),
            "schedule": properties.get("ScheduleExpression"),
            "state": properties.get("State", "ENABLED"),
            "targets": properties.get("Targets"),
        }
    return found


PAIR = (
    Invariant(
        code="TAP-PAIR-01",
        promise="A stack in both regions makes the same in both, each in terms of its own region.",
        source_url=_PAIRS,
        check=_unlike,
    ),
    Invariant(
        code="TAP-PAIR-02",
        promise="A global endpoint joins two buses that exist and carry the same rules.",
        source_url=_ENDPOINTS,
        check=_endpoint,
    ),
)
