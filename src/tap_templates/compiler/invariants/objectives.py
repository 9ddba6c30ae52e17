"""Objectives: the recovery time that a system promises, against the failover path it compiled to.

Judged for the worst values its parameters allow, since an operator may set them without a compile.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.objectives_dns import DNS_OBJECTIVES, dns_budgets
from tap_templates.compiler.invariants.objectives_latch import LATCHES
from tap_templates.compiler.invariants.objectives_terms import Term, total, worst
from tap_templates.compiler.invariants.values import flag, inside
from tap_templates.rendered.view import Located

_ENDPOINTS = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-global-endpoints.html"
_PRESCRIBED = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-ge-cfn.html"

ENDPOINT_BOUND_SECONDS = 420  # "360 seconds, with a maximum of 420", with the prescribed alarm
LONGEST_DETECTION_SECONDS = 300  # the prescribed 5 periods of 60 s
PERIOD_SECONDS = 60
HIGHEST_THRESHOLD_MS = 30_000

_EXACTLY: Mapping[str, str] = {
    "Namespace": "AWS/Events",
    "MetricName": "IngestionToInvocationStartLatency",
    "Statistic": "Average",
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "breaching",
}
_ABSENT = ("DatapointsToAlarm", "Dimensions", "ExtendedStatistic", "Metrics")
_REMEDY = "declare it with global_endpoint() in blocks/endpoint.py, as EventBridge prescribes"


@dataclass(frozen=True, slots=True)
class _Problem:
    located: Located
    what: str
    path: str = ""


def failover_budget(compiled: CompiledSystem) -> tuple[Term, ...]:
    """List what a failover takes at most, for the worst values the parameters allow.

    Empty if the system has no failover path that we know. The terms of one path are in sequence;
    of several paths, those of the slowest are returned.
    """
    budgets = [
        *(
            _endpoint_terms(compiled, endpoint)
            for endpoint in compiled.view.resources("AWS::Events::Endpoint")
        ),
        *dns_budgets(compiled),
    ]
    return max(budgets, key=total, default=())


def _endpoint_terms(compiled: CompiledSystem, endpoint: Located) -> tuple[Term, ...]:
    alarm = _alarm(compiled, endpoint)
    detection = _detection(compiled, alarm) if alarm else None
    holds = not any(_unprescribed(compiled, endpoint)) and detection is not None
    rest = ENDPOINT_BOUND_SECONDS - LONGEST_DETECTION_SECONDS
    if holds and detection is not None:
        rest = ENDPOINT_BOUND_SECONDS - detection  # what EventBridge promises is the sum
    return (
        Term("detection: unhealthy periods of the alarm", detection, _PRESCRIBED),
        Term(
            "metric delay, health check and routing: the rest of EventBridge's bound",
            rest if holds else None,
            _ENDPOINTS,
        ),
    )


def _alarm(compiled: CompiledSystem, endpoint: Located) -> Located | None:
    check = _health_check(compiled, endpoint)
    config = check.resource.properties.get("HealthCheckConfig", {}) if check else {}
    name = inside(config, "AlarmIdentifier", "Name")
    region = inside(config, "AlarmIdentifier", "Region")
    for alarm in compiled.view.resources("AWS::CloudWatch::Alarm"):
        if (alarm.resource.name, alarm.stack.region) == (name, region):
            return alarm
    return None


def _health_check(compiled: CompiledSystem, endpoint: Located) -> Located | None:
    arn = inside(
        endpoint.resource.properties, "RoutingConfig", "FailoverConfig", "Primary", "HealthCheck"
    )
    return compiled.view.find(str(arn))


def _unprescribed(compiled: CompiledSystem, endpoint: Located) -> Iterator[_Problem]:
    check, alarm = _health_check(compiled, endpoint), _alarm(compiled, endpoint)
    if check is None:
        yield _Problem(endpoint, "fails over by a health check that the system does not make")
        return
    config = check.resource.properties.get("HealthCheckConfig", {})
    path = "/Properties/HealthCheckConfig"
    if config.get("Type") != "CLOUDWATCH_METRIC" or alarm is None:
        yield _Problem(check, "does not follow an alarm of the system", path)
        return
    yield from _unlike_template(check, alarm, compiled.system.regions.primary)
    yield from _too_slow(compiled, alarm)


def _unlike_template(check: Located, alarm: Located, primary: str) -> Iterator[_Problem]:
    config = check.resource.properties.get("HealthCheckConfig", {})
    path = "/Properties/HealthCheckConfig"
    if alarm.stack.region != primary:
        yield _Problem(check, f"follows an alarm in {alarm.stack.region}", path)
    if config.get("InsufficientDataHealthStatus") != "Unhealthy":
        yield _Problem(check, "is not unhealthy when there is no data", path)
    for switch in ("Disabled", "Inverted"):
        if switch in config and flag(config[switch]) is not False:
            yield _Problem(check, f"is {switch.lower()}", path)
    for name, right in _EXACTLY.items():
        said = alarm.resource.properties.get(name)
        if said != right:
            yield _Problem(alarm, f"has {name} {said}, not {right}", f"/Properties/{name}")
    for name in _ABSENT:
        if alarm.resource.properties.get(name):
            yield _Problem(
                alarm, f"sets {name}, which the prescribed one does not", f"/Properties/{name}"
            )


def _too_slow(compiled: CompiledSystem, alarm: Located) -> Iterator[_Problem]:
    period = worst(compiled, alarm, "Period")
    if period != PERIOD_SECONDS:
        yield _Problem(
            alarm,
            f"has a period of {_or_any(period)} s, not {PERIOD_SECONDS}",
            "/Properties/Period",
        )
    detection = _detection(compiled, alarm)
    if detection is None or detection > LONGEST_DETECTION_SECONDS:
        yield _Problem(
            alarm,
            f"may take {_or_any(detection)} s to ring, EventBridge prescribes at most "
            f"{LONGEST_DETECTION_SECONDS}",
            "/Properties/EvaluationPeriods",
        )
    threshold = worst(compiled, alarm, "Threshold")
    if threshold is None or threshold > HIGHEST_THRESHOLD_MS:
        yield _Problem(
            alarm,
            f"may let events wait for {_or_any(threshold)} ms, EventBridge prescribes at most "
            f"{HIGHEST_THRESHOLD_MS}",
            "/Properties/Threshold",
        )


def _or_any(value: float | None) -> str:
    return "any number of" if value is None else f"{value:.0f}"


def _detection(compiled: CompiledSystem, alarm: Located) -> int | None:
    periods = worst(compiled, alarm, "EvaluationPeriods")
    period = worst(compiled, alarm, "Period")
    return None if periods is None or period is None else int(periods * period)


def _alarm_as_prescribed(compiled: CompiledSystem) -> Iterator[Fault]:
    for endpoint in compiled.view.resources("AWS::Events::Endpoint"):
        for problem in _unprescribed(compiled, endpoint):
            what = f"{problem.what}: the {ENDPOINT_BOUND_SECONDS} s of EventBridge do not hold"
            yield fault_at(problem.located, what, _REMEDY, problem.path)


def _too_late(compiled: CompiledSystem) -> Iterator[Fault]:
    promised = compiled.system.objectives.rto
    if promised is None:
        return
    terms = failover_budget(compiled)
    rto = promised.total_seconds()
    if not terms:
        yield Fault(
            stack="",
            what=f"promises to work again within {rto:.0f} s, but has no failover path that this "
            "check knows",
            remedy="add an AWS::Events::Endpoint, or records that fail over "
            "(blocks/dns_failover.py), or teach compiler/invariants/objectives.py the path it has",
        )
    elif total(terms) > rto:
        sums = " + ".join(
            f"{'?' if term.seconds is None else term.seconds} s ({term.name})" for term in terms
        )
        yield Fault(
            stack="",
            what=f"promises to work again within {rto:.0f} s, but failover takes {sums}",
            remedy="shorten the terms, lower the MaxValue of their parameters, or promise a "
            "longer rto",
        )


OBJECTIVES = (
    Invariant(
        code="TAP-OBJ-01",
        promise="The alarm that moves a global endpoint is the one EventBridge prescribes, "
        "whatever the parameters are set to.",
        source_url=_PRESCRIBED,
        check=_alarm_as_prescribed,
    ),
    Invariant(
        code="TAP-OBJ-03",
        promise="The failover path takes no longer than the recovery time promised.",
        source_url=_ENDPOINTS,
        check=_too_late,
    ),
    *DNS_OBJECTIVES,
    *LATCHES,
)
