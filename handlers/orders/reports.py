"""What a region says of itself: one item of the failover table, written by its prober each round.

The table is strongly consistent, so a report that is written is read by both regions at once, and
one that cannot be written says that its region is cut off.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from orders.failures import UnreadableItem, failure_of
from orders.role import report_id

ENABLED, DISABLED = "Enabled", "Disabled"  # states of an event source mapping, as Lambda says them


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a region is. `database`: it takes writes where it is to, and answers elsewhere."""

    at: int  # seconds since 1970, by the region's own clock
    api: bool
    database: bool
    consumers: str  # the state of the mapping that feeds the applier

    def age_seconds(self, now: int) -> int:
        """Say how old it is; a clock that is ahead makes no report younger than new."""
        return max(now - self.at, 0)


class Reads(Protocol):
    """The call of boto3's client that is used."""

    def get_item(self, **kwargs: Any) -> Mapping[str, Any]:
        """Read an item."""


class Writes(Protocol):
    """The call of boto3's client that is used."""

    def put_item(self, **kwargs: Any) -> Mapping[str, Any]:
        """Write an item."""


def read_report(client: Reads, table: str, region: str) -> Report | None:
    """Read what a region said last; raise TemporaryFailure, AwsRefused or UnreadableItem."""
    key = {"id": {"S": report_id(region)}}
    try:
        found = client.get_item(TableName=table, Key=key, ConsistentRead=True)
    except (BotoCoreError, ClientError) as error:
        raise failure_of(error) from None
    return report_of(found.get("Item"))


def write_report(client: Writes, table: str, region: str, report: Report) -> None:
    """Write what this region says; raise TemporaryFailure or AwsRefused."""
    item = {
        "id": {"S": report_id(region)},
        "at": {"N": str(report.at)},
        "api": {"BOOL": report.api},
        "database": {"BOOL": report.database},
        "consumers": {"S": report.consumers},
    }
    try:
        client.put_item(TableName=table, Item=item)
    except (BotoCoreError, ClientError) as error:
        raise failure_of(error) from None


def report_of(item: Mapping[str, Mapping[str, Any]] | None) -> Report | None:
    """Read an item `report#…`; None if the region has never said anything."""
    if not item:
        return None
    at = item.get("at", {}).get("N")
    consumers = item.get("consumers", {}).get("S")
    if not isinstance(at, str) or not at.isdecimal():
        raise UnreadableItem("report.at")
    if not isinstance(consumers, str):
        raise UnreadableItem("report.consumers")
    return Report(
        at=int(at),
        api=_flag(item, "api"),
        database=_flag(item, "database"),
        consumers=consumers,
    )


def _flag(item: Mapping[str, Mapping[str, Any]], name: str) -> bool:
    said = item.get(name, {}).get("BOOL")
    if not isinstance(said, bool):
        raise UnreadableItem(f"report.{name}")
    return said
