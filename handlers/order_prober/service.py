"""One invocation of the prober: rounds of probes, each followed by what it demands.

Nothing in a round may keep the next one from taking place: what fails is counted, and stands for
the answer that is no evidence against the other region.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, assert_never

import psycopg

from aurora_access.standing import Standing
from order_prober.core import (
    Decision,
    FailBack,
    FailOver,
    MayReturn,
    Memory,
    Rest,
    Round,
    Settings,
    decide,
    wanted_consumers,
)
from order_prober.machines import run
from orders.failures import Failure
from orders.probes import HEALTHY
from orders.reports import Report
from orders.role import Role

_Found = TypeVar("_Found")

UNKNOWN = "Unknown"  # the state of consumers, if Lambda does not say it


class Told(Protocol):
    """What is told of a round in logs and metrics: `orders.watch.Watch`."""

    def say(
        self,
        message: str,
        *,
        error: object = None,
        findings: Sequence[str] = ...,
        run: object = None,
        epoch: int | None = None,
    ) -> None:
        """Write a log line."""

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a metric that counts."""


class Remembers(Protocol):
    """Where the memory is kept: `order_prober.memory.Notebook`."""

    def read(self) -> Memory: ...

    def write(self, memory: Memory) -> None: ...


class Starts(Protocol):
    """The machines of this region: `order_prober.machines.Machines`."""

    def fail_over(self, epoch: int, before: int = 0) -> bool: ...

    def fail_back(self, epoch: int, before: int = 0) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a round looks at, each a call that may raise `Failure`; probes and database do not."""

    role: Callable[[], Role]
    other_report: Callable[[], Report | None]
    write_report: Callable[[Report], None]
    set_consumers: Callable[[str | None], str]
    own_api: Callable[[], int | None]  # the status of its answer
    other_api: Callable[[], bool]
    standing: Callable[[], Standing]  # raises psycopg.Error


class Prober:
    """The prober of one region."""

    def __init__(
        self,
        settings: Settings,
        surroundings: Surroundings,
        *,
        notebook: Remembers,
        machines: Starts,
        watch: Told,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._around = surroundings
        self._notebook = notebook
        self._machines = machines
        self._watch = watch
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep

    def __call__(self) -> dict[str, Any]:
        """Do the rounds, each at its time; one that comes too late is left out."""
        began = self._monotonic()
        seconds, done = self._settings.round_seconds, []
        for number in range(self._settings.rounds):
            pause = began + number * seconds - self._monotonic()
            if pause < -seconds / 2 and number:
                self._watch.count("ProbeRoundsLeftOut")
                continue
            self._sleep(max(pause, 0.0))
            done.append(self._round())
        # Nobody waits for the answer; who wonders why nothing is done reads the log.
        self._watch.say("watched", findings=sorted({_named(each) for each in done}))
        return {"rounds": len(done), "last": _named(done[-1])}

    def _round(self) -> Decision:
        seen = self._look()
        try:
            before = self._notebook.read()
            after, decision = decide(seen, before, self._settings)
            if after != before:
                self._notebook.write(after)
        except Failure as failure:
            # Without a memory nothing is counted, so nothing is decided either.
            self._failed("memory", failure)
            return Rest("isolated")
        self._watch.count("OtherRegionUnreachable", 0 if seen.other_answers else 1)
        self._act(decision)
        return decision

    def _look(self) -> Round:
        with ThreadPoolExecutor(max_workers=2) as pool:
            own, other = pool.submit(self._around.own_api), pool.submit(self._around.other_api)
            role = self._try(self._around.role, "role")
            database = self._database(role)
        status, other_answers = own.result(), other.result()
        consumers = self._consumers(role)
        at = int(self._now())
        own_report = Report(at=at, api=status == HEALTHY, database=database, consumers=consumers)
        wrote = self._try(lambda: self._written(own_report), "report") or False
        # A report that cannot be read is none: of a region of which nothing is known, none is lost.
        report = self._try(self._around.other_report, "other report")
        return Round(
            at=at,
            wrote=wrote,
            # An API with more to do than it can, as after a failover of clients, is reached.
            sees_out=status is not None,
            other_answers=other_answers,
            own_database=database,
            role=role,
            report=report,
        )

    def _written(self, report: Report) -> bool:
        self._around.write_report(report)
        return True

    def _database(self, role: Role | None) -> bool:
        try:
            standing = self._around.standing()
        except psycopg.Error as error:
            self._watch.say("database does not answer", error=type(error).__name__)
            return False
        is_active = role is not None and role.active == self._settings.region
        return standing is Standing.WRITER or not is_active

    def _consumers(self, role: Role | None) -> str:
        wanted = None if role is None else wanted_consumers(role, self._settings.region)
        return self._try(lambda: self._around.set_consumers(wanted), "consumers") or UNKNOWN

    def _act(self, decision: Decision) -> None:
        match decision:
            case Rest():
                return
            case FailOver(epoch, why, before):
                name = run("failover", epoch, before)
                self._start(lambda: self._machines.fail_over(epoch, before), name, why)
            case FailBack(epoch, before):
                name = run("failback", epoch, before)
                self._start(lambda: self._machines.fail_back(epoch, before), name, "home")
            case MayReturn():
                self._watch.count("ReturnPossible")
            case never:
                assert_never(never)

    def _start(self, start: Callable[[], bool], run: str, why: str) -> None:
        started = self._try(start, "machine")
        if started:
            self._watch.count("MachinesStarted")
            self._watch.say("machine started", run=run, findings=(why,))

    def _try(self, act: Callable[[], _Found], what: str) -> _Found | None:
        try:
            return act()
        except Failure as failure:
            self._failed(what, failure)
            return None

    def _failed(self, what: str, failure: Failure) -> None:
        self._watch.count("ProbeFailures")
        error = type(failure).__name__
        self._watch.say("probe failed", error=error, findings=(what, *failure.findings))


def _named(decision: Decision) -> str:
    return decision.why if isinstance(decision, Rest) else type(decision).__name__
