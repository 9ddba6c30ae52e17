"""Act one of trading-dr's drill: the primary region is lost under load."""

import json
import time
from collections.abc import Iterator
from typing import Any

from tap_templates.drill.following import wait_until
from tap_templates.drill.place import DrillError
from tap_templates.drill.report import Act, Losses, Term, between, timeline
from tap_templates.drill.trading_books import booked
from tap_templates.drill.trading_runs import FAILOVER, Run, entered
from tap_templates.drill.trading_stage import (
    CLIENTS,
    DNS,
    DRILL,
    Stage,
    leads_to,
    pause,
    settle,
)

_STARTED_SECONDS = 240.0
_ENDED_SECONDS = 300.0
_LOSS_SECONDS = 30.0


def fail_over(stage: Stage) -> Act:
    """Kill the primary region, wait for its recovery in the other, count."""
    place, options, log = stage.place, stage.options, stage.log
    began = time.time()
    stage.traffic.start(options.clients)
    log.tell(CLIENTS, f"{options.clients} clients send orders to api.{place.domain}")
    try:
        pause(options.load_seconds)
        killed = _kill(stage)
        run = Run(place, stage.wire, FAILOVER, region=place.secondary, after=killed)
        if options.is_manual:
            epoch = stage.journal(place.secondary).epoch()
            run.start(f"failover-{epoch + 1}-by-hand")
        run.await_start(seconds=_STARTED_SECONDS)
        log.tell("machine", f"{run.name} runs in {place.secondary}")
        run.await_end(seconds=_ENDED_SECONDS)
        log.tell("machine", f"{run.name} has ended")
        pause(options.load_seconds)
    finally:
        stage.traffic.stop()
    problems = (*run.problems(), *settle(stage, place.secondary))
    counted = stage.tally()
    first = stage.traffic.first(place.secondary, after=killed)
    if first is not None:
        log.note(CLIENTS, f"first order acknowledged in {place.secondary}", first)
    for at, name in run.states():
        log.note("machine", name, at)
    return Act(
        name="failover",
        timeline=timeline(log.events(after=began), since=killed),
        terms=(*_of_traffic(stage, killed, first), *_of_database(stage, killed, run)),
        tally=counted,
        losses=_losses(stage, run),
        problems=problems,
    )


def _kill(stage: Stage) -> float:
    place, options, log = stage.place, stage.options, stage.log
    if options.stall_seconds:
        before = len(booked(stage.databases, place.primary))
        stage.databases.stall()
        log.tell("postgres", "replication stalls")
        pause(options.stall_seconds)
        _await_loss(stage, before)
    told = sum(stage.traffic.acknowledged().values())
    killed = log.tell(DRILL, f"kills {place.primary} and its database; {told} orders acknowledged")
    place.control("kill", region=place.primary)
    stage.databases.kill(place.primary)
    return killed


def _await_loss(stage: Stage, before: int) -> None:
    """Wait until something is booked that the copy has not: what is not lost is not restored."""
    home = stage.place.primary
    nothing = DrillError("drill", "nothing is booked while replication stalls", "send more")
    wait_until(lambda: len(booked(stage.databases, home)) > before, nothing, seconds=_LOSS_SECONDS)


def _of_traffic(stage: Stage, killed: float, first: float | None) -> Iterator[Term]:
    there, budget = stage.place.secondary, stage.budget
    # A machine this busy may miss two health checks of a region that is well: it led there already.
    moved = stage.log.holds(DNS, leads_to(there), after=killed)
    yield Term(
        path="traffic",
        name=f"kill → the name leads to {there}",
        seconds=between(killed, moved),
        budget_seconds=budget.named,
        budget="detection by Route 53, and an allowance",
    )
    yield Term(
        path="traffic",
        name=f"kill → first order acknowledged in {there}",
        seconds=between(killed, first),
        budget_seconds=budget.accepted,
        budget="detection, allowance and TTL: what is promised",
    )


def _of_database(stage: Stage, killed: float, run: Run) -> Iterator[Term]:
    budget, states = stage.budget, run.states()
    promote, canary = entered(states, "Promote"), entered(states, "Canary")
    prepare, serve = entered(states, "Prepare"), entered(states, "Serve")
    who = "the drill" if stage.options.is_manual else "the prober"
    steps: tuple[tuple[str, float | None, float | None, int | None, str], ...] = (
        (f"kill → {who} starts the machine", killed, run.started, budget.noticed, "detection"),
        ("start → it orders the promotion", run.started, promote, budget.decided, "decision"),
        ("promotion → the cluster is the writer", promote, canary, None, ""),
        ("writer → it takes writes", canary, prepare, None, ""),
        ("replay of what was lost or waited", prepare, serve, None, "grows with what was lost"),
        ("consumers on, validated, reconciled", serve, run.ended, None, "not part of the sum"),
    )
    for name, since, until, seconds, said in steps:
        yield Term(
            path="database",
            name=name,
            seconds=between(since, until),
            budget_seconds=seconds,
            budget=said or "AWS publishes no bound",
        )


def _losses(stage: Stage, run: Run) -> Losses:
    replayed = _replayed(run.output())
    return Losses(
        lost=len(stage.marked - stage.kept),
        waiting=len(stage.waiting - stage.kept),
        restored=int(replayed.get("restored", 0)),
        replayed=int(replayed.get("applied", 0)),
    )


def _replayed(output: str | None) -> dict[str, Any]:
    found = json.loads(output) if output else {}
    said: dict[str, Any] = found.get("replayed", {}) if isinstance(found, dict) else {}
    return said
