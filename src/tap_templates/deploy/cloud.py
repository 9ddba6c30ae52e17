"""The wire: boto3, and the only module that imports it. One call at a time, errors by their code.

A client is made only for the regions that were named at the start, so no call can go anywhere
else; IAM alone is global. Nothing is repeated here: `retrying` does that, in plain sight.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tap_templates.deploy.cloud_errors import client_error, local_error
from tap_templates.deploy.errors import CloudError

Sessions = Callable[[], Session]


def own_sessions(profile: str | None, home: str) -> Sessions:
    """Take the credentials this machine is set up with, or those of a profile."""
    return lambda: Session(profile_name=profile, region_name=home)


def local_sessions(account: str, home: str) -> Sessions:
    """Be somebody to the local engine, which tells accounts by the access key."""
    return lambda: Session(
        aws_access_key_id=account,
        aws_secret_access_key="local",  # noqa: S106 - it is none
        region_name=home,
    )


_NOT_FOUND = frozenset({"404", "NoSuchBucket", "NoSuchEntity", "NoSuchKey", "NotFound"})
_CONFIG = Config(
    retries={"total_max_attempts": 1},
    connect_timeout=10,
    read_timeout=60,
    s3={"addressing_style": "path"},
)


@dataclass(slots=True, kw_only=True)
class Wire:
    """Clients of one account. Makes its session with the first call."""

    sessions: Sessions
    regions: tuple[str, ...]
    endpoint_url: str | None = None
    session: Session | None = None
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def call(self, region: str, service: str, operation: str, **request: Any) -> Any:
        """Make one call. `request` is spelled as in the API reference; boto3 checks it."""
        where = f"{service} in {region}: {operation}"
        try:
            return getattr(self._client(service, region), operation)(**request)
        except ClientError as error:
            raise client_error(where, error.response) from error
        except BotoCoreError as error:
            raise local_error(where, error) from error

    def find(
        self,
        region: str,
        service: str,
        operation: str,
        request: dict[str, Any],
        *,
        missing: frozenset[str] = _NOT_FOUND,
    ) -> Any:
        """Make one call; None if the answer has a code that says there is no such thing."""
        try:
            return self.call(region, service, operation, **request)
        except CloudError as error:
            if error.code in missing:
                return None
            raise

    def pages(
        self, region: str, service: str, operation: str, member: str, **request: Any
    ) -> list[Any]:
        """Collect `member` over all pages."""
        where = f"{service} in {region}: {operation}"
        try:
            pages = self._client(service, region).get_paginator(operation).paginate(**request)
            return [each for page in pages for each in page.get(member, [])]
        except ClientError as error:
            raise client_error(where, error.response) from error
        except BotoCoreError as error:
            raise local_error(where, error) from error

    def read(self, region: str, request: dict[str, Any]) -> bytes:
        """Read an object to its end: the connection may break after the answer came."""
        body = self.call(region, "s3", "get_object", **request)["Body"]
        try:
            data: bytes = body.read()
        except BotoCoreError as error:
            raise local_error(f"s3 in {region}: get_object", error) from error
        return data

    def _client(self, service: str, region: str) -> Any:
        if region not in self.regions:
            raise ValueError(f"{region} is not of {self.regions}")
        key = (service, region)
        if key not in self.clients:
            self.session = self.session or self.sessions()
            self.clients[key] = self.session.client(
                service, region_name=region, endpoint_url=self.endpoint_url, config=_CONFIG
            )
        return self.clients[key]
