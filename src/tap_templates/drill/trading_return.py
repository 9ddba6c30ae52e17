"""Act two of trading-dr's drill: the orders go home, and nothing is lost on the way."""

import time

from tap_templates.drill.following import wait_until
from tap_templates.drill.place import DrillError
from tap_templates.drill.report import Act, Term, between, timeline
from tap_templates.drill.trading_runs import FAILBACK, Run, entered
from tap_templates.drill.trading_stage import (
    CLIENTS,
    DNS,
    DRILL,
    Stage,
    leads_to,
    led_to,
    pause,
    settle,
)

_SECONDS = 180.0


def fail_back(stage: Stage) -> Act:
    """Heal the primary region, rebuild its database as a copy, run the machine, count."""
    place, options, log = stage.place, stage.options, stage.log
    home, away = place.primary, place.secondary
    began = time.time()
    stage.databases.rebuild(home)
    log.tell("postgres", f"the server of {home} is made anew, and copies that of {away}")
    place.control("heal", region=home)
    log.tell(DRILL, f"heals {home}")
    _await_ready(stage)
    stage.traffic.start(options.clients)
    try:
        pause(options.load_seconds)
        started = log.tell(DRILL, "starts the return: somebody has approved it")
        run = Run(place, stage.wire, FAILBACK, region=away, after=started)
        run.start(f"failback-{stage.journal(away).epoch() + 1}-by-hand")
        run.await_start(seconds=_SECONDS)
        run.await_end(seconds=_SECONDS)
        log.tell("machine", f"{run.name} has ended")
        problems = (*run.problems(), *_await_name(stage))
        pause(options.load_seconds)
    finally:
        stage.traffic.stop()
    problems = (*problems, *settle(stage, home))
    states = run.states()
    for at, name in states:
        log.note("machine", name, at)
    paused, served = entered(states, "DisableConsumers"), entered(states, "AwaitReturned")
    first = stage.traffic.first(home, after=started)
    if first is not None:
        log.note(CLIENTS, f"first order acknowledged in {home}", first)
    moved = log.first(DNS, leads_to(home), after=started)
    return Act(
        name="failback",
        timeline=timeline(log.events(after=began), since=started),
        terms=(
            Term(
                path="database",
                name="nobody applies orders, which wait in the journal",
                seconds=between(paused, served),
                budget="AWS publishes no bound of a switchover",
            ),
            Term(path="database", name="the machine in all", seconds=between(started, run.ended)),
            Term(
                path="traffic",
                name=f"start → the name leads to {home}",
                seconds=between(started, moved),
            ),
        ),
        tally=stage.tally(),
        problems=problems,
    )


def _await_ready(stage: Stage) -> None:
    """Wait until the region that has the orders thinks the other ready to have them back."""
    place = stage.place
    asked = {"operation": "ready-to-return"}

    def is_ready() -> bool:
        good, _ = place.invoke(stage.wire, place.secondary, "order-recovery", asked)
        return good

    never = DrillError("drill", f"{place.primary} is not ready to return", "run with --keep")
    wait_until(is_ready, never, seconds=_SECONDS, every=1.0)
    stage.log.tell(DRILL, f"{place.secondary} finds {place.primary} ready")


def _await_name(stage: Stage) -> tuple[str, ...]:
    home = leads_to(stage.place.primary)
    never = DrillError("drill", "the name does not return", "look at its health checks")
    try:
        wait_until(lambda: led_to(stage.place) == home, never, seconds=60.0)
    except DrillError as error:
        return (error.what,)
    return ()
