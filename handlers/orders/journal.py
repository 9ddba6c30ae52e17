"""The journal: every acknowledged order, in two regions before its owner is told, kept for good.

Writes are conditional and strongly consistent in all regions. Indexes are eventually consistent:
what they give are hints, and each order is read by its key before anything is decided.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from aws_calls.answers import CONDITION_FAILED, code_of
from orders.failures import UnreadableItem, failure_of
from orders.order import InvalidOrder, Order, order_of, shard_of
from orders.role import MOMENT, Item
from orders.trust import Mark

PENDING, APPLIED = "Pending", "Applied"  # indexes
_MAY_MARK = (
    "attribute_exists(orderId) AND (attribute_not_exists(appliedEpoch) OR appliedEpoch <= :epoch)"
)
_EPOCH = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


class DynamoDB(Protocol):
    """The calls of boto3's client that are used."""

    def get_item(self, **kwargs: Any) -> Mapping[str, Any]:
        """Read an item."""

    def put_item(self, **kwargs: Any) -> Mapping[str, Any]:
        """Write an item; raise ClientError if the condition does not hold."""

    def update_item(self, **kwargs: Any) -> Mapping[str, Any]:
        """Write attributes of an item; raise ClientError if the condition does not hold."""

    def query(self, **kwargs: Any) -> Mapping[str, Any]:
        """Read a page of an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An order as the journal has it."""

    order: Order
    digest: str
    accepted_at: str
    accepted_in: str
    mark: Mark | None  # None while it waits to be applied


class Journal:
    """Reads and writes the journal, through the replica of this region."""

    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client = client
        self._table = table

    def add_order(self, order: Order, *, at: str, region: str) -> Entry | None:
        """Write an order unless its id is taken; give the entry that is there already.

        Raises TemporaryFailure if nobody knows whether it is written, and AwsRefused.
        """
        try:
            self._client.put_item(
                TableName=self._table,
                Item=_written(order, at, region),
                ConditionExpression="attribute_not_exists(orderId)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except (BotoCoreError, ClientError) as error:
            if code_of(error) != CONDITION_FAILED:
                raise failure_of(error) from None
            # The item in the way lies beside `Error`; botocore's types do not know it.
            response: Mapping[str, Any] = {**getattr(error, "response", {})}
        else:
            return None
        existing = response.get("Item")
        if existing:
            return entry_of(existing)
        found = self.find_order(order.id)
        if found is None:
            raise UnreadableItem("journal.orderId")  # nothing is ever deleted
        return found

    def find_order(self, order_id: str) -> Entry | None:
        """Read an order as it is now, whichever region wrote it."""
        try:
            found = self._client.get_item(
                TableName=self._table, Key={"orderId": {"S": order_id}}, ConsistentRead=True
            )
        except (BotoCoreError, ClientError) as error:
            raise failure_of(error) from None
        item = found.get("Item")
        return entry_of(item) if item else None

    def mark_applied(self, order_id: str, mark: Mark) -> bool:
        """Note that an order is applied; tell whether this mark counts or a newer epoch's does."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"orderId": {"S": order_id}},
                UpdateExpression=(
                    "SET appliedIn = :in, appliedAt = :at, appliedEpoch = :epoch REMOVE pending"
                ),
                ConditionExpression=_MAY_MARK,
                ExpressionAttributeValues={
                    ":in": {"S": _applied_in(mark.epoch, shard_of(order_id))},
                    ":at": {"S": mark.at},
                    ":epoch": {"N": str(mark.epoch)},
                },
            )
        except (BotoCoreError, ClientError) as error:
            if code_of(error) != CONDITION_FAILED:
                raise failure_of(error) from None
            return False
        return True

    def pending_ids(self, shard: int, *, until: str) -> Iterator[str]:
        """List orders of one shard that were accepted until then and wait, the oldest first."""
        return self._ids(
            PENDING,
            "pending = :shard AND acceptedAt <= :until",
            {":shard": {"S": f"p{shard}"}, ":until": {"S": until}},
        )

    def applied_ids(self, epoch: int, shard: int, *, since: str) -> Iterator[str]:
        """List orders of one shard with a mark of that epoch, from that moment on."""
        return self._ids(
            APPLIED,
            "appliedIn = :in AND appliedAt >= :since",
            {":in": {"S": _applied_in(epoch, shard)}, ":since": {"S": since}},
        )

    def touch(self, region: str, at: str) -> None:
        """Write the item by which a region shows that the journal takes its writes."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item={"orderId": {"S": f"canary#{region}"}, "at": {"S": at}},
            )
        except (BotoCoreError, ClientError) as error:
            raise failure_of(error) from None

    def _ids(self, index: str, condition: str, values: Item) -> Iterator[str]:
        page: dict[str, Any] = {}
        while True:
            try:
                found = self._client.query(
                    TableName=self._table,
                    IndexName=index,
                    KeyConditionExpression=condition,
                    ExpressionAttributeValues=values,
                    **page,
                )
            except (BotoCoreError, ClientError) as error:
                raise failure_of(error) from None
            for item in found.get("Items", ()):
                yield item["orderId"]["S"]
            if not found.get("LastEvaluatedKey"):
                return
            page = {"ExclusiveStartKey": found["LastEvaluatedKey"]}


def entry_of(item: Item) -> Entry:
    """Read an item of the journal; raise UnreadableItem, which names the attribute."""
    owner = _text(item, "owner")
    names = ("clientOrderId", "symbol", "side", "quantity", "price")
    try:
        order = order_of(owner, {name: _text(item, name) for name in names})
    except InvalidOrder as invalid:
        raise UnreadableItem(f"journal.{invalid.problems[0].field}") from None
    if order.id != _text(item, "orderId"):
        raise UnreadableItem("journal.orderId")
    return Entry(
        order=order,
        digest=_text(item, "digest"),
        accepted_at=_moment(item, "acceptedAt"),
        accepted_in=_text(item, "acceptedIn"),
        mark=_mark(item),
    )


def _written(order: Order, at: str, region: str) -> dict[str, dict[str, str]]:
    said = {
        "orderId": order.id,
        "owner": order.owner,
        **order.fields(),
        "digest": order.digest,
        "acceptedAt": at,
        "acceptedIn": region,
        "pending": f"p{shard_of(order.id)}",
    }
    return {name: {"S": value} for name, value in said.items()}


def _applied_in(epoch: int, shard: int) -> str:
    return f"e{epoch}#s{shard}"


def _mark(item: Item) -> Mark | None:
    if "appliedEpoch" not in item:
        return None
    epoch = item["appliedEpoch"].get("N")
    if not isinstance(epoch, str) or not _EPOCH.fullmatch(epoch):
        raise UnreadableItem("journal.appliedEpoch")
    return Mark(int(epoch), _moment(item, "appliedAt"))


def _moment(item: Item, name: str) -> str:
    said = _text(item, name)
    if not MOMENT.fullmatch(said):
        raise UnreadableItem(f"journal.{name}")
    return said


def _text(item: Item, name: str) -> str:
    said = item.get(name, {}).get("S")
    if not isinstance(said, str):
        raise UnreadableItem(f"journal.{name}")
    return said
