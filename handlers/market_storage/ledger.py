"""The table of events. Calls PutItem alone: conditions decide, and show the item in the way."""

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from aws_calls.answers import CONDITION_FAILED, code_of
from market_events.failures import failure_of
from market_storage.core import Outcome, Task, accept
from market_table.attributes import Item, Stored, text
from market_table.events import Status, recorded_item, stored_item

# A new id; or one that another execution took back, with the same content: it may try again. The
# execution that was compensated may not: its late write would bring back what nobody waits for.
_MAY_STORE = (
    "attribute_not_exists(PK) OR "
    "(#status = :compensated AND execution <> :execution AND digest = :digest)"
)
# Whoever stored it: executions of the same event share one item, and the one that records it owns
# it from then on.
_MAY_RECORD = "#status = :stored AND digest = :digest"


class DynamoDB(Protocol):
    """The call of boto3's client that is used."""

    def put_item(self, **kwargs: Any) -> Mapping[str, Any]:
        """Write an item; raise ClientError if the condition does not hold."""


class Ledger:
    """Holds each event once, and says which execution it belongs to."""

    def __init__(self, client: DynamoDB, table: str, region: str) -> None:
        self._client = client
        self._table = table
        self._region = region

    def store(self, task: Task, at: str) -> Outcome:
        """Store the event unless it is there; raise a failure as `core.accept` says."""
        item = stored_item(task.event, execution=task.execution, region=self._region, at=at)
        condition_values = {
            ":compensated": text(Status.COMPENSATED.value),
            ":execution": text(task.execution),
            ":digest": text(task.event.digest),
        }
        existing = self._put(task, item, _MAY_STORE, condition_values)
        return Outcome.STORED if existing is None else Outcome.SAME

    def record(self, task: Task, at: str) -> tuple[Outcome, Stored]:
        """Complete the event unless it is complete; give the item as it is recorded.

        Raises a failure as `core.accept` says, and InvalidEvent for an enrichment that is none.
        """
        item = recorded_item(
            task.event, task.enrichment, execution=task.execution, region=self._region, at=at
        )
        condition_values = {
            ":stored": text(Status.STORED.value),
            ":digest": text(task.event.digest),
        }
        existing = self._put(task, item, _MAY_RECORD, condition_values)
        return (Outcome.RECORDED, item) if existing is None else (Outcome.SAME, existing)

    def _put(self, task: Task, item: Item, condition: str, values: Item) -> Stored | None:
        """Write the item, or give the one that is there if that is as good."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues=values,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except (BotoCoreError, ClientError) as error:
            if code_of(error) != CONDITION_FAILED:
                raise failure_of(error) from None
            # The item in the way lies beside `Error`; botocore's types do not know it.
            response: Mapping[str, Any] = {**getattr(error, "response", {})}
        else:
            return None
        existing: Stored = response.get("Item") or {}
        accept(task, existing)
        return existing
