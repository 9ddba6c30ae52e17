"""Compare the resources of one template in one region, each with itself."""

from collections.abc import Mapping
from typing import Any

from tap_templates.diff import documented
from tap_templates.diff.compare import Difference, differences, pointer
from tap_templates.diff.draft import Draft
from tap_templates.diff.model import Action, Replacement
from tap_templates.diff.replacement import interruptions, judge
from tap_templates.diff.schemas import schema_of
from tap_templates.diff.sources import changed_sources, used
from tap_templates.diff.values import ABSENT, Distinct, call_of, references, same, surely_differ
from tap_templates.diff.view import View

SAME_MEANING = "the text differs, the meaning does not"
_IDENTIFYING = ("Arn", "Id", "Name", "Url")


def compare_resources(before: View | None, after: View | None) -> dict[str, Draft]:
    """Compare by logical id; what did not change at all is not in the result."""
    sources = changed_sources(before.template, after.template) if before and after else {}
    old = _raw(before)
    new = _raw(after)
    found: dict[str, Draft] = {}
    for logical_id in sorted({*old, *new}):
        is_same = same(old.get(logical_id), new.get(logical_id))
        if is_same and not sources:
            continue
        draft = _compare(logical_id, before, after, is_same=is_same)
        if draft is None:
            continue
        if is_same:
            if draft.cosmetic:
                continue  # not even the text differs
            draft.direct = False
        _explain_sources(draft, after or before, sources)
        found[logical_id] = draft
    return found


def distinct_in(before: View | None, after: View | None) -> Distinct:
    """Make the judge of whether two parts, one a reference at least, cannot be equal."""

    def resource(value: Any) -> tuple[str, str] | None:
        called = call_of(value)
        if called not in {"Ref", "Fn::GetAtt"}:
            return None
        found = next(references(value), None)
        is_one = found is not None and (
            bool(before and before.existence(found.name) is not False)
            or bool(after and after.existence(found.name) is not False)
        )
        return (found.name, found.attribute) if found is not None and is_one else None

    def is_fresh(name: str) -> bool:
        """Tell whether a resource is new and AWS makes up what identifies it."""
        if before is None or after is None or before.existence(name) is not False:
            return False
        schema = after.schema(name)
        properties, _ = after.evaluated(name)
        return (
            schema is not None
            and schema.is_named_by_aws
            and not any(each in properties for each in schema.names())
        )

    def distinct(one: Any, other: Any) -> bool:
        left, right = resource(one), resource(other)
        if left and right:
            is_identity = not left[1] or left[1].endswith(_IDENTIFYING)
            return left[0] != right[0] and left[1] == right[1] and is_identity
        for name, value in ((left, other), (right, one)):
            if name and isinstance(value, str) and is_fresh(name[0]):
                return True
        return False

    return distinct


def _raw(view: View | None) -> Mapping[str, Any]:
    found: Mapping[str, Any] = view.template.body["Resources"] if view else {}
    return found


def _compare(
    logical_id: str, before: View | None, after: View | None, *, is_same: bool
) -> Draft | None:
    raw = _raw(after).get(logical_id, _raw(before).get(logical_id))
    if not isinstance(raw, Mapping):
        return _loop(logical_id, before, after)
    old = before.existence(logical_id) if before else False
    new = after.existence(logical_id) if after else False
    if old is False and new is False:
        return _absent(logical_id, before, after)
    if old is False and after:
        return _added(logical_id, after, was_written=logical_id in _raw(before))
    if new is False and before:
        return _removed(logical_id, before, is_written=logical_id in _raw(after))
    return _both(logical_id, before, after, is_same=is_same) if before and after else None


def _both(logical_id: str, before: View, after: View, *, is_same: bool) -> Draft | None:
    is_equal = before.raw(logical_id)["Type"] == after.raw(logical_id)["Type"] and all(
        map(same, before.evaluated(logical_id), after.evaluated(logical_id))
    )
    if is_equal:
        return None if is_same else _cosmetic(logical_id, before, after)
    return _modified(logical_id, before, after)


def _absent(logical_id: str, before: View | None, after: View | None) -> Draft:
    raw = _raw(after).get(logical_id, _raw(before).get(logical_id, {}))
    return Draft(
        id=logical_id,
        section="Resources",
        type=raw["Type"],
        action=_textual_action(logical_id, before, after),
        cosmetic=True,
        because=["its condition is false: there was none, and there will be none"],
    )


def _textual_action(logical_id: str, before: View | None, after: View | None) -> Action:
    if logical_id not in _raw(before):
        return Action.ADD
    return Action.MODIFY if logical_id in _raw(after) else Action.REMOVE


