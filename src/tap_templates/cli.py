"""The `tap` command: parse, call, print, exit code. Nothing is decided here.

Results go to standard output, progress and errors to standard error. Exit codes: 0 done, 1 an
error or something found, 2 differences (on request), 3 refused by policy, 64 usage,
130 interrupted, 143 terminated.
"""

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import click

from tap_templates import __version__
from tap_templates.cli_diff import diff
from tap_templates.cli_drill import drill
from tap_templates.cli_local import local
from tap_templates.cli_rollout import COMMANDS
from tap_templates.errors import TapError

USAGE = 64
INTERRUPTED = 130
TERMINATED = 143


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tap")
@click.option(
    "--root", type=click.Path(path_type=Path), help="The project; default: found upwards."
)
@click.pass_context
def tap(context: click.Context, root: Path | None) -> None:
    """Compile, check and roll out the CloudFormation templates of systems that span two regions."""
    from tap_templates.wiring import find_root

    context.obj = lambda: find_root((root or Path.cwd()).resolve())


def _common(command: Callable[..., int]) -> Callable[..., int]:
    """Add what all commands over systems share."""
    command = click.option(
        "--system", "systems", multiple=True, metavar="NAME", help="Only this one; repeatable."
    )(command)
    command = click.option(
        "--regions",
        "pair",
        envvar="TAP_REGIONS",
        metavar="PRIMARY,SECONDARY[,WITNESS]",
        help="Compile for these instead, into build/regions/.",
    )(command)
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="json: one document on standard output.",
    )(command)


@tap.command(epilog="Example: tap templates --system trading-events")
@_common
@click.option("--check", is_flag=True, help="Write nothing; fail if build/templates/ is stale.")
@click.pass_obj
def templates(
    find: Callable[[], Path], systems: tuple[str, ...], form: str, pair: str | None, *, check: bool
) -> int:
    """Compile, lint, check and package the systems into build/."""
    from tap_templates import pairs, report, wiring
    from tap_templates.compiler.pipeline import compile_systems

    root, other = find(), pairs.read_pair(pair) if pair else None
    with report.progress() as progress:
        chosen = wiring.load_systems(root, systems, other)
        run = compile_systems(
            wiring.compilation(root, chosen, progress, write=not check, pair=other)
        )
    report.templates(run, form=form, check=check)
    return 1 if run.findings or (check and run.changes) else 0


@tap.command(epilog="Example: tap check --privileges")
@_common
@click.option("--privileges", is_flag=True, help="List what every role may do, and why.")
@click.pass_obj
def check(
    find: Callable[[], Path],
    systems: tuple[str, ...],
    form: str,
    pair: str | None,
    *,
    privileges: bool,
) -> int:
    """Lint and prove the systems without packaging or writing anything."""
    from tap_templates import pairs, report, wiring
    from tap_templates.compiler.pipeline import CHECKS, compile_systems

    root, other = find(), pairs.read_pair(pair) if pair else None
    with report.progress() as progress:
        chosen = wiring.load_systems(root, systems, other)
        run = compile_systems(wiring.compilation(root, chosen, progress, write=False), CHECKS)
    report.check(run, form=form, privileges=privileges)
    return 1 if run.findings else 0


@tap.command(epilog="Example: tap lint --regions us-east-1,us-west-2 template.yaml")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--regions", default="us-east-1", show_default=True, help="Lint for these, comma-separated."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def lint(files: tuple[Path, ...], regions: str, form: str) -> int:
    """Lint template FILES with cfn-lint, our rules and our configuration."""
    from tap_templates import report, wiring

    with report.progress() as progress:
        findings = wiring.lint_files(files, [each.strip() for each in regions.split(",")], progress)
    report.findings_only("tap.lint/1", findings, form=form)
    return 1 if findings else 0


tap.add_command(diff)
tap.add_command(drill)
tap.add_command(local)
for _command in COMMANDS:
    tap.add_command(_command)


class _TerminatedError(BaseException):
    """Somebody asked the process to end."""


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise _TerminatedError


def _tell(error: TapError) -> None:
    click.echo(f"error: {error}\n  do: {error.remedy}", err=True)
    if "json" in sys.argv:  # whoever asked for one document gets one
        document = {
            "schema": "tap.error/1",
            "where": error.where,
            "what": error.what,
            "remedy": error.remedy,
        }
        click.echo(json.dumps(document, indent=2))


def main() -> None:
    """Run `tap` and exit: no traceback for what a user can put right."""
    # Ending in the same way as on Ctrl-C stops pip and the workers, and leaves nothing behind.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = tap.main(standalone_mode=False)
    except TapError as error:
        _tell(error)
        code = error.exit_code
    except _TerminatedError:
        click.echo("terminated: build/ is as it was; run again to go on", err=True)
        code = TERMINATED
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.ClickException as error:
        error.show()
        code = USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted: build/ is as it was; run again to go on", err=True)
        code = INTERRUPTED
    sys.exit(code or 0)
