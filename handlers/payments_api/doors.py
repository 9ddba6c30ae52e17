"""From a request of either door, HTTP API or Function URL, to what is asked for. Pure.

Both hand over payload format 2.0. Nothing in it is believed, in this order: what is called, who
calls, how much is sent, and only then what it says.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from payments_api.core import Payment, Refused, payment_of

BODY_BYTES_MAX = 16 * 1024
_BASE64_CHARACTERS_MAX = (BODY_BYTES_MAX + 2) // 3 * 4
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


def asked(given: object) -> AskHealth | AskPayment | Payment:
    """Read a request; raise Refused."""
    request = _mapping(given)
    context = _mapping(request.get("requestContext"))
    path = _path(request, context)
    method = _mapping(context.get("http")).get("method")
    if path == "/health":
        _only(method, "GET")
        return AskHealth()
    if path != "/payments" and not path.startswith("/payments/"):
        raise Refused(404, "NotFound")
    # Both doors demand IAM. Should one be opened by mistake, requests come without this.
    if not _mapping(_mapping(context.get("authorizer")).get("iam")):
        raise Refused(401, "Unauthorized")
    if path == "/payments":
        _only(method, "POST")
        headers = _headers(request)
        _check_type(headers.get("content-type"))
        return payment_of(headers.get("idempotency-key"), _body(request))
    _only(method, "GET")
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


def _only(method: object, allowed: str) -> None:
    if method != allowed:
        raise Refused(405, "MethodNotAllowed", headers={"allow": allowed})


def _headers(request: Mapping[Any, Any]) -> dict[str, object]:
    """Read the headers by lower-case name; one that is there twice in two cases is refused."""
    given = _mapping(request.get("headers"))
    headers = {name.lower(): value for name, value in given.items() if isinstance(name, str)}
    if len(headers) != len(given):
        raise Refused(400, "AmbiguousHeaders")
    return headers


def _check_type(content_type: object) -> None:
    said = content_type if isinstance(content_type, str) else ""
    media, *parameters = (part.strip().lower() for part in said.split(";"))
    is_plain = all(each in ("", "charset=utf-8", 'charset="utf-8"') for each in parameters)
    if media != "application/json" or not is_plain:
        raise Refused(415, "UnsupportedMediaType", headers={"accept": "application/json"})


def _body(request: Mapping[Any, Any]) -> str:
    """Read the body as text, its size checked before anything is decoded."""
    body, is_base64 = request.get("body"), request.get("isBase64Encoded", False)
    if body is None or body == "":
        raise Refused(400, "EmptyBody")
    if not isinstance(body, str) or not isinstance(is_base64, bool):
        raise Refused(400, "UnreadableBody")
    if len(body) > (_BASE64_CHARACTERS_MAX if is_base64 else BODY_BYTES_MAX):
        raise Refused(413, "BodyTooLarge")
    try:
        raw = base64.b64decode(body, validate=True) if is_base64 else body.encode()
        text = raw.decode()
    except (binascii.Error, ValueError):  # ValueError covers what is no UTF-8, both ways
        raise Refused(400, "UnreadableBody") from None
    if len(raw) > BODY_BYTES_MAX:
        raise Refused(413, "BodyTooLarge")
    return text


def _mapping(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}