def _cosmetic(logical_id: str, before: View, after: View) -> Draft:
    return Draft(
        id=logical_id,
        section="Resources",
        type=after.raw(logical_id)["Type"],
        action=Action.MODIFY,
        before=before.resource(logical_id),
        after=after.resource(logical_id),
        cosmetic=True,
        because=[SAME_MEANING],
    )


def _added(logical_id: str, after: View, *, was_written: bool) -> Draft:
    draft = Draft(
        id=logical_id,
        section="Resources",
        type=after.raw(logical_id)["Type"],
        action=Action.ADD,
        after=after.resource(logical_id),
    )
    if was_written:
        draft.explain("its condition was false and is true now")
    _note_condition(draft, after.existence(logical_id))
    return draft


def _removed(logical_id: str, before: View, *, is_written: bool) -> Draft:
    draft = Draft(
        id=logical_id,
        section="Resources",
        type=before.raw(logical_id)["Type"],
        action=Action.REMOVE,
        before=before.resource(logical_id),
    )
    if is_written:
        draft.explain("its condition was true and is false now")
    _note_condition(draft, before.existence(logical_id))
    return draft


def _note_condition(draft: Draft, existence: Any) -> None:
    if existence is not True:
        draft.certain = False
        draft.explain("whether it exists hangs on a condition that is known at deployment only")


def _modified(logical_id: str, before: View, after: View) -> Draft:
    old, new = before.resource(logical_id), after.resource(logical_id)
    draft = _cosmetic(logical_id, before, after)
    if old is None or new is None:
        return draft
    if old.type != new.type:
        return _retyped(draft, old.type, new.type)
    changed = list(differences(*_definitions_aligned(old.properties, new.properties)))
    others = list(differences(old.attributes, new.attributes))
    if not changed and not others:
        return draft
    draft.cosmetic = False
    draft.because = []
    draft.differences = changed + others
    distinct = distinct_in(before, after)
    verdict = judge(new.type, schema_of(new.type), changed, distinct)
    draft.replacement = verdict.replacement
    draft.because.extend(verdict.because)
    is_sure = any(surely_differ(e.before, e.after, distinct) for e in draft.differences)
    draft.certain = is_sure and verdict.certain
    if not is_sure:
        draft.explain("whether the values differ is known at deployment only")
    _explain_attributes(draft, others)
    if draft.replacement is Replacement.NEVER and changed:
        for reason in interruptions(new.type, changed) or (documented.NO_INTERRUPTION_DATA,):
            draft.explain(reason)
    return draft


def _definitions_aligned(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Put properties below /Properties, and two spellings of one definition in one place."""
    sides = [dict(old), dict(new)]
    for one, other in (sides, sides[::-1]):
        if "DefinitionString" in one and "Definition" in other:
            one["Definition"] = one.pop("DefinitionString")
    return {"Properties": sides[0]}, {"Properties": sides[1]}


def _retyped(draft: Draft, old: str, new: str) -> Draft:
    draft.cosmetic = False
    draft.replacement = Replacement.ALWAYS
    draft.differences = [Difference(("Type",), ("Type",), old, new)]
    refusal = "CloudFormation refuses that under one logical id; give the new resource its own"
    draft.because = [f"its type changes from {old} to {new}: {refusal}"]
    return draft


def _explain_attributes(draft: Draft, others: list[Difference]) -> None:
    for each in others:
        name = each.path[0]
        if name == "DependsOn":
            draft.explain("DependsOn changes the order of the update, not the resource")
        elif name == "Condition":
            draft.certain = False
            draft.explain(
                "its condition changed, and whether it exists is known at deployment only"
            )
        elif name in {"DeletionPolicy", "UpdateReplacePolicy"}:
            draft.explain(f"{name} changes from {each.before} to {each.after}")
        else:
            draft.explain(f"{pointer(each.path[:1])} changes how the resource is handled, not it")


def _explain_sources(
    draft: Draft, view: View | None, sources: Mapping[tuple[str, str], str]
) -> None:
    if draft.cosmetic or view is None or not sources:
        return
    raw = view.template.body["Resources"].get(draft.id)
    for each in sorted(used(raw, view.template.body) & sources.keys()):
        draft.explain(f"it uses {sources[each]}")


def _loop(logical_id: str, before: View | None, after: View | None) -> Draft:
    """Tell of a loop over resources, which is not expanded here."""
    return Draft(
        id=logical_id,
        section="Resources",
        action=_textual_action(logical_id, before, after),
        replacement=Replacement.MAY
        if _textual_action(logical_id, before, after) is Action.MODIFY
        else Replacement.NEVER,
        certain=False,
        differences=[
            Difference(
                (),
                (),
                _raw(before).get(logical_id, ABSENT),
                _raw(after).get(logical_id, ABSENT),
            )
        ],
        because=["Fn::ForEach is not expanded here: what it makes of this is not known"],
    )
