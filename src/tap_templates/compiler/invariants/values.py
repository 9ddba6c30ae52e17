"""Reading resolved property values, whose types CloudFormation leaves open."""

from collections.abc import Mapping
from typing import Any


def number(value: Any) -> float | None:
    """Read a number, also one that a parameter turned into a text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return None


def flag(value: Any) -> bool | None:
    """Read a truth value, also one that a parameter turned into a text."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(str(value).lower())


def as_list(value: Any) -> list[Any]:
    """Read a property that may be one value or a list of them."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def inside(value: Any, *keys: str) -> Any:
    """Descend into nested mappings; None where a step is missing."""
    for key in keys:
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return value


def tag_values(tags: Any) -> dict[str, str]:
    """Read tags in either of CloudFormation's spellings: a list of pairs, or a mapping."""
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    return {str(tag.get("Key")): str(tag.get("Value", "")) for tag in as_list(tags)}
