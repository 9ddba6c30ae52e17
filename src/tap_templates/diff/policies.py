"""Policy documents and event patterns in one form: what order and spelling do not change.

The form of a policy: `Statement` is a list; `Action`, `NotAction`, `Resource`, `NotResource`, the
values of a principal and of a condition are lists; a principal is an object; an account is its
root's ARN. Lists whose order means nothing are `SetList`, without repetitions.
"""

from collections.abc import Mapping
from typing import Any, Final

from tap_templates.diff.values import SetList, call_of, joined, scalar_text, sort_key, text_parts

_LISTS: Final = frozenset({"Action", "NotAction", "Resource", "NotResource"})
_PRINCIPALS: Final = frozenset({"Principal", "NotPrincipal"})


class ActionName(str):
    """The name of an action, which IAM compares without regard to case."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and self.casefold() == other.casefold()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.casefold())


def is_policy(value: Any) -> bool:
    """Tell a policy document by its shape."""
    return (
        isinstance(value, dict)
        and "Statement" in value
        and set(value) <= {"Version", "Id", "Statement"}
    )


def is_statement(value: Any) -> bool:
    """Tell a single statement, as the policy of an event bus is one."""
    return isinstance(value, dict) and "Effect" in value and bool(set(value) & _LISTS)


def policy(value: Mapping[str, Any], partition: str) -> dict[str, Any]:
    """Give a policy document its one form."""
    statements = value["Statement"]
    if call_of(statements):
        return dict(value)
    listed = statements if isinstance(statements, list) else [statements]
    return {**value, "Statement": as_set([statement(each, partition) for each in listed])}


def statement(value: Any, partition: str) -> Any:
    """Give a statement its one form."""
    if not isinstance(value, dict) or call_of(value):
        return value
    found = dict(value)
    for key, each in value.items():
        if key in _LISTS:
            found[key] = as_set(_listed(each), unique=True)
            if key.endswith("Action"):
                names = [ActionName(e) if isinstance(e, str) else e for e in found[key]]
                found[key] = as_set(names, unique=True)
        elif key in _PRINCIPALS:
            found[key] = _principal(each, partition)
        elif key == "Condition" and isinstance(each, dict):
            found[key] = {operator: _condition(keys) for operator, keys in each.items()}
    return found


def pattern(value: Any, key: str = "") -> Any:
    """Give an event pattern its one form: alternatives have no order, comparisons have."""
    if isinstance(value, dict):
        if call_of(value):
            return value
        return {name: pattern(each, name) for name, each in value.items()}
    if isinstance(value, list):
        items = [pattern(each) for each in value]
        return items if key in {"numeric", "cidr"} else as_set(items, unique=True)
    return value


def as_set(items: list[Any], *, unique: bool = False) -> SetList:
    """Sort a list that has no order, keeping where each element was."""
    keyed = sorted((sort_key(each), index) for index, each in enumerate(items))
    if unique:
        first: dict[Any, int] = {}
        for key, index in keyed:
            first.setdefault(items[index] if isinstance(items[index], ActionName) else key, index)
        kept = list(first.values())
    else:
        kept = [index for _, index in keyed]
    return SetList([items[index] for index in kept], kept)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _principal(value: Any, partition: str) -> Any:
    if value == "*":
        return {"AWS": as_set(["*"])}  # the same, says the reference of IAM's policy elements
    if not isinstance(value, dict) or call_of(value):
        return value
    return {
        kind: as_set(
            [_account(e, partition) if kind == "AWS" else e for e in _listed(each)], unique=True
        )
        for kind, each in value.items()
    }


def _account(value: Any, partition: str) -> Any:
    """Spell an account as its root's ARN."""
    is_id = isinstance(value, str) and len(value) == 12 and value.isdecimal()
    if is_id or value == {"Ref": "AWS::AccountId"}:
        return joined([f"arn:{partition}:iam::", *text_parts(value), ":root"])
    return value


def _condition(keys: Any) -> Any:
    if not isinstance(keys, dict) or call_of(keys):
        return keys
    return {
        key: as_set([_plain(e) for e in _listed(each)], unique=True) for key, each in keys.items()
    }


def _plain(value: Any) -> Any:
    text = scalar_text(value)
    return value if text is None else text
