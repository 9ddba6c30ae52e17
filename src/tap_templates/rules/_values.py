"""Values of a template as a rule sees them: branches of `Fn::If`, and expressions to compare.

Two views. A `Node` is a place in the template under certain conditions: its members are reached
with `get`, which follows every branch of `Fn::If`. An `Expr` is a string value taken apart into
literal text and `Token`s, so that `!Sub "${Name}-dlq"` equals `!Join ["-", [!Ref Name, dlq]]`.
No linter in here and no state: templates in, values out. Nothing raises, whatever is passed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import product
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
Assumed: TypeAlias = tuple[tuple[str, bool], ...]  # conditions taken as true or false

_MAX_CONDITIONS = 6  # in one list: 64 variants; beyond that a list counts as not known


class Special(Enum):
    """What a node holds when it does not hold a value."""

    ABSENT = "absent"  # not given, or AWS::NoValue
    UNKNOWN = "unknown"  # given by something that cannot be evaluated here


ABSENT = Special.ABSENT
UNKNOWN = Special.UNKNOWN


def is_intrinsic(value: Any) -> bool:
    """Say whether a value is computed by CloudFormation rather than written out."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    key = next(iter(value))
    return isinstance(key, str) and (key in {"Ref", "Condition"} or key.startswith("Fn::"))


@dataclass(frozen=True, slots=True)
class Node:
    """A value at a path that exists in the template, under the conditions assumed so far.

    `path` of an absent value is that of the innermost object that does exist, so that a finding
    about what is missing points at the line where it should be added.
    """

    value: Any
    path: Path
    when: Assumed = ()

    @property
    def absent(self) -> bool:
        return self.value is ABSENT

    @property
    def present(self) -> bool:
        """Whether something stands here, known or not."""
        return self.value is not ABSENT

    @property
    def known_object(self) -> bool:
        return isinstance(self.value, Mapping) and not is_intrinsic(self.value)

    def excludes(self, other: "Node") -> bool:
        """Say whether the two cannot both apply: one stands where a condition is true, the other
        where it is false.
        """
        return any((name, not holds) in other.when for name, holds in self.when)

    def branches(self) -> Iterator["Node"]:
        """Follow `Fn::If` at this place; branches that contradict `when` are left out."""
        value = self.value
        if value is None:
            yield Node(UNKNOWN, self.path, self.when)
        elif is_intrinsic(value) and "Fn::If" in value:
            yield from self._follow(value["Fn::If"])
        elif is_intrinsic(value) and value.get("Ref") == "AWS::NoValue":
            yield Node(ABSENT, self.path, self.when)
        else:
            yield self

    def _follow(self, arms: Any) -> Iterator["Node"]:
        if not isinstance(arms, list) or len(arms) != 3 or not isinstance(arms[0], str):
            yield Node(UNKNOWN, self.path, self.when)
            return
        for position, holds in ((1, True), (2, False)):
            if (arms[0], not holds) in self.when:
                continue
            known = (arms[0], holds) in self.when
            when = self.when if known else (*self.when, (arms[0], holds))
            yield from Node(arms[position], (*self.path, "Fn::If", position), when).branches()

    def get(self, *keys: str) -> Iterator["Node"]:
        """Yield the member reached by `keys`, once for every branch on the way."""
        if not keys:
            yield self
            return
        key, *rest = keys
        if self.value is ABSENT:
            yield self
        elif not self.known_object:
            yield Node(UNKNOWN, self.path, self.when)
        elif key in self.value:
            for member in Node(self.value[key], (*self.path, key), self.when).branches():
                if member.absent:  # point at the object that lacks it
                    yield Node(ABSENT, self.path, member.when)
                else:
                    yield from member.get(*rest)
        else:
            missing = UNKNOWN if "Fn::Transform" in self.value else ABSENT
            yield Node(missing, self.path, self.when)

    def each(self) -> Iterator["Node"]:
        """Yield the elements of a list, or the value itself where one may stand for a list."""
        if self.absent:
            return
        if not isinstance(self.value, list):
            yield self
            return
        for position, element in enumerate(self.value):
            for node in Node(element, (*self.path, position), self.when).branches():
                if node.present:
                    yield node

    def lists(self) -> Iterator[tuple["Node", tuple["Node", ...] | None]]:
        """Yield this list under each combination of its conditions, with its elements.

        None for the elements where it cannot be told which they are.
        """
        if self.absent:
            yield self, ()
            return
        names = _conditions_of(self.value) if isinstance(self.value, list) else None
        if names is None or len(names) > _MAX_CONDITIONS:
            yield self, None
            return
        free = [name for name in names if not {(name, True), (name, False)} & set(self.when)]
        for chosen in product((True, False), repeat=len(free)):
            variant = Node(self.value, self.path, (*self.when, *zip(free, chosen, strict=True)))
            elements = tuple(variant.each())
            hidden = any(_hides_many(element.value) for element in elements)
            yield variant, None if hidden else elements

    @property
    def text(self) -> str | None:
        """The literal, as CloudFormation passes it on; None if it is not a literal scalar."""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        return str(self.value) if isinstance(self.value, str | int | float) else None

    @property
    def truth(self) -> bool | None:
        """The literal as a boolean, None if it is none."""
        return {"true": True, "false": False}.get((self.text or "").lower())


def _hides_many(value: Any) -> bool:
    """Say whether an element of a list may stand for any number of elements."""
    return value is UNKNOWN or (isinstance(value, Mapping) and "Fn::Transform" in value)


