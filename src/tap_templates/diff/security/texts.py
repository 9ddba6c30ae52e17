"""Texts of templates as symbols: letters, wildcards, and atoms for what nobody knows yet.

A canonical value becomes one Python string. An atom (a parameter without default, an import, the
identity that AWS generates for a resource, a policy variable) is one character of Unicode's
private use area, so that patterns over letters and atoms alike are patterns over characters.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from tap_templates.diff.values import scalar_text

STAR: Final = "\uf8f0"  # any text
SEGMENT: Final = "\uf8f1"  # any text without a colon
ONE: Final = "\uf8f2"  # any one letter
ATOM: Final = "\uf8f3"  # any one atom
_FIXED_FROM: Final = 0xE000
_OPEN_FROM: Final = 0xEC00
_PART_FROM: Final = 0xF400
_OPEN_UNTIL: Final = 0xF8F0
# Open, but without a colon: what stands between two of them in an ARN.
_PARTS: Final = frozenset({"AWS::AccountId", "AWS::Partition", "AWS::Region"})

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_ESCAPES: Mapping[str, str] = {"*": "*", "?": "?", "$": "$"}
_DYNAMIC = re.compile(r"\{\{resolve:[^}]*\}\}")
_PRIVATE = re.compile(r"[\ue000-\uf8ff]")

# From the logical id and the attribute ("" for Ref) to the text, None if AWS generates it.
Resolve = Callable[[str, str], str | None]


class TooManyAtomsError(ValueError):
    """More unknown values than there are symbols for them."""


def is_atom(symbol: str) -> bool:
    return _FIXED_FROM <= ord(symbol) < _OPEN_UNTIL


def is_open(symbol: str) -> bool:
    """Tell whether a symbol may turn out to be equal to some other text."""
    return _OPEN_FROM <= ord(symbol) < _OPEN_UNTIL


def has_atom(text: str) -> bool:
    return any(map(is_atom, text))


def is_part(symbol: str) -> bool:
    """Tell whether a symbol may be equal to other texts, but to none with a colon."""
    return _PART_FROM <= ord(symbol) < _OPEN_UNTIL


class Atoms:
    """Gives each unknown value its symbol; one table serves all texts that are compared.

    Fixed atoms are equal to nothing but themselves: the generated identity of a resource, a
    variable that each request fills in anew. Open atoms, as parameters, may be equal to any text.
    """

    def __init__(self) -> None:
        self._symbols: dict[tuple[int, str], str] = {}
        self._names: dict[str, str] = {}
        # From where a kind's symbols start, to the next one that is free.
        self._next = {_FIXED_FROM: _FIXED_FROM, _OPEN_FROM: _OPEN_FROM, _PART_FROM: _PART_FROM}

    def fixed(self, name: str) -> str:
        return self._symbol(name, _FIXED_FROM, _OPEN_FROM)

    def open(self, name: str) -> str:
        if name in _PARTS:
            return self._symbol(name, _PART_FROM, _OPEN_UNTIL)
        return self._symbol(name, _OPEN_FROM, _PART_FROM)

    def spell(self, text: str) -> str:
        """Write a text for a person: atoms as `${Name}`, wildcards as IAM has them."""
        wildcards = {STAR: "*", SEGMENT: "*", ONE: "?"}
        return "".join(
            wildcards.get(each) or (f"${{{self._names[each]}}}" if each in self._names else each)
            for each in text
        )

    def _symbol(self, name: str, first: int, end: int) -> str:
        key = (first, name)
        if key not in self._symbols:
            code = self._next[first]
            if code == end:
                raise TooManyAtomsError
            self._next[first] = code + 1
            self._symbols[key] = chr(code)
            self._names[chr(code)] = name
        return self._symbols[key]


class Encoder:
    """Turns canonical values into texts of symbols."""

    def __init__(self, atoms: Atoms, resolve: Resolve | None = None) -> None:
        self.atoms = atoms
        self._resolve = resolve
        self._open: list[str] = []  # references being resolved, to tell a cycle

    def text(self, value: Any) -> str:
        """Encode a scalar or an intrinsic function; wildcards are still letters."""
        literal = scalar_text(value)
        if literal is not None:
            return self._plain(literal)
        match value:
            case {"Ref": str(name)}:
                return self._reference(name, "")
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return self._reference(name, attribute)
            case {"Fn::Join": [str(delimiter), list(items)]}:
                return self._plain(delimiter).join(self.text(item) for item in items)
        return self.atoms.open(_dump(value))

    def _reference(self, name: str, attribute: str) -> str:
        spelled = f"{name}.{attribute}" if attribute else name
        if name.startswith("AWS::") or self._resolve is None or spelled in self._open:
            return self.atoms.open(spelled)
        self._open.append(spelled)
        found = self._resolve(name, attribute)
        self._open.pop()
        return self.atoms.open(spelled) if found is None else found

    def _plain(self, text: str) -> str:
        """Take a literal as it is, save what CloudFormation replaces and what would be a symbol."""
        text = _PRIVATE.sub(lambda match: self.atoms.fixed(f"U+{ord(match.group()):X}"), text)
        return _DYNAMIC.sub(lambda match: self.atoms.open(match.group()), text)

    def pattern(self, text: str, *, has_variables: bool = True, has_wildcards: bool = True) -> str:
        """Read policy variables, and wildcards if there are any, in an encoded text."""
        read = _globs if has_wildcards else str
        if "${" not in text or not has_variables:
            return read(text)
        parts: list[str] = []
        end = 0
        for match in _VARIABLE.finditer(text):
            parts.append(read(text[end : match.start()]))
            end = match.end()
            name = match.group(1)
            parts.append(_ESCAPES.get(name) or self.atoms.fixed(name))
        return "".join([*parts, read(text[end:])])


def spell(value: Any) -> str:
    """Write a canonical value for a person: a text as it is, references as `${Name}`."""
    atoms = Atoms()
    return atoms.spell(Encoder(atoms).text(value))


def _globs(text: str) -> str:
    return re.sub(r"\*+", STAR, text).replace("?", ONE)


def _dump(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
