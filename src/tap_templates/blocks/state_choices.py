"""Tests of a Choice state, typed: the kind of comparison follows from the value compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tap_templates.errors import ModelError

Value = bool | int | float | str | datetime


@dataclass(frozen=True, slots=True)
class At:
    """A value that stands at another path of the input, and its type."""

    path: str
    of: type[bool] | type[float] | type[str] | type[datetime]


@dataclass(frozen=True, slots=True)
class ChoiceRule:
    """One test as the Amazon States Language writes it."""

    rule: Mapping[str, object]


def equals(path: str, value: Value | At) -> ChoiceRule:
    """Test for one value. An input without the path fails the run: ask `present` before."""
    return _compare(path, "Equals", value)


def below(path: str, value: Value | At) -> ChoiceRule:
    return _compare(path, "LessThan", value)


def at_most(path: str, value: Value | At) -> ChoiceRule:
    return _compare(path, "LessThanEquals", value)


def above(path: str, value: Value | At) -> ChoiceRule:
    return _compare(path, "GreaterThan", value)


def at_least(path: str, value: Value | At) -> ChoiceRule:
    return _compare(path, "GreaterThanEquals", value)


def matches(path: str, pattern: str) -> ChoiceRule:
    """Test a text against a pattern in which `*` stands for any characters."""
    return _test(path, "StringMatches", pattern)


def present(path: str) -> ChoiceRule:
    return _test(path, "IsPresent", value=True)


def is_null(path: str) -> ChoiceRule:
    return _test(path, "IsNull", value=True)


def all_of(first: ChoiceRule, *others: ChoiceRule) -> ChoiceRule:
    return ChoiceRule({"And": [dict(each.rule) for each in (first, *others)]})


def any_of(first: ChoiceRule, *others: ChoiceRule) -> ChoiceRule:
    return ChoiceRule({"Or": [dict(each.rule) for each in (first, *others)]})


def negate(test: ChoiceRule) -> ChoiceRule:
    return ChoiceRule({"Not": dict(test.rule)})


def _compare(path: str, operator: str, value: Value | At) -> ChoiceRule:
    kind = value.of if isinstance(value, At) else type(value)
    if kind is bool and operator != "Equals":
        raise ModelError(
            f"test of {path}", "puts truth values in an order", "compare them with equals"
        )
    name = f"{_kind(kind)}{operator}"
    if isinstance(value, At):
        return _test(path, f"{name}Path", _path(value.path))
    return _test(path, name, _written(path, value))


def _kind(kind: type) -> str:
    if issubclass(kind, bool):
        return "Boolean"
    if issubclass(kind, int | float):
        return "Numeric"
    return "Timestamp" if issubclass(kind, datetime) else "String"


def _written(path: str, value: Value) -> object:
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise ModelError(
            f"test of {path}", f"compares with {value}, which has no time zone", "give it one: UTC"
        )
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _test(path: str, operator: str, value: object) -> ChoiceRule:
    return ChoiceRule({"Variable": _path(path), operator: value})


def _path(path: str) -> str:
    if not path.startswith("$"):
        raise ModelError(f"test of {path}", "is of no path", "begin it with $")
    return path
