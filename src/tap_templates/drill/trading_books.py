"""What trading-dr knows of its orders: the journal in DynamoDB, and the books in PostgreSQL."""

from collections.abc import Iterator
from typing import Any

from tap_templates.deploy.cloud import Wire
from tap_templates.drill.databases import Databases
from tap_templates.drill.place import Place
from tap_templates.drill.tally import Position, Row, Sent, Tally, tally
from tap_templates.model.names import Kind

_ORDERS = "SELECT client_order_id, symbol, side, quantity, price, epoch FROM trading.orders"
_POSITIONS = "SELECT symbol, quantity FROM trading.positions"
_IDS = "SELECT order_id FROM trading.orders"
_ORDER_PREFIX = "o-"
JOURNAL, ROLE = "orders-journal", "orders-failover"


def hold(databases: Databases, sent: list[Sent]) -> Tally:
    """Hold the books of the region that is written to against what was sent."""
    rows = [Row(*row) for row in databases.rows(_ORDERS)]
    positions = [Position(*row) for row in databases.rows(_POSITIONS)]
    return tally(sent, rows, positions)


def booked(databases: Databases, region: str) -> set[str]:
    """List the ids of the orders in the books of a region."""
    return {str(row[0]) for row in databases.rows(_IDS, region)}


class Journal:
    """The journal, and the item that says who is active, as one region sees them."""

    def __init__(self, place: Place, wire: Wire, region: str) -> None:
        self._place = place
        self._wire = wire
        self._region = region

    def pending(self) -> set[str]:
        """List the orders that are not applied as far as the journal knows."""
        return {name for name, item in self._items() if "pending" in item}

    def applied(self) -> set[str]:
        """List the orders that are marked as applied."""
        return {name for name, item in self._items() if "appliedEpoch" in item}

    def epoch(self) -> int:
        """Read the epoch; without an item it is the first."""
        item = self._wire.call(
            self._region,
            "dynamodb",
            "get_item",
            TableName=self._place.name(Kind.TABLE, ROLE),
            Key={"id": {"S": "role"}},
            ConsistentRead=True,
        ).get("Item", {})
        return int(item.get("epoch", {}).get("N", "1"))

    def _items(self) -> Iterator[tuple[str, dict[str, Any]]]:
        table = self._place.name(Kind.TABLE, JOURNAL)
        found = self._wire.pages(
            self._region, "dynamodb", "scan", "Items", TableName=table, ConsistentRead=True
        )
        for item in found:
            name = item["orderId"]["S"]
            if name.startswith(_ORDER_PREFIX):  # not the canaries of deep health
                yield name, item
