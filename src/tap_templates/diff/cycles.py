"""Find resources that depend on each other in a circle, which CloudFormation refuses."""

from collections.abc import Iterator
from typing import Any

from tap_templates.diff.circles import circle
from tap_templates.diff.load import InputError
from tap_templates.diff.values import call_of, references
from tap_templates.diff.view import View


def refuse_cycles(view: View) -> None:
    """Raise InputError if resources refer to each other in a circle, in this region."""
    mentioned = {name: [*view.mentions(name), *_depends_on(view, name)] for name in view.ids()}
    if not circle(mentioned):
        return
    # Some branch of an Fn::If may not be taken here: look at what is left after evaluation.
    found = circle({name: _dependencies(view, name) for name in view.ids()})
    if found:
        raise InputError(
            f"{view.path} /Resources/{found[0]}",
            f"is in a circle of references: {' → '.join(found)}",
            "break the circle: CloudFormation cannot order these resources",
        )


def _depends_on(view: View, logical_id: str) -> list[str]:
    depends = view.raw(logical_id).get("DependsOn") or []
    listed = depends if isinstance(depends, list) else [depends]
    return [each for each in listed if isinstance(each, str)]


def _dependencies(view: View, logical_id: str) -> list[str]:
    properties, _ = view.evaluated(logical_id)
    return sorted({*_unconditional(properties), *_depends_on(view, logical_id)})


def _unconditional(value: Any) -> Iterator[str]:
    """Iterate over what is referred to whatever an unknown condition turns out to be."""
    if isinstance(value, dict):
        called = call_of(value)
        if called in {"Ref", "Fn::GetAtt"}:
            yield from (each.name for each in references(value))
        elif called != "Fn::If":
            for each in value.values():
                yield from _unconditional(each)
    elif isinstance(value, list):
        for each in value:
            yield from _unconditional(each)
