"""The table of events. The only module that calls AWS, and it calls GetItem alone."""

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from market_events.failures import failure_of
from market_table.attributes import text_of
from market_table.keys import event_key
from market_validation.core import Known


class DynamoDB(Protocol):
    """The call of boto3's client that is used."""

    def get_item(self, **kwargs: Any) -> Mapping[str, Any]:
        """Read an item; raise ClientError or BotoCoreError."""


class EventTable:
    """Knows which events are stored."""

    def __init__(self, client: DynamoDB, name: str) -> None:
        self._client = client
        self._name = name

    def known(self, event_id: str) -> Known | None:
        """Read what is known under an id; raise TemporaryFailure or AwsRefused.

        Status and digest alone: nothing else of the item leaves the table.
        """
        try:
            response = self._client.get_item(
                TableName=self._name,
                Key=event_key(event_id),
                ConsistentRead=True,
                ProjectionExpression="#status, digest",
                ExpressionAttributeNames={"#status": "status"},  # a reserved word
            )
        except (BotoCoreError, ClientError) as error:
            raise failure_of(error) from None
        if "Item" not in response:
            return None
        item = response["Item"]
        return Known(status=text_of(item, "status"), digest=text_of(item, "digest"))
