"""The steps of a plan: a closed set of values, each one thing to do. They say all there is to do.

A step that starts a stack set operation includes waiting for its end and verifying the result:
SUCCEEDED, and every instance CURRENT with our template. Nothing else counts as done.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from tap_templates.deploy.values import (
    Kept,
    Known,
    Output,
    Value,
    Values,
    value_from_json,
    value_to_json,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadPackage:
    """Put a zip into a region's bucket under its digest, and verify what lies there then."""

    package: str
    region: str
    key: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRelease:
    """Put a stack's template and release into the home bucket, where a rollback finds them."""

    stack: str
    template_sha256: str
    release_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateStackSet:
    stack: str
    parameters: Values
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateStackSet:
    """Set template and parameters of the stack set and bring them to `regions`, in that order.

    No regions means that it has no instances.
    """

    stack: str
    regions: tuple[str, ...]
    parameters: Values
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateInstances:
    stack: str
    regions: tuple[str, ...]
    overrides: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateInstances:
    """Give the instances this complete list of overrides, unless they have just that already."""

    stack: str
    regions: tuple[str, ...]
    overrides: Values
    current: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteInstances:
    stack: str
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteStackSet:
    stack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyBucket:
    stack: str
    region: str
    bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Wait until the stacks of a region are healthy; go no further if they are not."""

    region: str
    stacks: tuple[str, ...]


Step = (
    UploadPackage
    | StoreRelease
    | CreateStackSet
    | UpdateStackSet
    | CreateInstances
    | UpdateInstances
    | DeleteInstances
    | DeleteStackSet
    | EmptyBucket
    | Gate
)

_WORDS: dict[str, type[Step]] = {
    "upload-package": UploadPackage,
    "store-release": StoreRelease,
    "create-stack-set": CreateStackSet,
    "update-stack-set": UpdateStackSet,
    "create-instances": CreateInstances,
    "update-instances": UpdateInstances,
    "delete-instances": DeleteInstances,
    "delete-stack-set": DeleteStackSet,
    "empty-bucket": EmptyBucket,
    "gate": Gate,
}
_WORD_OF = {kind: word for word, kind in _WORDS.items()}


def word(step: Step) -> str:
    """Name the kind of step, as the saved plan does."""
    return _WORD_OF[type(step)]


def step_to_json(step: Step) -> dict[str, Any]:
    values = {field.name: _plain(getattr(step, field.name)) for field in fields(step)}
    return {"do": word(step), **values}


def step_from_json(data: Mapping[str, Any]) -> Step:
    """Read a step back. Raises ValueError for what `step_to_json` does not write."""
    kind = _WORDS.get(str(data.get("do")))
    if kind is None or {*data} - {"do"} != {field.name for field in fields(kind)}:
        raise ValueError(f"no step: {data!r}")
    return kind(**{key: _typed(key, value) for key, value in data.items() if key != "do"})


def _plain(value: str | tuple[str, ...] | Mapping[str, str | Value]) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return list(value)
    return {
        key: value_to_json(each) if isinstance(each, Known | Output | Kept) else each
        for key, each in sorted(value.items())
    }


def _typed(key: str, value: Any) -> Any:
    match key, value:
        case (("regions" | "stacks"), list()):
            return tuple(str(each) for each in value)
        case (("parameters" | "overrides"), dict()):
            return {name: value_from_json(each) for name, each in value.items()}
        case "current", dict():
            return {name: str(each) for name, each in value.items()}
        case _, str():
            return value
        case _:
            raise ValueError(f"no value of {key}: {value!r}")
