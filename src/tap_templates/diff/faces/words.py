"""Words of all faces: values and places as a person reads them, and nothing a template can forge.

Whatever comes from a template is masked once more here and loses what steers a terminal or turns
text around; each face escapes the rest for its own language.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tap_templates.diff.security.secrets.masking import MASK, masked, masked_text
from tap_templates.diff.values import call_of, scalar_text

ABSENT: Final = "(absent)"
# Controls, surrogates without a partner, and letters that turn text around or have no width.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_POINTER_ESCAPES: Final = (("~1", "/"), ("~0", "~"))


def printable(text: str) -> str:
    """Spell out letters that would do something rather than be seen; tabs and newlines stay."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def sentence(text: str) -> str:
    """Give a sentence of a result on one line, secrets masked."""
    return " ".join(printable(masked_text(text)).split())


def steps(pointer: str) -> tuple[str, ...]:
    """Take a JSON pointer apart."""
    found = pointer.split("/")[1:]
    for escape, letter in _POINTER_ESCAPES:
        found = [each.replace(escape, letter) for each in found]
    return tuple(found)


def line(value: Any, pointer: str = "") -> str:
    """Write a value on one line: texts as they are, functions as `${…}`, the rest as JSON."""
    if value is None:
        return ABSENT
    return " ".join(_text(masked(value, steps(pointer)), indent=None).split("\n"))


def block(value: Any, pointer: str = "") -> str:
    """Write a value over as many lines as it takes."""
    return ABSENT if value is None else _text(masked(value, steps(pointer)), indent=2)


def clipped(text: str, most: int) -> str:
    """Keep at most so many letters, and say how many there were."""
    if len(text) <= most:
        return text
    return f"{text[: max(0, most - 24)]}… ({len(text):,} letters)"


def counted(number: int, one: str, several: str = "") -> str:
    """Write `1 change`, `2 changes`."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def listed(items: Sequence[str]) -> str:
    """Write `a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def plain(value: Any) -> Any:
    """Make functions readable at any depth: `arn:${AWS::Partition}:…`, `${Queue.Arn}`."""
    spelled = _function(value)
    if spelled is not None:
        return spelled
    if isinstance(value, Mapping):
        return {printable(str(key)): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, str):
        return printable(value)
    return value


def _text(value: Any, *, indent: int | None) -> str:
    found = plain(value)
    text = scalar_text(found)
    if text is None:
        text = json.dumps(found, indent=indent, ensure_ascii=False, default=str)
    return printable(text)


def _function(value: Any) -> str | None:
    """Spell a reference or a joined text; None for any other function, which stays JSON."""
    inside: str | None = None
    match value if call_of(value) else None:
        case {"Ref": str(name)}:
            inside = name
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            inside = f"{name}.{attribute}"
        case {"Tap::Output": [str(stack), str(region), str(name)]}:
            inside = f"{stack}.{name} in {region}"
        case {"Tap::Secret": _}:
            return MASK
        case {"Fn::Join": [str(delimiter), list(parts)]}:
            return printable(delimiter).join(_part(each) for each in parts)
    return None if inside is None else "${" + printable(inside) + "}"


def _part(value: Any) -> str:
    found = plain(value)
    text = scalar_text(found)
    return "${" + json.dumps(found, default=str) + "}" if text is None else text
