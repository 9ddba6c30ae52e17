"""The table of sessions: what a caller's session paid last. The only module that calls DynamoDB.

It is beside the payment, not part of it: a payment that is booked is booked, whatever becomes of
this write. Replicas in both regions take writes, and the later write wins.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# Two attempts in under 2 s: after the ledger's, this time is the caller's.
PATIENCE = Config(
    connect_timeout=0.3,
    read_timeout=0.6,
    retries={"mode": "standard", "total_max_attempts": 2},
)
# For health: one attempt, as the next question comes soon.
ONE_ATTEMPT = Config(
    connect_timeout=0.3,
    read_timeout=0.5,
    retries={"mode": "standard", "total_max_attempts": 1},
)
KEPT = timedelta(days=1)
_NEWER = "attribute_not_exists(updatedAt) OR updatedAt <= :updated"


class DynamoDB(Protocol):
    """The calls of boto3's client that are used."""

    def get_item(self, **kwargs: Any) -> Mapping[str, Any]:
        """Read an item."""

    def update_item(self, **kwargs: Any) -> Mapping[str, Any]:
        """Write attributes of an item; raise ClientError if the condition does not hold."""


class SessionNotWrittenError(Exception):
    """The session does not know of the payment. The text is an error's code."""


class Sessions:
    """Writes and checks the table; `asking` is a client that gives up sooner."""

    def __init__(self, client: DynamoDB, asking: DynamoDB, table: str) -> None:
        self._client = client
        self._asking = asking
        self._table = table

    def remember(self, session: str, payment_id: str, booked_at: datetime) -> None:
        """Write a session's last payment, unless it knows a later one."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"sessionId": {"S": session}},
                UpdateExpression=(
                    "SET lastPaymentId = :payment, updatedAt = :updated, expiresAt = :expires"
                ),
                ConditionExpression=_NEWER,
                ExpressionAttributeValues={
                    ":payment": {"S": payment_id},
                    ":updated": {"S": booked_at.isoformat(timespec="microseconds")},
                    ":expires": {"N": str(int((booked_at + KEPT).timestamp()))},
                },
            )
        except BotoCoreError as error:
            raise SessionNotWrittenError(type(error).__name__) from None
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code != "ConditionalCheckFailedException":
                raise SessionNotWrittenError(code) from None

    def answer(self) -> bool:
        """Tell whether the table answers reads. No session has this key."""
        try:
            self._asking.get_item(
                TableName=self._table,
                Key={"sessionId": {"S": "health"}},
                ProjectionExpression="sessionId",
            )
        except (BotoCoreError, ClientError):
            return False
        return True
