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
from tap_templates.report_rollout import (
    Answer,
    Teller,
    show_coverage,
    show_left,
    show_outcome,
)

if TYPE_CHECKING:
    from tap_templates.wiring_rollout import Rollout

Find = Callable[[], Path]
DIFFERS = 2


def _target(command: Callable[..., int]) -> Callable[..., int]:
    """Add what all verbs of the rollout share."""
    for option in (
        click.option("--system", "systems", multiple=True, metavar="NAME", help="Repeatable."),
        click.option(
            "--env", "suffix", default="dev", show_default=True, envvar="TAP_ENV", help="Suffix."
        ),
        click.option(
            "--target",
            type=click.Choice(["aws", "local"]),
            default="aws",
            show_default=True,
            envvar="TAP_TARGET",
        ),
        click.option("--account", envvar="TAP_ACCOUNT", help="Refuse any other account."),
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="NAME=VALUE",
            help="A parameter; repeatable.",
        ),
        click.option(
            "--regions",
            "pair",
            envvar="TAP_REGIONS",
            metavar="PRIMARY,SECONDARY[,WITNESS]",
            help="What was compiled for these.",
        ),
        click.option("--profile", help="Of the AWS configuration of this machine."),
        click.option("--format", "form", type=click.Choice(["text", "json"]), default="text"),
    ):
        command = option(command)
    return click.pass_obj(command)


_REGION = click.option(
    "--region", default="all", show_default=True, envvar="TAP_REGION", help="One, or all for both."
)
_YES = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


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
    with Answer(form) as answer:
        for each in _rollouts(find(), choice, one_plan=out is not None):
            made = plan_rollout(each.desired, each.cloud, _options(region))
            answer.plan(made, each.desired)
            if out:
                out.write_text(json.dumps(made.to_json(), indent=2) + "\n")
            code = max(
                code, 1 if made.blocked else DIFFERS if exit_code and not made.is_empty else 0
            )
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
    with Answer(form) as answer:
        for each in _rollouts(find(), choice, one_plan=saved is not None):
            _bootstrap(each, yes=yes)
            means = _means(each)
            joined = join(each.desired, each.cloud, means)
            if joined:
                return show_outcome(joined, form)
            made = reviewed or plan_rollout(each.desired, each.cloud, _options(region, approve))
            answer.plan(made, each.desired)
            if made.is_empty:
                show_coverage(each, form)
                continue
            if not made.blocked:
                _confirm(f"apply this plan to account {made.account}?", yes=yes)
            code = show_outcome(apply(made, each.desired, each.cloud, means), form)
            if code:
                return code
            show_coverage(each, form)
    return 0


@click.command(epilog="Example: tap status --target local")
@_target
def status(find: Find, *, form: str, **choice: Any) -> int:
    """Show every stack in every region: its state, whether it is ours, the last operation."""
    from tap_templates.deploy.observed import observe
    from tap_templates.deploy.status import status as rows_of

    good = True
    with Answer(form) as answer:
        for each in _rollouts(find(), choice):
            rows = rows_of(each.desired, observe(each.cloud, each.desired))
            good = good and all(row.is_good for row in rows)
            shown = (
                *("stack", "region", "status", "is_ours", "content_sha256", "drift"),
                *("operation_status", "reason"),
            )
            answer.rows("tap.status/1", each.desired.system, [asdict(row) for row in rows], shown)
    return 0 if good else 1


@click.command(epilog="Example: tap drift --target local")
@_target
def drift(find: Find, *, form: str, **choice: Any) -> int:
    """Ask each stack what differs from its template; exit code 1 if anything does."""
    from tap_templates.deploy.drift import drift as rows_of

    found = False
    with Answer(form) as answer:
        for each in _rollouts(find(), choice):
            rows = [asdict(row) for row in rows_of(each.desired, each.cloud, each.pace)]
            found = found or any(row["status"] == "DRIFTED" for row in rows)
            answer.rows("tap.drift/1", each.desired.system, rows, tuple(rows[0]) if rows else ())
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

    with Answer(form) as answer:
        for each in _rollouts(find(), choice):
            means = _means(each)
            joined = join(each.desired, each.cloud, means)
            if joined and joined.exit_code == 130:  # a failed operation is what one rolls back
                return show_outcome(joined, form)
            made, back = plan_rollback(each.desired, each.cloud, _options(region, approve))
            answer.plan(made, back)
            if made.is_empty:
                continue
            if not made.blocked:
                _confirm(f"apply this plan to account {made.account}?", yes=yes)
            code = show_outcome(apply(made, back, each.cloud, means), form)
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
    with Answer(form) as answer:
        for each in reversed(list(_rollouts(find(), choice))):
            means = _means(each)
            joined = join(each.desired, each.cloud, means)
            if joined and joined.exit_code == 130:
                return show_outcome(joined, form)
            made = plan_destroy(each.desired, each.cloud, _options("all", approve))
            answer.plan(made, each.desired)
            if not made.is_empty:
                if not made.blocked:
                    _confirm(f"DELETE all this in account {made.account}?", yes=yes)
                outcome = apply(made, each.desired, each.cloud, means)
                code = show_outcome(outcome, form, "done: the stacks are gone")
                if code:
                    return code
            left = leftovers(each.desired, each.cloud)
            clean = clean and left.is_clean and not made.retained
            show_left(each.desired.system, left, made, form)
    return 0 if clean else 1


def _rollouts(root: Path, choice: dict[str, Any], *, one_plan: bool = False) -> "Iterator[Rollout]":
    from tap_templates import pairs, wiring, wiring_rollout

    choice["pair"] = pairs.read_pair(choice["pair"]) if choice["pair"] else None
    systems = wiring.load_systems(root, choice.pop("systems"), choice["pair"])
    chosen = wiring_rollout.workloads(systems)
    if one_plan and len(chosen) != 1:
        raise UsageError(
            "a saved plan", f"is of one system, not of {len(chosen)}", "name it with --system"
        )
    target = wiring_rollout.Choice(**choice)
    wiring_rollout.check_settings(root, chosen, target)
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

    return Means(pace=each.pace, observer=Teller())


def _bootstrap(each: "Rollout", *, yes: bool) -> None:
    from tap_templates.deploy.bootstrap import bootstrap, missing
    from tap_templates.deploy.observed import check_account

    check_account(each.cloud, each.desired)
    todo = missing(each.bootstrap, each.cloud)
    if not todo:
        return
    for stack in todo:
        text = f"bootstrap {stack.name} in {stack.region}: the account needs it once"
        click.echo(text, err=True)
    _confirm("roll the bootstrap out?", yes=yes)
    bootstrap(
        each.bootstrap, each.cloud, each.wire, each.pace, lambda text: click.echo(text, err=True)
    )


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
