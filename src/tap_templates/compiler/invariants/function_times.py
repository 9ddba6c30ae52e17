"""Times around functions: how long one may run, how long its events wait, how long its log stays.

Each number here has a reason of its own beside it; a system with another reason changes both.
"""

from collections.abc import Iterator

from tap_templates.compiler.invariants.hops import LATEST, invoked
from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.values import inside, number
from tap_templates.rendered.view import Located

_ASYNC = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"
_TIMEOUT = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html"
_LOGS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html"

# A fault of a Friday evening is still there for those who come back after a week off.
SHORTEST_LOG_DAYS = 7
# An event also waits while the function is throttled or Lambda fails. A region that takes over
# the load of two may be throttled for as long as somebody needs to raise a limit.
SHORTEST_AGE_SECONDS = 3600
# Our handlers give the SDK at most 7.9 s for all its attempts (handlers/*/app.py): below that
# Lambda kills them before they can say what they waited for.
SHORTEST_TIMEOUT_SECONDS = 8
# Nobody waits for the answer, so a hang is seen only when it ends; Lambda then tries twice more,
# after 1 and 2 minutes. With 60 s an event is in its dead-letter queue after 6 minutes.
LONGEST_EVENT_TIMEOUT_SECONDS = 60


def _log(compiled: CompiledSystem) -> Iterator[Fault]:
    for function in compiled.view.resources("AWS::Lambda::Function"):
        default = f"/aws/lambda/{function.resource.name}"
        group = inside(function.resource.properties, "LoggingConfig", "LogGroup") or default
        for each in function.stack.resources.values():
            days = number(each.properties.get("RetentionInDays"))
            if each.type != "AWS::Logs::LogGroup" or each.name != group or days is None:
                continue  # TAP-FN-04 tells of a log that is kept for ever
            if days < SHORTEST_LOG_DAYS:
                yield fault_at(
                    function,
                    f"logs to {each.logical_id}, which keeps its events for {days:.0f} days: "
                    "shorter than it takes to ask why",
                    f"set RetentionInDays on {each.logical_id} to at least {SHORTEST_LOG_DAYS}",
                    "/Properties/LoggingConfig",
                )


def _age(compiled: CompiledSystem) -> Iterator[Fault]:
    for config in compiled.view.resources("AWS::Lambda::EventInvokeConfig"):
        given = config.resource.properties.get("MaximumEventAgeInSeconds")
        age = number(given)
        if given is None or (age is not None and age >= SHORTEST_AGE_SECONDS):
            continue  # Lambda's own limit is six hours
        if _comes_again(compiled, config):
            continue
        yield fault_at(
            config,
            f"gives up on an event after {given} s, also while the function is throttled",
            f"set MaximumEventAgeInSeconds to at least {SHORTEST_AGE_SECONDS}, or leave it out "
            "for six hours",
            "/Properties/MaximumEventAgeInSeconds",
        )


def _comes_again(compiled: CompiledSystem, config: Located) -> bool:
    """Tell whether a schedule repeats the event, so that nobody wants it once it is late.

    Such an event is not tried again either: what it failed to do, the next one does.
    """
    properties = config.resource.properties
    if number(properties.get("MaximumRetryAttempts")) != 0:
        return False
    name = f":function:{properties.get('FunctionName')}:"
    return any(
        schedule.stack.region == config.stack.region
        and name in f"{inside(schedule.resource.properties, 'Target', 'Arn')}:"
        for schedule in compiled.view.resources("AWS::Scheduler::Schedule")
    )


def _timeout(compiled: CompiledSystem) -> Iterator[Fault]:
    path = "/Properties/Timeout"
    for function in compiled.view.resources("AWS::Lambda::Function"):
        timeout = number(function.resource.properties.get("Timeout"))
        if timeout is not None and timeout < SHORTEST_TIMEOUT_SECONDS:
            yield fault_at(
                function,
                f"is stopped after {timeout:.0f} s, while its SDK may still be trying",
                f"set Timeout to at least {SHORTEST_TIMEOUT_SECONDS}",
                path,
            )
    told = set()
    for function, qualifier in invoked(compiled.view):
        timeout = number(function.resource.properties.get("Timeout"))
        key = (function.stack.region, function.resource.name)
        if timeout is None or timeout <= LONGEST_EVENT_TIMEOUT_SECONDS or key in told:
            continue
        told.add(key)
        how = "itself" if qualifier == LATEST else qualifier
        yield fault_at(
            function,
            f"handles events that nobody waits for (as {how}), and may hang for {timeout:.0f} s in "
            "each of its attempts before anybody learns of it",
            f"set Timeout to at most {LONGEST_EVENT_TIMEOUT_SECONDS}",
            path,
        )


FUNCTION_TIMES = (
    Invariant(
        code="TAP-FN-11",
        promise=f"The log of a function is kept for at least {SHORTEST_LOG_DAYS} days.",
        source_url=_LOGS,
        check=_log,
    ),
    Invariant(
        code="TAP-FN-12",
        promise="An event outlasts an hour of throttling, unless a schedule brings the next one.",
        source_url=_ASYNC,
        check=_age,
    ),
    Invariant(
        code="TAP-FN-13",
        promise="A function outlasts the patience of its SDK, and a hang does not outlast a minute "
        "where nobody waits.",
        source_url=_TIMEOUT,
        check=_timeout,
    ),
)