def _conditions_of(elements: list[Any]) -> list[str] | None:
    """Return the conditions that decide which elements a list has."""
    names: dict[str, None] = {}
    todo = list(elements)
    while todo:
        value = todo.pop()
        if is_intrinsic(value) and "Fn::If" in value:
            arms = value["Fn::If"]
            if not isinstance(arms, list) or len(arms) != 3 or not isinstance(arms[0], str):
                return None
            names[arms[0]] = None
            todo += arms[1:]
    return list(names)


@dataclass(frozen=True, slots=True)
class Token:
    """A part of an expression that CloudFormation fills in.

    `attribute` is "" for `Ref`. Anything that is neither Ref nor GetAtt has no `logical_id` and
    its own JSON as `attribute`: two such tokens are equal if they are written alike.
    """

    logical_id: str
    attribute: str = ""


Expr: TypeAlias = tuple[str | Token, ...]

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")


def expression(value: Any) -> Expr:
    """Take a value apart; what cannot be looked into becomes a token of its own."""
    if isinstance(value, Special):
        return (Token("", value.value),)
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, str | int | float):
        return (str(value),) if value != "" else ()
    if is_intrinsic(value):
        (name, argument), *_ = value.items()
        found = _intrinsic(name, argument)
        if found is not None:
            return merged(found)
    return (Token("", _written(value)),)


def _written(value: Any) -> str:
    """Write a value in one way whatever the order and type of its keys."""
    if isinstance(value, Mapping):
        members = sorted(f"{json.dumps(str(k))}: {_written(v)}" for k, v in value.items())
        return f"{{{', '.join(members)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return json.dumps(value, default=str)


def _intrinsic(name: str, argument: Any) -> Expr | None:
    if name == "Ref" and isinstance(argument, str):
        return (Token(argument),)
    if name == "Fn::GetAtt":
        return _get_att(argument)
    if name == "Fn::Sub":
        return _substitute(argument)
    if name == "Fn::Join" and isinstance(argument, list) and len(argument) == 2:
        delimiter, elements = argument
        if isinstance(delimiter, str) and isinstance(elements, list):
            parts: list[str | Token] = []
            for position, element in enumerate(elements):
                parts += ([delimiter] if position else []) + [*expression(element)]
            return tuple(parts)
    return None


def _get_att(argument: Any) -> Expr | None:
    if isinstance(argument, str):
        argument = argument.split(".", 1)
    if isinstance(argument, list) and len(argument) == 2 and all(type(a) is str for a in argument):
        return (Token(argument[0], argument[1]),)
    if isinstance(argument, list) and argument and all(isinstance(a, str) for a in argument):
        return (Token(str(argument[0]), ".".join(argument[1:])),)
    return None


def _substitute(argument: Any) -> Expr | None:
    names: Mapping[str, Any] = {}
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], Mapping):
        argument, names = argument
    if not isinstance(argument, str):
        return None
    parts: list[str | Token] = []
    at = 0
    for found in _PLACEHOLDER.finditer(argument):
        parts.append(argument[at : found.start()])
        at = found.end()
        name = found.group(1).strip()
        if name.startswith("!"):
            parts.append(f"${{{name[1:]}}}")
        elif name in names:
            parts += expression(names[name])
        else:
            logical_id, _, attribute = name.partition(".")
            parts.append(Token(logical_id, attribute))
    return (*parts, argument[at:])


def merged(parts: Expr) -> Expr:
    """Join neighbouring literals and drop empty ones, so that equal expressions are equal."""
    result: list[str | Token] = []
    for part in parts:
        if isinstance(part, str) and result and isinstance(result[-1], str):
            result[-1] += part
        elif part != "":
            result.append(part)
    return tuple(result)


def split(parts: Expr, separator: str, limit: int = -1) -> list[Expr]:
    """Split an expression at a separator in its literal text, at most `limit` times."""
    fields: list[list[str | Token]] = [[]]
    for part in parts:
        if isinstance(part, Token):
            fields[-1].append(part)
            continue
        first, *others = part.split(separator, limit)
        limit = limit if limit < 0 else limit - len(others)
        fields[-1].append(first)
        fields += [[other] for other in others]
    return [merged(tuple(field)) for field in fields]


@dataclass(frozen=True, slots=True)
class Arn:
    """An ARN whose structure is visible, whatever its fields are made of."""

    service: Expr
    region: Expr
    account: Expr
    resource: Expr


def arn(parts: Expr) -> Arn | None:
    """Read an expression as an ARN; None if its fields cannot be told apart."""
    if not parts or not isinstance(parts[0], str) or not parts[0].startswith("arn:"):
        return None
    fields = split(parts, ":", 5)
    return Arn(*fields[2:6]) if len(fields) == 6 else None


def tokens(parts: Expr) -> set[Token]:
    """Return what CloudFormation has to fill in."""
    return {part for part in parts if isinstance(part, Token)}


def _rendered(parts: Expr) -> str:
    return "".join(p if isinstance(p, str) else f"\0{p.logical_id}.{p.attribute}\0" for p in parts)


def may_match(pattern: Expr, target: Expr) -> bool:
    """Say whether an IAM pattern (`*`, `?`) can match a target.

    True where tokens leave it open: False means that no deployment can make them match.
    """
    source = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in _rendered(pattern))
    if re.fullmatch(source, _rendered(target), re.DOTALL):
        return True
    return tokens(pattern) != tokens(target)


def must_differ(one: Expr, other: Expr) -> bool:
    """Say whether two expressions differ in every deployment; False where tokens leave it open."""
    left, right = _rendered(one), _rendered(other)
    if left == right:
        return False
    # Tokens at both ends that are the same cancel out, whatever their value will be.
    while left and right and left[0] == right[0]:
        left, right = left[1:], right[1:]
    while left and right and left[-1] == right[-1]:
        left, right = left[:-1], right[:-1]
    return not tokens(one) ^ tokens(other) and "\0" not in left + right
