"""The topic that operators listen to. Calls Publish alone."""

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from market_events.failures import failure_of


class SNS(Protocol):
    """The call of boto3's client that is used."""

    def publish(self, **kwargs: Any) -> Mapping[str, Any]:
        """Send a message to a topic."""


class Notices:
    """Tells operators."""

    def __init__(self, client: SNS, topic: str) -> None:
        self._client = client
        self._topic = topic

    def tell(self, message: str) -> None:
        """Send a message; raise a failure of market_events if the topic does not take it."""
        try:
            self._client.publish(
                TopicArn=self._topic,
                Subject="market-pipeline: an event was compensated",
                Message=message,
            )
        except (BotoCoreError, ClientError) as error:
            raise failure_of(error) from None
