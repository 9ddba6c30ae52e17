"""Which metrics alarms and graphs look at: namespace, dimensions, and the region they are in."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tap_templates.compiler.invariants.values import as_list, inside
from tap_templates.rendered.view import Located, SystemView

ALARM = "AWS::CloudWatch::Alarm"
_DASHBOARD = "AWS::CloudWatch::Dashboard"


@dataclass(frozen=True, slots=True)
class Metric:
    path: str
    region: str
    namespace: str
    dimensions: Mapping[str, str]


class BodyError(Exception):
    """A dashboard that CloudWatch would refuse."""


def measured(view: SystemView) -> Iterator[tuple[Located, Metric]]:
    """Find what alarms and dashboards look at; TAP-DIM-02 tells of bodies that cannot be read."""
    for located in view.resources(ALARM, _DASHBOARD):
        try:
            yield from [(located, metric) for metric in _metrics(located)]
        except BodyError:
            continue


def _metrics(located: Located) -> Iterator[Metric]:
    if located.resource.type == _DASHBOARD:
        yield from _graphed(located)
        return
    properties = located.resource.properties
    region = located.stack.region
    if "MetricName" in properties:
        yield _alarmed(properties, "/Properties/Dimensions", region)
    for index, each in enumerate(as_list(properties.get("Metrics"))):
        if metric := inside(each, "MetricStat", "Metric"):
            path = f"/Properties/Metrics/{index}/MetricStat/Metric/Dimensions"
            yield _alarmed(metric, path, region)


def _alarmed(metric: Mapping[str, Any], path: str, region: str) -> Metric:
    dimensions = {
        str(each.get("Name")): str(each.get("Value")) for each in as_list(metric.get("Dimensions"))
    }
    return Metric(path, region, str(metric.get("Namespace")), dimensions)


def _graphed(located: Located) -> Iterator[Metric]:
    body = body_of(located)
    for index, widget in enumerate(body["widgets"]):
        properties = widget.get("properties", {})
        previous: list[Any] = []
        for row, metric in enumerate(as_list(properties.get("metrics"))):
            options = metric[-1] if metric and isinstance(metric[-1], dict) else {}
            given = metric[:-1] if options else metric
            if "expression" in options:
                continue
            previous = _spelled_out(given, previous)
            dimensions = dict(zip(previous[2::2], previous[3::2], strict=False))
            region = options.get("region") or properties.get("region") or located.stack.region
            place = f"/Properties/DashboardBody, widget {index}, metric {row}"
            yield Metric(place, str(region), str(previous[0]), dimensions)


def _spelled_out(given: list[Any], previous: list[Any]) -> list[Any]:
    """Undo CloudWatch's shorthand: `.` repeats one field of the row above, `...` all up to here."""
    fields: list[Any] = []
    for each in given:
        if each == "...":
            fields = previous[: len(previous) - (len(given) - 1 - len(fields))]
        elif each == "." and len(fields) < len(previous):
            fields.append(previous[len(fields)])
        else:
            fields.append(each)
    return fields or [""]


def body_of(located: Located) -> dict[str, Any]:
    """Read the body of a dashboard; raises BodyError."""
    text = located.resource.properties.get("DashboardBody")
    try:
        body = json.loads(str(text))
    except ValueError as error:
        raise BodyError(f"is no JSON ({error})") from error
    if not isinstance(body, dict) or not isinstance(body.get("widgets"), list):
        raise BodyError("has no list of widgets")
    for widget in body["widgets"]:
        metrics = inside(widget, "properties", "metrics")
        if not all(isinstance(each, list) for each in as_list(metrics)):
            raise BodyError("has a metric that is no list")
    return body
