"""What a person or a program sees of a run: findings like a compiler's, and a summary table.

Text goes through rich, which drops colour and animation where nobody looks; JSON is one document,
with a schema that a CHANGELOG entry guards.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tap_templates.blocks.aurora_choices import COSTS
from tap_templates.compiler.invariants import (
    CompiledSystem,
    Term,
    database_budget,
    failover_budget,
)
from tap_templates.compiler.pipeline import Compilation, Progress
from tap_templates.compiler.render import RenderedStack
from tap_templates.iam.proof import HandlerCode, privileges
from tap_templates.model.findings import Finding, Severity
from tap_templates.model.limits import LONGEST_INLINE_BYTES, MOST_RESOURCES

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status


class Silent:
    """Progress for whoever watches nothing."""

    def stage(self, name: str) -> None: ...

    def linted(self, done: int, total: int) -> None: ...


@dataclass(slots=True)
class _Shown:
    status: "Status"

    def stage(self, name: str) -> None:
        self.status.update(f"{name} …")

    def linted(self, done: int, total: int) -> None:
        self.status.update(f"lint {'█' * done}{'░' * (total - done)} {done}/{total}")


@contextmanager
def progress() -> Iterator[Progress]:
    """Show stages on standard error if it is a terminal."""
    if not sys.stderr.isatty():
        yield Silent()
        return
    from rich.console import Console

    with Console(stderr=True).status("loading …") as status:
        yield _Shown(status)


def templates(run: Compilation, *, form: str, check: bool) -> None:
    """Report a run of `tap templates`."""
    if form == "json":
        _print_json({"schema": "tap.templates/1", **_document(run, check=check)})
        return
    _print_findings(run.findings)
    _print_stacks(run)
    _print_objectives(run)
    _print_packages(run)
    _print_notes(run)
    _print_verdict(run, check=check)


def check(run: Compilation, *, form: str, privileges: bool) -> None:
    """Report a run of `tap check`."""
    rows = _privileges(run) if privileges else []
    if form == "json":
        document = {"schema": "tap.check/1", **_document(run, check=True)}
        if privileges:
            document["privileges"] = rows
        _print_json(document)
        return
    _print_findings(run.findings)
    if privileges:
        _print_privileges(rows)
    else:
        _print_stacks(run)
        _print_objectives(run)
    _say(_count(run.findings) or "0 findings")


def findings_only(schema: str, findings: Sequence[Finding], *, form: str) -> None:
    """Report findings that belong to no compilation."""
    if form == "json":
        _print_json({"schema": schema, "findings": [asdict(each) for each in findings]})
        return
    _print_findings(findings)
    _say(_count(findings) or "0 findings")


def _document(run: Compilation, *, check: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "findings": [asdict(finding) for finding in run.findings],
        "stacks": [
            {
                "system": stack.built.system.name,
                "name": stack.name,
                "regions": list(stack.regions),
                "resources": len(stack.template["Resources"]),
                "bytes": len(stack.body),
                "sha256": stack.sha256,
                "lint_cached": run.lint[stack.built.system.name, stack.name].cached,
            }
            for stack in run.stacks()
        ],
        "packages": [
            {"name": built.name, "sha256": built.sha256, "bytes": built.size}
            for built in run.packages.values()
        ],
        "failovers": _failovers(run),
    }
    if run.changes is not None:
        document["stale" if check else "changed"] = {
            "written": list(run.changes.written),
            "removed": list(run.changes.removed),
        }
    return document


def _print_findings(findings: Sequence[Finding]) -> None:
    colours = {Severity.ERROR: "31", Severity.WARNING: "33"}
    for each in findings:
        label = f"{each.severity}[{each.code}]"
        if sys.stdout.isatty() and _coloured():
            label = f"\033[{colours[each.severity]}m{label}\033[0m"
        _say(f"{label} {each.place}: {each.what}")
        _say(f"  do: {each.remedy}")
        if each.source_url:
            _say(f"  see: {each.source_url}")


def _print_stacks(run: Compilation) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("stack", "regions"):
        table.add_column(column, overflow="fold")
    for column in ("resources", "bytes", "lint"):
        table.add_column(column, justify="right")
    for stack in run.stacks():
        result = run.lint[stack.built.system.name, stack.name]
        table.add_row(
            f"{stack.built.system.name}/{stack.name}",
            " ".join(stack.regions),
            f"{len(stack.template['Resources'])}/{MOST_RESOURCES}",
            _bytes(stack),
            "cached" if result.cached else f"{result.seconds:.2f} s",
        )
    _console().print(table)


def _bytes(stack: RenderedStack) -> str:
    size = len(stack.body)
    return f"{size:,}" + (" (too large to send inline)" if size > LONGEST_INLINE_BYTES else "")


def _print_notes(run: Compilation) -> None:
    """Tell what is no mistake of a template, and still loses something."""
    for system in run.systems:
        for stack in system.stacks:
            for name, value in sorted(stack.parameters.items()):
                cost = COSTS.get((name, str(value)))
                if isinstance(value, str) and value.endswith(("@example.com", "@example.org")):
                    cost = (
                        "which reaches nobody: name a real address in the system module before a "
                        "rollout"
                    )
                if cost:
                    _say(f"note: {name} of {system.name}/{stack.name} is {value}, {cost}")


def _print_packages(run: Compilation) -> None:
    for built in run.packages.values():
        _say(f"package {built.name}  {built.size:,} bytes  sha256 {built.sha256[:16]}")


def _print_verdict(run: Compilation, *, check: bool) -> None:
    if run.findings:
        _say(f"{_count(run.findings)}; {_folder(run)}/ is as it was")
        return
    changes = run.changes
    if not changes:
        _say(f"0 findings; {_folder(run)}/ is up to date")
        return
    paths = [*changes.written, *(f"{path} (removed)" for path in changes.removed)]
    if check:
        for path in paths:
            _say(f"stale: {_folder(run)}/{path}")
        _say(f"{len(paths)} stale; run `make templates` and commit {_folder(run)}/")
        return
    for path in paths:
        _say(f"wrote {_folder(run)}/{path}")
    _say("0 findings")


def _privileges(run: Compilation) -> list[dict[str, Any]]:
    code = run.code or HandlerCode({})
    return [
        {"system": name, **asdict(row)}
        for name, view in run.views.items()
        for row in privileges(view, code)
    ]


def _print_privileges(rows: Sequence[dict[str, Any]]) -> None:
    for role, its in groupby(rows, lambda row: f"{row['role']} ({row['system']}/{row['stack']})"):
        _say(role)
        for row in its:
            _say(f"  {row['action']} on {row['resource']}")
            if row["condition"]:
                _say(f"    if {row['condition']}")
            _say(f"    for {row['why']}")


@dataclass(frozen=True, slots=True)
class _Way:
    """One of the ways a failover goes: what it takes, and what is promised of it."""

    system: str
    path: str  # traffic, database
    promised: timedelta | None
    terms: tuple[Term, ...]

    @property
    def known_seconds(self) -> int:
        return sum(term.seconds or 0 for term in self.terms)

    @property
    def is_bounded(self) -> bool:
        return all(term.seconds is not None for term in self.terms)

    @property
    def parts(self) -> str:
        return " + ".join(
            f"{'?' if term.seconds is None else term.seconds} s {term.name}" for term in self.terms
        )


def _ways(run: Compilation) -> Iterator[_Way]:
    for system in run.systems:
        view, promised = run.views.get(system.name), system.objectives
        if view is None:
            continue
        compiled = CompiledSystem(system, run.rendered[system.name], view)
        if promised.rto is not None:
            yield _Way(system.name, "traffic", promised.rto, failover_budget(compiled))
        if database := database_budget(compiled):
            yield _Way(system.name, "database", promised.database_rto, database)


def _print_objectives(run: Compilation) -> None:
    for way in _ways(run):
        if way.path == "traffic" and way.promised is not None:
            promised = way.promised.total_seconds()
            _say(f"failover {way.system}  {way.known_seconds} s of {promised:.0f} s: {way.parts}")
        else:
            _say(
                f"failover {way.system}, database  not bounded: AWS publishes no bound for a "
                f"promotion; {way.known_seconds} s beside it: {way.parts}"
            )


def _failovers(run: Compilation) -> list[dict[str, Any]]:
    return [
        {
            "system": way.system,
            "path": way.path,
            "promised_seconds": way.promised.total_seconds() if way.promised else None,
            "seconds": way.known_seconds if way.is_bounded else None,
            "known_seconds": way.known_seconds,
            "terms": [asdict(term) for term in way.terms],
        }
        for way in _ways(run)
    ]


def _folder(run: Compilation) -> str:
    return run.project.templates.relative_to(run.project.handlers.parent).as_posix()


def _count(findings: Sequence[Finding]) -> str:
    parts = []
    for severity in Severity:
        number = sum(each.severity is severity for each in findings)
        if number:
            parts.append(f"{number} {severity}{'s' if number > 1 else ''}")
    return ", ".join(parts)


def _console() -> "Console":
    from rich.console import Console

    # A pipe has no width to fit into: nothing is cut there.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160, soft_wrap=True)


def _coloured() -> bool:
    return not os.environ.get("NO_COLOR")


def _print_json(document: dict[str, Any]) -> None:
    print(json.dumps(document, indent=2))  # noqa: T201 - this is where printing happens


def _say(text: str) -> None:
    print(text)  # noqa: T201 - as above; plain text needs no rich
