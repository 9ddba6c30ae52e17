"""`tap diff`: what a change of templates means, in one of four faces.

The result goes to standard output or into a file, what is refused to standard error.
"""

import gc
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tap_templates.errors import OutputError, UsageError

if TYPE_CHECKING:
    from tap_templates.diff.faces.approvals import Refusal
    from tap_templates.diff.faces.grouping import Telling
    from tap_templates.diff.model import Diff, Template

DIFFERS = 2
REFUSED = 3
Find = Callable[[], Path]
Sides = tuple["Mapping[str, Template]", "Mapping[str, Template]"]
_PATH = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True)
class _Compared:
    """A result with what it was made from; no sides if it was read from a file."""

    diff: "Diff"
    sides: Sides | None
    regions: Mapping[str, tuple[str, ...]]


@click.command(epilog="Example: tap diff --base origin/main --fail-on data_loss,iam_broadening")
@click.argument("before", type=_PATH, required=False)
@click.argument("after", type=_PATH, required=False)
@click.option(
    "--base", metavar="REF", help="Compare build/templates/ of this git ref with what is there now."
)
@click.option(
    "--result", type=_PATH, metavar="FILE", help="Show a result that --format json wrote."
)
@click.option("--regions", default="", metavar="A,B", help="Only these; default: the manifest's.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "html", "json"]),
    default="text",
    show_default=True,
)
@click.option("--out", type=_PATH, metavar="FILE", help="Write there, not to standard output.")
@click.option("--exit-code", is_flag=True, help="Exit with 2 if the meaning differs.")
@click.option(
    "--fail-on", metavar="FLAGS", help="Exit with 3 for changes so flagged: data_loss,… or all."
)
@click.option(
    "--approve", multiple=True, metavar="DIGEST", help="Agree to this dangerous change; repeatable."
)
@click.pass_obj
def diff(
    find: Find,
    *,
    before: Path | None,
    after: Path | None,
    base: str | None,
    result: Path | None,
    regions: str,
    form: str,
    out: Path | None,
    exit_code: bool,
    fail_on: str | None,
    approve: tuple[str, ...],
) -> int:
    """Compare templates BEFORE and AFTER by meaning: files, or folders of them."""
    from tap_templates.diff.faces.approvals import flags_named, refusals

    gc.disable()  # a short process that keeps all it makes: a tenth of its time for nothing
    flags = flags_named(fail_on) if fail_on is not None else frozenset()
    if approve and not flags:
        raise UsageError("--approve", "agrees to nothing", "use it with --fail-on")
    if approve and result:
        raise UsageError(
            "--approve", "needs the templates, not only their result", "compare them here"
        )
    compared = _compared(find, (before, after), base, result, _regions(regions))
    _write(_rendered(compared, form, out), form, out)
    refused = refusals(compared.diff, compared.sides or ({}, {}), fail_on=flags, approved=approve)
    if refused:
        _tell(refused, can_approve=result is None)
        return REFUSED
    return DIFFERS if exit_code and not compared.diff.is_cosmetic else 0


def _regions(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (each.strip() for each in text.split(","))))


def _compared(
    find: Find,
    given: tuple[Path | None, Path | None],
    base: str | None,
    result: Path | None,
    regions: tuple[str, ...],
) -> _Compared:
    named = [each for each in (given[0] or given[1], base, result) if each is not None]
    if len(named) != 1:
        raise UsageError(
            "tap diff", "compares one thing", "give BEFORE and AFTER, or --base REF, or --result"
        )
    if result:
        from tap_templates.diff.faces.read_json import LARGEST_BYTES, loads

        return _Compared(loads(_bytes(result, LARGEST_BYTES + 1), str(result)), None, {})
    from tap_templates.diff.api import compare_templates
    from tap_templates.diff.security.analysers import ANALYSERS, MANIFEST_ANALYSERS

    sides = _at_base(base, find()) if base is not None else _given(*given)
    found = compare_templates(
        *sides, regions=regions, analysers=ANALYSERS, manifest_analysers=MANIFEST_ANALYSERS
    )
    where = {path: each.regions for side in sides for path, each in side.items()}
    if regions:
        where = {path: tuple(r for r in own if r in regions) for path, own in where.items()}
    return _Compared(found, sides, where)


def _given(before: Path | None, after: Path | None) -> Sides:
    from tap_templates.diff.load import load_both

    if before is None or after is None:
        raise UsageError("tap diff", "has one side only", "give BEFORE and AFTER")
    return load_both(before, after)


def _at_base(ref: str, root: Path) -> Sides:
    from tap_templates.diff.faces.git_base import FOLDER, templates_at
    from tap_templates.diff.load import load, templates_from

    old = templates_from(templates_at(ref, root))
    now = root / FOLDER
    return old, load(now) if now.is_dir() else {}


def _bytes(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise UsageError(
            str(path), f"cannot be read: {error.strerror}", "name a file that --format json wrote"
        ) from None


def _rendered(compared: _Compared, form: str, out: Path | None) -> str:
    if form == "json":
        from tap_templates.diff.render_json import dumps

        return dumps(compared.diff)
    from tap_templates.diff.faces.grouping import tell

    telling = tell(compared.diff, compared.regions)
    if form == "markdown":
        from tap_templates.diff.faces import markdown

        return markdown.render(telling)
    if form == "html":
        from tap_templates.diff.faces import html, html_bodies

        sides = compared.sides
        return html.render(telling, html_bodies.bodies(compared.diff, *sides) if sides else {})
    return _text(telling, is_file=out is not None)


def _text(telling: "Telling", *, is_file: bool) -> str:
    from tap_templates.diff.faces import text

    if is_file or not sys.stdout.isatty():
        return text.render(telling)  # nobody knows how wide what reads it is
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        for line in text.rich_lines(telling, console.width):
            console.print(line, soft_wrap=True)
    return captured.get()


def _write(content: str, form: str, out: Path | None) -> None:
    data = content.encode("utf-8", "backslashreplace")
    if out is None:
        # Bytes: what a terminal's encoding lacks is no reason to fail.
        click.echo(data if form != "text" or not sys.stdout.isatty() else content, nl=False)
        return
    try:
        out.write_bytes(data)
    except OSError as error:
        raise OutputError(
            str(out), f"cannot be written: {error.strerror}", "name another file"
        ) from None
    click.echo(f"wrote {out}", err=True)


def _tell(refused: "tuple[Refusal, ...]", *, can_approve: bool) -> None:
    from tap_templates.diff.faces.words import counted, printable, sentence

    changes = counted(len(refused), "dangerous change")
    click.echo(f"refused: {changes} that nobody has agreed to", err=True)
    for each in refused:
        named = ", ".join(each.flags)
        click.echo(f"  {printable(f'{each.path} {each.change.id}')}: {named}", err=True)
        for flag in each.change.flags:
            if flag.name in each.flags:
                click.echo(f"    {sentence(flag.because)}", err=True)
        if can_approve:
            click.echo(f"    agree with --approve {each.digest}", err=True)
