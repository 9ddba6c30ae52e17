"""Keys of the one table and its two indexes. Their form is stored: changing one is a migration.

Parts are joined by '#', which no part can hold: ids, symbols, types, instants and days have none.
Instants and days are in their canonical form, so that texts sort as time does.
"""

from market_table.attributes import Item, text

PARTITION, SORT = "PK", "SK"
REFERENCE_INDEX = "GSI1"
REFERENCE_PARTITION, REFERENCE_SORT = "GSI1PK", "GSI1SK"
TIME_INDEX = "TimeSeriesIndex"
TIME_PARTITION, TIME_SORT = "TS_PK", "TS_SK"
KEY_ATTRIBUTES = frozenset(
    {PARTITION, SORT, REFERENCE_PARTITION, REFERENCE_SORT, TIME_PARTITION, TIME_SORT}
)

_VALID_FROM = "VALIDFROM#"


def event_key(event_id: str) -> Item:
    return {PARTITION: text(f"EVENT#{event_id}"), SORT: text("EVENT")}


def instrument_key(isin: str, valid_from: str) -> Item:
    return {PARTITION: text(instrument_partition(isin)), SORT: text(f"REFERENCE#{valid_from}")}


def instrument_partition(isin: str) -> str:
    return f"INSTRUMENT#{isin}"


def symbol_partition(symbol: str) -> str:
    return f"SYMBOL#{symbol}"


def valid_from_sort(day: str) -> str:
    return f"{_VALID_FROM}{day}"


def compensated_partition(day: str) -> str:
    """Name the partition of the events whose executions failed on a UTC day."""
    return f"STATUS#COMPENSATED#{day}"


def compensated_sort(failed_at: str, event_id: str) -> str:
    return f"{failed_at}#{event_id}"


def time_series_partition(symbol: str, kind: str, day: str) -> str:
    """Name a day of a symbol's trades or quotes; a day, so that no partition grows without end."""
    return f"{symbol}#{kind}#{day}"


def time_series_sort(occurred_at: str, event_id: str) -> str:
    return f"{occurred_at}#{event_id}"
