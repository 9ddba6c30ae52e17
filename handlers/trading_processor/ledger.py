"""The table of processed events. The only module that calls AWS, and it calls PutItem alone."""

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from trading_processor.core import Claim, Outcome


class ClaimFailed(Exception):  # noqa: N818  # the name becomes Lambda's errorType, read by people
    """The table did not answer yes or no. Lambda's retry may succeed."""


class DynamoDB(Protocol):
    """The call of boto3's client that is used."""

    def put_item(self, **kwargs: Any) -> Mapping[str, Any]:
        """Write an item; raise ClientError if the condition does not hold."""


class Ledger:
    """Decides, across both regions, who processes an event."""

    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client = client
        self._table = table

    def record(self, claim: Claim) -> Outcome:
        """Store the event unless its id is stored; this one write is the processing.

        Raises EventIdReused if the id is stored with another content, ClaimFailed if the table
        cannot say after the client's retries (which include ReplicatedWriteConflictException, the
        answer when both regions write one id at once).
        """
        try:
            return self._put(claim, {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"})
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDeniedException":
                raise _unanswered(error) from None
        # The authorization reference lists no other action for PutItem, so our role, which cannot
        # read, should be shown the item that is in the way. Should AWS decide otherwise, an id is
        # still claimed once; only another content under the same id would go unnoticed.
        try:
            return self._put(claim, {})
        except ClientError as error:
            raise _unanswered(error) from None

    def _put(self, claim: Claim, options: Mapping[str, str]) -> Outcome:
        try:
            self._client.put_item(
                TableName=self._table,
                Item=claim.item(),
                ConditionExpression="attribute_not_exists(id)",
                **options,
            )
        except BotoCoreError as error:
            raise ClaimFailed(type(error).__name__) from None
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            # The item in the way lies beside `Error`; botocore's types do not know it.
            response: Mapping[str, Any] = {**error.response}
        else:
            return Outcome.PROCESSED
        existing = response.get("Item")
        return claim.against(existing) if existing else Outcome.UNCOMPARED_DUPLICATE


def _unanswered(error: ClientError) -> ClaimFailed:
    """Keep the code alone: DynamoDB's messages may quote the item."""
    return ClaimFailed(error.response["Error"]["Code"])
