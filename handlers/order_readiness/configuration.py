"""The parameters of this region. Their names are looked at, not their values."""

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from orders.failures import failure_of

_MOST_PAGES = 20  # of ten parameters


class SSM(Protocol):
    """The call of boto3's client that is used."""

    def get_parameters_by_path(self, **kwargs: Any) -> Mapping[str, Any]:
        """List parameters below a path."""


class Configuration:
    """The parameters below a prefix, which is written without a slash at its end."""

    def __init__(self, client: SSM, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def names(self) -> frozenset[str]:
        """List the names below the prefix; raise TemporaryFailure or AwsRefused."""
        names: set[str] = set()
        try:
            page = self._client.get_parameters_by_path(Path=self._prefix, Recursive=True)
            names |= self._names_of(page)
            for _ in range(_MOST_PAGES):
                if not page.get("NextToken"):
                    break
                page = self._client.get_parameters_by_path(
                    Path=self._prefix, Recursive=True, NextToken=page["NextToken"]
                )
                names |= self._names_of(page)
        except (BotoCoreError, ClientError) as error:
            raise failure_of(error) from None
        return frozenset(names)

    def _names_of(self, page: Mapping[str, Any]) -> set[str]:
        found = (str(each["Name"]) for each in page.get("Parameters", ()))
        return {name.removeprefix(f"{self._prefix}/") for name in found}
