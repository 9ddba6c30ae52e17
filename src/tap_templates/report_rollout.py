"""What a person or a program sees of a rollout: the plan, the rows, what happens, how it ended.

Plans and tables go to standard output, what happens meanwhile to standard error.
"""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

import click

if TYPE_CHECKING:
    from tap_templates.deploy.desired import Desired
    from tap_templates.deploy.destroy import Leftovers
    from tap_templates.deploy.events import Event, Outcome
    from tap_templates.deploy.plan import Plan
    from tap_templates.wiring_rollout import Rollout


class Teller:
    """Tells on standard error what happens, a line an event."""

    def saw(self, event: "Event") -> None:
        from tap_templates.deploy.events import (
            Failure,
            GateWaiting,
            OperationSeen,
            RegionSeen,
            StepDone,
            StepStarted,
        )
        from tap_templates.deploy.steps import word

        match event:
            case StepStarted(number=number, total=total, step=step):
                text = f"[{number}/{total}] {word(step)}"
                text += f" {getattr(step, 'stack', '') or getattr(step, 'package', '')}"
            case StepDone():
                return
            case OperationSeen(stack=stack, status=status):
                text = f"  {stack}: {status}"
            case RegionSeen(stack=stack, region=region, status=status, reason=reason):
                text = f"  {stack} {region}: {status} {reason}".rstrip()
            case Failure(stack=stack, region=region, logical_id=logical_id, reason=reason):
                text = f"  {stack} {region}: FAILED {logical_id} {reason}"
            case GateWaiting(region=region, reasons=reasons):
                text = f"  {region} is not healthy yet: {'; '.join(reasons)}"
        click.echo(text, err=True)


class Answer:
    """What a command says on standard output; with json, one document for all systems.

    Use it in a `with` block: a plan is told even if what follows fails.
    """

    def __init__(self, form: str) -> None:
        self._form = form
        self._plans: list[dict[str, Any]] = []
        self._schema = ""
        self._rows: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        document: dict[str, Any] | None = None
        if len(self._plans) == 1:
            document = self._plans[0]
        elif self._plans:
            document = {"schema": self._plans[0]["schema"], "systems": self._plans}
        elif self._schema:
            document = {"schema": self._schema, "rows": self._rows}
        if document is not None:
            click.echo(json.dumps(document, indent=2, default=str))

    def plan(self, made: "Plan", desired: "Desired") -> None:
        """Tell a plan."""
        if self._form == "json":
            self._plans.append(made.to_json())
        else:
            _show_plan(made, desired)

    def rows(
        self, schema: str, system: str, rows: list[dict[str, Any]], shown: tuple[str, ...]
    ) -> None:
        """Tell a table of a system; `shown` are the columns that a person sees."""
        rows = [{"system": system, **row} for row in rows]
        if self._form == "json":
            self._schema = schema
            self._rows += rows
        elif rows:
            _show_rows(rows, ("system", *shown))


def _show_plan(made: "Plan", desired: "Desired") -> None:
    rows = [
        {
            **asdict(change),
            "template": desired.stack(change.stack).template_sha256,
            "resources": len(json.loads(desired.stack(change.stack).template)["Resources"]),
        }
        for change in made.changes
    ]
    _show_rows(rows, ("stack", "region", "action", "reason", "template", "resources"))
    for approval in made.approvals:
        mark = "approved" if approval.approved else f"needs --approve {approval.digest}"
        click.echo(f"{approval.stack} {approval.logical_id}: {approval.what} ({mark})")
    for each in made.retained:
        click.echo(f"{each.stack} {each.logical_id} in {each.region} stays: its policy is Retain")
    for stack, region in made.outdated:
        click.echo(f"{stack} in {region} stays as it is and will be OUTDATED")
    verdict = "blocked" if made.blocked else f"{len(made.steps)} steps"
    click.echo(f"{made.verb} {made.system}: {'nothing to do' if made.is_empty else verdict}")


def _show_rows(rows: list[dict[str, Any]], shown: tuple[str, ...]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in shown:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in shown))
    Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(table)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return text[:12] if len(text) == 64 else text  # a digest: its beginning tells it


_CURRENT = "done: every instance is CURRENT with the release"


def show_outcome(outcome: "Outcome", form: str, done: str = _CURRENT) -> int:
    from tap_templates.deploy.events import Detached, Failed, Succeeded

    match outcome:
        case Succeeded():
            _tell(done, form)
        case Failed(stack=stack, what=what, remedy=remedy, failures=failures):
            click.echo(f"error: {stack}: {what}", err=True)
            for each in failures:
                click.echo(
                    f"  {each.region}: {each.logical_id or each.status} {each.reason}", err=True
                )
            click.echo(f"  do: {remedy}", err=True)
        case Detached(stack=stack, operation_id=operation_id):
            running = f"; {stack} goes on as {operation_id}" if operation_id else ""
            click.echo(f"interrupted{running}; the same command joins it", err=True)
    return int(outcome.exit_code)


def show_coverage(each: "Rollout", form: str) -> None:
    if not each.is_local:
        return
    from tap_templates.local.support import coverage

    types = [
        resource["Type"]
        for stack, template in zip(each.desired.stacks, each.templates, strict=True)
        for _ in stack.regions
        for resource in template["Resources"].values()
    ]
    _tell(f"local engine: {coverage(types).text}", form)


def show_left(system: str, left: "Leftovers", made: "Plan", form: str) -> None:
    if left.is_clean and not made.retained:
        _tell(f"left of {system}: nothing that carries its name or tags", form)
        return
    _tell(f"left of {system}:", form)
    for each in made.retained:
        _tell(
            f"  {each.resource_type} {each.physical_id} of {each.stack} in {each.region}: "
            "retained on purpose; delete it by hand if it is not needed",
            form,
        )
    if not left.is_clean:
        _tell(json.dumps(asdict(left), indent=2, default=str), form)


def _tell(text: str, form: str) -> None:
    # With json, standard output is the plan and nothing else: one document.
    click.echo(text, err=form == "json")
