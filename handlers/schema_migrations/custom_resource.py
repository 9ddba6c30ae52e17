"""CloudFormation's protocol of custom resources: a request in, an answer by HTTPS PUT out.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html. An answer that does
not arrive leaves the stack waiting for an hour, so everything is answered, a failure too.
"""

import http.client
import json
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_ATTEMPTS = 4
_TIMEOUT_SECONDS = 5.0
_BYTES_MAX = 4096  # of the whole answer
_REASON_MAX = 300  # characters, of which JSON may make six bytes each
_NAMES = ("ResponseURL", "StackId", "RequestId", "LogicalResourceId", "RequestType")


class NotAnsweredError(Exception):
    """CloudFormation was not reached. Lambda runs the function again, which is safe."""


class NoRequestError(Exception):
    """What came is no request of CloudFormation: there is nobody to answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """What CloudFormation asks for."""

    kind: str
    url: str
    stack: str
    request: str
    resource: str
    physical_id: str

    @classmethod
    def of(cls, event: Mapping[str, Any], physical_id: str) -> "Request":
        """Read a request; the id that the resource has is kept for ever."""
        if not all(isinstance(event.get(name), str) for name in _NAMES):
            raise NoRequestError("no request of CloudFormation")
        had = event.get("PhysicalResourceId")
        return cls(
            kind=event["RequestType"],
            url=event["ResponseURL"],
            stack=event["StackId"],
            request=event["RequestId"],
            resource=event["LogicalResourceId"],
            physical_id=had if isinstance(had, str) and had else physical_id,
        )

    def success(self, data: Mapping[str, str]) -> bytes:
        """Write that it is done."""
        return self._answer({"Status": "SUCCESS", "Data": dict(data)})

    def failure(self, reason: str) -> bytes:
        """Write that it failed. The reason is shown to whoever reads the stack's events."""
        return self._answer({"Status": "FAILED", "Reason": reason[:_REASON_MAX]})

    def _answer(self, said: Mapping[str, Any]) -> bytes:
        body = json.dumps(
            {
                **said,
                "PhysicalResourceId": self.physical_id,
                "StackId": self.stack,
                "RequestId": self.request,
                "LogicalResourceId": self.resource,
                "NoEcho": False,
            }
        ).encode()
        if len(body) > _BYTES_MAX:
            raise NotAnsweredError("the answer is too long")
        return body


def put(
    url: str,
    body: bytes,
    *,
    connect: Callable[..., http.client.HTTPConnection] = http.client.HTTPSConnection,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Send an answer to its URL; raise NotAnsweredError. Its query is a signature: never said."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise NotAnsweredError("ResponseURL is no https URL")
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    said = "no attempt"
    for attempt in range(_ATTEMPTS):
        if attempt:
            sleep(2.0 ** (attempt - 1))
        try:
            connection = connect(parts.hostname, parts.port, timeout=_TIMEOUT_SECONDS)
            try:
                # The URL is signed for an empty content type.
                connection.request("PUT", target, body, {"content-type": ""})
                status = connection.getresponse().status
            finally:
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            said = type(error).__name__
            continue
        if status < http.client.MULTIPLE_CHOICES:
            return
        said = f"Http{status}"
        if status < http.client.INTERNAL_SERVER_ERROR:
            break  # the same again is refused again
    raise NotAnsweredError(said)
