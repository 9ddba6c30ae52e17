"""`tap drill`: lose a region of a system on the local engine, and show what became of the orders.

What happens is told on standard error, the report goes to standard output. It exits with 1 if an
acknowledged order is missing or there twice, or if anything is left when all was destroyed.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tap_templates.errors import UsageError

if TYPE_CHECKING:
    from tap_templates.drill.place import Place
    from tap_templates.drill.report import Report

TRADING = "trading-dr"
# Systems whose drill is no command: it drives the function's own code, without templates.
_ELSEWHERE = {"payments-dr": ".venv/bin/python scripts/payments_drill.py"}
_SECONDS = click.FloatRange(min=0.0, max=600.0)


@click.command(epilog="Example: tap drill --system trading-dr --failback")
@click.option("--system", default=TRADING, show_default=True, metavar="NAME")
@click.option("--clients", type=click.IntRange(1, 50), default=4, show_default=True)
@click.option(
    "--load", type=_SECONDS, default=3.0, show_default=True, help="Seconds before and after."
)
@click.option(
    "--stall", type=_SECONDS, default=1.0, show_default=True, help="Seconds of lag at the kill."
)
@click.option("--manual", is_flag=True, help="Start the machine; do not wait for the prober.")
@click.option("--failback", is_flag=True, help="A second act: heal the region, and return.")
@click.option(
    "--no-replay-control",
    is_flag=True,
    help="Leave out the replay: orders must be missing then, or the drill proves nothing.",
)
@click.option("--keep", is_flag=True, help="Stop at the end, and destroy only when interrupted.")
@click.option("--engine", default="drill", show_default=True, help="Name of the local engine.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def drill(
    find: Callable[[], Path],
    *,
    system: str,
    clients: int,
    load: float,
    stall: float,
    manual: bool,
    failback: bool,
    no_replay_control: bool,
    keep: bool,
    engine: str,
    form: str,
) -> int:
    """Kill a region under load on the local engine, with real handlers and databases.

    Needs the packages of the development environment (`make drill` sees to them).
    """
    _check(system)
    if failback and no_replay_control:
        raise UsageError(
            "--failback", "is no part of the control, which loses orders", "leave one of them out"
        )
    from tap_templates import wiring_drill
    from tap_templates.drill import trading_dr
    from tap_templates.drill.trading_stage import Options

    options = Options(
        clients=clients,
        load_seconds=load,
        stall_seconds=stall,
        is_manual=manual,
        replays=not no_replay_control,
        returns=failback,
    )
    wanted = wiring_drill.Wanted(system=system, engine=engine)
    with wiring_drill.stage(find(), wanted, _say, _keeper(keep=keep)) as (place, means):
        shown = trading_dr.drill(place, options, means)
    if form == "json":
        click.echo(json.dumps(shown.to_json(), indent=2, default=str))
    else:
        _show(shown)
    return 0 if shown.passes else 1


def _check(system: str) -> None:
    if system == TRADING:
        return
    elsewhere = "; ".join(f"{name} has `{command}`" for name, command in _ELSEWHERE.items())
    raise UsageError(
        f"system {system!r}", "has no drill here", f"name --system {TRADING}; {elsewhere}"
    )


def _say(text: str) -> None:
    click.echo(text, err=True)


def _keeper(*, keep: bool) -> "Callable[[Place, Report], None]":
    def wait(place: "Place", report: "Report") -> None:
        if not keep:
            return
        _say(report.verdict)
        _say(f"kept at {place.engine.endpoint_url}, log {place.engine.log}; Ctrl-C destroys it")
        try:
            while True:
                time.sleep(1)
        except KeyboardInterrupt:
            _say("destroying ...")

    return wait


def _show(shown: "Report") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)

    def table(title: str, *columns: str) -> Table:
        made = Table(title=title, title_justify="left", box=None, pad_edge=False)
        for column in columns:
            made.add_column(column, overflow="fold")
        return made

    for act in shown.acts:
        events = table(f"\n{act.name}: what happened", "seconds", "who", "what")
        for event in act.timeline:
            events.add_row(f"{event.at:8.2f}", event.who, event.what)
        console.print(events)
        terms = table(
            f"\n{act.name}: how long it took here, and may take on AWS",
            *("path", "from → to", "here", "on AWS", "of what"),
        )
        for term in act.terms:
            here = "never" if term.seconds is None else f"{term.seconds:.2f} s"
            there = "?" if term.budget_seconds is None else f"{term.budget_seconds} s"
            terms.add_row(term.path, term.name, here, there, term.budget)
        console.print(terms)
        told = ", ".join(f"{count} in {name}" for name, count in act.tally.acknowledged.items())
        console.print(f"\nacknowledged: {told}; in the database: {act.tally.booked}")
        if act.losses:
            lost = act.losses
            console.print(
                f"lost by replication: {lost.lost}, not yet applied at the promotion: "
                f"{lost.waiting}; restored by the replay: {lost.restored} of {lost.replayed}"
            )
    changed = ", ".join(f"{name}={value}" for name, value in shown.shortened.items())
    console.print(f"\nshortened for this machine: {changed}")
    for text in shown.simulated:
        console.print(f"not AWS: {text}")
    console.print(f"\n{shown.system}: {shown.verdict}", style=None if shown.passes else "bold red")
