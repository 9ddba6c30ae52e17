"""The compiler: from system modules to `build/`, stage by stage.

`STAGES` is the whole of it, in order, each with the reason for its place. A stage reads what the
stages before it left in the `Compilation` and adds its own; findings are collected, so that one
run tells as much as it can. They come in three groups, each for systems that passed the one
before: one template at a time, the pair as a whole, and what is made of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from tap_templates.compiler.build import BuiltStack, build_stack
from tap_templates.compiler.invariants import CompiledSystem, check_across, check_system
from tap_templates.compiler.lint import Linter, LintJob, LintResult
from tap_templates.compiler.manifest import manifest, stack_parameters
from tap_templates.compiler.package_contents import handler_files
from tap_templates.compiler.packages import Built, Pending, start
from tap_templates.compiler.publish import Changes, compare, publish
from tap_templates.compiler.render import RenderedStack, render_stack, to_json
from tap_templates.errors import PackageError
from tap_templates.iam.proof import HandlerCode, prove
from tap_templates.model.findings import Finding
from tap_templates.model.package import Package
from tap_templates.model.system import System
from tap_templates.rendered.view import StackSource, SystemView, resolve_system


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Where things are: the only places the compiler reads or writes."""

    handlers: Path
    templates: Path  # build/templates
    packages: Path  # build/packages
    cache: Path


class Progress(Protocol):
    """Whoever wants to see how far the compiler is."""

    def stage(self, name: str) -> None: ...
    def linted(self, done: int, total: int) -> None: ...


@dataclass(slots=True, kw_only=True)
class Compilation:
    """One run: what goes in, and what the stages have made so far."""

    systems: Sequence[System]
    project: Project
    linter: Linter
    progress: Progress
    write: bool = True  # False: only tell what would change
    built: list[BuiltStack] = field(default_factory=list)
    rendered: dict[str, tuple[RenderedStack, ...]] = field(default_factory=dict)
    parameters: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    views: dict[str, SystemView] = field(default_factory=dict)
    other_views: dict[str, list[tuple[str, SystemView]]] = field(default_factory=dict)
    lint: dict[tuple[str, str], LintResult] = field(default_factory=dict)
    code: HandlerCode | None = None
    findings: list[Finding] = field(default_factory=list)
    pending: Pending | None = None
    packages: dict[str, Built] = field(default_factory=dict)
    changes: Changes | None = None

    def stacks(self) -> Iterator[RenderedStack]:
        for stacks in self.rendered.values():
            yield from stacks


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    why_here: str
    run: Callable[[Compilation], None]


def _build(run: Compilation) -> None:
    for system in run.systems:
        run.built += [build_stack(system, stack) for stack in system.stacks]


def _render(run: Compilation) -> None:
    for system in run.systems:
        run.rendered[system.name] = tuple(
            render_stack(built) for built in run.built if built.system is system
        )


def _link(run: Compilation) -> None:
    for name, stacks in run.rendered.items():
        peers = {stack.name: stack for stack in stacks}
        run.parameters[name] = {stack.name: stack_parameters(stack, peers) for stack in stacks}


def _resolve(run: Compilation) -> None:
    run.views = {name: _view(run, name, {}) for name in run.rendered}
    run.other_views = {name: list(_other_settings(run, name)) for name in run.rendered}


def _view(run: Compilation, name: str, chosen: Mapping[str, str]) -> SystemView:
    given = run.parameters[name]
    sources = [
        StackSource(stack.name, stack.template, stack.regions, given[stack.name])
        for stack in run.rendered[name]
    ]
    return resolve_system(name, sources, overrides=chosen)


def _start_packages(run: Compilation) -> None:
    project = run.project
    run.pending = start(
        _packages(run), handlers=project.handlers, into=project.packages, cache=project.cache
    )


def _lint(run: Compilation) -> None:
    jobs = [
        LintJob(stack.built.system.name, stack.name, stack.regions, stack.body)
        for stack in run.stacks()
    ]
    done = 0

    def one_done(_: LintJob) -> None:
        nonlocal done
        done += 1
        run.progress.linted(done, len(jobs))

    run.lint = run.linter.lint(jobs, one_done)
    for result in run.lint.values():
        run.findings += result.findings


