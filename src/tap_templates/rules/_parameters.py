"""What a template parameter lets in: whether it takes a text, and which characters it can carry.

CloudFormation holds a value against the whole of AllowedPattern, so that a pattern needs no
anchors. A pattern is read piece by piece; a piece we do not know counts as one that lets
everything in.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_CONTROL: Final = frozenset(map(chr, range(0x20)))
QUOTING: Final = _CONTROL | {'"', "\\"}
"""What ends a JSON text, or is not allowed in one."""
STRUCTURE: Final = QUOTING | set(",:[]{}")
"""What changes the shape of JSON outside of its texts."""

_NOTHING_FORBIDDEN: Final = frozenset("dwbBAzZ")  # \\d, \\w, and what stands for no character
_ESCAPED: Final[Mapping[str, frozenset[str]]] = {
    "s": frozenset("\t\n\v\f\r "),
    "t": frozenset("\t"),
    "n": frozenset("\n"),
    "r": frozenset("\r"),
    "f": frozenset("\f"),
    "v": frozenset("\v"),
    "0": frozenset("\0"),
}
_QUANTIFIER: Final = re.compile(r"[*+?]|\{\d*,?\d*\}")
_PLAIN_GROUP: Final = re.compile(r"\(\?(:|P?<[A-Za-z]\w*>)")
_LOOK: Final = re.compile(r"\(\?(<?[=!])")
_SSM: Final = "AWS::SSM::Parameter::Value<"


def accepts(declared: Mapping[str, Any], text: str) -> bool:
    """Say whether a parameter may be given this text; True where that cannot be told."""
    allowed, pattern = declared.get("AllowedValues"), declared.get("AllowedPattern")
    if isinstance(allowed, list):
        return text in map(str, allowed)
    if isinstance(pattern, str):
        try:
            return re.fullmatch(pattern, text) is not None
        except re.error:
            return True
    return True


def carries(declared: Mapping[str, Any], forbidden: frozenset[str]) -> bool:
    """Say whether a value of a parameter can hold one of the forbidden characters."""
    kind = str(declared.get("Type", "String"))
    if kind.startswith(_SSM):
        return True  # what is allowed is the name of the parameter that holds the value
    if kind == "Number" or kind.startswith(("AWS::", "List<AWS::")):
        return False  # CloudFormation demands a number, or the id of something that exists
    if kind == "List<Number>":
        return "," in forbidden
    if kind == "CommaDelimitedList" and "," in forbidden:
        return True
    allowed, pattern = declared.get("AllowedValues"), declared.get("AllowedPattern")
    if isinstance(allowed, list):
        return any(forbidden & set(str(each)) for each in allowed)
    return not isinstance(pattern, str) or _lets_in(pattern, forbidden)


def _lets_in(pattern: str, forbidden: frozenset[str]) -> bool:
    return any(piece is None or piece & forbidden for piece in _pieces(pattern, forbidden))


def _pieces(pattern: str, forbidden: frozenset[str]) -> Iterator[frozenset[str] | None]:
    """Yield what each piece of a pattern can stand for, as far as it is forbidden.

    None is a piece that we do not know.
    """
    at = 0
    while at < len(pattern):
        rest = pattern[at:]
        if found := _LOOK.match(rest):
            at = _after_group(pattern, at)  # looks at characters that another piece stands for
        elif found := _PLAIN_GROUP.match(rest) or _QUANTIFIER.match(rest):
            at += found.end()
        elif rest.startswith("(?"):
            yield None  # flags and the like
            return
        elif rest[0] == "[":
            characters, length = _bracket(rest, forbidden)
            yield characters
            at += length
        elif rest[0] == "\\":
            yield _escape(rest[1:2], forbidden)
            at += 2
        elif rest[0] == ".":
            yield forbidden
            at += 1
        else:
            yield frozenset() if rest[0] in "^$|()" else frozenset(rest[0])
            at += 1


def _after_group(pattern: str, at: int) -> int:
    """Find the end of the group that begins at `at`; escapes and brackets may hold parentheses."""
    depth = 0
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 1
        elif pattern[at] == "[":
            at += max(_bracket(pattern[at:], frozenset())[1] - 1, 0)
        elif pattern[at] == "(":
            depth += 1
        elif pattern[at] == ")":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return at


def _escape(character: str, forbidden: frozenset[str]) -> frozenset[str] | None:
    """Read what follows a backslash; None for a back-reference, a Unicode class, a code point."""
    if character in _NOTHING_FORBIDDEN:
        return frozenset()
    if character in {"D", "W", "S"}:
        return forbidden
    if character in _ESCAPED:
        return _ESCAPED[character]
    return None if not character or character.isalnum() else frozenset(character)


def _bracket(rest: str, forbidden: frozenset[str]) -> tuple[frozenset[str] | None, int]:
    """Read `[…]`; return what of the forbidden it can stand for, and its length."""
    negated = rest.startswith("[^")
    at = 2 if negated else 1
    first, held, known = at, set[str](), True
    while at < len(rest) and (rest[at] != "]" or at == first):
        if rest[at] == "[" or rest.startswith("&&", at):
            known = False  # Java's unions and intersections, POSIX classes
        if rest[at] == "\\":
            escaped = _escape(rest[at + 1 : at + 2], forbidden)
            known = known and escaped is not None
            members, width = escaped or frozenset(), 2
        else:
            members, width = frozenset(rest[at]), 1
        at += width
        if (
            len(members) == 1
            and rest[at : at + 1] == "-"
            and rest[at + 1 : at + 2] not in {"]", ""}
        ):
            skip = 2 if rest[at + 1] == "\\" else 1
            low, high = next(iter(members)), rest[at + skip]
            members = frozenset(c for c in forbidden if low <= c <= high)
            at += 1 + skip
        held |= members
    if not known:
        return None, at + 1
    return (frozenset(forbidden - held) if negated else frozenset(held)), at + 1
