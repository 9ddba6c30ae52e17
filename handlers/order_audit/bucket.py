"""The audit bucket. Calls PutObject alone, and never over an object that is there."""

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from order_audit.core import Record
from orders.failures import TemporaryFailure, code_of, failure_of


class S3(Protocol):
    """The call of boto3's client that is used."""

    def put_object(self, **kwargs: Any) -> Mapping[str, Any]:
        """Write an object; raise ClientError if one is there and may not be."""


class Audit:
    """Keeps what happened, for good."""

    def __init__(self, client: S3, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def ensure(self, record: Record) -> bool:
        """Write the record unless there is one; tell whether it was written now."""
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=record.key,
                Body=record.body,
                ContentType="application/json",
                IfNoneMatch="*",
            )
        except (BotoCoreError, ClientError) as error:
            code = code_of(error)
            if code == "PreconditionFailed":
                return False
            # Another write of the same key was under way; only a repetition tells who was first.
            if code == "ConditionalRequestConflict":
                raise TemporaryFailure(code) from None
            raise failure_of(error) from None
        return True
