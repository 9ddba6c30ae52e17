"""Say whether CloudFormation replaces a resource whose properties change, and why."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tap_templates.diff import documented
from tap_templates.diff.compare import Difference, Steps, pointer
from tap_templates.diff.model import Replacement
from tap_templates.diff.schemas import Node, Schema
from tap_templates.diff.values import ABSENT, Distinct, call_of, same, surely_differ

_NESTED_STACK = "AWS::CloudFormation::Stack"


class Verdict(NamedTuple):
    """What an update does to the physical resource."""

    replacement: Replacement
    certain: bool
    because: tuple[str, ...]


def judge(
    resource_type: str,
    schema: Schema | None,
    changed: Sequence[Difference],
    distinct: Distinct,
) -> Verdict:
    """Judge an update by the places that differ, all of them under /Properties."""
    hits = [hit for each in changed for hit in _hits(resource_type, schema, each, distinct)]
    if not hits:
        return Verdict(Replacement.NEVER, certain=True, because=())
    worst = max((hit.replacement for hit in hits), key=lambda each: each.rank)
    deciding = [hit for hit in hits if hit.replacement is worst]
    because = dict.fromkeys(reason for hit in (*deciding, *hits) for reason in hit.because)
    return Verdict(worst, any(hit.certain for hit in deciding), tuple(because))


def judge_reference(resource_type: str, schema: Schema | None, place: Steps) -> Verdict:
    """Say what happens if the value at `place`, a reference, is surely another one."""
    change = Difference(place, place, "before", "after")
    return judge(resource_type, schema, [change], lambda _one, _other: True)


def interruptions(resource_type: str, changed: Sequence[Difference]) -> tuple[str, ...]:
    """List what is known to interrupt the resource while it is updated."""
    found = (
        f"{pointer(each.path)} interrupts it ({documented.INTERRUPTIONS[key]})"
        for each in changed
        for depth in range(2, len(each.place) + 1)
        if (key := (resource_type, pointer(each.place[:depth]))) in documented.INTERRUPTIONS
    )
    return tuple(dict.fromkeys(found))


def _hits(
    resource_type: str, schema: Schema | None, changed: Difference, distinct: Distinct
) -> Iterator[Verdict]:
    where = pointer(changed.path)
    if _is_custom(resource_type):
        yield _unknown(f"{where} changes, and a custom resource itself decides to be replaced")
        return
    if schema is None:
        yield _unknown(
            f"there is no schema of {resource_type}: whether {where} replaces it is not known"
        )
        return
    if resource_type == _NESTED_STACK:
        reason = f"{where} changes, and what it changes within the nested stack is not known"
        yield Verdict(Replacement.NEVER, certain=False, because=(reason,))
    behaviour = _documented(resource_type, changed.place)
    if behaviour is not None:
        reason = f"{where} {behaviour.because} ({behaviour.source})"
        sure = surely_differ(changed.before, changed.after, distinct)
        yield _rated(behaviour.replacement, reason, sure=sure)
        return
    if not _is_declared(schema.properties, changed.place[1:]):
        yield _unknown(f"the schema of {resource_type} does not know {where}")
    for paths, replacement, words in (
        (schema.create_only, Replacement.ALWAYS, "is create-only"),
        (schema.conditional, Replacement.MAY, "is create-only under conditions"),
    ):
        for path in paths:
            yield from _schema_hit(path, changed, (replacement, words), distinct)


def _schema_hit(
    path: Steps, changed: Difference, verdict: tuple[Replacement, str], distinct: Distinct
) -> Iterator[Verdict]:
    place = changed.place
    common = min(len(path), len(place))
    if any(one not in {other, "*"} for one, other in zip(path[:common], place, strict=False)):
        return
    replacement, words = verdict
    if len(path) <= len(place):
        sure = surely_differ(changed.before, changed.after, distinct)
        yield _rated(replacement, f"{pointer(changed.path)} {words}", sure=sure)
        return
    # The change is of something larger, which has the create-only value within.
    rest = path[len(place) :]
    before, after = _within(changed.before, rest), _within(changed.after, rest)
    if len(before) == len(after) and all(map(same, before, after)):
        return
    sure = "*" not in rest and surely_differ(
        before[0] if before else ABSENT, after[0] if after else ABSENT, distinct
    )
    # An element that comes or goes changes no value of an element that stays.
    sure = sure and "*" not in path
    yield _rated(replacement, f"{pointer((*changed.path, *rest))} {words}", sure=sure)


def _within(value: Any, rest: Steps) -> list[Any]:
    """List the values at `rest` below a value; what is unknown is one of them as a whole."""
    if value is ABSENT:
        return []
    if not rest or call_of(value):
        return [value]
    if isinstance(value, dict):
        keys = list(value) if rest[0] == "*" else [rest[0]]
        return [found for key in keys if key in value for found in _within(value[key], rest[1:])]
    if isinstance(value, list) and rest[0] == "*":
        return [found for each in value for found in _within(each, rest[1:])]
    return []


def _rated(replacement: Replacement, reason: str, *, sure: bool) -> Verdict:
    if replacement is Replacement.NEVER or sure:
        return Verdict(replacement, certain=True, because=(reason,))
    doubt = f"{reason}; whether its value changes is known at deployment only"
    return Verdict(Replacement.MAY, certain=False, because=(doubt,))


def _unknown(reason: str) -> Verdict:
    return Verdict(Replacement.MAY, certain=False, because=(reason,))


def _is_custom(resource_type: str) -> bool:
    return resource_type.startswith("Custom::") or (
        resource_type == "AWS::CloudFormation::CustomResource"
    )


def _documented(resource_type: str, place: Steps) -> documented.Behaviour | None:
    for depth in range(len(place), 1, -1):
        found = documented.BEHAVIOURS.get((resource_type, pointer(place[:depth])))
        if found is not None:
            return found
    return None


def _is_declared(node: Node | None, steps: Steps) -> bool:
    """Tell whether the schema knows a place, or leaves open what is there."""
    for step in steps:
        if node is None:
            return False
        if node.is_free or not node.kinds & {"object", "array"}:
            return True  # a document, or what nobody describes
        if step == "*":
            node = node.items() or node.child(step)
            if node is None:
                return True
        else:
            node = node.child(step)
    return node is not None
