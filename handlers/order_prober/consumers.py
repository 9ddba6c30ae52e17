"""The event source mapping of this region: what feeds the applier, switched as the role says."""

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from orders.failures import failure_of
from orders.reports import DISABLED, ENABLED

_SETTLED = (ENABLED, DISABLED)  # the other states pass by themselves


class Lambda(Protocol):
    """The calls of boto3's client that are used."""

    def get_event_source_mapping(self, **kwargs: Any) -> Mapping[str, Any]:
        """Describe a mapping."""

    def update_event_source_mapping(self, **kwargs: Any) -> Mapping[str, Any]:
        """Change a mapping."""


class Consumers:
    """One mapping, by its UUID."""

    def __init__(self, client: Lambda, mapping: str) -> None:
        self._client = client
        self._mapping = mapping

    def set(self, wanted: str | None) -> str:
        """Switch the mapping if it stands otherwise, and say how it stands then.

        None leaves it as it is. Raises TemporaryFailure or AwsRefused.
        """
        try:
            state = str(self._client.get_event_source_mapping(UUID=self._mapping)["State"])
            if wanted is None or state == wanted or state not in _SETTLED:
                return state
            changed = self._client.update_event_source_mapping(
                UUID=self._mapping, Enabled=wanted == ENABLED
            )
        except (BotoCoreError, ClientError) as error:
            raise failure_of(error) from None
        return str(changed["State"])
