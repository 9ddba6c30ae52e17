"""E9001-E9003: EventBridge global endpoints that deploy, or nearly, and then do not fail over."""

from collections.abc import Iterator
from typing import ClassVar, Final

from . import _regions
from ._index import Index, Resource
from ._rule import Fault, TapRule
from ._values import Expr, Node, Token, arn, must_differ, split

_ENDPOINT: Final = "AWS::Events::Endpoint"
_GUIDE: Final = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-global-endpoints.html"
_REFERENCE: Final = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-events-endpoint.html"


class _EndpointRule(TapRule):
    tags: ClassVar[list[str]] = ["resources", "events", "disaster-recovery"]  # type: ignore[misc]  # an instance variable upstream


class EndpointBuses(_EndpointRule):
    """Demand two buses of one name in two regions.

    Silent where a name or region cannot be derived: an imported ARN, a parameter without value.
    """

    id = "E9001"
    shortdesc = "A global endpoint needs two buses of the same name in different regions"
    description = (
        "Events published to a global endpoint carry one bus name, so that both buses must have "
        "it; two buses of one region are no failover."
    )
    source_url = _GUIDE

    def check(self, index: Index) -> Iterator[Fault]:
        for endpoint in index.typed(_ENDPOINT):
            for buses in endpoint.get("EventBuses"):
                for _, listed in buses.lists():
                    if listed is not None and (listed or buses.absent):
                        yield from self._compare(index, buses, listed)

    def _compare(self, index: Index, buses: Node, listed: tuple[Node, ...]) -> Iterator[Fault]:
        if len(listed) != 2:
            yield Fault(
                buses.path,
                f"A global endpoint has exactly two event buses, this one has {len(listed)}: "
                "give the primary region's bus and the secondary's",
            )
            return
        # Two different values of one element (Fn::If inside it) are compared pair by pair.
        for first in listed[0].get("EventBusArn"):
            for second in listed[1].get("EventBusArn"):
                if not first.excludes(second):
                    yield from self._pair(index, first, second)

    def _pair(self, index: Index, first: Node, second: Node) -> Iterator[Fault]:
        one, other = _bus(index, first), _bus(index, second)
        if one is None or other is None:
            return
        if must_differ(one[1], other[1]):
            yield Fault(
                second.path,
                f"The buses of a global endpoint must have the same name, these are "
                f"{_shown(one[1])} and {_shown(other[1])}: use one name in both regions",
            )
        elif _same_region(index, one[0], other[0]):
            yield Fault(
                second.path,
                "Both buses of the global endpoint are in one region: give the ARN of the bus "
                "in the secondary region",
            )


def _bus(index: Index, node: Node) -> tuple[Expr, Expr] | None:
    """Return region and name of a bus, None if they cannot be derived."""
    direct = index.resource_of(node.value)
    if direct and direct[0].type == "AWS::Events::EventBus":
        return (Token("AWS::Region"),), index.expression({"Ref": direct[0].logical_id})
    found = arn(index.expression(node.value))
    if found is None:
        return None
    head, *rest = split(found.resource, "/", 1)
    return (found.region, rest[0]) if head == ("event-bus",) and rest else None


def _same_region(index: Index, one: Expr, other: Expr) -> bool:
    if one == other:
        return True
    if len(one) != 1 or len(other) != 1:
        return False
    # ${AWS::Region} beside a literal: the same if the template is for that region alone.
    literals = {part for part in (one[0], other[0]) if isinstance(part, str)}
    pseudo = Token("AWS::Region") in {one[0], other[0]}
    return pseudo and len(literals) == 1 and set(index.regions) == literals


def _shown(name: Expr) -> str:
    return repr("".join(p if isinstance(p, str) else f"${{{p.logical_id}}}" for p in name))


class EndpointReplicationRole(_EndpointRule):
    """Demand a role for replication, which is on unless it is switched off.

    Silent where the state comes from a parameter or a mapping.
    """

    id = "E9002"
    shortdesc = "A global endpoint that replicates needs a role"
    description = (
        "ReplicationConfig.State is ENABLED by default, and then RoleArn is required; without "
        "replication nothing brings traffic back to the primary by itself."
    )
    source_url = _REFERENCE

    def check(self, index: Index) -> Iterator[Fault]:
        for endpoint in index.typed(_ENDPOINT):
            for state in endpoint.get("ReplicationConfig", "State"):
                for role in endpoint.get("RoleArn"):
                    if state.excludes(role) or role.present:
                        continue
                    if state.absent or state.text == "ENABLED":
                        yield Fault(
                            state.path if state.present else endpoint.properties.path,
                            f"{endpoint.logical_id} replicates events "
                            f"({'the default' if state.absent else 'State: ENABLED'}) but has no "
                            "RoleArn: add a role that events.amazonaws.com may assume, or set "
                            "ReplicationConfig.State to DISABLED",
                        )


class EndpointSecondaryRegion(_EndpointRule):
    """Demand a secondary region that exists, has global endpoints and is not the primary.

    Silent where the region cannot be resolved, and about regions of which cfn-lint has no
    schemas of its own.
    """

    id = "E9003"
    shortdesc = "The secondary region of a global endpoint must exist and have global endpoints"
    description = (
        "FailoverConfig.Secondary.Route is free text to CloudFormation's schema; a wrong region "
        "is found when the stack is created, or at failover."
    )
    source_url = _GUIDE

    def check(self, index: Index) -> Iterator[Fault]:
        for endpoint in index.typed(_ENDPOINT):
            for route in endpoint.get("RoutingConfig", "FailoverConfig", "Secondary", "Route"):
                if route.present:
                    yield from self._route(index, endpoint, route)

    def _route(self, index: Index, endpoint: Resource, route: Node) -> Iterator[Fault]:
        own, sure = index.regions_of(endpoint)
        for region in own:
            for name in sorted(index.texts(route.value, region) or ()):
                if not _regions.exists(name):
                    fault = f"{name!r} is no region that cfn-lint knows: correct its name"
                elif not _regions.has_type(name, _ENDPOINT):
                    fault = f"{name} has no global endpoints: choose one of the regions that do"
                elif name == region and sure and len(own) == 1:
                    fault = f"{name} is the primary region itself: give the other one"
                else:
                    continue
                yield Fault(route.path, f"Secondary region of the global endpoint: {fault}")


RULES = (EndpointBuses, EndpointReplicationRole, EndpointSecondaryRegion)
