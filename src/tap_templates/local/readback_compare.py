"""What reading back is: a place to look, and how what is wanted and what is found are compared.

A check gives what is wrong, as texts; it raises `Missing`, or lets the service's error through, if
the resource is not there. What AWS generates is a token in the resolved properties and is not
compared.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tap_templates.rendered.tokens import is_known

Properties = Mapping[str, Any]


class Missing(Exception):  # noqa: N818 - it says what the resource is
    """The service does not have the resource."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource is: its region, its physical id, those of its neighbours."""

    clients: Callable[[str, str], Any]
    region: str
    id: str
    neighbours: Mapping[str, str]

    def client(self, service: str, region: str | None = None) -> Any:
        return self.clients(service, region or self.region)


Check = Callable[[Place, Properties], list[str]]


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Compare what is wanted with what is found: numbers and truths as text, tokens not at all."""
    return [
        f"{key} is {found.get(key)!r} and not {value!r}"
        for key, value in wanted.items()
        if not same(value, found.get(key))
    ]


def same(wanted: Any, found: Any) -> bool:
    """Say whether what is found is what is wanted; a mapping may hold more than is wanted."""
    if isinstance(wanted, str) and (not is_known(wanted) or wanted == found):
        return True
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            same(value, found.get(key)) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(wanted) == len(found)
            and all(same(one, other) for one, other in zip(wanted, found, strict=True))
        )
    return bool(_plain(wanted) == _plain(found))


def _plain(value: Any) -> Any:
    """Give a number as a number, whether it is one or a text of one; anything else as text."""
    try:
        return float(value) if not isinstance(value, bool) else str(value).lower()
    except (TypeError, ValueError):
        return str(value).lower()


def only(properties: Properties, *names: str) -> dict[str, Any]:
    """Give the properties of these names that there are."""
    return {name: properties[name] for name in names if name in properties}
