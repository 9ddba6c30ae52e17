"""What can be weaker: one value of a resource, and which way is better."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple

from tap_templates.diff.security.choices import UNKNOWN, alternatives
from tap_templates.diff.values import call_of, scalar_text

FOREVER: Final = math.inf


class Better(Enum):
    """Which of two values recovers better."""

    MORE = "more"
    LESS = "less"
    KEPT = "kept"  # being there at all
    SCOPE = "scope"  # nothing by itself: other measures are about it


@dataclass(frozen=True, slots=True)
class Measure:
    """One value that recovery hangs on, under a key that is the same on both sides."""

    label: str
    better: Better
    value: Any = True  # canonical; None if left out
    default: float = 0  # what AWS takes if it is left out
    unit: str = ""
    witness: str = ""
    certain: bool = True
    instead: str = ""  # key of a measure that does as well
    scope: str = ""  # key of what has to be there after, if this is to be missed


Measures = Iterator[tuple[str, Measure]]


class Regression(NamedTuple):
    """A measure that is weaker, in one sentence."""

    because: str
    witness: str
    certain: bool


def regressions(
    before: Mapping[str, Measure], after: Mapping[str, Measure]
) -> Iterator[Regression]:
    """Compare measures; one that only `after` has is no loss."""
    for key, old in before.items():
        if old.better is Better.SCOPE or (old.scope and old.scope not in after):
            continue
        new = after.get(key, after.get(old.instead))
        if new is None:
            if old.better is Better.KEPT or old.scope:
                yield Regression(f"{old.label}: there → dropped", old.witness, old.certain)
        elif old.better is Better.KEPT:
            if old.certain and not new.certain:
                because = f"{old.label}: there → under a condition"
                yield Regression(because, old.witness, certain=False)
        else:
            yield from _compare(old, new)


def _compare(old: Measure, new: Measure) -> Iterator[Regression]:
    if old.value == new.value and type(old.value) is type(new.value):
        return
    was, now = _numbers(old), _numbers(new)
    best = max(was, key=lambda each: _rank(each, old.better))
    outcomes = {not _is_best(each, old) and _is_worse(best, each, old.better) for each in now}
    if outcomes == {False}:
        return
    change = f"{_spell(old, was)} → {_spell(new, now)}"
    certain = outcomes == {True} and len(was) == 1 and was[0] is not None
    yield Regression(f"{old.label}: {change}", change, certain)


def _numbers(measure: Measure) -> list[float | None]:
    """List what the value may be as a number; None is unknown."""
    return [_number(each, measure.default) for each in alternatives(measure.value)]


def _number(value: Any, default: float) -> float | None:
    if value is None:
        return default
    if value is UNKNOWN:
        return None
    if isinstance(value, bool):
        return float(value)
    text = (scalar_text(value) or "").strip().lower()
    words = {"true": 1.0, "enabled": 1.0, "active": 1.0, "false": 0.0, "disabled": 0.0,
             "suspended": 0.0, "inactive": 0.0}  # fmt: skip
    if text in words:
        return words[text]
    try:
        return float(text)
    except ValueError:
        return None


def _rank(value: float | None, better: Better) -> float:
    if value is None:
        return math.inf
    return value if better is Better.MORE else -value


def _is_best(value: float | None, measure: Measure) -> bool:
    """Tell whether a switch is where nothing is better."""
    return measure.unit == "on" and value == (1.0 if measure.better is Better.MORE else 0.0)


def _is_worse(old: float | None, new: float | None, better: Better) -> bool | None:
    if new is None or old is None:
        return None
    return new < old if better is Better.MORE else new > old


def _spell(measure: Measure, numbers: list[float | None]) -> str:
    if len(numbers) != 1 or numbers[0] is None:
        return "a value that is not known here" if call_of(measure.value) else str(measure.value)
    number = numbers[0]
    if measure.unit == "on":
        return "on" if number else "off"
    if math.isinf(number):
        return "forever"
    return f"{number:g}{f' {measure.unit}' if measure.unit else ''}"
