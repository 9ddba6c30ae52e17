"""Stage render: a template as the bytes that are linted, committed and deployed.

Sections and resource attributes stand in the order CloudFormation's documentation uses, everything
else is sorted; LF, two spaces, final newline. The same template gives the same bytes.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from tap_templates.compiler.build import BuiltStack

_SECTIONS = (
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Transform",
    "Resources",
    "Outputs",
)
_ATTRIBUTES = (
    "Type",
    "Condition",
    "DependsOn",
    "CreationPolicy",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "UpdatePolicy",
    "Metadata",
    "Properties",
)


@dataclass(frozen=True, slots=True)
class RenderedStack:
    """A built stack and its bytes. The data is what the bytes say, in their order."""

    built: BuiltStack
    template: dict[str, Any]
    body: bytes

    @property
    def name(self) -> str:
        return self.built.stack.name

    @property
    def regions(self) -> tuple[str, ...]:
        return self.built.system.regions.of(self.built.stack.where)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


def render_stack(built: BuiltStack) -> RenderedStack:
    """Render the template; what was rendered is also parsed back, so that checks see the bytes."""
    body = to_json(_in_order(built.template))
    return RenderedStack(built, json.loads(body), body)


def to_json(value: object) -> bytes:
    """Write JSON as this project commits it."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _in_order(template: dict[str, Any]) -> dict[str, Any]:
    sections = {key: _sorted(template[key]) for key in _SECTIONS if key in template}
    if unknown := sorted(set(template) - set(sections)):
        raise AssertionError(f"sections without a place: {unknown}")
    sections["Resources"] = {
        name: {key: resource[key] for key in _ATTRIBUTES if key in resource}
        | {key: resource[key] for key in sorted(resource) if key not in _ATTRIBUTES}
        for name, resource in sections["Resources"].items()
    }
    return sections


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(each) for each in value]
    return value
