"""E9202-E9206, W9201: alarms that can never go off, or that nobody hears."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import ClassVar, Final

from ._alarm_metrics import Metric, acts, metrics, reads
from ._index import Index, Resource
from ._metric_catalogue import CATALOGUE, SOURCES, VALUES, Shape, shapes
from ._rule import Fault, TapRule
from ._values import Expr, Node

_ALARM: Final = "AWS::CloudWatch::Alarm"
_DOCS: Final = "https://docs.aws.amazon.com/"
_CONCEPTS: Final = f"{_DOCS}AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html"
_STACK_TYPES: Final = ("AWS::CloudFormation::", "Custom::")  # their attributes may be anything


class _AlarmRule(TapRule):
    tags: ClassVar[list[str]] = ["resources", "cloudwatch", "alarms"]  # type: ignore[misc]  # an instance variable upstream


def _known(index: Index) -> Iterator[tuple[Resource, Metric, str, str]]:
    """Yield the alarms' metrics whose namespace is in the catalogue, with namespace and name."""
    for alarm in index.typed(_ALARM):
        for metric in metrics(alarm):
            namespace, name = metric.namespace.text, metric.name.text
            if namespace in CATALOGUE and name is not None:
                yield alarm, metric, str(namespace), name


class MetricName(_AlarmRule):
    """Demand a metric that its namespace has.

    Silent about namespaces that are not in our catalogue, and names from parameters.
    """

    id = "E9202"
    shortdesc = "An alarm must be on a metric that exists"
    description = "CloudWatch accepts any name; an alarm on a misspelt metric never has data."
    source_url = _CONCEPTS

    def check(self, index: Index) -> Iterator[Fault]:
        for _, metric, namespace, name in _known(index):
            if shapes(namespace, name) is None:
                near = get_close_matches(name, CATALOGUE[namespace], 1)
                advice = f"use {near[0]}" if near else f"see {_DOCS}{SOURCES[namespace]}"
                yield Fault(metric.name.path, f"{namespace} has no metric {name!r}: {advice}")


class MetricDimensions(_AlarmRule):
    """Demand dimensions under which the metric is published.

    Silent about metrics that are not in our catalogue, and where the name of a dimension cannot
    be seen.
    """

    id = "E9203"
    shortdesc = "An alarm must have the dimensions of its metric"
    description = (
        "A metric with other dimensions is another metric: one dimension too many, too few or "
        "misspelt, and the alarm never has data."
    )
    source_url = _CONCEPTS

    def check(self, index: Index) -> Iterator[Fault]:
        for _, metric, namespace, name in _known(index):
            allowed = shapes(namespace, name)
            if allowed is None or metric.dimensions is None:
                continue
            given = frozenset(key for key, _ in metric.dimensions)
            if not any(shape.admits(given) for shape in allowed):
                yield Fault(
                    metric.place.path,
                    f"{namespace} {name} is not published under {_set(given)}: use "
                    f"{' or '.join(_described(shape) for shape in allowed)}",
                )


def _set(names: frozenset[str]) -> str:
    return " + ".join(sorted(names)) if names else "no dimension"


def _described(shape: Shape) -> str:
    more = f" (and, if wanted, {', '.join(sorted(shape.more))})" if shape.more else ""
    return f"{_set(shape.needed)}{more}"


class Route53Region(_AlarmRule):
    """Demand us-east-1 for alarms on Route 53.

    The regions are those cfn-lint is run with. Silent where a Condition may keep the alarm out of
    the other regions.
    """

    id = "E9204"
    shortdesc = "Alarms on Route 53 metrics exist in us-east-1 only"
    description = "Route 53 publishes its metrics in us-east-1; elsewhere the alarm has no data."
    source_url = f"{_DOCS}Route53/latest/DeveloperGuide/monitoring-health-checks.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for alarm in index.typed(_ALARM):
            regions, sure = index.regions_of(alarm)
            others = [region for region in regions if region != "us-east-1"]
            if not others or not (sure or len(others) == len(regions)):
                continue
            for metric in metrics(alarm):
                if metric.namespace.text == "AWS/Route53":
                    yield Fault(
                        metric.namespace.path,
                        f"{alarm.logical_id} is deployed to {', '.join(others)}, but the metrics "
                        "of Route 53 are in us-east-1: put it into a stack there, or alarm on a "
                        "metric of this region",
                    )


