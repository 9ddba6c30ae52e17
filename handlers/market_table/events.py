"""The item of an event, through its life: STORED, then RECORDED; or COMPENSATED.

| status | has | is in |
|---|---|---|
| STORED | facts, digest, execution | the table |
| RECORDED | the same, and enrichment | the table and the time series |
| COMPENSATED | digest, execution, reason; no facts | the table and the list of a day's failures |

`execution` is whose the item is: the execution that wrote it last. `digest` never changes under an
id, whatever becomes of the event: an id means one content for ever, also in the audit bucket, from
which nothing is taken back.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from market_events.schema import FIELDS, MarketEvent, parse
from market_table.attributes import Item, Stored, number, spelled, text, text_of
from market_table.enrichments import ENRICHED, attributes_of
from market_table.keys import (
    REFERENCE_PARTITION,
    REFERENCE_SORT,
    TIME_PARTITION,
    TIME_SORT,
    compensated_partition,
    compensated_sort,
    event_key,
    time_series_partition,
    time_series_sort,
)


class Status(StrEnum):
    """How far an event has come."""

    STORED = "STORED"
    RECORDED = "RECORDED"
    COMPENSATED = "COMPENSATED"


# What only a stored or recorded item has, and what only a compensated one has.
LIVE_ATTRIBUTES = frozenset(
    {*FIELDS - {"eventId"}, *ENRICHED, TIME_PARTITION, TIME_SORT, "storedAt", "recordedAt"}
)
MARKER_ATTRIBUTES = frozenset({REFERENCE_PARTITION, REFERENCE_SORT, "reason", "failedAt"})


def stored_item(event: MarketEvent, *, execution: str, region: str, at: str) -> Item:
    """Write an event that is valid and not yet complete: in no index."""
    return {
        **event_key(event.id),
        **{
            name: number(value) if isinstance(value, Decimal) else text(value)
            for name, value in _facts(event).items()
        },
        "status": text(Status.STORED.value),
        "digest": text(event.digest),
        "execution": text(execution),
        "region": text(region),
        "storedAt": text(at),
    }


def recorded_item(
    event: MarketEvent, enrichment: object, *, execution: str, region: str, at: str
) -> Item:
    """Write a complete event, in the time series; raise InvalidEvent for no such enrichment."""
    item = stored_item(event, execution=execution, region=region, at=at)
    del item["storedAt"]
    return {
        **item,
        **attributes_of(enrichment, event.type),
        "status": text(Status.RECORDED.value),
        "recordedAt": text(at),
        TIME_PARTITION: text(time_series_partition(event.symbol, event.type, event.date)),
        TIME_SORT: text(time_series_sort(event.occurred_at, event.id)),
    }


def marker(  # the attributes that compensation sets
    event: MarketEvent, *, execution: str, region: str, reason: str, at: str
) -> Item:
    """Write what is left of an event whose execution failed, less its key."""
    return {
        "eventId": text(event.id),
        "status": text(Status.COMPENSATED.value),
        "digest": text(event.digest),
        "execution": text(execution),
        "region": text(region),
        "reason": text(reason),
        "failedAt": text(at),
        REFERENCE_PARTITION: text(compensated_partition(at[:10])),
        REFERENCE_SORT: text(compensated_sort(at, event.id)),
    }


def status_of(item: Stored) -> Status | None:
    """Read the status; None for an item that is no event, or of a status unknown here."""
    value = text_of(item, "status")
    return Status(value) if value in set(Status) else None


def event_of(item: Stored) -> MarketEvent:
    """Read a stored or recorded event; raise InvalidEvent for another item."""
    found = {name: spelled(item, name) for name in FIELDS}
    return parse({name: value for name, value in found.items() if value is not None})


def _facts(event: MarketEvent) -> Mapping[str, str | Decimal]:
    return {
        "eventId": event.id,
        "type": event.type,
        "symbol": event.symbol,
        "venue": event.venue,
        "currency": event.currency,
        "occurredAt": event.occurred_at,
        **event.facts,
    }
