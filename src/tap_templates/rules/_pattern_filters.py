"""The content filters of event patterns, and what each takes as its value."""

from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import Any, Final

from ._values import UNKNOWN, is_intrinsic

_COMPARISONS: Final = ("=", "<", "<=", ">", ">=")


def is_open(value: Any) -> bool:
    """Say whether a value is only known when it is deployed."""
    return value is UNKNOWN or value is None or is_intrinsic(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or is_open(value)


def _is_number(value: Any) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)) or is_open(value)


def _text(value: Any) -> str | None:
    return None if _is_text(value) else "is no text: give it one"


def _end(value: Any) -> str | None:
    if isinstance(value, Mapping) and not is_open(value):
        if set(value) == {"equals-ignore-case"} and _is_text(value["equals-ignore-case"]):
            return None
        return "takes a text, or an object of equals-ignore-case and a text"
    return _text(value)


def _anything_but(value: Any) -> str | None:
    if isinstance(value, Mapping) and not is_open(value):
        known = ("prefix", "suffix", "equals-ignore-case", "wildcard")
        if len(value) != 1 or next(iter(value)) not in known:
            return f"takes of operators just one of {', '.join(known)}"
        (inner,) = value.values()
        texts = inner if isinstance(inner, list) else [inner]
        if texts and all(map(_is_text, texts)):
            return None
        return "takes a text, or a list of texts that is not empty, by that operator"
    values = value if isinstance(value, list) else [value]
    if not values:
        return "excepts an empty list: name a value"
    if not all(_is_text(each) or _is_number(each) for each in values):
        return "takes texts and numbers only: write the value as one"
    return None


def _numeric(value: Any) -> str | None:
    if is_open(value):
        return None
    right = "write a comparison and a number, once or twice, as ['>', 0, '<=', 5]"
    if not isinstance(value, list) or len(value) not in {2, 4}:
        return f"is no range: {right}"
    comparisons = all(is_open(each) or each in _COMPARISONS for each in value[::2])
    return None if comparisons and all(map(_is_number, value[1::2])) else f"is no range: {right}"


def _exists(value: Any) -> str | None:
    given = isinstance(value, bool) or is_open(value)
    return None if given else "is neither true nor false: write one, without quotes"


def _cidr(value: Any) -> str | None:
    if is_open(value):
        return None
    try:
        ip_network(value if isinstance(value, str) else "", strict=False)
    except ValueError:
        return "is no range of addresses: write it as 10.0.0.0/24"
    return None


def _wildcard(value: Any) -> str | None:
    if isinstance(value, str) and "**" in value:
        return "has two stars in a row, which is refused: leave one"
    return _text(value)


OPERATORS: Final[Mapping[str, Callable[[Any], str | None]]] = {
    "anything-but": _anything_but,
    "cidr": _cidr,
    "equals-ignore-case": _text,
    "exists": _exists,
    "numeric": _numeric,
    "prefix": _end,
    "suffix": _end,
    "wildcard": _wildcard,
}


def problem_of(operator: str, value: Any) -> str | None:
    """Say what is wrong with the value of an operator, and the remedy."""
    return OPERATORS[operator](value)
