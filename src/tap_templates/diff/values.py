"""Canonical values: plain JSON, with one spelling for whatever only a deployment knows.

What may be left of intrinsic functions after `evaluate`:

    {"Ref": name}                 a resource, a parameter without a value, a pseudo parameter
    {"Fn::GetAtt": [id, attr]}
    {"Fn::Join": ["", [part, …]]} a text; at least two parts, literals never side by side
    {"Fn::If": [condition, a, b]} the condition as an expression, not by name
    {"Tap::Output": [stack, region, name]}   a parameter that takes another stack's output
    {"Tap::Secret": digest}       a NoEcho parameter's value; equal digests are equal values
    {"Tap::Stored": [kind, key]}  what SSM holds under a key

and any other `Fn::…` with canonical arguments. Nothing here knows schemas.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Self

NO_VALUE: Final[Mapping[str, Any]] = {"Ref": "AWS::NoValue"}
_DYNAMIC_REFERENCE = "{{resolve:"  # CloudFormation puts something else in its place


class _Absent:
    """The type of `ABSENT`: no value at all, which is not a JSON null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()


class Number(float):
    """A number that remembers its digits: as a text, 13.10 is not 13.1."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        self = super().__new__(cls, text.replace("_", ""))
        self.text = text
        return self

    def __reduce__(self) -> tuple[type["Number"], tuple[str]]:
        return Number, (self.text,)


class SetList(list[Any]):
    """A list whose order means nothing, kept sorted; `origins` are the template's indices."""

    __slots__ = ("origins",)

    def __init__(self, items: Sequence[Any] = (), origins: Sequence[int] = ()) -> None:
        super().__init__(items)
        self.origins = tuple(origins) or tuple(range(len(items)))


class Reference(NamedTuple):
    """A reference left in a canonical value; `attribute` is "" for Ref."""

    name: str
    attribute: str


def call_of(value: Any) -> str | None:
    """Name the intrinsic function that `value` calls, if it is one."""
    if isinstance(value, dict) and len(value) == 1:
        name: str = next(iter(value))
        if name == "Ref" or name[:4] == "Fn::" or name[:5] == "Tap::":
            return name
    return None


