"""Ignored rules: whoever switches a lint rule off for a resource says why, beside it (P-05)."""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant
from tap_templates.compiler.invariants.values import as_list, inside

_METADATA = "https://github.com/aws-cloudformation/cfn-lint#metadata"
REASONS = "tap.ignore_reasons"
_PATH = "/Metadata/cfn-lint/config/ignore_checks"


def _ignored(metadata: Any) -> list[str]:
    return [str(rule) for rule in as_list(inside(metadata, "cfn-lint", "config", "ignore_checks"))]


def _without_reason(compiled: CompiledSystem) -> Iterator[Fault]:
    for stack, logical_id, body in compiled.raw_resources():
        metadata = body.get("Metadata")
        reasons = inside(metadata, REASONS)
        given: Mapping[str, Any] = reasons if isinstance(reasons, Mapping) else {}
        ignored = _ignored(metadata)
        for rule in ignored:
            if not str(given.get(rule) or "").strip():
                yield Fault(
                    stack=stack,
                    logical_id=logical_id,
                    path=_PATH,
                    what=f"ignores lint rule {rule} without saying why",
                    remedy=f"write the reason into Metadata, {REASONS}: {{{rule}: …}}, or mend "
                    "what the rule found",
                )
        for rule in sorted(set(given) - set(ignored)):
            yield Fault(
                stack=stack,
                logical_id=logical_id,
                path=f"/Metadata/{REASONS}/{rule}",
                what=f"gives a reason for ignoring lint rule {rule}, which it does not ignore",
                remedy="take the reason out",
            )


def _whole_template(compiled: CompiledSystem) -> Iterator[Fault]:
    for stack in compiled.stacks:
        for rule in _ignored(stack.template.get("Metadata")):
            yield Fault(
                stack=stack.name,
                path=_PATH,
                what=f"ignores lint rule {rule} for the whole template",
                remedy="ignore it on the one resource that needs it, with the reason beside it",
            )


IGNORED_RULES = (
    Invariant(
        code="TAP-IGN-01",
        promise="Every lint rule that a resource ignores has a written reason beside it.",
        source_url=_METADATA,
        check=_without_reason,
    ),
    Invariant(
        code="TAP-IGN-02",
        promise="No lint rule is ignored for a whole template.",
        source_url=_METADATA,
        check=_whole_template,
    ),
)
