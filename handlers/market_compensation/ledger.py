"""The table of events. Calls UpdateItem alone, on items of one execution alone."""

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from aws_calls.answers import CONDITION_FAILED, code_of
from market_compensation.core import Compensation, Outcome, outcome_of, update
from market_events.failures import failure_of
from market_table.events import marker
from market_table.keys import event_key

# Nothing is there yet: the mark stops a write of ours that is still under way. Or it is ours.
_IS_OURS = "attribute_not_exists(PK) OR #execution = :execution"


class DynamoDB(Protocol):
    """The call of boto3's client that is used."""

    def update_item(self, **kwargs: Any) -> Mapping[str, Any]:
        """Change an item; raise ClientError if the condition does not hold."""


class Ledger:
    """Takes back what an execution wrote."""

    def __init__(self, client: DynamoDB, table: str, region: str) -> None:
        self._client = client
        self._table = table
        self._region = region

    def compensate(self, compensation: Compensation, at: str) -> Outcome:
        """Leave a mark in place of the event, if it is this execution's or nobody's.

        Raises a failure of market_events if the table does not answer.
        """
        event = compensation.event
        left = marker(
            event,
            execution=compensation.execution,
            region=self._region,
            reason=compensation.error,
            at=at,
        )
        change = update(left)
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=event_key(event.id),
                UpdateExpression=change.expression,
                ConditionExpression=_IS_OURS,
                ExpressionAttributeNames=change.names,
                ExpressionAttributeValues=change.values,
                ReturnValues="ALL_OLD",
            )
        except (BotoCoreError, ClientError) as error:
            if code_of(error) == CONDITION_FAILED:
                return Outcome.NOTHING
            raise failure_of(error) from None
        return outcome_of(answer.get("Attributes", {}))
