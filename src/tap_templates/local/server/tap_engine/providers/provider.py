"""What a provider of a resource type is, and what providers share."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from ministack.services.cloudformation import provisioners

Properties = Mapping[str, Any]
Attributes = dict[str, Any]
Made = tuple[str, Attributes]  # what Ref gives, and what GetAtt gives

_READ: Mapping[str, Callable[[str], Any]] = {
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": lambda text: text.lower() == "true",
}
_MISSING = ("NotFound", "NoSuch", "NonExistent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """How to create, update and delete a resource.

    `update` gets the physical id, the old and the new properties, the stack and the logical id. If
    it gives another physical id, the engine deletes the old resource afterwards. `snapshot` comes
    before a deletion that leaves one behind.
    """

    type: str
    create: Callable[[str, Properties, str], Made]
    update: Callable[[str, Properties, Properties, str, str], Made]
    delete: Callable[[str, Properties], None]
    snapshot: Callable[[str, Properties], None] | None = None

    def as_handlers(self) -> dict[str, Any]:
        """Give the provider in the engine's form."""
        return {
            "create": self.create,
            "update": self.update,
            "update_with_logical_id": True,
            "delete": self.delete,
            **({"snapshot": self.snapshot} if self.snapshot else {}),
        }


def engines_own(resource_type: str) -> Provider:
    """Give the engine's provider of a type, for one of ours to add to."""
    handlers = provisioners._RESOURCE_HANDLERS[resource_type]
    by_logical_id = handlers.get("update_with_logical_id", False)

    def update(
        physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str
    ) -> Made:
        more = (logical_id,) if by_logical_id else ()
        made: Made = handlers["update"](physical_id, old, new, stack, *more)
        return made

    return Provider(
        type=resource_type,
        create=handlers["create"],
        update=update,
        delete=handlers["delete"],
        snapshot=handlers.get("snapshot"),
    )


def name_of(properties: Properties, key: str, stack: str, logical_id: str) -> str:
    """Give a resource's name; generate one if the template has none."""
    return str(properties.get(key) or provisioners._physical_name(stack, logical_id, max_len=64))


def without(properties: Properties, *keys: str) -> dict[str, Any]:
    """Copy properties less some."""
    return {key: value for key, value in properties.items() if key not in keys}


def tags_changed(old: Properties, new: Properties) -> tuple[list[dict[str, str]], list[str]]:
    """Say which tags are to be set, and the keys of those to be taken away."""
    before, after = (
        {each["Key"]: each["Value"] for each in properties.get("Tags") or []}
        for properties in (old, new)
    )
    wanted = [{"Key": key, "Value": str(after[key])} for key in after]
    changed = [each for each in wanted if before.get(each["Key"]) != each["Value"]]
    return changed, sorted(before.keys() - after.keys())


def refuse_change(resource_type: str, old: Properties, new: Properties, *changeable: str) -> None:
    """Refuse a change of anything but these: the local engine has no word for it."""
    changed = sorted(
        key
        for key in old.keys() | new.keys()
        if key not in changeable and old.get(key) != new.get(key)
    )
    if changed:
        said = ", ".join(changed)
        raise ValueError(f"{resource_type}: the local engine does not simulate a change of {said}")


@contextlib.contextmanager
def if_there() -> Iterator[None]:
    """Let a deletion of what is gone succeed."""
    try:
        yield
    except ClientError as error:
        if not any(word in error.response["Error"]["Code"] for word in _MISSING):
            raise


def shaped(client: Any, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give values the types that the API wants: templates carry numbers and truths as text."""
    api = client.meta.method_to_api_mapping[operation]
    shape = client.meta.service_model.operation_model(api).input_shape
    typed: dict[str, Any] = _typed(request, shape)
    return typed


def _typed(value: Any, shape: Any) -> Any:
    if shape.type_name == "structure" and isinstance(value, Mapping):
        return {
            key: _typed(each, shape.members[key]) if key in shape.members else each
            for key, each in value.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_typed(each, shape.member) for each in value]
    if shape.type_name in _READ and isinstance(value, str):
        return _READ[shape.type_name](value)
    if shape.type_name == "string" and isinstance(value, bool | int | float):
        return str(value).lower()
    return value
