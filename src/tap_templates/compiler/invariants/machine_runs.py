"""Runs of state machines: somebody is told of one that fails, and a log says what it did."""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_templates.compiler.invariants.dead_letters import tells
from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.machine_paths import MACHINE_PATHS
from tap_templates.compiler.invariants.machines import machines
from tap_templates.compiler.invariants.values import as_list, flag, inside, number

_METRICS = "https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html"
_LOGS = "https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html"
_FAILED, _TIMED_OUT = "ExecutionsFailed", "ExecutionsTimedOut"
_RINGS_AT_ONE = (("GreaterThanThreshold", 0), ("GreaterThanOrEqualToThreshold", 1))
# A run that does not fail leaves no data point: with these the alarm rings always, or once and
# then never again.
_STUCK = ("breaching", "ignore")


def _unheard(compiled: CompiledSystem) -> Iterator[Fault]:
    watched = {
        (alarm.stack.region, *watches)
        for alarm in compiled.view.resources("AWS::CloudWatch::Alarm")
        if (watches := _watches(alarm.resource.properties)) and tells(compiled, alarm)
    }
    for machine in machines(compiled):
        located = machine.located
        wanted = (_FAILED,) if machine.seconds is None else (_FAILED, _TIMED_OUT)
        for metric in wanted:
            if (located.stack.region, metric, str(located.resource.arn)) not in watched:
                how = "fails" if metric == _FAILED else "is cut off by its TimeoutSeconds"
                yield fault_at(
                    located,
                    f"tells nobody of a run that {how}: no alarm of its region on {metric}",
                    f"add an alarm on the Sum of {metric} above 0 with the one dimension "
                    "StateMachineArn, and a subscribed topic among its actions",
                )


def _watches(properties: Mapping[str, Any]) -> tuple[str, str] | None:
    """Name the metric and the machine of which one run makes the alarm ring."""
    dimensions = as_list(properties.get("Dimensions"))
    if properties.get("Namespace") != "AWS/States" or properties.get("Statistic") != "Sum":
        return None
    if len(dimensions) != 1 or dimensions[0].get("Name") != "StateMachineArn":
        return None
    operator, threshold = properties.get("ComparisonOperator"), properties.get("Threshold")
    # More periods than one would have to fail one after the other, or none of them be told.
    periods = number(properties.get("DatapointsToAlarm", properties.get("EvaluationPeriods")))
    if (operator, number(threshold)) not in _RINGS_AT_ONE or periods != 1:
        return None
    if properties.get("TreatMissingData") in _STUCK:
        return None
    return str(properties.get("MetricName")), str(dimensions[0].get("Value"))


def _unlogged(compiled: CompiledSystem) -> Iterator[Fault]:
    for located in compiled.view.resources("AWS::StepFunctions::StateMachine"):
        path = "/Properties/LoggingConfiguration"
        logging = located.resource.properties.get("LoggingConfiguration")
        level = inside(logging, "Level") or "OFF"
        if level != "ALL":
            yield fault_at(
                located,
                f"logs at level {level}, which leaves out how a run came to where it failed",
                "set Level to ALL",
                path,
            )
        if flag(inside(logging, "IncludeExecutionData")):
            yield fault_at(
                located,
                "logs the data of every state: whatever is in an event is then in a log",
                "set IncludeExecutionData to false",
                path,
            )
        for each in as_list(inside(logging, "Destinations")):
            arn = str(inside(each, "CloudWatchLogsLogGroup", "LogGroupArn"))
            found = compiled.view.find(arn)
            if found is None or found.resource.type != "AWS::Logs::LogGroup":
                yield fault_at(
                    located,
                    f"logs to {arn}, which no stack of the system makes",
                    "name a log group of the same region, by its ARN with :*",
                    path,
                )
        if level != "OFF" and not as_list(inside(logging, "Destinations")):
            yield fault_at(located, "logs to nowhere", "give it a log group", path)
        if not flag(inside(located.resource.properties, "TracingConfiguration", "Enabled")):
            yield fault_at(
                located,
                "is not traced",
                "set TracingConfiguration with Enabled true",
                "/Properties/TracingConfiguration",
            )


MACHINE_RUNS = (
    *MACHINE_PATHS,
    Invariant(
        code="TAP-ASL-12",
        promise="Somebody hears of every run of a state machine that fails or is cut off.",
        source_url=_METRICS,
        check=_unheard,
    ),
    Invariant(
        code="TAP-ASL-13",
        promise="A state machine logs every event of a run and none of its data, and is traced.",
        source_url=_LOGS,
        check=_unlogged,
    ),
)