def scalar_text(value: Any) -> str | None:
    """Write a scalar as CloudFormation does when it needs a text; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return value.text
    if isinstance(value, int | float):
        return str(value)
    return None


def joined(parts: Sequence[Any]) -> Any:
    """Make the canonical text of parts: literals, texts and references."""
    flat: list[Any] = []
    for part in parts:
        for each in text_parts(part):
            if isinstance(each, str) and flat and isinstance(flat[-1], str):
                flat[-1] += each
            elif each != "":
                flat.append(each)
    if not flat:
        return ""
    return flat[0] if len(flat) == 1 else {"Fn::Join": ["", flat]}


def text_parts(value: Any) -> list[Any]:
    """Take a canonical text apart; anything that is no text is one part."""
    match value:
        case {"Fn::Join": ["", list(parts)]}:
            return parts
    text = scalar_text(value)
    return [value if text is None else text]


def references(value: Any) -> Iterator[Reference]:
    """Iterate over the references in a canonical value, those of conditions too."""
    if isinstance(value, dict):
        match value:
            case {"Ref": str(name)} if len(value) == 1:
                yield Reference(name, "")
            case {"Fn::GetAtt": [str(name), attribute]} if len(value) == 1:
                yield Reference(name, attribute if isinstance(attribute, str) else "*")
            case _:
                for each in value.values():
                    yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def is_known(value: Any) -> bool:
    """Tell whether `value` is what AWS will see, with nothing left to fill in."""
    if isinstance(value, dict):
        return call_of(value) is None and all(map(is_known, value.values()))
    if isinstance(value, list):
        return all(map(is_known, value))
    return not (isinstance(value, str) and _DYNAMIC_REFERENCE in value)


def same(left: Any, right: Any) -> bool:
    """Compare two values; unlike `==`, true is not 1, and digits of equal numbers count."""
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(same(each, right[key]) for key, each in left.items())
        )
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Number) and isinstance(right, Number):
        return left.text == right.text
    return bool(left == right)


def sort_key(value: Any) -> str:
    """Give equal values equal keys, to sort what has no order of its own."""
    if isinstance(value, str):
        return value.casefold() + "\0" + value
    return json.dumps(value, sort_keys=True, default=str)


Distinct = Callable[[Any, Any], bool]


def surely_differ(left: Any, right: Any, distinct: Distinct) -> bool:
    """Tell whether two canonical values differ whatever the deployment fills in.

    `ABSENT` may stand for either. `distinct` judges two parts, of which one is a reference.
    """
    match left:
        case {"Fn::If": [_, yes, no]}:
            return all(surely_differ(_present(each), right, distinct) for each in (yes, no))
    match right:
        case {"Fn::If": [_, yes, no]}:
            return all(surely_differ(left, _present(each), distinct) for each in (yes, no))
    if left is ABSENT or right is ABSENT:
        return left is not right
    if _is_text(left) and _is_text(right):
        return _texts_differ(text_parts(left), text_parts(right), distinct)
    if is_known(left) and is_known(right):
        return not same(left, right)
    return _holders_differ(left, right, distinct)


def _holders_differ(left: Any, right: Any, distinct: Distinct) -> bool:
    if call_of(left) or call_of(right):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return any(
            surely_differ(left.get(key, ABSENT), right.get(key, ABSENT), distinct)
            for key in {*left, *right}
        )
    if isinstance(left, list) and isinstance(right, list):
        if len(left) == len(right) and not isinstance(left, SetList):
            return any(surely_differ(*pair, distinct) for pair in zip(left, right, strict=True))
        return len(left) != len(right) and not _is_open(left) and not _is_open(right)
    return True  # a text, a list, an object: two of them


def _is_open(items: list[Any]) -> bool:
    """Tell whether the list may have fewer elements than are written."""
    return any(call_of(each) == "Fn::If" for each in items)


def _present(value: Any) -> Any:
    return ABSENT if value == NO_VALUE else value


def _is_text(value: Any) -> bool:
    return scalar_text(value) is not None or call_of(value) is not None


def _texts_differ(left: list[Any], right: list[Any], distinct: Distinct) -> bool:
    # What is before and after a dynamic reference is certain, what it stands for is not.
    if any(isinstance(each, str) and _DYNAMIC_REFERENCE in each for each in (*left, *right)):
        return False
    left, right = _without_common_head(list(left), list(right))
    left, right = (side[::-1] for side in _without_common_tail(left, right))
    if not left or not right:
        return any(isinstance(each, str) for each in (*left, *right))
    if _literals_at(left, right, 0) or _literals_at(left, right, -1):
        return True
    return len(left) == len(right) == 1 and distinct(left[0], right[0])


def _literals_at(left: list[Any], right: list[Any], index: int) -> bool:
    """Tell whether both have a literal there; their common letters are gone, so they differ."""
    return isinstance(left[index], str) and isinstance(right[index], str)


def _without_common_head(left: list[Any], right: list[Any]) -> tuple[list[Any], list[Any]]:
    while left and right:
        first, other = left[0], right[0]
        if isinstance(first, str) and isinstance(other, str):
            length = _common_prefix(first, other)
            if length == 0:
                break
            left[0], right[0] = first[length:], other[length:]
            left, right = ([e for e in side if e != ""] for side in (left, right))
        elif same(first, other):
            left, right = left[1:], right[1:]
        else:
            break
    return left, right


def _without_common_tail(left: list[Any], right: list[Any]) -> tuple[list[Any], list[Any]]:
    def turned(parts: list[Any]) -> list[Any]:
        return [each[::-1] if isinstance(each, str) else each for each in reversed(parts)]

    return _without_common_head(turned(left), turned(right))


def _common_prefix(first: str, other: str) -> int:
    length = 0
    for one, two in zip(first, other, strict=False):
        if one != two:
            break
        length += 1
    return length