def _invariants(run: Compilation) -> None:
    compiled = [
        CompiledSystem(system, run.rendered[system.name], run.views[system.name])
        for system in run.systems
    ]
    for system in compiled:
        found = check_system(system)
        run.findings += found
        for setting, view in run.other_views[system.system.name]:
            other = check_system(replace(system, view=view))
            run.findings += [_with(setting, each) for each in other if each not in found]
    run.findings += check_across(compiled)


def _other_settings(run: Compilation, system: str) -> Iterator[tuple[str, SystemView]]:
    """Resolve the system once more for each value an operator may choose and no default shows."""
    parameters = [
        (name, parameter)
        for stack in run.rendered[system]
        for name, parameter in stack.template.get("Parameters", {}).items()
    ]
    values = {
        (name, value)
        for name, parameter in parameters
        for value in parameter.get("AllowedValues", ())
        if value != parameter.get("Default")
    }
    for name, value in sorted(values):
        yield f"{name}={value}", _view(run, system, {name: value})


def _with(setting: str, finding: Finding) -> Finding:
    return replace(finding, what=f"{finding.what} (with {setting})")


def _prove(run: Compilation) -> None:
    run.code = HandlerCode(
        {package.name: _sources(run.project.handlers, package) for package in _packages(run)}
    )
    for system in run.systems:
        operated = system.operated_roles
        found = prove(run.views[system.name], run.code, operated)
        run.findings += found
        for setting, other in run.other_views[system.name]:
            differs = [each for each in prove(other, run.code, operated) if each not in found]
            run.findings += [_with(setting, each) for each in differs]


def _sources(handlers: Path, package: Package) -> dict[str, str]:
    sources = {}
    for path, body in handler_files(handlers, package).items():
        if path.endswith(".py"):
            try:
                sources[path] = body.decode()
            except UnicodeDecodeError as error:
                raise PackageError(
                    f"handlers/{path}", f"is not UTF-8: {error.reason}", "save it as UTF-8"
                ) from error
    return sources


def _finish_packages(run: Compilation) -> None:
    if run.pending:
        run.packages = run.pending.finish()


def _publish(run: Compilation) -> None:
    digests = {name: built.sha256 for name, built in run.packages.items()}
    files: dict[str, bytes] = {}
    for system in run.systems:
        stacks = run.rendered[system.name]
        described = manifest(system, stacks, run.parameters[system.name], digests)
        files[f"{system.name}/manifest.json"] = to_json(described)
        files |= {f"{system.name}/{stack.name}.json": stack.body for stack in stacks}
    names = frozenset(system.name for system in run.systems)
    run.changes = compare(files, run.project.templates, systems=names)
    if run.write:
        publish(files, run.project.templates, run.changes)


BUILD = Stage("build", "stack modules are the only source of what follows", _build)
RENDER = Stage("render", "every check sees the bytes that ship, not the objects behind", _render)
LINK = Stage("link", "what a stack takes from another needs all of them rendered", _link)
START = Stage(
    "fetch", "pip is slow and needs only the system: it runs while we check", _start_packages
)
LINT = Stage("lint", "a template must be valid before it means anything", _lint)
RESOLVE = Stage("resolve", "the pair as AWS will see it; only valid templates resolve", _resolve)
INVARIANTS = Stage("invariants", "what no single template shows", _invariants)
PROOF = Stage("proof", "least privilege needs the roles resolved and the handlers' code", _prove)
PACKAGE = Stage("package", "only what passed is packaged", _finish_packages)
PUBLISH = Stage("publish", "the manifest names every digest, so it comes last", _publish)

COMPILE = (BUILD, RENDER, LINK)
# The stages of one tuple all run, and tell all they find, before it counts whether they did.
CHECKS: tuple[tuple[Stage, ...], ...] = ((*COMPILE, LINT), (RESOLVE, INVARIANTS, PROOF))
STAGES = ((*COMPILE, START, LINT), (RESOLVE, INVARIANTS, PROOF), (PACKAGE, PUBLISH))


def compile_systems(run: Compilation, stages: Sequence[Sequence[Stage]] = STAGES) -> Compilation:
    """Run the stages; a group starts only if those before it found nothing.

    Whatever stops it, pip is stopped too and nothing is half-written.
    """
    try:
        for group in stages:
            if run.findings:
                break
            for stage in group:
                run.progress.stage(stage.name)
                stage.run(run)
    finally:
        if run.pending:
            run.pending.cancel()
    run.findings.sort()
    return run


def _packages(run: Compilation) -> list[Package]:
    used = {package.name: package for system in run.systems for package in system.packages}
    return [used[name] for name in sorted(used)]
