"""Outputs: what a person or another stack needs is described and exported (X-08)."""

import json
from collections.abc import Iterator

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant
from tap_templates.compiler.invariants.values import inside

_OUTPUTS = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/outputs-section-structure.html"
_REMEDY = "declare it with StackTemplate.output (blocks/stack.py): the build stage exports it"


def _incomplete(compiled: CompiledSystem) -> Iterator[Fault]:
    for stack in compiled.stacks:
        for name, body in stack.template.get("Outputs", {}).items():
            export = inside(body, "Export", "Name")
            if not body.get("Description"):
                problem = "has no description"
            elif export is None:
                problem = "is not exported"
            elif not compiled.system.once_per_account and (
                "${EnvironmentSuffix}" not in json.dumps(export)
            ):
                problem = "is exported under a name without the environment suffix"
            else:
                continue
            yield Fault(
                stack=stack.name,
                path=f"/Outputs/{name}",
                what=f"output {name} {problem}",
                remedy=_REMEDY,
            )


def _twice(compiled: CompiledSystem) -> Iterator[Fault]:
    seen: dict[tuple[str, str], str] = {}
    for stack in compiled.view.stacks:
        for output, export in stack.exports.items():
            first = seen.setdefault((stack.region, export), f"{stack.stack}.{output}")
            if first != f"{stack.stack}.{output}":
                yield Fault(
                    stack=stack.stack,
                    region=stack.region,
                    path=f"/Outputs/{output}/Export/Name",
                    what=f"output {output} is exported as {export!r}, as {first} already is",
                    remedy="rename one of the outputs",
                )


def _none(compiled: CompiledSystem) -> Iterator[Fault]:
    for stack in compiled.stacks:
        if not stack.template.get("Outputs"):
            yield Fault(
                stack=stack.name,
                what="has no outputs: nobody learns what it made",
                remedy="add stack.output(…) for what a person or another stack needs",
            )


OUTPUTS = (
    Invariant(
        code="TAP-OUT-01",
        promise="Every output has a description and an export name that carries the suffix.",
        source_url=_OUTPUTS,
        check=_incomplete,
    ),
    Invariant(
        code="TAP-OUT-02",
        promise="Export names are unique in a region.",
        source_url=_OUTPUTS,
        check=_twice,
    ),
    Invariant(
        code="TAP-OUT-03",
        promise="Every stack says what it made.",
        source_url=_OUTPUTS,
        check=_none,
    ),
)
