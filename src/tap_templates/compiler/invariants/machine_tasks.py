"""Tasks of state machines: bounded in time, and with a word on what becomes of errors."""

import re
from collections.abc import Iterator
from typing import Any

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.machines import machines
from tap_templates.compiler.invariants.values import as_list, inside, number
from tap_templates.rendered.arns import bare_name
from tap_templates.rendered.machines import (
    ALL_ERRORS,
    AWS_ERRORS,
    RESERVED,
    Machine,
    MachineState,
)
from tap_templates.rendered.view import Located, SystemView

_TASKS = "https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html"
_STUCK = "https://docs.aws.amazon.com/step-functions/latest/dg/sfn-stuck-execution.html"
_ASLEEP = "https://docs.aws.amazon.com/lambda/latest/dg/snapstart-troubleshooting.html"
_ERRORS = "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html"

_TIMEOUTS = ("TimeoutSeconds", "HeartbeatSeconds")
_DEFAULT_FUNCTION_SECONDS = 3
_REASON = re.compile(r"No (?P<lacks>retry|catch|retry, no catch): \S")


def _tasks(compiled: CompiledSystem) -> Iterator[tuple[Machine, MachineState]]:
    for machine in machines(compiled):
        for state in machine.states():
            if state.kind == "Task":
                yield machine, state


def _unbounded(compiled: CompiledSystem) -> Iterator[Fault]:
    for machine, task in _tasks(compiled):
        given = [f"{key}{suffix}" for key in _TIMEOUTS for suffix in ("", "Path")]
        if not any(key in task.body for key in given):
            yield fault_at(
                machine.located,
                f"waits for the task {task.name!r} as long as it takes: the default is three years",
                "set TimeoutSeconds on it",
                task.path,
            )


def _outrun(compiled: CompiledSystem) -> Iterator[Fault]:
    for machine, task in _tasks(compiled):
        name = task.invokes()
        if name is None or not any(key in task.body for key in _timeout_keys()):
            continue  # TAP-ASL-07 tells of a task without any
        said = next(task.body[key] for key in _timeout_keys() if key in task.body)
        seconds, function = number(said), _function(compiled.view, machine.located, name)
        if function is None:
            yield fault_at(
                machine.located,
                f"invokes {name or 'a function named at run time'} in {task.name!r}, which no "
                "stack of the system makes: how long it runs is not known",
                "invoke a function of this system and region by its ARN",
                task.path,
            )
            continue
        runs = function.resource.properties.get("Timeout", _DEFAULT_FUNCTION_SECONDS)
        limit = number(runs)
        if seconds is None or limit is None or seconds <= limit:
            yield fault_at(
                machine.located,
                f"gives up {task.name!r} after {said} s, while {function.resource.logical_id} may "
                f"run for {runs} s and still be writing when the next state begins",
                f"set TimeoutSeconds of the task to more than {runs}",
                task.path,
            )


def _timeout_keys() -> tuple[str, ...]:
    return ("TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath")


def _function(view: SystemView, machine: Located, given: str) -> Located | None:
    """Find the function that an ARN, a partial ARN or a name means, with or without alias."""
    if given.startswith("arn:"):
        return view.find(":".join(given.split(":")[:7]))
    name = bare_name(given.rpartition("function:")[2]).partition(":")[0]
    for each in view.resources("AWS::Lambda::Function"):
        if each.stack.region == machine.stack.region and each.resource.name == name:
            return each
    return None


def _asleep(compiled: CompiledSystem) -> Iterator[Fault]:
    for machine, task in _tasks(compiled):
        name = task.invokes()
        function = _function(compiled.view, machine.located, name) if name else None
        given = function.resource.properties if function else {}
        needed = {
            error
            for error, is_so in (
                ("Lambda.ResourceNotReadyException", inside(given, "VpcConfig", "SubnetIds")),
                (
                    "Lambda.SnapStartNotReadyException",
                    inside(given, "SnapStart", "ApplyOn") == "PublishedVersions",
                ),
            )
            if is_so
        }
        retried = {
            str(error)
            for _, each in task.handlers("Retry")
            if number(each.get("MaxAttempts", 3)) != 0
            for error in as_list(each.get("ErrorEquals"))
        }
        reason = _REASON.match(task.comment)  # TAP-ASL-09 asks for it
        if reason and "retry" in reason.group("lacks"):
            continue
        if function and not retried & {ALL_ERRORS, f"{RESERVED}TaskFailed"}:
            for error in sorted(needed - retried):
                yield fault_at(
                    machine.located,
                    f"gives up {task.name!r} when {function.resource.logical_id} is asleep, as it "
                    f"is after two weeks without a call: {error} is not retried",
                    f"retry {error}, for some minutes",
                    task.path,
                )


