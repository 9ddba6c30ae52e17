"""E9020, E9021: event patterns that are refused when they are deployed, or that match nothing."""

import json
import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import ClassVar, Final

from ._index import Index, Resource
from ._pattern_filters import OPERATORS, is_open, problem_of
from ._rule import Fault, TapRule
from ._values import Node

_PATTERNS: Final = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html"
_OPERATORS: Final = (
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html"
)
_ON_BUSES: Final = ("AWS::Events::Rule", "AWS::Events::Archive")
# Where patterns are JSON texts: resource type, path of the list of filters.
_FILTERED: Final = (
    ("AWS::Lambda::EventSourceMapping", ("FilterCriteria", "Filters")),
    ("AWS::Pipes::Pipe", ("SourceParameters", "FilterCriteria", "Filters")),
)
_OR: Final = "$or"
# What every event on a bus has. A replayed one also says of which replay it is.
_ENVELOPE: Final = (
    "account",
    "detail",
    "detail-type",
    "id",
    "region",
    "replay-name",
    "resources",
    "source",
    "time",
    "version",
)
_VARIABLE: Final = re.compile(r"\$\{[^!}][^}]*\}")
_FILLED: Final = "1"  # for a variable in a text: JSON with and without quotes around it


class _PatternRule(TapRule):
    tags: ClassVar[list[str]] = ["resources", "events", "lambda"]  # type: ignore[misc]  # an instance variable upstream


class EventPattern(_PatternRule):
    """Demand a pattern that EventBridge, or Lambda or a pipe as filter, accepts.

    Follows Fn::If, and looks into texts that are JSON. Silent about values that are computed, a
    text whose variables leave it open, and emptiness that hangs on more than one condition.
    """

    id = "E9020"
    shortdesc = "An event pattern must be an object of non-empty lists of values and known filters"
    description = (
        "To the schema a pattern is any object; EventBridge refuses a value that is no list, an "
        "empty list or object, and an operator it does not have, in the middle of a deployment."
    )
    source_url = _OPERATORS

    def check(self, index: Index) -> Iterator[Fault]:
        for resource in index.typed(*_ON_BUSES):
            for node in resource.get("EventPattern"):
                yield from _whole(resource, node)
        for kind, path in _FILTERED:
            for resource in index.typed(kind):
                for each in resource.elements(*path):
                    for node in each.get("Pattern"):
                        yield from _whole(resource, node)


class EventFields(_PatternRule):
    """Demand fields that events on a bus have.

    Looks at the first level of the patterns of rules and archives: what is in `detail` is
    anybody's. Silent about patterns that are computed.
    """

    id = "E9021"
    shortdesc = "An event pattern must ask for fields that events have"
    description = (
        "An event on a bus has a fixed set of fields and everything else in detail; a pattern "
        "with another field is accepted and never matches."
    )
    source_url = _PATTERNS

    def check(self, index: Index) -> Iterator[Fault]:
        for resource in index.typed(*_ON_BUSES):
            for node in resource.get("EventPattern"):
                pattern = _parsed(node)
                if isinstance(pattern, Node) and pattern.known_object:
                    for name in pattern.value:
                        if name not in {*_ENVELOPE, _OR} and not str(name).startswith("Fn::"):
                            near = get_close_matches(str(name), _ENVELOPE, 1)
                            advice = f"use {near[0]}" if near else "move it into detail"
                            path = node.path if pattern is not node else (*node.path, name)
                            yield Fault(
                                path,
                                f"{resource.logical_id} asks for {name!r}, which no event has: "
                                f"{advice}",
                            )


def _parsed(node: Node) -> Node | str | None:
    """Read a pattern that is a text; a text for why it cannot be read, None if that is open."""
    text, filled = node.value, False
    if isinstance(text, dict) and isinstance(text.get("Fn::Sub"), str) and len(text) == 1:
        text, filled = _VARIABLE.sub(_FILLED, text["Fn::Sub"]), True
    if not isinstance(text, str):
        return node
    try:
        return Node(json.loads(text), ())
    except ValueError as error:
        return None if filled else f"no JSON ({error})"


