"""What the provider schemas say of a resource type, read as data from where cfn-lint keeps them.

Only the types asked for are read, each once. The linter itself is not imported: that would cost
more than the whole comparison.
"""

import importlib.util
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from tap_templates.errors import ModelError

# Any region with all the types will do: a type's schema is the same wherever it exists.
_REGION: Final = "us-east-1"
Path_ = tuple[str, ...]


class Node:
    """A place in a schema: what a value there may be."""

    __slots__ = ("_children", "_items", "_root", "kinds", "raw")

    def __init__(self, raw: Mapping[str, Any], root: Mapping[str, Any]) -> None:
        self._root = root
        self.raw = _resolved(raw, root)
        self.kinds = frozenset(_kinds(self.raw, root))
        self._children: dict[str, Node | None] = {}
        self._items: Node | None = None

    @property
    def is_unordered(self) -> bool:
        """Tell whether the schema says that the order of this list means nothing.

        `uniqueItems` alone does not: the layers and the command of a function have it.
        """
        return self.raw.get("insertionOrder") is False

    @property
    def is_free(self) -> bool:
        """Tell whether this is an object that the schema does not look into."""
        if "object" not in self.kinds and self.raw.get("format") != "json":
            return False
        return not any(
            isinstance(each.get(key), Mapping)
            for each in _variants(self.raw, self._root)
            for key in ("properties", "patternProperties", "additionalProperties")
        )

    @property
    def takes_json(self) -> bool:
        """Tell whether a text here is a document, which could as well be written as an object."""
        return self.raw.get("format") == "json" or {"object", "string"} <= self.kinds

    def child(self, key: str) -> "Node | None":
        """Give the place of a property; None if the schema does not know it."""
        if key not in self._children:
            found = next(self._candidates(key), None)
            self._children[key] = None if found is None else Node(found, self._root)
        return self._children[key]

    def items(self) -> "Node | None":
        """Give the place of a list's elements."""
        if self._items is None:
            found = [
                each["items"]
                for each in _variants(self.raw, self._root)
                if isinstance(each.get("items"), Mapping)
            ]
            self._items = Node(found[0], self._root) if found else None
        return self._items

    def _candidates(self, key: str) -> Iterator[Mapping[str, Any]]:
        variants = list(_variants(self.raw, self._root))
        for each in variants:
            found = each.get("properties", {}).get(key)
            if isinstance(found, Mapping):
                yield found
        for each in variants:
            yield from each.get("patternProperties", {}).values()
            if isinstance(each.get("additionalProperties"), Mapping):
                yield each["additionalProperties"]


class Schema:
    """What is known of one resource type."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.type: str = raw["typeName"]
        self.root = Node(
            {"type": "object", "properties": {"Properties": {**raw, "type": "object"}}}, raw
        )
        self.create_only = _paths(raw, "createOnlyProperties")
        self.conditional = _paths(raw, "conditionalCreateOnlyProperties")
        self.identifier = _paths(raw, "primaryIdentifier")
        self.read_only = _paths(raw, "readOnlyProperties")
        self.deletes_first: bool = raw.get("replacementStrategy") == "delete_then_create"

    @property
    def properties(self) -> Node | None:
        return self.root.child("Properties")

    @property
    def is_named_by_aws(self) -> bool:
        """Tell whether AWS makes up the identifier, so that no two resources share one."""
        return bool(self.identifier) and set(self.identifier) <= set(self.read_only)

    def names(self) -> tuple[str, ...]:
        """List the top-level properties that name the physical resource and cannot change."""
        fixed = {*self.create_only, *self.identifier} - set(self.read_only)
        found = {path[1] for path in fixed if len(path) == 2}
        own = self.type.rpartition("::")[2]
        by_name = {
            each
            for each in found
            if each.endswith("Name") and own.endswith(each.removesuffix("Name"))
        }
        alone = {self.identifier[0][1]} if len(self.identifier) == 1 else set()
        return tuple(sorted(by_name | (alone & found)))


@cache
def schema_of(resource_type: str) -> Schema | None:
    """Read a type's schema; None if there is none, as for custom resources and modules.

    Raises ModelError if the schemas are not installed.
    """
    name = _index().get(resource_type)
    if name is None:
        return None
    file = _folder() / "resources" / f"{name.removesuffix('.json')}.json"
    return Schema(json.loads(file.read_bytes()))


def known_types() -> frozenset[str]:
    """List the types that have a schema."""
    return frozenset(_index())


@cache
def _folder() -> Path:
    spec = importlib.util.find_spec("cfnlint")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("resource schemas", "are not installed", "run `make setup`")
    return Path(spec.submodule_search_locations[0]) / "data" / "schemas"


@cache
def _index() -> Mapping[str, str]:
    found: dict[str, str] = json.loads((_folder() / "providers" / f"{_REGION}.json").read_bytes())
    return found


def _paths(raw: Mapping[str, Any], key: str) -> tuple[Path_, ...]:
    """Read pointers as paths below the resource: `/properties/A/*/B` is (Properties, A, *, B)."""
    return tuple(
        ("Properties", *pointer.removeprefix("/properties/").split("/"))
        for pointer in raw.get(key, ())
        if pointer.startswith("/properties/")
    )


def _resolved(raw: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(16):  # as many references in a row as no schema has
        pointer = raw.get("$ref")
        if not isinstance(pointer, str):
            return raw
        target: Any = root
        for part in pointer.removeprefix("#/").split("/"):
            target = target.get(part, {}) if isinstance(target, Mapping) else {}
        raw = {**target, **{key: each for key, each in raw.items() if key != "$ref"}}
    return {}


def _variants(
    raw: Mapping[str, Any], root: Mapping[str, Any], depth: int = 0
) -> Iterator[Mapping[str, Any]]:
    """Iterate over a schema and what it combines."""
    yield raw
    for key in ("oneOf", "anyOf", "allOf"):
        for each in raw.get(key, ()):
            if isinstance(each, Mapping) and depth < 4:
                yield from _variants(_resolved(each, root), root, depth + 1)


def _kinds(raw: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[str]:
    for each in _variants(raw, root):
        kind = each.get("type")
        if isinstance(kind, str):
            yield kind
        elif isinstance(kind, list):
            yield from kind
        elif isinstance(each.get("properties"), Mapping) and each is raw:
            yield "object"
