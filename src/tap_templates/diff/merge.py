"""Tell the drafts of several regions as one change each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from tap_templates.diff.compare import pointer
from tap_templates.diff.draft import Draft
from tap_templates.diff.model import Action, Change, Flag, PropertyChange, Replacement
from tap_templates.diff.security.secrets.masking import masked
from tap_templates.diff.values import ABSENT, sort_key

_WORST_FIRST: Final = (Action.REMOVE, Action.MODIFY, Action.ADD)
_SECTIONS: Final = ("Resources", "Outputs", "Parameters", "Mappings", "Conditions")


def merged(by_region: Mapping[str, Mapping[str, Draft]]) -> tuple[Change, ...]:
    """Make one change of each id: resources first, then the other sections, by id."""
    ids = {name: draft.section for drafts in by_region.values() for name, draft in drafts.items()}

    def place(name: str) -> tuple[int, str, str]:
        section = ids[name]
        order = _SECTIONS.index(section) if section in _SECTIONS else len(_SECTIONS)
        return order, section, name

    return tuple(
        _one(
            [
                (region, _change(drafts[name]) if name in drafts else None)
                for region, drafts in by_region.items()
            ]
        )
        for name in sorted(ids, key=place)
    )


def _change(draft: Draft) -> Change:
    properties = (
        PropertyChange(
            pointer(each.path),
            _shown(draft, each.before, each.path),
            _shown(draft, each.after, each.path),
        )
        for each in draft.differences
    )
    return Change(
        id=draft.id,
        section=draft.section,
        type=draft.type,
        action=draft.action,
        replacement=draft.replacement if draft.action is Action.MODIFY else Replacement.NEVER,
        flags=tuple(draft.flags),
        cosmetic=draft.cosmetic,
        certain=draft.certain,
        direct=draft.direct,
        because=tuple(draft.because),
        properties=tuple(properties),
    )


def _shown(draft: Draft, value: Any, path: tuple[str, ...]) -> Any:
    """Give a value as all faces may show it: here, before any of them sees the result."""
    if value is ABSENT:
        return None
    resource = draft.after or draft.before
    name = "" if draft.section == "Resources" else draft.id.rpartition("/")[2]
    return masked(value, path, name=name, within=resource.raw if resource else None)


def _one(changes: Sequence[tuple[str, Change | None]]) -> Change:
    present = [(region, change) for region, change in changes if change is not None]
    first = present[0][1]
    everywhere = len(present) == len(changes)
    if everywhere and all(change == first for _, change in present):
        return first
    if everywhere and len({_nowhere(change, region) for region, change in present}) == 1:
        return first  # the same but for the region's own name
    return _combined(present)


def _nowhere(change: Change, region: str) -> str:
    """Write a change as it is with the region's name taken out, to compare."""
    return repr(change).replace(region, "${AWS::Region}") if region else repr(change)


def _combined(present: list[tuple[str, Change]]) -> Change:
    """Combine what differs between regions into the worst of it, and say which is where."""
    changes = [change for _, change in present if not change.cosmetic] or [present[0][1]]
    action = min((each.action for each in changes), key=_WORST_FIRST.index)
    replacement = max((each.replacement for each in changes), key=lambda each: each.rank)
    properties = {
        (each.path, sort_key([each.before, each.after])): each
        for change in changes
        for each in change.properties
    }
    return replace(
        changes[0],
        action=action,
        replacement=replacement if action is Action.MODIFY else Replacement.NEVER,
        flags=tuple(_flags(present)),
        cosmetic=all(each.cosmetic for each in changes),
        certain=False,
        direct=any(each.direct for each in changes),
        because=tuple(_reasons(present)),
        properties=tuple(properties.values()),
    )


def _flags(present: list[tuple[str, Change]]) -> Iterator[Flag]:
    flags = dict.fromkeys(flag for _, change in present for flag in change.flags)
    for flag in flags:
        where = [region for region, change in present if flag in change.flags]
        yield (
            flag
            if len(where) == len(present)
            else replace(flag, because=f"in {', '.join(where)}: {flag.because}")
        )


def _reasons(present: list[tuple[str, Change]]) -> Iterator[str]:
    actual = [(region, change) for region, change in present if not change.cosmetic] or present
    where = ", ".join(region for region, _ in actual)
    yield f"only in {where}, or not alike in all regions"
    reasons = dict.fromkeys(reason for _, change in actual for reason in change.because)
    for reason in reasons:
        regions = [region for region, change in actual if reason in change.because]
        yield reason if len(regions) == len(actual) else f"in {', '.join(regions)}: {reason}"
