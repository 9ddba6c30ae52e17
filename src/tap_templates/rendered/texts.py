"""The texts in resolved properties, each with where it stands."""

from collections.abc import Iterator, Mapping
from typing import Any


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Iterate over the strings in `value`, each with its JSON pointer."""
    found: list[tuple[str, str]] = []
    _collect(value, path, found)
    return iter(found)


def _collect(value: Any, path: str, found: list[tuple[str, str]]) -> None:
    # A list that is handed down: generators within generators are what the proof would wait for.
    if isinstance(value, str):
        found.append((path, value))
    elif isinstance(value, Mapping):
        for key, each in value.items():
            name = str(key)
            if "~" in name or "/" in name:
                name = name.replace("~", "~0").replace("/", "~1")
            _collect(each, f"{path}/{name}", found)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _collect(each, f"{path}/{index}", found)
