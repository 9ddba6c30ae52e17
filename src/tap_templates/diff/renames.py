"""Pair a removed resource with an added one that is the same under another logical id.

CloudFormation does not know renames: it makes the new one and deletes the old. The pair stays a
removal and an addition; each says what the other is.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tap_templates.diff.compare import pointer
from tap_templates.diff.draft import Draft
from tap_templates.diff.losses import policy_of
from tap_templates.diff.model import Action, Resource
from tap_templates.diff.schemas import schema_of
from tap_templates.diff.values import call_of, same, sort_key

_ALIKE: Final = 0.75  # of all their values
_MOST_PAIRS: Final = 10_000  # of one type; beyond that only names are compared


def explain_renames(drafts: Mapping[str, Draft]) -> None:
    """Add to removals and additions what they were renamed to and from."""
    by_type: dict[str, tuple[list[Draft], list[Draft]]] = {}
    for draft in drafts.values():
        if draft.section == "Resources" and not draft.cosmetic and draft.type:
            sides = by_type.setdefault(draft.type, ([], []))
            if draft.action is Action.REMOVE:
                sides[0].append(draft)
            elif draft.action is Action.ADD:
                sides[1].append(draft)
    for removed, added in by_type.values():
        for old, new in _pairs(removed, added):
            _explain(old, new)


def _pairs(removed: list[Draft], added: list[Draft]) -> Iterator[tuple[Draft, Draft]]:
    """Iterate over pairs, the most alike first."""
    if not removed or not added:
        return
    names_only = len(removed) * len(added) > _MOST_PAIRS
    leaves = {draft.id: _leaves(draft.before or draft.after) for draft in (*removed, *added)}
    scored = [
        (-score, old.id, new.id, old, new)
        for old in removed
        for new in added
        if (score := _score(old, new, leaves, names_only=names_only)) >= _ALIKE
    ]
    used: set[str] = set()
    for _, old_id, new_id, old, new in sorted(scored, key=lambda each: each[:3]):
        if used.isdisjoint({old_id, new_id}):
            used |= {old_id, new_id}
            yield old, new


def _score(
    old: Draft, new: Draft, leaves: Mapping[str, frozenset[str]], *, names_only: bool
) -> float:
    if old.before is None or new.after is None:
        return 0
    if _shared_name(old.before, new.after):
        return 2
    if names_only:
        return 0
    one, other = leaves[old.id], leaves[new.id]
    return len(one & other) / len(one | other) if one | other else 1


def _shared_name(old: Resource, new: Resource) -> str | None:
    """Give the property by which both have one physical name."""
    schema = schema_of(old.type)
    for name in schema.names() if schema else ():
        value = old.properties.get(name)
        if value is not None and same(value, new.properties.get(name)):
            return name
    return None


def _leaves(resource: Resource | None) -> frozenset[str]:
    found: set[str] = set()

    def visit(value: Any, path: tuple[str, ...]) -> None:
        if isinstance(value, dict) and not call_of(value):
            for key, each in value.items():
                visit(each, (*path, key))
        elif isinstance(value, list):
            for each in value:
                visit(each, (*path, "*"))
        else:
            found.add(f"{pointer(path)}={sort_key(value)}")

    visit(resource.properties if resource else {}, ())
    return frozenset(found)


def _explain(old: Draft, new: Draft) -> None:
    if old.before is None or new.after is None:
        return
    is_kept = policy_of(old.before, "DeletionPolicy") in ("Retain", "RetainExceptOnCreate")
    fate = "leaves the old one outside the stack" if is_kept else "deletes the old one"
    old.explain(f"renamed to {new.id}: CloudFormation makes a new one and {fate}")
    new.explain(f"renamed from {old.id}: CloudFormation makes a new one and {fate}")
    name = _shared_name(old.before, new.after)
    if name is not None:
        reason = f"both have one {name}, so that making the new one fails while the old one exists"
        if is_kept:
            reason += "; it is retained: import it under the new id"
        new.explain(reason)
