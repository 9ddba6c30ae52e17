"""Read a result back from JSON that nobody vouches for: it may come from a pull request's own run.

Nothing but the schema is accepted, within bounds; whatever is odd is refused, with its place. The
texts stay what they are, and are masked and escaped by the faces like those of a template.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NoReturn, TypeVar

from tap_templates.diff.faces.words import steps
from tap_templates.diff.load import InputError, parse_json
from tap_templates.diff.model import (
    SCHEMA,
    Action,
    Change,
    Diff,
    Flag,
    FlagName,
    PropertyChange,
    Replacement,
    TemplateDiff,
)
from tap_templates.diff.render_json import summary
from tap_templates.diff.security.secrets.masking import masked

LARGEST_BYTES: Final = 10_000_000
MOST_TEMPLATES: Final = 1_000
MOST_CHANGES: Final = 20_000
MOST_PLACES: Final = 100_000
_LONGEST_NAME: Final = 1_024
_LONGEST_TEXT: Final = 20_000
_REMEDY: Final = "give what `tap diff --format json` wrote"
_REASON = re.compile(r"(?s)([a-z_]+): (.*)")
_WITNESS = re.compile(r"(?s)(.*) \(for example (.*)\)")
_Enum = TypeVar("_Enum", bound=StrEnum)
_TOP: Final = frozenset({"schema", "templates", "summary"})
_CHANGE: Final = frozenset(
    {"id", "section", "type", "action", "replacement", "flags", "cosmetic", "certain", "direct",
     "because", "properties"}
)  # fmt: skip


def loads(data: bytes, name: str) -> Diff:
    """Read a result; raise InputError for anything that is not exactly one."""
    if len(data) > LARGEST_BYTES:
        _refuse(name, f"is larger than {LARGEST_BYTES:,} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        _refuse(name, "is no text in UTF-8")
    document = _object(parse_json(text, name), _TOP, name)
    if document["schema"] != SCHEMA:
        _refuse(name, f"has not the schema {SCHEMA}")
    templates = _list(document["templates"], MOST_TEMPLATES, f"{name} /templates")
    budget = _Budget()
    diff = Diff(
        tuple(
            _template(each, f"{name} /templates/{index}", budget)
            for index, each in enumerate(templates)
        )
    )
    if document["summary"] != summary(diff):
        _refuse(f"{name} /summary", "does not count what is there")
    return diff


class _Budget:
    """How much a whole document may still hold."""

    def __init__(self) -> None:
        self.changes = MOST_CHANGES
        self.places = MOST_PLACES

    def take(self, where: str, *, changes: int = 0, places: int = 0) -> None:
        self.changes -= changes
        self.places -= places
        if self.changes < 0 or self.places < 0:
            _refuse(where, "holds more changes than a result has")


def _template(value: Any, where: str, budget: _Budget) -> TemplateDiff:
    found = _object(value, frozenset({"path", "changes"}), where)
    changes = _list(found["changes"], MOST_CHANGES, f"{where}/changes")
    budget.take(where, changes=len(changes))
    return TemplateDiff(
        _name(found["path"], f"{where}/path"),
        tuple(_change(each, f"{where}/changes/{n}", budget) for n, each in enumerate(changes)),
    )


def _change(value: Any, where: str, budget: _Budget) -> Change:
    found = _object(value, _CHANGE, where)
    properties = _list(found["properties"], MOST_PLACES, f"{where}/properties")
    budget.take(where, places=len(properties))
    names = [
        _choice(FlagName, each, f"{where}/flags")
        for each in _list(found["flags"], len(FlagName), f"{where}/flags")
    ]
    because = [_text(each, f"{where}/because") for each in _list(found["because"], 1_000, where)]
    flags, reasons = _flags(names, because)
    change = Change(
        id=_name(found["id"], f"{where}/id"),
        section=_name(found["section"], f"{where}/section"),
        type=_name(found["type"], f"{where}/type"),
        action=_choice(Action, found["action"], f"{where}/action"),
        replacement=_choice(Replacement, found["replacement"], f"{where}/replacement"),
        flags=flags,
        cosmetic=_truth(found["cosmetic"], f"{where}/cosmetic"),
        certain=_truth(found["certain"], f"{where}/certain"),
        direct=_truth(found["direct"], f"{where}/direct"),
        because=reasons,
        properties=tuple(_place(each, f"{where}/properties") for each in properties),
    )
    is_grave = change.flags or change.replacement is not Replacement.NEVER
    if change.cosmetic and is_grave:
        _refuse(where, "is called cosmetic, and is not")
    return change


def _flags(names: list[FlagName], because: list[str]) -> tuple[tuple[Flag, ...], tuple[str, ...]]:
    """Take the flags' reasons out of the list that has them all; none gets lost."""
    flags: list[Flag] = []
    reasons: list[str] = []
    for each in because:
        match = _REASON.fullmatch(each)
        if match and match[1] in names:
            split = _WITNESS.fullmatch(match[2])
            text, example = (split[1], split[2]) if split else (match[2], "")
            flags.append(Flag(FlagName(match[1]), text, example))
        else:
            reasons.append(each)
    explained = {flag.name for flag in flags}
    flags += [Flag(name, "no reason is given") for name in names if name not in explained]
    return tuple(flags), tuple(reasons)


def _place(value: Any, where: str) -> PropertyChange:
    found = _object(value, frozenset({"path", "before", "after"}), where)
    path = _text(found["path"], f"{where}/path")
    sides = (masked(found[side], steps(path)) for side in ("before", "after"))
    return PropertyChange(path, *sides)


def _object(value: Any, keys: frozenset[str], where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or value.keys() != keys:
        _refuse(where, f"is no object with just {', '.join(sorted(keys))}")
    return value


def _list(value: Any, most: int, where: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        _refuse(where, f"is no list of up to {most:,}")
    return value


def _name(value: Any, where: str) -> str:
    text = _text(value, where)
    if len(text) > _LONGEST_NAME:
        _refuse(where, f"is longer than {_LONGEST_NAME:,} letters")
    return text


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        _refuse(where, f"is no text of up to {_LONGEST_TEXT:,} letters")
    return value


def _truth(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        _refuse(where, "is neither true nor false")
    return value


def _choice(kinds: type[_Enum], value: Any, where: str) -> _Enum:
    if value not in list(kinds):
        _refuse(where, f"is none of {', '.join(kinds)}")
    return kinds(value)


def _refuse(where: str, what: str) -> NoReturn:
    raise InputError(where, what, _REMEDY)
