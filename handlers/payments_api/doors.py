"""From a request of either door, HTTP API or Function URL, to what is asked for. Pure.

Both hand over payload format 2.0. Nothing in it is believed, in this order: what is called, who
calls, how much is sent, and only then what it says.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from json_requests.reading import check_type, mapping, only, text_of, told_by
from payments_api.core import Payment, Refused, payment_of

BODY_BYTES_MAX = 16 * 1024
_PAYMENT_PATH = re.compile(
    r"/payments/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
)


@dataclass(frozen=True, slots=True)
class AskHealth:
    """Is this region able to take payments?"""


@dataclass(frozen=True, slots=True)
class AskPayment:
    """What was told of a payment?"""

    payment_id: str


@told_by(Refused)
def asked(given: object) -> AskHealth | AskPayment | Payment:
    """Read a request; raise Refused."""
    request = mapping(given)
    context = mapping(request.get("requestContext"))
    path = _path(request, context)
    method = mapping(context.get("http")).get("method")
    if path == "/health":
        only(method, "GET")
        return AskHealth()
    if path != "/payments" and not path.startswith("/payments/"):
        raise Refused(404, "NotFound")
    # Both doors demand IAM. Should one be opened by mistake, requests come without this.
    if not mapping(mapping(context.get("authorizer")).get("iam")):
        raise Refused(401, "Unauthorized")
    if path == "/payments":
        only(method, "POST")
        headers = _headers(request)
        check_type(headers.get("content-type"))
        return payment_of(headers.get("idempotency-key"), text_of(request, BODY_BYTES_MAX))
    only(method, "GET")
    found = _PAYMENT_PATH.fullmatch(path)
    if not found:
        raise Refused(404, "NotFound")
    return AskPayment(found[1])


def _path(request: Mapping[Any, Any], context: Mapping[Any, Any]) -> str:
    path, stage = request.get("rawPath"), context.get("stage")
    if not isinstance(path, str):
        return ""
    if isinstance(stage, str) and stage != "$default":
        return path.removeprefix(f"/{stage}")
    return path


def _headers(request: Mapping[Any, Any]) -> dict[str, object]:
    """Read the headers by lower-case name; one that is there twice in two cases is refused."""
    given = mapping(request.get("headers"))
    headers = {name.lower(): value for name, value in given.items() if isinstance(name, str)}
    if len(headers) != len(given):
        raise Refused(400, "AmbiguousHeaders")
    return headers