def _unsaid(compiled: CompiledSystem) -> Iterator[Fault]:
    for machine, task in _tasks(compiled):
        reason = _REASON.match(task.comment)
        said = reason.group("lacks") if reason else ""
        if not _tries_again(task) and "retry" not in said:
            yield fault_at(
                machine.located,
                f"does not try {task.name!r} again, and gives no reason",
                "add Retry with back-off, or begin the Comment with 'No retry:' and the reason",
                task.path,
            )
        if not _caught(task) and "catch" not in said:
            yield fault_at(
                machine.located,
                f"does not catch what {task.name!r} fails with, and gives no reason",
                "add Catch to it or to the Parallel or Map around it, or begin the Comment with "
                "'No catch:' and the reason",
                task.path,
            )


def _tries_again(task: MachineState) -> bool:
    # MaxAttempts counts what comes after the first: a retrier with 0 says that there is none.
    return any(number(each.get("MaxAttempts", 3)) != 0 for _, each in task.handlers("Retry"))


def _caught(state: MachineState | None) -> bool:
    return state is not None and (bool(state.handlers("Catch")) or _caught(state.within))


def _misplaced(compiled: CompiledSystem) -> Iterator[Fault]:
    for machine in machines(compiled):
        for state in machine.states():
            for kind in ("Retry", "Catch"):
                yield from _handlers(machine, state, kind)


def _handlers(machine: Machine, state: MachineState, kind: str) -> Iterator[Fault]:
    handlers = state.handlers(kind)
    earlier: set[Any] = set()
    for position, (path, handler) in enumerate(handlers):
        names = [str(each) for each in as_list(handler.get("ErrorEquals"))]
        if not names:
            yield fault_at(
                machine.located,
                f"has a {kind} in {state.name!r} for no error",
                "name the errors in ErrorEquals",
                path,
            )
        if ALL_ERRORS in names and (len(names) > 1 or position < len(handlers) - 1):
            yield fault_at(
                machine.located,
                f"has {ALL_ERRORS} beside or before other errors in {kind} of {state.name!r}, "
                "which Step Functions refuses",
                f"put {ALL_ERRORS} alone into the last one",
                path,
            )
        for name in sorted(set(names) & earlier):
            yield fault_at(
                machine.located,
                f"names {name} twice in {kind} of {state.name!r}, and only the first counts",
                "take one of them away",
                path,
            )
        earlier |= set(names)


def _undefined(compiled: CompiledSystem) -> Iterator[Fault]:
    for machine in machines(compiled):
        for state in machine.states():
            for kind in ("Retry", "Catch"):
                for path, handler in state.handlers(kind):
                    for name in sorted(str(each) for each in as_list(handler.get("ErrorEquals"))):
                        if name.startswith(RESERVED) and name not in AWS_ERRORS:
                            yield fault_at(
                                machine.located,
                                f"waits in {kind} of {state.name!r} for {name}, which is no error "
                                "of Step Functions, and nobody else's may begin so",
                                "take the name from Step Functions' list of errors",
                                path,
                            )


MACHINE_TASKS = (
    Invariant(
        code="TAP-ASL-07",
        promise="Every task of a state machine is bounded in time.",
        source_url=_STUCK,
        check=_unbounded,
    ),
    Invariant(
        code="TAP-ASL-08",
        promise="A task outlasts the function that it invokes.",
        source_url=_TASKS,
        check=_outrun,
    ),
    Invariant(
        code="TAP-ASL-09",
        promise="A task is retried and caught, or says why not.",
        source_url=_ERRORS,
        check=_unsaid,
    ),
    Invariant(
        code="TAP-ASL-10",
        promise="An error has one handler of a kind, and States.ALL is alone and last.",
        source_url=_ERRORS,
        check=_misplaced,
    ),
    Invariant(
        code="TAP-ASL-11",
        promise="Errors named as Step Functions' own are errors of Step Functions.",
        source_url=_ERRORS,
        check=_undefined,
    ),
    Invariant(
        code="TAP-ASL-15",
        promise="A task waits for a function that was not called for long.",
        source_url=_ASLEEP,
        check=_asleep,
    ),
)
