"""Which resource types the local engine simulates, and which it only pretends to accept.

The table is `server/tap_engine/support.json`; the engine serves the same file. A type that is not
in it is refused: nothing is rolled out of which nobody knows what it does here.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tap_templates.errors import TapError

_TABLE = Path(__file__).parent / "server" / "tap_engine" / "support.json"


class UnsupportedTypeError(TapError):
    """A template has a resource type of which the local engine does not know what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of a rollout is alive on the local engine."""

    live: int
    not_simulated: Mapping[str, int]  # type → how many
    reasons: Mapping[str, str]  # type → why

    @property
    def total(self) -> int:
        return self.live + sum(self.not_simulated.values())

    @property
    def text(self) -> str:
        """Say it in one line."""
        missing = self.total - self.live
        said = f"{self.live} of {self.total} resources live"
        if not missing:
            return said
        kinds = ", ".join(
            f"{count} {name} ({self.reasons[name]})"
            for name, count in sorted(self.not_simulated.items())
        )
        return f"{said}, {missing} not simulated: {kinds}"


@cache
def table() -> Mapping[str, Mapping[str, Any]]:
    """Read the table: type → `live`, and a `note` or the reason `why` not."""
    read = json.loads(_TABLE.read_text(encoding="utf-8"))
    types: Mapping[str, Mapping[str, Any]] = read["types"]
    return types


def types_of(template: Mapping[str, Any]) -> list[str]:
    """List the types of a template's resources, one entry a resource, conditions aside."""
    return [resource["Type"] for resource in template.get("Resources", {}).values()]


def coverage(types: Iterable[str]) -> Coverage:
    """Count what is alive among resources of these types; refuse a type not in the table."""
    known = table()
    counts = Counter(types)
    unknown = sorted(counts.keys() - known.keys())
    if unknown:
        raise UnsupportedTypeError(
            "local engine",
            f"does not know {', '.join(unknown)}",
            "roll out to AWS, or teach it to the engine and list it in support.json",
        )
    missing = {name: count for name, count in counts.items() if not known[name]["live"]}
    return Coverage(
        live=sum(counts.values()) - sum(missing.values()),
        not_simulated=missing,
        reasons={name: known[name]["why"] for name in missing},
    )


def not_simulated(template: Mapping[str, Any]) -> Coverage:
    """Count what is alive of one template in one region."""
    return coverage(types_of(template))
