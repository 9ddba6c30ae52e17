"""The way of the database in a failover: how long until the other region can be written.

Apart from the way of the traffic (`objectives_dns`), and never promised by it: what answers may
take work while nothing can be booked. Detection and decision are read from the compiled templates,
for the worst their parameters allow. The promotion has no bound that AWS publishes, so that the sum
has none.
"""

import math
import re
from collections.abc import Collection, Iterator
from typing import Final

from tap_templates.compiler.invariants.failover_machines import (
    FAILOVER,
    function_of,
    operation,
    recovery_paths,
    told_of,
)
from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant
from tap_templates.compiler.invariants.objectives_terms import Term, total, worst
from tap_templates.compiler.invariants.values import inside, number
from tap_templates.rendered.machines import Machine, MachineFlow, MachineState, finishing, reachable
from tap_templates.rendered.view import Located

_PRECISION = "https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html"
_STATES = "https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html"
_RECOVERY = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html"

SCHEDULE: Final = "AWS::Scheduler::Schedule"
SCHEDULER_SECONDS: Final = 60  # its precision: a minute's run begins somewhere in that minute
CACHE_SECONDS: Final = 5  # what AWS advises clients to keep an address of a cluster for at most

# What the function that watches the other region says of its tempo in its environment.
ROUNDS, ROUND_SECONDS = "PROBE_ROUNDS", "PROBE_ROUND_SECONDS"
FAILURES, STALE_SECONDS = "PROBE_FAILURES", "REPORT_STALE_SECONDS"

_DETECTED = (
    "detection of a lost region: its report grows stale, a watch may just have ended, then so many "
    "rounds must fail"
)
_UNDETECTED = "detection: nothing that is scheduled and says all of its tempo starts the failover"

_RATE = re.compile(r"rate\((?P<count>[0-9]+) (?P<unit>minute|hour|day)s?\)")
_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


def database_budget(compiled: CompiledSystem) -> tuple[Term, ...]:
    """List what it takes until the database of the other region can be written.

    Empty if no machine of the system promotes one. The terms follow each other; of several
    machines, those of the slowest are returned.
    """
    budgets = [
        (
            _detection(compiled, path.machine),
            Term(
                "decision: each state before the promotion at its timeout, once, nothing retried",
                _decision(path.machine),
                _STATES,
            ),
            Term(
                "promotion: a few minutes typically, AWS publishes no bound",
                None,
                _RECOVERY,
            ),
            Term("clients keep the old address of the cluster", CACHE_SECONDS, _RECOVERY),
        )
        for path in recovery_paths(compiled)
        if path.fails_over
    ]
    return max(budgets, key=_slowness, default=())


def known_seconds(terms: Collection[Term]) -> int:
    """Add up the terms that have a bound."""
    return sum(term.seconds or 0 for term in terms)


def _slowness(terms: tuple[Term, ...]) -> tuple[int, int]:
    return sum(term.seconds is None for term in terms), known_seconds(terms)


def _detection(compiled: CompiledSystem, machine: Machine) -> Term:
    known = [
        seconds
        for watcher in told_of(compiled, machine)
        for schedule in _schedules(compiled, watcher)
        if (seconds := _noticed(compiled, watcher, schedule)) is not None
    ]
    return Term(_DETECTED if known else _UNDETECTED, min(known, default=None), _PRECISION)


def _schedules(compiled: CompiledSystem, function: Located) -> Iterator[Located]:
    for schedule in compiled.view.resources(SCHEDULE):
        arn = str(inside(schedule.resource.properties, "Target", "Arn"))
        if function_of(compiled, arn) == function:
            yield schedule


def _noticed(compiled: CompiledSystem, watcher: Located, schedule: Located) -> int | None:
    """Say after how many seconds at most a watch on a schedule starts the failover.

    Between two runs nobody watches; a failure that a run does not see out is seen by the next.
    """
    gap = _gap(schedule)
    told = ("Environment", "Variables")
    failures = worst(compiled, watcher, *told, FAILURES)
    seconds = worst(compiled, watcher, *told, ROUND_SECONDS)
    stale = worst(compiled, watcher, *told, STALE_SECONDS)
    rounds = number(inside(watcher.resource.properties, *told, ROUNDS))
    if gap is None or failures is None or seconds is None or stale is None or not rounds:
        return None
    runs = math.ceil(failures / rounds)
    in_last = failures - (runs - 1) * rounds
    return math.ceil(stale + runs * gap + in_last * seconds)


