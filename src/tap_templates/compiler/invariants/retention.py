"""Retention: what outlives its stack is said on every stateful resource, and as the system says."""

from collections.abc import Iterator

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant
from tap_templates.model.retention import is_stateful

_DELETION = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html"
_REPLACE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatereplacepolicy.html"
_ATTRIBUTES = ("DeletionPolicy", "UpdateReplacePolicy")
_REMEDY = "leave both to the build stage (compiler/build.py)"


def _unsaid(compiled: CompiledSystem) -> Iterator[Fault]:
    for stack, logical_id, body in compiled.raw_resources():
        if not is_stateful(body["Type"]):
            continue
        missing = [each for each in _ATTRIBUTES if each not in body]
        if missing:
            what = f"keeps state, but does not say {' and '.join(missing)}"
        elif body["DeletionPolicy"] != body["UpdateReplacePolicy"]:
            what = (
                f"has DeletionPolicy {body['DeletionPolicy']} but UpdateReplacePolicy "
                f"{body['UpdateReplacePolicy']}"
            )
        else:
            continue
        yield Fault(stack=stack, logical_id=logical_id, what=what, remedy=_REMEDY)


def _unlike_system(compiled: CompiledSystem) -> Iterator[Fault]:
    for stack, logical_id, body in compiled.raw_resources():
        kind = body["Type"]
        right = "Retain" if kind in compiled.system.retain else "Delete"
        for attribute in _ATTRIBUTES:
            said = body.get(attribute, "Delete")
            if said != right and (attribute in body or is_stateful(kind)):
                yield Fault(
                    stack=stack,
                    logical_id=logical_id,
                    path=f"/{attribute}",
                    what=f"has {attribute} {said}, but the system says {right} for {kind}",
                    remedy=f"{_REMEDY}, or change `retain` in the system module",
                )


RETENTION = (
    Invariant(
        code="TAP-RET-01",
        promise="Every stateful resource says what becomes of it, alike on delete and replace.",
        source_url=_REPLACE,
        check=_unsaid,
    ),
    Invariant(
        code="TAP-RET-02",
        promise="What outlives its stack is what the system says, and nothing else.",
        source_url=_DELETION,
        check=_unlike_system,
    ),
)
