"""What the prober remembers: one item of the failover table, which it alone writes."""

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from order_prober.core import Memory
from orders.failures import UnreadableItem, failure_of
from orders.role import watch_id

_COUNTS = {"failures": "failures", "databaseFailures": "database_failures"}


class DynamoDB(Protocol):
    """The calls of boto3's client that are used."""

    def get_item(self, **kwargs: Any) -> Mapping[str, Any]:
        """Read an item."""

    def put_item(self, **kwargs: Any) -> Mapping[str, Any]:
        """Write an item."""


class Notebook:
    """Reads and writes the item; raises TemporaryFailure, AwsRefused or UnreadableItem."""

    def __init__(self, client: DynamoDB, table: str, region: str) -> None:
        self._client = client
        self._table = table
        self._id = {"S": watch_id(region)}

    def read(self) -> Memory:
        try:
            found = self._client.get_item(
                TableName=self._table, Key={"id": self._id}, ConsistentRead=True
            )
        except (BotoCoreError, ClientError) as error:
            raise failure_of(error) from None
        return memory_of(found.get("Item"))

    def write(self, memory: Memory) -> None:
        try:
            self._client.put_item(TableName=self._table, Item={"id": self._id, **item_of(memory)})
        except (BotoCoreError, ClientError) as error:
            raise failure_of(error) from None


def memory_of(item: Mapping[str, Mapping[str, Any]] | None) -> Memory:
    """Read an item `watch#…`; nothing is remembered if there is none."""
    if not item:
        return Memory()
    counts = {field: _number(item, name) or 0 for name, field in _COUNTS.items()}
    return Memory(**counts, healthy_since=_number(item, "healthySince"))


def item_of(memory: Memory) -> dict[str, Any]:
    item: dict[str, Any] = {
        "failures": {"N": str(memory.failures)},
        "databaseFailures": {"N": str(memory.database_failures)},
    }
    if memory.healthy_since is not None:
        item["healthySince"] = {"N": str(memory.healthy_since)}
    return item


def _number(item: Mapping[str, Mapping[str, Any]], name: str) -> int | None:
    if name not in item:
        return None
    said = item[name].get("N")
    if not isinstance(said, str) or not said.isdecimal():
        raise UnreadableItem(f"watch.{name}")
    return int(said)
