"""The metrics that an alarm reads, and whether it tells anybody."""

from collections.abc import Iterator
from dataclasses import dataclass

from ._index import Index, Resource
from ._values import UNKNOWN, Node, tokens


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric in one branch. `dimensions` is None where a name cannot be seen."""

    namespace: Node
    name: Node
    dimensions: tuple[tuple[str, Node], ...] | None
    place: Node  # the list of dimensions, or the object without any


def metrics(alarm: Resource) -> Iterator[Metric]:
    """Yield the metrics of an alarm, those of metric math included."""
    places = [p for p in (alarm.properties,) if p.known_object and "Metrics" not in p.value]
    for query in alarm.elements("Metrics"):
        places += [m for m in query.get("MetricStat", "Metric") if m.known_object]
    for place in places:
        for namespace in place.get("Namespace"):
            for name in place.get("MetricName"):
                for listed in place.get("Dimensions"):
                    if namespace.present and name.present and not name.excludes(listed):
                        yield from _with_dimensions(namespace, name, listed)


def _with_dimensions(namespace: Node, name: Node, listed: Node) -> Iterator[Metric]:
    for variant, elements in listed.lists():
        pairs: list[tuple[str, Node]] | None = []
        for element in elements or ():
            keys = [node.text for node in element.get("Name")]
            values = list(element.get("Value"))
            if len(keys) != 1 or keys[0] is None or pairs is None:
                pairs = None
            else:
                pairs += [(keys[0], value) for value in values]
        known = None if elements is None or pairs is None else tuple(pairs)
        yield Metric(namespace, name, known, variant)


def acts(alarm: Resource) -> bool:
    """Say whether an alarm may do something when it goes off; True where that is not known."""
    for enabled in alarm.get("ActionsEnabled"):
        for actions in alarm.get("AlarmActions"):
            if enabled.truth is False or enabled.excludes(actions):
                continue
            if actions.value is UNKNOWN or any(action.present for action in actions.each()):
                return True
    return False


def named_by_composite(index: Index, alarm: Resource) -> bool:
    """Say whether a composite alarm that does something is about this alarm."""
    name = index.expression({"Ref": alarm.logical_id})
    for composite in index.typed("AWS::CloudWatch::CompositeAlarm"):
        if not acts(composite):
            continue
        for node in composite.get("AlarmRule"):
            rule = index.expression(node.value)
            if any(t.logical_id in {alarm.logical_id, ""} for t in tokens(rule)):
                return True
            texts = [part for part in rule if isinstance(part, str)]
            if len(name) == 1 and any(str(name[0]) in text for text in texts):
                return True
    return False


def reads(index: Index, alarm: Resource) -> bool:
    """Say whether a health check or another resource of the template acts on this alarm."""
    name = index.expression({"Ref": alarm.logical_id})
    for check in index.typed("AWS::Route53::HealthCheck"):
        for node in check.get("HealthCheckConfig", "AlarmIdentifier", "Name"):
            if node.present and index.expression(node.value) == name:
                return True
    return named_by_composite(index, alarm) or any(
        alarm.logical_id in used
        for logical_id, used in index.references.items()
        if logical_id != alarm.logical_id
        and index.resources[logical_id].type != "AWS::CloudWatch::Dashboard"
    )
