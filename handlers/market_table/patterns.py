"""The questions the table answers, each by one key lookup or one query; none needs a scan.

docs/market-pipeline/access-patterns.md is the table of them, held to this module by a test.
"""

from dataclasses import dataclass
from typing import Any

from market_table.attributes import Item, text
from market_table.keys import (
    REFERENCE_INDEX,
    TIME_INDEX,
    compensated_partition,
    instrument_partition,
    symbol_partition,
    time_series_partition,
    valid_from_sort,
)


@dataclass(frozen=True, slots=True)
class Question:
    """A query less the name of the table."""

    index: str | None  # None: the table itself
    condition: str
    values: Item
    is_newest_first: bool = False
    limit: int | None = None

    def arguments(self) -> dict[str, Any]:
        """Spell the question as arguments of boto3's `query`."""
        return {
            "KeyConditionExpression": self.condition,
            "ExpressionAttributeValues": self.values,
            "ScanIndexForward": not self.is_newest_first,
            **({"IndexName": self.index} if self.index else {}),
            **({"Limit": self.limit} if self.limit else {}),
        }


def time_series(symbol: str, kind: str, since: str, until: str) -> Question:
    """Ask for a symbol's trades or quotes with since <= occurredAt < until, oldest first.

    Both are canonical instants (microseconds and Z) of one UTC day; `until` may be the midnight
    that ends it. A longer range is one question a day.
    """
    # Sort keys go on after the instant ('#<id>'), so that those of `until` sort after its bound.
    return Question(
        TIME_INDEX,
        "TS_PK = :series AND TS_SK BETWEEN :since AND :until",
        {
            ":series": text(time_series_partition(symbol, kind, since[:10])),
            ":since": text(since),
            ":until": text(until),
        },
    )


def instrument_as_of(symbol: str, day: str) -> Question:
    """Ask for the version of the symbol's instrument that is valid on a day."""
    return Question(
        REFERENCE_INDEX,
        "GSI1PK = :symbol AND GSI1SK <= :day",
        {":symbol": text(symbol_partition(symbol)), ":day": text(valid_from_sort(day))},
        is_newest_first=True,
        limit=1,
    )


def instrument_versions(isin: str) -> Question:
    """Ask for all versions of an instrument, newest first."""
    return Question(
        None,
        "PK = :instrument AND begins_with(SK, :reference)",
        {":instrument": text(instrument_partition(isin)), ":reference": text("REFERENCE#")},
        is_newest_first=True,
    )


def compensated(day: str) -> Question:
    """Ask for the events that were compensated on a UTC day, newest first."""
    return Question(
        REFERENCE_INDEX,
        "GSI1PK = :day",
        {":day": text(compensated_partition(day))},
        is_newest_first=True,
    )
