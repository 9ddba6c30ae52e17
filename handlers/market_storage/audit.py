"""The audit bucket. Calls PutObject alone, and never over an object that is there."""

from botocore.exceptions import BotoCoreError, ClientError

from aws_calls.objects import S3, put_once
from market_events.failures import failure_of
from market_storage.core import AuditRecord


class Audit:
    """Keeps what was recorded, for good."""

    def __init__(self, client: S3, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def ensure(self, record: AuditRecord) -> bool:
        """Write the record unless there is one; tell whether it was written now."""
        day = record.date.replace("-", "/")
        try:
            return put_once(
                self._client.put_object,
                bucket=self._bucket,
                key=f"events/{day}/{record.event_id}.json",
                body=record.body,
            )
        except (BotoCoreError, ClientError) as error:
            raise failure_of(error) from None
