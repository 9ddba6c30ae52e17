"""What starts a failover: never what Route 53 tells of its health checks.

Its metrics are in us-east-1 alone, and minutes late; the failover of that region would wait for it
(https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-health-checks.html).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_templates.compiler.invariants.failover_machines import (
    RecoveryPath,
    function_of,
    recovery_paths,
    told_of,
)
from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, fault_at
from tap_templates.compiler.invariants.values import as_list, inside
from tap_templates.rendered.texts import texts
from tap_templates.rendered.view import Located

_ROUTE_53 = "AWS/Route53"
_ALARMS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
_SOURCES = ("aws.cloudwatch", "aws.route53")
_REMEDY = (
    "let something in the region that survives ask the other one, as often as it takes, and start "
    "the failover"
)


def moved_by_route_53(compiled: CompiledSystem) -> Iterator[Fault]:
    """Find alarms and rules that start a failover when Route 53 has told."""
    alarms = list(_alarms(compiled))
    for path in recovery_paths(compiled):
        starters = _starters(compiled, path)
        for alarm in alarms:
            for action in as_list(alarm.resource.properties.get("AlarmActions")):
                if _leads(compiled, str(action), starters):
                    yield fault_at(
                        alarm,
                        f"follows metrics of Route 53, and starts {_named(path)}",
                        _REMEDY,
                        "/Properties/AlarmActions",
                    )
        for rule in compiled.view.resources("AWS::Events::Rule"):
            targets = as_list(rule.resource.properties.get("Targets"))
            if any(_leads(compiled, str(each.get("Arn")), starters) for each in targets) and (
                _is_told_by(rule.resource.properties.get("EventPattern"), alarms)
            ):
                yield fault_at(
                    rule,
                    f"waits for what Route 53 tells, and starts {_named(path)}",
                    _REMEDY,
                    "/Properties/EventPattern",
                )


def _named(path: RecoveryPath) -> str:
    return path.machine.located.resource.logical_id


def _alarms(compiled: CompiledSystem) -> Iterator[Located]:
    """Find the alarms on metrics of Route 53, and those that are composed of them."""
    simple: list[Located] = []
    for alarm in compiled.view.resources(_ALARMS[0]):
        properties = alarm.resource.properties
        queries = as_list(properties.get("Metrics"))
        spaces = [inside(each, "MetricStat", "Metric", "Namespace") for each in queries]
        if _ROUTE_53 in (properties.get("Namespace"), *spaces):
            simple.append(alarm)
    yield from simple
    for composite in compiled.view.resources(_ALARMS[1]):
        said = str(composite.resource.properties.get("AlarmRule"))
        if any(name in said for each in simple for name in _names(each)):
            yield composite


def _names(alarm: Located) -> list[str]:
    return [str(each) for each in (alarm.resource.name, alarm.resource.arn) if each]


def _starters(compiled: CompiledSystem, path: RecoveryPath) -> list[Located]:
    return [
        *(machine.located for machine in path.machines),
        *(function for machine in path.machines for function in told_of(compiled, machine)),
    ]


def _leads(compiled: CompiledSystem, arn: str, starters: list[Located]) -> bool:
    """Tell whether something that is sent to `arn` starts the path, by a topic too."""
    if compiled.view.find(arn) in starters or function_of(compiled, arn) in starters:
        return True
    return any(
        function_of(compiled, str(each.resource.properties.get("Endpoint"))) in starters
        for each in compiled.view.resources("AWS::SNS::Subscription")
        if each.resource.properties.get("TopicArn") == arn
    )


def _is_told_by(pattern: Any, alarms: list[Located]) -> bool:
    """Tell whether a pattern lets through what Route 53 says, or what one of `alarms` does."""
    sources = as_list(pattern.get("source")) if isinstance(pattern, Mapping) else []
    if _SOURCES[1] in sources:
        return True
    if _SOURCES[0] not in sources:
        return False
    wanted = [inside(pattern, "detail", "alarmName"), pattern.get("resources")]
    said = [text for _, text in texts(wanted)]
    named = [name for alarm in alarms for name in _names(alarm)]
    return any(name in text for name in named for text in said) or (bool(alarms) and not said)