def _gap(schedule: Located) -> int | None:
    """Say how far apart two runs may begin; None if that is not written down, or never."""
    properties = schedule.resource.properties
    expression = _RATE.fullmatch(str(schedule.resource.raw["Properties"].get("ScheduleExpression")))
    if expression is None or properties.get("State", "ENABLED") != "ENABLED":
        return None
    every = int(expression["count"]) * _UNIT_SECONDS[expression["unit"]]
    window = 0.0
    if inside(properties, "FlexibleTimeWindow", "Mode") != "OFF":
        minutes = number(inside(properties, "FlexibleTimeWindow", "MaximumWindowInMinutes"))
        if minutes is None:
            return None
        window = minutes * 60
    return int(every + window) + SCHEDULER_SECONDS


def _decision(machine: Machine) -> int | None:
    costs = [
        sum(_seconds(machine, state) for state in _before(machine, flow, target.name))
        for flow, target in _promotions(machine)
    ]
    slowest = max(costs, default=math.inf)
    return None if math.isinf(slowest) else math.ceil(slowest)


def _promotions(machine: Machine) -> Iterator[tuple[MachineFlow, MachineState]]:
    for flow in machine.flows:
        for state in flow.states.values():
            if operation(state) == FAILOVER:
                yield flow, state


def _before(machine: Machine, flow: MachineFlow, target: str) -> list[MachineState]:
    """List the states that may be passed before `target`, in its flow and in those around it."""
    edges = {name: set() if name == target else after for name, after in flow.edges().items()}
    passed = reachable(flow.start, edges) & finishing([target], edges) - {target}
    found = [flow.states[name] for name in sorted(passed) if name in flow.states]
    if flow.within is not None:
        around = next(each for each in machine.flows if flow.within in each.states.values())
        found += _before(machine, around, flow.within.name)
    return found


def _seconds(machine: Machine, state: MachineState) -> float:
    """Say how long a state takes at most; infinite if nothing bounds it."""
    match state.kind:
        case "Task":
            return _stated(state, "TimeoutSeconds")
        case "Wait":
            return _stated(state, "Seconds")
        case "Choice" | "Pass" | "Succeed" | "Fail":
            return 0
        case "Parallel":
            branches = [flow for flow in machine.flows if flow.within == state]
            each = [
                sum(_seconds(machine, one) for one in flow.states.values()) for flow in branches
            ]
            return max(each, default=math.inf)
    return math.inf  # a Map goes over as many items as a run is given


def _stated(state: MachineState, key: str) -> float:
    said = number(state.body.get(key))
    return math.inf if said is None else said


def _unkept(compiled: CompiledSystem) -> Iterator[Fault]:
    promised = compiled.system.objectives.database_rto
    if promised is None:
        return
    terms, rto = database_budget(compiled), promised.total_seconds()
    if not terms:
        yield Fault(
            stack="",
            what=f"promises to write its database again within {rto:.0f} s, but has no state "
            f"machine that calls {FAILOVER}",
            remedy="promise no database_rto, or add the machine that promotes the other region",
        )
    elif total(terms) > rto:
        sums = " + ".join(
            f"{'?' if term.seconds is None else term.seconds} s ({term.name})" for term in terms
        )
        yield Fault(
            stack="",
            what=f"promises to write its database again within {rto:.0f} s, but that takes {sums}",
            remedy="promise no database_rto: what AWS does not bound, nobody can promise",
        )


DATABASE_OBJECTIVES = (
    Invariant(
        code="TAP-OBJ-08",
        promise="No time is promised for the database that AWS does not bound.",
        source_url=_RECOVERY,
        check=_unkept,
    ),
)
