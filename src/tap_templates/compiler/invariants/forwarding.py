"""Events that cross regions: to a bus that is there, and never back again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.patterns import pattern_of
from tap_templates.compiler.invariants.values import as_list
from tap_templates.rendered.view import Located

_CROSSING = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html"
_BUSES = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html"
_BUS = "AWS::Events::EventBus"
_LOOPS = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules-best-practices.html"


@dataclass(frozen=True, slots=True)
class _Crossing:
    """A target of a rule that is a bus of another region."""

    rule: Located
    path: str
    target: Mapping[str, Any]

    @property
    def arn(self) -> str:
        return str(self.target.get("Arn"))

    @property
    def bus(self) -> str:
        """The name of the bus the rule is on."""
        return str(self.rule.resource.properties.get("EventBusName", "default")).rpartition("/")[2]


def _crossings(compiled: CompiledSystem) -> Iterator[_Crossing]:
    for rule in compiled.view.resources("AWS::Events::Rule"):
        for index, target in enumerate(as_list(rule.resource.properties.get("Targets"))):
            parts = str(target.get("Arn")).split(":", 5)
            is_bus = len(parts) == 6 and parts[5].startswith("event-bus/")
            if is_bus and parts[3] != rule.stack.region:
                yield _Crossing(rule, f"/Properties/Targets/{index}", target)


def _nowhere(compiled: CompiledSystem) -> Iterator[Fault]:
    for each in _crossings(compiled):
        found = compiled.view.find(each.arn)
        if found is None or found.resource.type != _BUS:
            yield fault_at(
                each.rule,
                f"forwards to {each.arn}, which is no bus of the system",
                "name the bus that a stack of the other region makes: Bus.arn() in blocks/bus.py",
                f"{each.path}/Arn",
            )
        if "RoleArn" not in each.target:
            yield fault_at(
                each.rule,
                f"forwards to {each.arn} without a role, and another region takes nothing then",
                "give the target a RoleArn: forwarding() in blocks/forwarding.py",
                f"{each.path}/RoleArn",
            )


def _loops(compiled: CompiledSystem) -> Iterator[Fault]:
    crossings = list(_crossings(compiled))
    ways = {(each.rule.stack.region, each.bus, each.arn) for each in crossings}
    for each in crossings:
        _, _, _, there, account, resource = each.arn.split(":", 5)
        own = each.rule.stack.region
        back = f"arn:{compiled.view.partition}:events:{own}:{account}:event-bus/{each.bus}"
        if (there, resource.partition("/")[2], back) not in ways:
            continue
        if _regions(each.rule) != [own]:
            yield fault_at(
                each.rule,
                f"forwards to {there} what {there} has forwarded here, and so on: nothing in its "
                "pattern keeps to what happened here",
                f"match the region as well: region [{own}], which an event keeps",
                "/Properties/EventPattern/region",
            )


def _regions(rule: Located) -> list[Any] | None:
    pattern = pattern_of(rule.resource.properties.get("EventPattern"))
    return None if pattern is None else as_list(pattern.get("region"))


FORWARDING = (
    Invariant(
        code="TAP-FWD-01",
        promise="Events are forwarded with a role to a bus that the other region has.",
        source_url=_CROSSING,
        check=_nowhere,
    ),
    Invariant(
        code="TAP-FWD-02",
        promise="An event that was forwarded is not forwarded back.",
        source_url=_LOOPS,
        check=_loops,
    ),
)
