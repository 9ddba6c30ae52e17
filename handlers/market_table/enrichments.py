"""What enrichment adds to an event: texts on their way through the state machine, exact amounts.

The names are attributes of the stored event beside its facts, so none may be one of a fact.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from market_events.failures import InvalidEvent, Problem
from market_table.attributes import DIGITS, Attribute, Stored, number, spelled, text

_ALWAYS = frozenset(
    {"assetClass", "instrumentName", "isin", "lotSize", "onTick", "tickSize", "validFrom"}
)
_BY_TYPE: Mapping[str, frozenset[str]] = MappingProxyType(
    {"quote": frozenset({"mid", "spread"}), "trade": frozenset({"notional"})}
)
_AMOUNTS = frozenset({"lotSize", "mid", "notional", "spread", "tickSize"})
ENRICHED = _ALWAYS.union(*_BY_TYPE.values())

_AMOUNT = re.compile(r"-?(0|[1-9][0-9]{0,37})(\.[0-9]{1,38})?")


def fields_of(kind: str) -> frozenset[str]:
    """List what enrichment says of an event of a type."""
    return _ALWAYS | _BY_TYPE[kind]


def attributes_of(enrichment: object, kind: str) -> dict[str, Attribute]:
    """Write an enrichment as attributes; raise InvalidEvent for one that enrichment cannot give."""
    wanted = fields_of(kind)
    given = enrichment if isinstance(enrichment, dict) else {}
    broken = given.keys() != wanted or not all(
        _is_amount(value) if name in _AMOUNTS else isinstance(value, str) and value
        for name, value in given.items()
    )
    if broken:
        raise InvalidEvent([Problem("enrichment", f"must be what enrichment says of a {kind}")])
    return {
        name: number(Decimal(value)) if name in _AMOUNTS else text(value)
        for name, value in sorted(given.items())
    }


def enrichment_of(item: Stored, kind: str) -> dict[str, str]:
    """Read the enrichment of a recorded event, as enrichment gave it."""
    found = {name: spelled(item, name) for name in sorted(fields_of(kind))}
    return {name: value for name, value in found.items() if value is not None}


def _is_amount(value: object) -> bool:
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        return False
    return len(value.lstrip("-").replace(".", "").strip("0")) <= DIGITS
