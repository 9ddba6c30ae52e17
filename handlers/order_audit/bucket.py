"""The audit bucket. Calls PutObject alone, and never over an object that is there."""

from botocore.exceptions import BotoCoreError, ClientError

from aws_calls.objects import S3, put_once
from order_audit.core import Record
from orders.failures import failure_of


class Audit:
    """Keeps what happened, for good."""

    def __init__(self, client: S3, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def ensure(self, record: Record) -> bool:
        """Write the record unless there is one; tell whether it was written now."""
        try:
            return put_once(
                self._client.put_object, bucket=self._bucket, key=record.key, body=record.body
            )
        except (BotoCoreError, ClientError) as error:
            raise failure_of(error) from None
