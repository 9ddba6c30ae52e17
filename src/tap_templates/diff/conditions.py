"""Conditions in three values: true, false, or the expression that is left.

What is left names no condition of the template: two templates that name the same test
differently come down to the same expression.
"""

from collections.abc import Callable
from typing import Any

from tap_templates.diff.values import (
    NO_VALUE,
    call_of,
    same,
    scalar_text,
    sort_key,
    surely_differ,
)

_Eval = Callable[[Any], Any]


def evaluate(raw: Any, *, value: _Eval, named: _Eval) -> Any:
    """Evaluate a condition, given how to evaluate a value and a condition by its name."""
    if isinstance(raw, bool):
        return raw
    if not isinstance(raw, dict) or len(raw) != 1:
        return {"Condition": raw}
    ((called, argument),) = raw.items()
    if called == "Condition":
        return named(argument)
    if called == "Fn::Equals" and isinstance(argument, list) and len(argument) == 2:
        return _equals(value(argument[0]), value(argument[1]))
    if called in {"Fn::And", "Fn::Or", "Fn::Not"} and isinstance(argument, list) and argument:
        parts = [evaluate(each, value=value, named=named) for each in argument]
        return negated(parts[0]) if called == "Fn::Not" else _combined(called, parts)
    return {called: value(argument)}


def negated(condition: Any) -> Any:
    """Negate a condition that was evaluated."""
    if isinstance(condition, bool):
        return not condition
    match condition:
        case {"Fn::Not": [inner]}:
            return inner
    return {"Fn::Not": [condition]}


def choice(condition: Any, yes: Any, no: Any) -> Any:
    """Make the canonical Fn::If of an unknown condition."""
    match condition:
        case {"Fn::Not": [inner]}:
            return choice(inner, no, yes)
    if same(yes, no):
        return NO_VALUE if yes is NO_VALUE else yes
    return {"Fn::If": [condition, yes, no]}


def _equals(left: Any, right: Any) -> Any:
    texts = [scalar_text(each) for each in (left, right)]
    left, right = (
        each if text is None else text for each, text in zip((left, right), texts, strict=True)
    )
    if same(left, right):
        return True
    if surely_differ(left, right, lambda _one, _other: False):
        return False
    return {"Fn::Equals": sorted([left, right], key=sort_key)}


def _combined(called: str, parts: list[Any]) -> Any:
    decisive = called == "Fn::Or"  # one such part decides
    if any(part is decisive for part in parts):
        return decisive
    open_parts: list[Any] = []
    for part in parts:
        nested = part[called] if call_of(part) == called else [part]
        open_parts.extend(
            each for each in nested if each is not (not decisive) and each not in open_parts
        )
    if not open_parts:
        return not decisive
    if len(open_parts) == 1:
        return open_parts[0]
    return {called: sorted(open_parts, key=sort_key)}
