"""The audit bucket, as far as the replayer writes there. Calls PutObject alone."""

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from orders.failures import failure_of


class S3(Protocol):
    """The call of boto3's client that is used."""

    def put_object(self, **kwargs: Any) -> Mapping[str, Any]:
        """Write an object."""


class Reports:
    """Keeps reports; one of the same name becomes the newer version."""

    def __init__(self, client: S3, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keep(self, key: str, body: bytes) -> None:
        """Write a report; raise TemporaryFailure or AwsRefused."""
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType="application/json"
            )
        except (BotoCoreError, ClientError) as error:
            raise failure_of(error) from None
