"""Dimensions: an alarm or a graph of a thing that does not exist is silent for ever."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.values import as_list, inside
from tap_templates.rendered.view import Located, SystemView

_DIMENSIONS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension"
_DASHBOARD = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"

NAMES: Mapping[str, tuple[str, ...]] = {
    "EventBusName": ("AWS::Events::EventBus",),
    "FunctionName": ("AWS::Lambda::Function",),
    "QueueName": ("AWS::SQS::Queue",),
    "RuleName": ("AWS::Events::Rule",),
    "TableName": ("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table"),
    "TopicName": ("AWS::SNS::Topic",),
}
"""Dimension to the types whose name it holds."""

REFERENCES: Mapping[str, tuple[str, ...]] = {
    "HealthCheckId": ("AWS::Route53::HealthCheck",),
    "StateMachineArn": ("AWS::StepFunctions::StateMachine",),
}
"""Dimension to the types whose `Ref` it holds, in whatever region they are."""

FREE = frozenset({"Operation", "Resource", "service"})
"""Dimensions that name no resource. `Resource` is a function and its alias: see FunctionName."""


@dataclass(frozen=True, slots=True)
class _Metric:
    path: str
    region: str
    namespace: str
    dimensions: Mapping[str, str]


class _BodyError(Exception):
    """A dashboard that CloudWatch would refuse."""


def _unknown(compiled: CompiledSystem) -> Iterator[Fault]:
    view = compiled.view
    names, references = _existing(view)
    for located in view.resources("AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"):
        try:
            metrics = list(_metrics(located))
        except _BodyError:
            continue  # told by the other check
        for metric in metrics:
            for dimension, value in metric.dimensions.items():
                problem = _problem(metric, dimension, value, names, references)
                if problem:
                    yield fault_at(located, problem, _remedy(dimension), metric.path)


def _problem(
    metric: _Metric,
    dimension: str,
    value: str,
    names: set[tuple[str, str, str]],
    references: set[tuple[str, str]],
) -> str | None:
    if dimension in NAMES:
        if dimension == "RuleName" and "EventBusName" in metric.dimensions:
            value = f"{metric.dimensions['EventBusName']}|{value}"
        if (dimension, metric.region, value) in names:
            return None
        return f"measures {dimension}={value}, which does not exist in {metric.region}"
    if dimension in REFERENCES:
        if (dimension, value) in references:
            return None
        return f"measures {dimension}={value}, which the system does not make"
    if dimension in FREE or not metric.namespace.startswith("AWS/"):
        return None
    return f"measures by {dimension} of {metric.namespace}, which this check does not know"


def _remedy(dimension: str) -> str:
    if dimension in NAMES or dimension in REFERENCES:
        return "take the dimension from the reference of the resource, in the region it is in"
    return "add the dimension to NAMES, REFERENCES or FREE in compiler/invariants/dimensions.py"


def _existing(view: SystemView) -> tuple[set[tuple[str, str, str]], set[tuple[str, str]]]:
    names: set[tuple[str, str, str]] = set()
    references: set[tuple[str, str]] = set()
    types = {kind: dimension for dimension, kinds in NAMES.items() for kind in kinds}
    by_ref = {kind: dimension for dimension, kinds in REFERENCES.items() for kind in kinds}
    for located in view.resources():
        resource, region = located.resource, located.stack.region
        if resource.type in by_ref:
            references.add((by_ref[resource.type], resource.ref))
        if resource.type not in types or resource.name is None:
            continue
        dimension = types[resource.type]
        names.add((dimension, region, resource.name))
        if dimension == "RuleName":
            names.add((dimension, region, resource.ref))  # bus|rule
        for replica in as_list(resource.properties.get("Replicas")):
            names.add((dimension, str(replica.get("Region")), resource.name))
    return names, references


def _metrics(located: Located) -> Iterator[_Metric]:
    if located.resource.type == "AWS::CloudWatch::Dashboard":
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


def _alarmed(metric: Mapping[str, Any], path: str, region: str) -> _Metric:
    dimensions = {
        str(each.get("Name")): str(each.get("Value")) for each in as_list(metric.get("Dimensions"))
    }
    return _Metric(path, region, str(metric.get("Namespace")), dimensions)


def _graphed(located: Located) -> Iterator[_Metric]:
    body = _body(located)
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
            yield _Metric(place, str(region), str(previous[0]), dimensions)


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


def _body(located: Located) -> dict[str, Any]:
    text = located.resource.properties.get("DashboardBody")
    try:
        body = json.loads(str(text))
    except ValueError as error:
        raise _BodyError(f"is no JSON ({error})") from error
    if not isinstance(body, dict) or not isinstance(body.get("widgets"), list):
        raise _BodyError("has no list of widgets")
    for widget in body["widgets"]:
        metrics = inside(widget, "properties", "metrics")
        if not all(isinstance(each, list) for each in as_list(metrics)):
            raise _BodyError("has a metric that is no list")
    return body


def _unreadable(compiled: CompiledSystem) -> Iterator[Fault]:
    for located in compiled.view.resources("AWS::CloudWatch::Dashboard"):
        try:
            _body(located)
        except _BodyError as error:
            yield fault_at(
                located,
                f"its body {error}, so that CloudWatch refuses it",
                "build the body with blocks/dashboard.py, and let no variable hold a quote",
                "/Properties/DashboardBody",
            )


DIMENSIONS = (
    Invariant(
        code="TAP-DIM-01",
        promise="Every alarm and graph measures a resource that exists in the region it looks at.",
        source_url=_DIMENSIONS,
        check=_unknown,
    ),
    Invariant(
        code="TAP-DIM-02",
        promise="Every dashboard body is JSON that CloudWatch accepts.",
        source_url=_DASHBOARD,
        check=_unreadable,
    ),
)
