"""Functions: each runs supported code, traced, bounded, with a role and a log of its own (X-04)."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.values import as_list, inside, number
from tap_templates.rendered.arns import bare_name
from tap_templates.rendered.view import Located

_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/"
_FUNCTION = "AWS::Lambda::Function"
_MAPPING = "AWS::Lambda::EventSourceMapping"

RUNTIMES: Mapping[str, date] = {
    "python3.11": date(2027, 6, 30),
    "python3.12": date(2028, 10, 31),
    "python3.13": date(2029, 6, 30),
    "python3.14": date(2029, 6, 30),
}
"""Runtime to the end of its support, read on 20 Nov 2026 from lambda-runtimes.html."""

# No clock in here: the same input gives the same findings. Bump it with the table.
SUPPORTED_UNTIL_AT_LEAST = date(2027, 11, 20)  # a year from when the table was read

LONGEST_ASYNC_SECONDS = 900  # Lambda's own maximum
LONGEST_API_SECONDS = 29  # API Gateway's default integration timeout
VISIBILITY_PER_TIMEOUT = 6  # what Lambda asks of a queue that feeds a function
DEFAULT_VISIBILITY_SECONDS = 30  # of a queue that does not say
_POWERTOOLS = ("POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME")


def _functions(compiled: CompiledSystem) -> Iterator[tuple[Located, Mapping[str, Any]]]:
    for located in compiled.view.resources(_FUNCTION):
        yield located, located.resource.properties


def _runtime(compiled: CompiledSystem) -> Iterator[Fault]:
    for located, properties in _functions(compiled):
        runtime = str(properties.get("Runtime"))
        end = RUNTIMES.get(runtime)
        if end is None or end < SUPPORTED_UNTIL_AT_LEAST:
            until = f"is supported until {end} only" if end else "is not in the table of runtimes"
            newest = max(RUNTIMES, key=lambda each: (RUNTIMES[each], each))
            yield fault_at(
                located,
                f"runs on {runtime}, which {until}",
                f"run it on {newest}, or bring RUNTIMES in compiler/invariants/functions.py "
                "up to date",
                "/Properties/Runtime",
            )


def _architecture(compiled: CompiledSystem) -> Iterator[Fault]:
    for located, properties in _functions(compiled):
        if properties.get("Architectures") != ["arm64"]:
            said = properties.get("Architectures") or "x86_64, the default"
            yield fault_at(
                located,
                f"runs on {said}, while packages are built for arm64",
                "set Architectures to [arm64]",
                "/Properties/Architectures",
            )


def _tracing(compiled: CompiledSystem) -> Iterator[Fault]:
    for located, properties in _functions(compiled):
        if inside(properties, "TracingConfig", "Mode") != "Active":
            yield fault_at(
                located,
                "is not traced by itself: a trace ends before it",
                "set TracingConfig to Mode Active",
                "/Properties/TracingConfig",
            )


def _log_group(compiled: CompiledSystem) -> Iterator[Fault]:
    writers: dict[tuple[str, str], str] = {}
    for located, properties in _functions(compiled):
        default = f"/aws/lambda/{located.resource.name}"
        group = str(inside(properties, "LoggingConfig", "LogGroup") or default)
        path = "/Properties/LoggingConfig"
        own = [
            each
            for each in located.stack.resources.values()
            if each.type == "AWS::Logs::LogGroup" and each.name == group
        ]
        other = writers.setdefault((located.stack.region, group), located.resource.logical_id)
        if not own:
            yield fault_at(
                located,
                f"logs to {group}, which its stack does not make: Lambda would, without end",
                "declare the log group beside the function, with a retention",
                path,
            )
        elif number(own[0].properties.get("RetentionInDays")) is None:
            yield fault_at(
                located,
                f"logs to {own[0].logical_id}, which keeps its events for ever",
                f"set RetentionInDays on {own[0].logical_id}",
                path,
            )
        elif other != located.resource.logical_id:
            yield fault_at(
                located,
                f"shares the log group {group} with {other}",
                "give each function a log group of its own",
                path,
            )


def _role(compiled: CompiledSystem) -> Iterator[Fault]:
    users: dict[str, list[Located]] = {}
    for mention in compiled.mentions:
        if mention.path.rpartition("/")[2] in ("Role", "RoleArn", "ExecutionRoleArn"):
            users.setdefault(mention.arn, []).append(mention.source)
    for located, properties in _functions(compiled):
        role = str(properties.get("Role"))
        others = [
            user.resource.logical_id
            for user in users.get(role, [])
            if user.resource is not located.resource
        ]
        if others:
            yield fault_at(
                located,
                f"shares its role with {', '.join(sorted(set(others)))}",
                "give each function a role of its own, so that each can be least-privilege",
                "/Properties/Role",
            )


def _concurrency(compiled: CompiledSystem) -> Iterator[Fault]:
    bounded = {
        _called(each)
        for each in compiled.view.resources(_MAPPING)
        if number(inside(each.resource.properties, "ScalingConfig", "MaximumConcurrency"))
    }
    for located, properties in _functions(compiled):
        reserved = number(properties.get("ReservedConcurrentExecutions"))
        if reserved is not None and reserved >= 1:
            continue
        if reserved is None and (located.stack.region, located.resource.name) in bounded:
            continue
        what = "may take all concurrency of the account, and with it overrun what it writes to"
        if reserved is not None:
            what = "has no concurrency at all: it never runs"
        yield fault_at(
            located,
            what,
            "set ReservedConcurrentExecutions, or ScalingConfig on the mapping of its queue",
            "/Properties/ReservedConcurrentExecutions",
        )


def _called(located: Located) -> tuple[str, str]:
    name = str(located.resource.properties.get("FunctionName"))
    return located.stack.region, bare_name(name).partition(":")[0]


def _powertools(compiled: CompiledSystem) -> Iterator[Fault]:
    for located, properties in _functions(compiled):
        variables = inside(properties, "Environment", "Variables") or {}
        missing = [each for each in _POWERTOOLS if not variables.get(each)]
        if missing:
            yield fault_at(
                located,
                f"lacks {' and '.join(missing)}, so that its logs or metrics are nobody's",
                "set them in the function's environment",
                "/Properties/Environment",
            )


def _timeout(compiled: CompiledSystem) -> Iterator[Fault]:
    by_api = {
        _called(each)
        for each in compiled.view.resources("AWS::Lambda::Permission")
        if each.resource.properties.get("Principal") == "apigateway.amazonaws.com"
    }
    queues: dict[tuple[str, str], list[tuple[Located, float]]] = {}
    for each in compiled.view.resources(_MAPPING):
        queue = compiled.view.find(str(each.resource.properties.get("EventSourceArn")))
        if queue and queue.resource.type == "AWS::SQS::Queue":
            window = number(each.resource.properties.get("MaximumBatchingWindowInSeconds")) or 0
            queues.setdefault(_called(each), []).append((queue, window))
    for located, properties in _functions(compiled):
        key = (located.stack.region, str(located.resource.name))
        timeout = number(properties.get("Timeout"))
        path = "/Properties/Timeout"
        if timeout is None:
            yield fault_at(located, "has no timeout of its own", "set Timeout in seconds", path)
            continue
        longest = LONGEST_API_SECONDS if key in by_api else LONGEST_ASYNC_SECONDS
        if timeout > longest:
            caller = "API Gateway waits" if key in by_api else "Lambda allows"
            yield fault_at(
                located,
                f"may take {timeout:.0f} s, but {caller} {longest} s",
                f"set Timeout to at most {longest}",
                path,
            )
        for queue, window in queues.get(key, []):
            visibility = number(
                as_list(queue.resource.properties.get("VisibilityTimeout"))[0]
                if "VisibilityTimeout" in queue.resource.properties
                else DEFAULT_VISIBILITY_SECONDS
            )
            needed = VISIBILITY_PER_TIMEOUT * timeout + window
            if visibility is None or visibility < needed:
                yield fault_at(
                    queue,
                    f"hides a message for {visibility} s, while {located.resource.logical_id} may "
                    f"take {timeout:.0f} s: messages come twice",
                    f"set VisibilityTimeout to at least {needed:.0f} "
                    f"({VISIBILITY_PER_TIMEOUT} times the function's timeout, and the window)",
                    "/Properties/VisibilityTimeout",
                )


FUNCTIONS = (
    Invariant(
        code="TAP-FN-01",
        promise="Every function runs on a Python runtime that is supported for another year.",
        source_url=_LAMBDA + "lambda-runtimes.html",
        check=_runtime,
    ),
    Invariant(
        code="TAP-FN-02",
        promise="Every function runs on arm64.",
        source_url=_LAMBDA + "foundation-arch.html",
        check=_architecture,
    ),
    Invariant(
        code="TAP-FN-03",
        promise="Every function is traced actively by X-Ray.",
        source_url=_LAMBDA + "services-xray.html",
        check=_tracing,
    ),
    Invariant(
        code="TAP-FN-04",
        promise="Every function has a log group of its own in its stack, with a retention.",
        source_url=_LAMBDA + "monitoring-cloudwatchlogs-loggroups.html",
        check=_log_group,
    ),
    Invariant(
        code="TAP-FN-05",
        promise="Every function has a role that nothing else uses.",
        source_url=_LAMBDA + "lambda-intro-execution-role.html",
        check=_role,
    ),
    Invariant(
        code="TAP-FN-06",
        promise="The concurrency of every function is bounded.",
        source_url=_LAMBDA + "configuration-concurrency.html",
        check=_concurrency,
    ),
    Invariant(
        code="TAP-FN-07",
        promise="Every function has a service name for its logs and a namespace for its metrics.",
        source_url="https://docs.aws.amazon.com/powertools/python/latest/#environment-variables",
        check=_powertools,
    ),
    Invariant(
        code="TAP-FN-08",
        promise="The timeout of every function fits what triggers it.",
        source_url=_LAMBDA + "services-sqs-configure.html",
        check=_timeout,
    ),
)
