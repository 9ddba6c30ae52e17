"""Find where two canonical values differ, place by place."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from tap_templates.diff.values import ABSENT, SetList, call_of, same, scalar_text, sort_key

# Properties that tell the elements of a list apart, the most telling first.
_IDENTITIES: Final = (
    "Key",
    "Sid",
    "Id",
    "PolicyName",
    "IndexName",
    "AttributeName",
    "Region",
    "RuleName",
    "ParameterKey",
    "DeviceName",
    "Name",
)
Steps = tuple[str, ...]


class Difference(NamedTuple):
    """One place that differs; `ABSENT` stands for no value."""

    path: Steps  # below the resource, with the template's indices
    place: Steps  # the same with `*` for every index, as schemas write it
    before: Any
    after: Any


def pointer(path: Steps) -> str:
    """Write a path as a JSON pointer."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in path)


def differences(
    before: Any, after: Any, path: Steps = (), place: Steps | None = None
) -> Iterator[Difference]:
    """Iterate over the differences, in the order of the value after."""
    place = path if place is None else place
    if _is_object(before) and _is_object(after):
        for key in [*after, *(key for key in before if key not in after)]:
            yield from differences(
                before.get(key, ABSENT), after.get(key, ABSENT), (*path, key), (*place, key)
            )
    elif isinstance(before, SetList) and isinstance(after, SetList):
        yield from _of_sets(before, after, path, place)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, path, place)
    elif not same(before, after):
        yield Difference(path, place, before, after)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and call_of(value) is None


def _of_lists(
    before: list[Any], after: list[Any], path: Steps, place: Steps
) -> Iterator[Difference]:
    head = 0
    while head < min(len(before), len(after)) and same(before[head], after[head]):
        head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and same(before[-1 - tail], after[-1 - tail]):
        tail += 1
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    for index in range(max(len(old), len(new))):
        yield from differences(
            old[index] if index < len(old) else ABSENT,
            new[index] if index < len(new) else ABSENT,
            (*path, str(head + index)),
            (*place, "*"),
        )


def _of_sets(before: SetList, after: SetList, path: Steps, place: Steps) -> Iterator[Difference]:
    old, new = _without_common(before, after)
    pairs: list[tuple[int | None, int | None]] = []
    name = _identity([before[i] for i in old], [after[i] for i in new])
    if name is not None:
        by_name = {scalar_text(before[index][name]): index for index in old}
        pairs = [(by_name.pop(scalar_text(after[index][name]), None), index) for index in new]
        pairs.extend((index, None) for index in by_name.values())
    elif len(old) == len(new) == 1:
        pairs = [(old[0], new[0])]
    else:
        pairs = [(index, None) for index in old] + [(None, index) for index in new]
    placed = [
        (after.origins[two] if two is not None else before.origins[one or 0], one, two)
        for one, two in pairs
    ]
    for index, one, two in sorted(placed, key=lambda each: (each[0], each[2] is None)):
        yield from differences(
            ABSENT if one is None else before[one],
            ABSENT if two is None else after[two],
            (*path, str(index)),
            (*place, "*"),
        )


def _without_common(before: SetList, after: SetList) -> tuple[list[int], list[int]]:
    """List the indices of elements that the other does not have, each as often as it has more."""
    unmatched: dict[str, list[int]] = {}
    for index, each in enumerate(before):
        unmatched.setdefault(_key(each), []).append(index)
    new: list[int] = []
    for index, each in enumerate(after):
        candidates = unmatched.get(_key(each), [])
        found = next((i for i in candidates if same(before[i], each)), None)
        if found is None:
            new.append(index)
        else:
            candidates.remove(found)
    return sorted(index for indices in unmatched.values() for index in indices), new


def _key(value: Any) -> str:
    return value.casefold() if isinstance(value, str) else sort_key(value).casefold()


def _identity(old: list[Any], new: list[Any]) -> str | None:
    """Find a property that every element has and that tells them apart."""
    if not all(isinstance(each, dict) and not call_of(each) for each in (*old, *new)):
        return None
    for name in _IDENTITIES:
        sides = [[scalar_text(each.get(name)) for each in side] for side in (old, new)]
        if all(None not in side and len(set(side)) == len(side) for side in sides):
            return name
    return None
