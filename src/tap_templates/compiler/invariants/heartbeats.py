"""Heartbeats: each bus of a global endpoint is known to be alive, or somebody is told.

The primary's heartbeat makes missing data mean a dead bus. The other's is as needful: nothing
else tells that the region which is to take over no longer could.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_templates.compiler.invariants.dead_letters import tells
from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.objectives_terms import worst
from tap_templates.compiler.invariants.patterns import pattern_of
from tap_templates.compiler.invariants.values import as_list, inside, number
from tap_templates.rendered.view import Located

_ENDPOINTS = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-global-endpoints.html"
HEARTBEAT = "rate(1 minute)"
LONGEST_SILENCE_SECONDS = 300  # as long as the prescribed alarm waits before ingestion moves

_STOPPED: Mapping[str, tuple[Any, ...]] = {
    "Namespace": ("AWS/Events",),
    "MetricName": ("MatchedEvents", "Invocations"),
    "Statistic": ("Sum",),
    "ComparisonOperator": ("LessThanThreshold",),
    # EventBridge reports no zeros: silence is missing data.
    "TreatMissingData": ("breaching",),
}


def _heartbeat(compiled: CompiledSystem) -> Iterator[Fault]:
    for endpoint in compiled.view.resources("AWS::Events::Endpoint"):
        for index, each in enumerate(as_list(endpoint.resource.properties.get("EventBuses"))):
            bus = str(each.get("EventBusArn"))
            region = bus.split(":")[3] if bus.count(":") > 4 else "no region"
            rules = _beating(compiled, bus)
            if not rules:
                meaning = (
                    "takes missing data for a dead bus, but nothing puts an event on its primary "
                    "bus every minute: a quiet market would fail over"
                    if index == 0
                    else f"nothing puts an event on its bus in {region} every minute: nobody "
                    "would learn that it could not take over"
                )
                yield fault_at(
                    endpoint,
                    meaning,
                    "add heartbeat() of blocks/heartbeat.py to the stack of the bus",
                )
            elif not any(_watched(compiled, rule) for rule in rules):
                yield fault_at(
                    rules[0],
                    "carries the heartbeat of a global endpoint's bus, but no alarm of its region "
                    "tells anybody within five minutes that it has stopped",
                    "alarm on the Sum of MatchedEvents of this bus and rule, below 1, with missing "
                    "data breaching and a subscribed topic: heartbeat() in blocks/heartbeat.py "
                    "makes it",
                )


def _beating(compiled: CompiledSystem, bus: str) -> list[Located]:
    """List the rules that send on what a schedule puts on the bus every minute."""
    return [
        rule
        for schedule in compiled.view.resources("AWS::Scheduler::Schedule")
        for rule in _carriers(compiled, schedule.resource.properties, bus)
    ]


def _carriers(compiled: CompiledSystem, schedule: Mapping[str, Any], bus: str) -> Iterator[Located]:
    """Find the rules that send on what a schedule feeds the bus every minute.

    Latency is measured from ingestion to invocation: an event that no rule sends on has none.
    """
    if schedule.get("ScheduleExpression") != HEARTBEAT:
        return
    if schedule.get("State", "ENABLED") != "ENABLED" or inside(schedule, "Target", "Arn") != bus:
        return
    on_bus = compiled.view.find(bus)
    if on_bus is None:
        return
    sent = {
        "source": inside(schedule, "Target", "EventBridgeParameters", "Source"),
        "detail-type": inside(schedule, "Target", "EventBridgeParameters", "DetailType"),
        "region": on_bus.stack.region,
    }
    for rule in compiled.view.resources("AWS::Events::Rule"):
        properties = rule.resource.properties
        pattern = pattern_of(properties.get("EventPattern"))
        if (
            rule.stack.region == on_bus.stack.region
            and properties.get("EventBusName") in (on_bus.resource.name, bus)
            and properties.get("State", "ENABLED") == "ENABLED"
            and properties.get("Targets")
            and pattern is not None
            # A field that a heartbeat is not known to have is one it does not match by.
            and all(sent.get(name) in as_list(values) for name, values in pattern.items())
        ):
            yield rule


def _watched(compiled: CompiledSystem, rule: Located) -> bool:
    """Tell whether an alarm of the region rings, and is heard, soon after a rule falls silent."""
    bus = str(rule.resource.properties.get("EventBusName")).rpartition("/")[2]
    asked = {"EventBusName": bus, "RuleName": rule.resource.name}
    for alarm in compiled.view.resources("AWS::CloudWatch::Alarm"):
        properties = alarm.resource.properties
        measured = {
            each.get("Name"): each.get("Value") for each in as_list(properties.get("Dimensions"))
        }
        if alarm.stack.region != rule.stack.region or measured != asked:
            continue
        periods = worst(compiled, alarm, "EvaluationPeriods")
        period = worst(compiled, alarm, "Period")
        if (
            all(properties.get(name) in right for name, right in _STOPPED.items())
            and number(properties.get("Threshold")) == 1
            and periods is not None
            and period is not None
            and periods * period <= LONGEST_SILENCE_SECONDS
            and tells(compiled, alarm)
        ):
            return True
    return False


HEARTBEATS = (
    Invariant(
        code="TAP-OBJ-02",
        promise="A heartbeat on each bus of a global endpoint makes missing data mean a dead bus, "
        "and an alarm tells when it stops.",
        source_url=_ENDPOINTS,
        check=_heartbeat,
    ),
)
