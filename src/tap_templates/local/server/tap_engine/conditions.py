"""Patch: pseudo parameters, maps and strings in the Conditions of a template.

The engine compares a condition's `Ref AWS::Region` as the text "AWS::Region", so that every region
looks like the standby, silently. Here all but conditions themselves is resolved first.
"""

import copy
from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import changesets, engine, handlers, stacks

from tap_engine.originals import patch

_CONDITIONS = {"Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not", "Condition"}


def install() -> None:
    """Make the patch, in every module that holds the function."""
    patch(
        engine,
        "_evaluate_conditions",
        "e7f9e29b6c01",
        _with_resolved_values,
        why="AWS::Region and other values are not resolved inside Conditions",
        also=(changesets, handlers, stacks),
    )


def _with_resolved_values(original: Callable[..., Any]) -> Callable[..., Any]:
    def evaluate(template: dict[str, Any], params: dict[str, Any]) -> Any:
        mappings = template.get("Mappings") or {}

        def resolved(value: Any) -> Any:
            if isinstance(value, list):
                return [resolved(each) for each in value]
            if not isinstance(value, dict):
                return value
            if len(value) == 1 and next(iter(value)) not in _CONDITIONS:
                return engine._resolve_refs(copy.deepcopy(value), {}, params, {}, mappings, "", "")
            return {
                key: each if key == "Condition" else resolved(each) for key, each in value.items()
            }

        conditions = {
            name: resolved(value) for name, value in (template.get("Conditions") or {}).items()
        }
        return original({**template, "Conditions": conditions}, params)

    return evaluate
