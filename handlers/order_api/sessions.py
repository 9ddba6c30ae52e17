"""The table of sessions. Replicas in both regions take writes, and the later write wins.

So a version is checked against this region's replica alone: right while clients are led to one
region, and no lock between two. About the last second of writes may be lost with a region.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from aws_calls.answers import CONDITION_FAILED, code_of
from order_api.answers import Answer, Refused
from order_api.doors import AskSession, PutSession
from orders.failures import failure_of

KEPT = timedelta(days=1)  # after the last write
# What has expired is gone for us, though DynamoDB deletes it when it pleases.
_IS_NEW = "attribute_not_exists(sessionId) OR expiresAt <= :now"
_IS_SAME = "version = :seen AND expiresAt > :now"


class DynamoDB(Protocol):
    """The calls of boto3's client that are used."""

    def get_item(self, **kwargs: Any) -> Mapping[str, Any]:
        """Read an item."""

    def put_item(self, **kwargs: Any) -> Mapping[str, Any]:
        """Write an item; raise ClientError if the condition does not hold."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a session knows."""

    version: int
    data: Mapping[str, str]
    expires_at: int  # seconds since 1970


class Sessions:
    """Reads and writes sessions, each visible to its owner alone."""

    def __init__(
        self,
        client: DynamoDB,
        table: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._table = table
        self._now = now

    def show(self, asked: AskSession) -> Answer:
        """Show a session; raise Refused (404), TemporaryFailure or AwsRefused."""
        session = self._find(session_key(asked.owner, asked.session_id))
        if session is None:
            raise Refused(404, "SessionNotFound")
        said = {"version": session.version, "data": session.data, "expiresAt": session.expires_at}
        return Answer(200, said)

    def write(self, asked: PutSession) -> Answer:
        """Write a session of the version the caller has seen; raise Refused (409) for another."""
        now = self._now()
        key = session_key(asked.owner, asked.session_id)
        version, expires_at = asked.version + 1, int((now + KEPT).timestamp())
        values = {":now": {"N": str(int(now.timestamp()))}}
        if asked.version:
            values[":seen"] = {"N": str(asked.version)}
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "sessionId": {"S": key},
                    "version": {"N": str(version)},
                    "data": {"M": {name: {"S": value} for name, value in asked.data.items()}},
                    "expiresAt": {"N": str(expires_at)},
                },
                ConditionExpression=_IS_SAME if asked.version else _IS_NEW,
                ExpressionAttributeValues=values,
            )
        except (BotoCoreError, ClientError) as error:
            if code_of(error) != CONDITION_FAILED:
                raise failure_of(error) from None
            known = self._find(key)
            more = {"version": known.version if known else 0}
            raise Refused(409, "VersionConflict", more=more) from None
        return Answer(200, {"version": version, "expiresAt": expires_at})

    def _find(self, key: str) -> Session | None:
        try:
            found = self._client.get_item(
                TableName=self._table, Key={"sessionId": {"S": key}}, ConsistentRead=True
            )
        except (BotoCoreError, ClientError) as error:
            raise failure_of(error) from None
        item = found.get("Item")
        if not item or int(item["expiresAt"]["N"]) <= int(self._now().timestamp()):
            return None
        data = {name: value["S"] for name, value in item["data"]["M"].items()}
        return Session(int(item["version"]["N"]), data, int(item["expiresAt"]["N"]))


def session_key(owner: str, session_id: str) -> str:
    """Name an owner's session. Two owners may use one id and never meet."""
    return "s-" + hashlib.sha256(f"{owner}\0{session_id}".encode()).hexdigest()[:32]
