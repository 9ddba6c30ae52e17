"""Bring evaluated properties into the form of their type's schema, in which equal is equal.

Scalars become what the schema says they are, texts of JSON become what they hold, lists without
order are sorted (`SetList`). Pure; what a schema does not know keeps its form.
"""

from collections.abc import Mapping
from typing import Any

from tap_templates.diff import documented
from tap_templates.diff.json_text import parsed
from tap_templates.diff.policies import as_set, is_policy, is_statement, pattern, policy, statement
from tap_templates.diff.schemas import Node, Schema
from tap_templates.diff.values import (
    NO_VALUE,
    call_of,
    joined,
    scalar_text,
    text_parts,
)

_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}


class Normaliser:
    """Knows one type's schema; None if there is none."""

    def __init__(self, resource_type: str, schema: Schema | None, partition: str) -> None:
        self._type = resource_type
        self._schema = schema
        self._partition = partition

    def properties(self, evaluated: Mapping[str, Any]) -> dict[str, Any]:
        """Normalise a resource's properties."""
        if self._schema is None:
            return {key: untyped(each) for key, each in evaluated.items()}
        node = self._schema.properties
        found: dict[str, Any] = {
            key: self._value(each, node.child(key) if node else None, f"/Properties/{key}", key)
            for key, each in evaluated.items()
        }
        if self._type == "AWS::StepFunctions::StateMachine":
            return _with_substitutions(found)
        if self._type.startswith("AWS::EC2::SecurityGroup"):
            return _with_protocols(found)
        return found

    def _value(self, value: Any, node: Node | None, path: str, name: str) -> Any:
        called = call_of(value)
        if called == "Fn::If":
            condition, *branches = value["Fn::If"]
            found = [
                each if each is NO_VALUE else self._value(each, node, path, name)
                for each in branches
            ]
            return {"Fn::If": [condition, *found]}
        is_json = (self._type, path) in documented.JSON_PATHS or (node and node.takes_json)
        if is_json and (isinstance(value, str) or called):
            value = parsed(value)
            called = call_of(value)
        if called:
            return value
        if isinstance(value, dict):
            return self._object(value, node, path, name)
        if isinstance(value, list):
            return self._list(value, node, path, name)
        return _scalar(value, node)

    def _object(self, value: Mapping[str, Any], node: Node | None, path: str, name: str) -> Any:
        if name in documented.PATTERN_NAMES:
            return pattern(value)
        if node is None or node.is_free or (self._type, path) in documented.JSON_PATHS:
            return self._document(value)
        return {
            key: self._value(each, node.child(key), f"{path}/{key}", key)
            for key, each in value.items()
        }

    def _document(self, value: Any) -> Any:
        """Normalise free JSON: policies by their shape, anything else as it stands."""
        if is_policy(value):
            return policy(value, self._partition)
        if is_statement(value):
            return statement(value, self._partition)
        if isinstance(value, dict) and not call_of(value):
            return {key: self._document(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._document(each) for each in value]
        return value

    def _list(self, value: list[Any], node: Node | None, path: str, name: str) -> Any:
        if node is not None and "array" not in node.kinds and (node.is_free or not node.kinds):
            return [self._document(each) for each in value]
        items = node.items() if node else None
        found = [self._value(each, items, f"{path}/*", name) for each in value]
        if self._is_set(node, path, name):
            unique = node is not None and node.raw.get("uniqueItems") is True
            return as_set(found, unique=unique)
        return found

    def _is_set(self, node: Node | None, path: str, name: str) -> bool:
        if name in documented.ORDERED_NAMES:
            return False
        if node is not None and node.is_unordered:
            return True
        return name in documented.SET_NAMES or (self._type, path) in documented.SET_PATHS


def untyped(value: Any) -> Any:
    """Normalise what has no schema: CloudFormation hands such scalars on as texts."""
    if isinstance(value, dict):
        return {key: untyped(each) for key, each in value.items()}
    if isinstance(value, list):
        return [untyped(each) for each in value]
    text = scalar_text(value)
    return value if text is None else text


def _scalar(value: Any, node: Node | None) -> Any:
    kinds = node.kinds if node else frozenset[str]()
    scalars = kinds & {"string", "integer", "number", "boolean"}
    if not scalars or (len(scalars) > 1 and not isinstance(value, str)):
        return value
    if "boolean" in scalars and isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower(), value)
    if scalars & {"integer", "number"} and not isinstance(value, bool):
        return _number(value)
    if scalars == {"string"}:
        text = scalar_text(value)
        return value if text is None else text
    return value


def _number(value: Any) -> Any:
    """Give equal numbers one form: 1, "1", "1.0" and "01" are 1."""
    text = scalar_text(value)
    try:
        found = float(text or "")
    except ValueError:
        return value
    if found.is_integer() and abs(found) < 2**53:
        return int(found)
    return value if isinstance(value, int) else float(found)


def _with_protocols(properties: dict[str, Any]) -> dict[str, Any]:
    """Spell protocols of rules by name, and leave out ports where a protocol has none."""

    def rule(value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("IpProtocol"), str):
            return value
        protocol = value["IpProtocol"].lower()
        protocol = _PROTOCOLS.get(protocol, protocol)
        found = {**value, "IpProtocol": protocol}
        if protocol == "-1":
            for port in ("FromPort", "ToPort"):
                found.pop(port, None)
        return found

    found = {**properties, **rule(properties)}
    if properties.get("IpProtocol") is not None:
        return dict(rule(properties))
    for name in ("SecurityGroupIngress", "SecurityGroupEgress"):
        if isinstance(found.get(name), list):
            found[name] = as_set([rule(each) for each in found[name]])
    return found


def _with_substitutions(properties: dict[str, Any]) -> dict[str, Any]:
    """Fill in the substitutions of a state machine's definition."""
    given = properties.get("DefinitionSubstitutions")
    if not isinstance(given, dict) or not _is_flat(given):
        return properties
    found = {key: each for key, each in properties.items() if key != "DefinitionSubstitutions"}
    for name in ("Definition", "DefinitionString"):
        if name in found:
            found[name] = parsed(_filled(found[name], given))
    return found if {"Definition", "DefinitionString"} & found.keys() else properties


def _is_flat(values: Mapping[str, Any]) -> bool:
    """Tell whether all values are scalars or single references."""
    return call_of(values) is None and all(
        scalar_text(each) is not None or call_of(each) is not None for each in values.values()
    )


def _filled(value: Any, given: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        parts: list[Any] = [value]
        for name, each in given.items():
            parts = [piece for part in parts for piece in _replaced(part, f"${{{name}}}", each)]
        return joined(parts)
    if isinstance(value, dict):
        if call_of(value) == "Fn::Join":
            return joined([_filled(each, given) for each in text_parts(value)])
        return {key: _filled(each, given) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, given) for each in value]
    return value


def _replaced(part: Any, old: str, new: Any) -> list[Any]:
    if not isinstance(part, str) or old not in part:
        return [part]
    pieces: list[Any] = []
    for index, piece in enumerate(part.split(old)):
        pieces.extend([new, piece] if index else [piece])
    return pieces