def _whole(resource: Resource, node: Node) -> Iterator[Fault]:
    if node.absent:
        return
    pattern = _parsed(node)
    if isinstance(pattern, str):
        yield Fault(node.path, f"The pattern of {resource.logical_id} is {pattern}: correct it")
    elif pattern is node:
        yield from _object(node)
    elif pattern is not None:
        for fault in _object(pattern):
            place = "/".join(map(str, fault.path))
            yield Fault(node.path, f"{fault.message} (at /{place} of the text)")


def _object(node: Node) -> Iterator[Fault]:
    if isinstance(node.value, str | int | float | list):
        yield Fault(node.path, "A pattern is an object of fields, each with a list: write one")
    if not node.known_object or "Fn::Transform" in node.value:
        return
    if _can_be_empty(node):
        yield Fault(node.path, "A pattern without a field is refused: ask for one, or leave it out")
    for key, value in node.value.items():
        for member in Node(value, (*node.path, key), node.when).branches():
            if member.present:
                yield from _alternatives(member) if key == _OR else _field(member, str(key))


def _can_be_empty(node: Node) -> bool:
    """Say whether all fields go away by one condition (or there are none)."""
    gone: set[tuple[tuple[str, bool], ...]] | None = None
    for key, value in node.value.items():
        member = Node(value, (*node.path, key), node.when)
        absent = {each.when[len(node.when) :] for each in member.branches() if each.absent}
        alone = {when for when in absent if len(when) <= 1}
        gone = alone if gone is None else gone & alone
    return gone is None or bool(gone)


def _field(node: Node, name: str) -> Iterator[Fault]:
    if isinstance(node.value, list):
        yield from _values(node, name)
    elif isinstance(node.value, str | int | float):
        yield Fault(
            node.path,
            f"{name} is {node.text!r}, and a pattern wants a list of what is accepted: write "
            f"[{node.text}]",
        )
    elif node.known_object:
        members = node.value
        lone = members and set(members) <= set(OPERATORS)
        if lone and not any(isinstance(each, list | dict) for each in members.values()):
            yield Fault(
                node.path,
                f"{name} is a content filter that stands alone: put it into a list, [{{…}}]",
            )
        else:
            yield from _object(node)


def _values(node: Node, name: str) -> Iterator[Fault]:
    for variant, elements in node.lists():
        if elements == () and len(variant.when) - len(node.when) <= 1:
            yield Fault(
                node.path,
                f"{name} accepts an empty list of values, which is refused: name a value, or use "
                "AWS::NoValue for the whole field where anything is accepted",
            )
    for element in node.each():
        if isinstance(element.value, list):
            yield Fault(element.path, f"A value of {name} is a list: take the inner brackets away")
        elif element.known_object:
            yield from _filter(element, name)


def _filter(node: Node, name: str) -> Iterator[Fault]:
    if len(node.value) != 1:
        yield Fault(
            node.path,
            f"A content filter of {name} has {len(node.value)} operators: give each an object of "
            "its own",
        )
        return
    ((operator, value),) = node.value.items()
    if operator not in OPERATORS:
        near = get_close_matches(str(operator), OPERATORS, 1)
        advice = f"use {near[0]}" if near else f"use one of {', '.join(OPERATORS)}"
        yield Fault(node.path, f"{name} is filtered by {operator!r}, which is unknown: {advice}")
        return
    for given in Node(value, (*node.path, operator), node.when).branches():
        if given.absent:
            yield Fault(node.path, f"{operator} of {name} has no value: give it one")
        elif problem := problem_of(operator, given.value):
            yield Fault(given.path, f"{operator} of {name} {problem}")


def _alternatives(node: Node) -> Iterator[Fault]:
    if is_open(node.value):
        return
    if not isinstance(node.value, list):
        yield Fault(node.path, f"{_OR} is no list: give it a list of patterns")
        return
    for variant, elements in node.lists():
        few = elements is not None and len(elements) < 2
        if few and len(variant.when) - len(node.when) <= 1:
            yield Fault(node.path, f"{_OR} needs two patterns or more: add one, or take it away")
    for element in node.each():
        yield from _object(element)


RULES = (EventPattern, EventFields)
