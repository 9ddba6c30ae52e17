"""`tap plan | deploy | status | drift | rollback | destroy`: the rollout's face.

Plans and tables go to standard output, what happens meanwhile to standard error. Nothing is asked
where nobody sits at a terminal: it is refused, with the flag that would answer.
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tap_templates.errors import UsageError

if TYPE_CHECKING:
    from tap_templates.deploy.desired import Desired
    from tap_templates.deploy.destroy import Leftovers
    from tap_templates.deploy.events import Event, Outcome
    from tap_templates.deploy.plan import Plan
    from tap_templates.wiring_rollout import Rollout

Find = Callable[[], Path]
DIFFERS = 2


def _target(command: Callable[..., int]) -> Callable[..., int]:
    """Add what all verbs of the rollout share."""
    for option in (
        click.option("--system", "systems", multiple=True, metavar="NAME", help="Repeatable."),
        click.option(
            "--env", "suffix", default="dev", show_default=True, envvar="ENV", help="Suffix."
        ),
        click.option(
            "--target",
            type=click.Choice(["aws", "local"]),
            default="aws",
            show_default=True,
            envvar="TARGET",
        ),
        click.option("--account", envvar="TAP_ACCOUNT", help="Refuse any other account."),
        click.option("--profile", help="Of the AWS configuration of this machine."),
        click.option(
            "--format", "form", type=click.Choice(["text", "json"]), default="text", hidden=False
        ),
    ):
        command = option(command)
    return click.pass_obj(command)


_REGION = click.option(
    "--region", default="all", show_default=True, envvar="REGION", help="One, or all for both."
)
_YES = click.option("--yes", "-y", is_flag=True, envvar="YES", help="Do not ask.")


@click.command(epilog="Example: tap plan --target local --out plan.json")
@_REGION
@click.option("--out", type=click.Path(path_type=Path), help="Save it for `tap deploy --plan`.")
@click.option("--exit-code", is_flag=True, help="Exit with 2 if there is something to do.")
@_target
def plan(
    find: Find, *, region: str, out: Path | None, exit_code: bool, form: str, **choice: Any
) -> int:
    """Say what a deploy would do, per stack and region, and why. Writes nothing to AWS."""
    from tap_templates.deploy.rollout import plan_rollout

    code = 0
    for each in _rollouts(find(), choice):
        made = plan_rollout(each.desired, each.cloud, _options(region))
        _show_plan(made, each.desired, form)
        if out:
            out.write_text(json.dumps(made.to_json(), indent=2) + "\n")
        code = max(code, 1 if made.blocked else DIFFERS if exit_code and not made.is_empty else 0)
    return code


@click.command(epilog="Example: tap deploy --target local --yes")
@_REGION
@_YES
@click.option("--plan", "saved", type=click.Path(path_type=Path), help="Apply exactly this one.")
@click.option("--approve", multiple=True, metavar="DIGEST", help="Agree to this loss of state.")
@_target
def deploy(
    find: Find,
    *,
    region: str,
    yes: bool,
    saved: Path | None,
    approve: tuple[str, ...],
    form: str,
    **choice: Any,
) -> int:
    """Bring the target to what is compiled; go on where an earlier run stopped."""
    from tap_templates.deploy.executor import apply
    from tap_templates.deploy.plan import Plan
    from tap_templates.deploy.rollout import join, plan_rollout

    reviewed = Plan.from_json(_read_json(saved)) if saved else None
    for each in _rollouts(find(), choice):
        _bootstrap(each, yes=yes)
        means = _means(each)
        joined = join(each.desired, each.cloud, means)
        if joined:
            return _show_outcome(joined)
        made = reviewed or plan_rollout(each.desired, each.cloud, _options(region, approve))
        _show_plan(made, each.desired, form)
        if made.is_empty:
            _show_coverage(each)
            continue
        if not made.blocked:
            _confirm(f"apply this plan to account {made.account}?", yes=yes)
        code = _show_outcome(apply(made, each.desired, each.cloud, means))
        if code:
            return code
        _show_coverage(each)
    return 0


@click.command(epilog="Example: tap status --target local")
@_target
def status(find: Find, *, form: str, **choice: Any) -> int:
    """Show every stack in every region: its state, whether it is ours, the last operation."""
    from tap_templates.deploy.observed import observe
    from tap_templates.deploy.status import status as rows_of

    good = True
    for each in _rollouts(find(), choice):
        rows = rows_of(each.desired, observe(each.cloud, each.desired))
        good = good and all(row.is_good for row in rows)
        shown = (
            *("stack", "region", "status", "is_ours", "content_sha256", "drift"),
            *("operation_status", "reason"),
        )
        _show_rows("tap.status/1", [asdict(row) for row in rows], shown, form)
    return 0 if good else 1


@click.command(epilog="Example: tap drift --target local")
@_target
def drift(find: Find, *, form: str, **choice: Any) -> int:
    """Ask each stack what differs from its template; exit code 1 if anything does."""
    from tap_templates.deploy.drift import drift as rows_of

    found = False
    for each in _rollouts(find(), choice):
        rows = [asdict(row) for row in rows_of(each.desired, each.cloud, each.pace)]
        found = found or any(row["status"] == "DRIFTED" for row in rows)
        _show_rows("tap.drift/1", rows, tuple(rows[0]) if rows else (), form)
    return 1 if found else 0


@click.command(epilog="Example: tap rollback --system trading-events")
@_REGION
@_YES
@click.option("--approve", multiple=True, metavar="DIGEST", help="Agree to this loss of state.")
@_target
def rollback(
    find: Find, *, region: str, yes: bool, approve: tuple[str, ...], form: str, **choice: Any
) -> int:
    """Put back the release before the one that is deployed."""
    from tap_templates.deploy.executor import apply
    from tap_templates.deploy.rollback import plan_rollback
    from tap_templates.deploy.rollout import join

    for each in _rollouts(find(), choice):
        means = _means(each)
        joined = join(each.desired, each.cloud, means)
        if joined and joined.exit_code == 130:  # a failed operation is what one rolls back
            return _show_outcome(joined)
        made, back = plan_rollback(each.desired, each.cloud, _options(region, approve))
        _show_plan(made, back, form)
        if made.is_empty:
            continue
        if not made.blocked:
            _confirm(f"apply this plan to account {made.account}?", yes=yes)
        code = _show_outcome(apply(made, back, each.cloud, means))
        if code:
            return code
    return 0


@click.command(epilog="Example: tap destroy --target local --yes")
@_YES
@click.option("--approve", multiple=True, metavar="DIGEST", help="Agree to this loss of state.")
@_target
def destroy(find: Find, *, yes: bool, approve: tuple[str, ...], form: str, **choice: Any) -> int:
    """Delete what was rolled out, in reverse; list what is left, and exit with 1 if anything is."""
    from tap_templates.deploy.destroy import leftovers, plan_destroy
    from tap_templates.deploy.executor import apply
    from tap_templates.deploy.rollout import join

    clean = True
    for each in reversed(list(_rollouts(find(), choice))):
        means = _means(each)
        joined = join(each.desired, each.cloud, means)
        if joined and joined.exit_code == 130:
            return _show_outcome(joined)
        made = plan_destroy(each.desired, each.cloud, _options("all", approve))
        _show_plan(made, each.desired, form)
        if not made.is_empty:
            if not made.blocked:
                _confirm(f"DELETE all this in account {made.account}?", yes=yes)
            outcome = apply(made, each.desired, each.cloud, means)
            code = _show_outcome(outcome, "done: the stacks are gone")
            if code:
                return code
        left = leftovers(each.desired, each.cloud)
        clean = clean and left.is_clean and not made.retained
        _show_left(each.desired.system, left, made)
    return 0 if clean else 1


def _show_left(system: str, left: "Leftovers", made: "Plan") -> None:
    if left.is_clean and not made.retained:
        click.echo(f"left of {system}: nothing that carries its name or tags")
        return
    click.echo(f"left of {system}:")
    for each in made.retained:
        click.echo(
            f"  {each.resource_type} {each.physical_id} of {each.stack} in {each.region}: "
            "retained on purpose; delete it by hand if it is not needed"
        )
    if not left.is_clean:
        click.echo(json.dumps(asdict(left), indent=2, default=str))


def _rollouts(root: Path, choice: dict[str, Any]) -> "Iterator[Rollout]":
    from tap_templates import wiring, wiring_rollout

    chosen = wiring_rollout.workloads(wiring.load_systems(root, choice.pop("systems")))
    target = wiring_rollout.Choice(**choice)
    for system in chosen:
        yield wiring_rollout.rollout(root, system, target)


def _options(region: str, approved: tuple[str, ...] = ()) -> Any:
    from tap_templates.deploy.planner import Options

    return Options(
        region=None if region == "all" else region,
        approved=frozenset(approved),
        # Operations are named after the plan, and AWS remembers names: this tells a plan from an
        # equal one of another time.
        made=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _means(each: "Rollout") -> Any:
    from tap_templates.deploy.running import Means

    return Means(pace=each.pace, observer=_Teller())


def _bootstrap(each: "Rollout", *, yes: bool) -> None:
    from tap_templates.deploy.bootstrap import bootstrap, missing
    from tap_templates.deploy.observed import check_account

    check_account(each.cloud, each.desired)
    todo = missing(each.bootstrap, each.cloud)
    if not todo:
        return
    for stack in todo:
        click.echo(f"bootstrap {stack.name} in {stack.region}: the account needs it once")
    _confirm("roll the bootstrap out?", yes=yes)
    bootstrap(
        each.bootstrap, each.cloud, each.wire, each.pace, lambda text: click.echo(text, err=True)
    )


class _Teller:
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


def _show_plan(made: "Plan", desired: "Desired", form: str) -> None:
    if form == "json":
        click.echo(json.dumps(made.to_json(), indent=2))
        return
    rows = [
        {
            **asdict(change),
            "template": desired.stack(change.stack).template_sha256,
            "resources": len(json.loads(desired.stack(change.stack).template)["Resources"]),
        }
        for change in made.changes
    ]
    shown = ("stack", "region", "action", "reason", "template", "resources")
    _show_rows("tap.plan/1", rows, shown, form)
    for approval in made.approvals:
        mark = "approved" if approval.approved else f"needs --approve {approval.digest}"
        click.echo(f"{approval.stack} {approval.logical_id}: {approval.what} ({mark})")
    for each in made.retained:
        click.echo(f"{each.stack} {each.logical_id} in {each.region} stays: its policy is Retain")
    for stack, region in made.outdated:
        click.echo(f"{stack} in {region} stays as it is and will be OUTDATED")
    verdict = "blocked" if made.blocked else f"{len(made.steps)} steps"
    click.echo(f"{made.verb} {made.system}: {'nothing to do' if made.is_empty else verdict}")


def _show_rows(schema: str, rows: list[dict[str, Any]], shown: tuple[str, ...], form: str) -> None:
    if form == "json":
        click.echo(json.dumps({"schema": schema, "rows": rows}, indent=2, default=str))
        return
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


def _show_outcome(outcome: "Outcome", done: str = _CURRENT) -> int:
    from tap_templates.deploy.events import Detached, Failed, Succeeded

    match outcome:
        case Succeeded():
            click.echo(done)
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


def _show_coverage(each: "Rollout") -> None:
    if not each.is_local:
        return
    from tap_templates.local.support import coverage

    types = [
        resource["Type"]
        for stack, template in zip(each.desired.stacks, each.templates, strict=True)
        for _ in stack.regions
        for resource in template["Resources"].values()
    ]
    click.echo(f"local engine: {coverage(types).text}")


def _confirm(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("confirmation", f"cannot be asked here: {question}", "say --yes")
    click.confirm(question, abort=True, err=True)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(str(path), f"cannot be read: {error}", "name a saved plan") from error
    return found


COMMANDS = (plan, deploy, status, drift, rollback, destroy)
