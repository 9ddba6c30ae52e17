"""Texts that hold JSON, read as what they hold, references within them included."""

import json
import re
from typing import Any, Final

from tap_templates.diff.values import NO_VALUE, Number, call_of, joined, text_parts

# Stand for references while the JSON is parsed: private use, so that no template has them.
_OPEN, _BARE, _CLOSE = "\ue000", "\ue001", "\ue002"
_MARK = re.compile(f"([{_OPEN}{_BARE}])([0-9]+){_CLOSE}")
_DEEPEST: Final = 100


def parsed(value: Any) -> Any:
    """Read a canonical text as the document it holds; give back unchanged what holds none."""
    match value:
        case {"Fn::ToJsonString": inner}:
            return inner
        case {"Fn::If": [condition, yes, no]}:
            branches = [each if each is NO_VALUE else parsed(each) for each in (yes, no)]
            return {"Fn::If": [condition, *branches]}
    if not (isinstance(value, str) or call_of(value) == "Fn::Join"):
        return value
    parts = text_parts(value)
    text = _marked(parts)
    if text.lstrip()[:1] not in {"{", "["}:
        return value
    try:
        found = json.loads(text, parse_float=Number)
    except (ValueError, RecursionError):
        return value
    restored = _restored(found, parts, 0)
    return value if restored is _TOO_DEEP else restored


_TOO_DEEP: Final = object()


def _marked(parts: list[Any]) -> str:
    """Write the text with a mark for each reference, quoted where none are around it."""
    written: list[str] = []
    within = False  # a JSON string
    for index, part in enumerate(parts):
        if isinstance(part, str):
            written.append(part)
            within = _ends_within(part, within=within)
        elif within:
            written.append(f"{_OPEN}{index}{_CLOSE}")
        else:
            written.append(f'"{_BARE}{index}{_CLOSE}"')
    return "".join(written)


def _ends_within(text: str, *, within: bool) -> bool:
    """Tell whether a JSON string is open after `text`."""
    escaped = False
    for letter in text:
        if escaped:
            escaped = False
        elif letter == "\\" and within:
            escaped = True
        elif letter == '"':
            within = not within
    return within


def _restored(value: Any, parts: list[Any], depth: int) -> Any:
    if depth > _DEEPEST:
        return _TOO_DEEP
    if isinstance(value, str):
        return _text(value, parts)
    if isinstance(value, dict):
        entries: dict[str, Any] = {}
        for key, each in value.items():
            found = _restored(each, parts, depth + 1)
            if found is _TOO_DEEP:
                return _TOO_DEEP
            entries[_key(key, parts)] = found
        return entries
    if isinstance(value, list):
        items = [_restored(each, parts, depth + 1) for each in value]
        return _TOO_DEEP if any(each is _TOO_DEEP for each in items) else items
    return value


def _text(text: str, parts: list[Any]) -> Any:
    if _OPEN not in text and _BARE not in text:
        return text
    found: list[Any] = []
    end = 0
    for match in _MARK.finditer(text):
        found.append(text[end : match.start()])
        part = parts[int(match.group(2))]
        # Without quotes it is no text: a number, a whole document.
        found.append({"Tap::Bare": part} if match.group(1) == _BARE else part)
        end = match.end()
    found.append(text[end:])
    return joined(found)


def _key(key: str, parts: list[Any]) -> str:
    def spelled(match: re.Match[str]) -> str:
        return "${" + json.dumps(parts[int(match.group(2))], sort_keys=True, default=str) + "}"

    return _MARK.sub(spelled, key)