class DimensionValue(_AlarmRule):
    """Demand a value of the kind that the dimension has.

    Looks at plain Ref and GetAtt of the template's resources. Silent about parameters, text,
    nested stacks and custom resources.
    """

    id = "E9205"
    shortdesc = "The value of a dimension must be what the metric is published with"
    description = (
        "Ref of a queue is its URL, Ref of a topic its ARN, Ref of a REST API its id: as value "
        "of QueueName, TopicName or ApiName they match nothing."
    )
    source_url = _CONCEPTS

    def check(self, index: Index) -> Iterator[Fault]:
        for _, metric, namespace, _name in _known(index):
            for key, value in metric.dimensions or ():
                yield from self._value(index, namespace, key, value)

    def _value(self, index: Index, namespace: str, key: str, value: Node) -> Iterator[Fault]:
        allowed = VALUES.get((namespace, key))
        direct = index.resource_of(value.value) if value.present else None
        if allowed is None or direct is None:
            return
        resource, attribute = direct
        if resource.type.startswith(_STACK_TYPES) or attribute in allowed.get(resource.type, ()):
            return
        ways = sorted(a for attributes in allowed.values() for a in attributes)
        advice = "GetAtt " + ways[-1] if ways and ways[-1] else "Ref" if ways else "its name"
        given = f"GetAtt {attribute}" if attribute else "Ref"
        yield Fault(
            value.path,
            f"{given} of {resource.logical_id} ({resource.type}) is no {key}: use {advice} of "
            f"{' or '.join(f'an {kind}' for kind in allowed)}",
        )


class RuleBus(_AlarmRule):
    """Demand the bus in the dimensions of an alarm on a rule of a custom bus.

    Looks at rules of the template. Silent where the name of a rule or a bus cannot be seen, and
    where a rule of the same name is on the default bus.
    """

    id = "E9206"
    shortdesc = "An alarm on a rule of a custom bus must name the bus"
    description = (
        "RuleName alone is a rule of the default bus: of a rule on another bus it never has data."
    )
    source_url = f"{_DOCS}eventbridge/latest/userguide/eb-monitoring.html"

    def check(self, index: Index) -> Iterator[Fault]:
        on_bus: dict[Expr, set[bool | None]] = {}
        for rule in index.typed("AWS::Events::Rule"):
            custom = {_is_custom(index, node) for node in rule.get("EventBusName")}
            for node in rule.get("Name"):
                if node.present:
                    on_bus.setdefault(index.expression(node.value), set()).update(custom)
        for _, metric, namespace, _name in _known(index):
            keys = {key for key, _ in metric.dimensions or ()}
            if namespace != "AWS/Events" or "EventBusName" in keys:
                continue
            for key, value in metric.dimensions or ():
                if key == "RuleName" and on_bus.get(index.expression(value.value)) == {True}:
                    yield Fault(
                        metric.place.path,
                        "RuleName without EventBusName is a rule of the default bus, and this one "
                        "is on another: add the dimension EventBusName",
                    )


def _is_custom(index: Index, bus: Node) -> bool | None:
    """Say whether a rule is on another bus than the default one, None if that is not known."""
    if bus.absent or bus.text == "default":
        return False
    direct = index.resource_of(bus.value)
    if direct and direct[0].type == "AWS::Events::EventBus":
        return True
    # With a literal part it may end in anything, but hardly in `default` alone.
    return True if any(isinstance(part, str) for part in index.expression(bus.value)) else None


class AlarmActions(_AlarmRule):
    """Warn of alarms that do nothing.

    Silent where actions are off on purpose (ActionsEnabled false) or come from a parameter, and
    about alarms that a health check, a composite alarm or another resource acts on.
    """

    id = "W9201"
    shortdesc = "An alarm should have an action"
    description = "An alarm without AlarmActions changes colour and tells nobody."
    source_url = f"{_DOCS}AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for alarm in index.typed(_ALARM, "AWS::CloudWatch::CompositeAlarm"):
            if any(n.present and n.truth is not True for n in alarm.get("ActionsEnabled")):
                continue
            if not acts(alarm) and not reads(index, alarm):
                yield Fault(
                    alarm.path,
                    f"{alarm.logical_id} tells nobody: add AlarmActions, or set ActionsEnabled "
                    "to false if that is meant",
                )


RULES = (MetricName, MetricDimensions, Route53Region, DimensionValue, RuleBus, AlarmActions)
