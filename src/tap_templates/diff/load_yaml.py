"""Read YAML as CloudFormation does: short forms of functions, no dates, digits kept.

Works on the parser's events, so that depth, size and cycles are refused before they are built.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from tap_templates.diff.load import DEEPEST, InputError, too_deep
from tap_templates.diff.values import Number

_MOST_NODES: Final = 500_000  # aliases make few lines many nodes
_FUNCTIONS: Final = (
    " And Base64 Cidr Contains EachMemberEquals EachMemberIn Equals FindInMap GetAtt GetAZs"
    " GetStackOutput If ImportValue Join Length Not Or RefAll Select Split Sub ToJsonString"
    " Transform ValueOf ValueOfAll "
)
_PLAIN_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_PLAIN_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")
_WORDS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_yaml(text: str, path: str) -> Any:
    """Parse one YAML document; raise InputError with the line."""
    loader = _Loader(text)
    try:
        return _Reader(loader, path).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path} line {mark.line + 1} column {mark.column + 1}" if mark else path
        raise InputError(place, f"is broken YAML: {error.problem}", "correct it") from None
    except (yaml.YAMLError, ValueError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(path, f"is broken YAML: {first}", "correct it") from None
    finally:
        loader.dispose()


class _Reader:
    """Builds values from events by descent, as deep as `DEEPEST`."""

    def __init__(self, loader: Any, path: str) -> None:
        self._loader = loader
        self._path = path
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._open: set[str] = set()
        self._nodes = 0

    def document(self) -> Any:
        self._loader.get_event()  # the stream's start
        if isinstance(self._loader.peek_event(), yaml.StreamEndEvent):
            return None
        self._loader.get_event()  # the document's start
        found = self._node(0)
        self._loader.get_event()  # the document's end
        event = self._loader.peek_event()
        if not isinstance(event, yaml.StreamEndEvent):
            raise self._error(event, "holds a second document", "give one template a file")
        return found

    def _node(self, depth: int) -> Any:
        event = self._loader.get_event()
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if depth > DEEPEST:
            raise too_deep(self._place(event))
        before = self._nodes
        self._count(1)
        if event.anchor:
            self._open.add(event.anchor)
        if isinstance(event, yaml.ScalarEvent):
            found = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            found = list(self._items(depth))
        else:
            found = self._mapping(depth)
        found = self._tagged(event, found)
        if event.anchor:
            self._open.discard(event.anchor)
            self._anchors[event.anchor] = (found, self._nodes - before)
        return found

    def _alias(self, event: Any) -> Any:
        if event.anchor in self._open:
            raise self._error(event, f"holds itself by the alias *{event.anchor}", "write it out")
        if event.anchor not in self._anchors:
            raise self._error(event, f"has the alias *{event.anchor} of nothing", "correct it")
        found, nodes = self._anchors[event.anchor]
        self._count(nodes)
        return found

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > _MOST_NODES:
            raise InputError(
                self._path, f"has more than {_MOST_NODES:,} values", "write fewer aliases"
            )

    def _items(self, depth: int) -> Iterator[Any]:
        while not isinstance(self._loader.peek_event(), yaml.SequenceEndEvent):
            yield self._node(depth + 1)
        self._loader.get_event()

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: list[Mapping[str, Any]] = []
        while not isinstance(self._loader.peek_event(), yaml.MappingEndEvent):
            key = self._loader.peek_event()
            if not isinstance(key, yaml.ScalarEvent):
                raise self._error(key, "has a key that is no text", "correct it")
            self._loader.get_event()
            value = self._node(depth + 1)
            if key.value == "<<" and key.implicit[0]:
                merged.extend(value if isinstance(value, list) else [value])
                continue
            if key.value in found:
                raise self._error(key, f"has the key {key.value!r} twice", "keep one of them")
            found[key.value] = value
        self._loader.get_event()
        for each in merged:
            if isinstance(each, Mapping):
                found = {**each, **found}
        return found

    def _tagged(self, event: Any, found: Any) -> Any:
        tag = event.tag
        if tag is None or not tag.startswith("!") or tag == "!":
            return found
        name = tag[1:]
        if name in {"Ref", "Condition"}:
            return {name: found}
        if f" {name} " not in _FUNCTIONS:
            raise self._error(event, f"has the unknown tag {tag}", "correct it")
        if name == "GetAtt" and isinstance(found, str) and "." in found:
            return {"Fn::GetAtt": found.split(".", 1)}
        return {f"Fn::{name}": found}

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        tag = event.tag
        if tag is None and event.implicit[0]:
            tag = self._loader.resolve(yaml.ScalarNode, text, (True, False))
        match (tag or "").rpartition(":")[2]:
            case "bool":
                return _WORDS[text.lower()]
            case "null":
                return None
            case "int" if _PLAIN_INTEGER.match(text):
                return int(text)
            case "float" if _PLAIN_NUMBER.match(text):
                return Number(text)
        # Dates; and octal, hexadecimal and base-60 numbers, which nobody means.
        return text

    def _place(self, event: Any) -> str:
        return f"{self._path} line {event.start_mark.line + 1}"

    def _error(self, event: Any, what: str, remedy: str) -> InputError:
        return InputError(self._place(event), what, remedy)
