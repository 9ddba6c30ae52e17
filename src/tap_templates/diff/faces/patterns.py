"""An event pattern as rows: a field, and what it may be. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tap_templates.diff.faces.words import line
from tap_templates.diff.values import call_of


class Row(NamedTuple):
    """A field of the event with what each side lets through; () where it does not ask."""

    field: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def is_pattern(value: Any) -> bool:
    """Tell whether a value is a pattern with fields to list."""
    return isinstance(value, Mapping) and call_of(value) is None


def rows(before: Any, after: Any) -> list[Row]:
    """Pair the fields of two patterns, sorted."""
    old, new = (dict(_fields(side, ())) if is_pattern(side) else {} for side in (before, after))
    return [Row(name, old.get(name, ()), new.get(name, ())) for name in sorted({*old, *new})]


def _fields(value: Any, around: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    if is_pattern(value) and value:
        for key, each in value.items():
            yield from _fields(each, (*around, str(key)))
    else:
        choices = value if isinstance(value, list) else [value]
        yield ".".join(around), tuple(map(line, choices))
