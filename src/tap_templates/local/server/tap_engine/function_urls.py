"""Patches: function URLs with AWS_IAM let in who signs for Lambda, and say who it is.

The engine takes any Authorization header that looks like a signature, and tells the function
nothing of the caller. A presigned URL, with its signature in the query, is refused here.
"""

import contextvars
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

from ministack.services import apigateway, lambda_svc

from tap_engine import signatures
from tap_engine.originals import patch

Reply = tuple[int, dict[str, Any], bytes]

_asks_for_signature = contextvars.ContextVar("tap_asks_for_signature", default=False)


def install() -> None:
    """Make the patches."""
    patch(
        lambda_svc,
        "handle_function_url_request",
        "c9d31efac5f1",
        _guarded,
        why="AWS_IAM takes any header, and tells the caller what went wrong in the function",
    )
    patch(
        lambda_svc,
        "_build_function_url_event",
        "1178f09ff75c",
        _with_caller,
        why="the event does not say who called",
    )


def address_of(url: str) -> str:
    """Give the address on this engine of a function URL of AWS."""
    identity = lambda_svc._function_url_id(url)
    return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}/_aws/lambda-url/{identity}/"


def region_of(url_id: str) -> str | None:
    """Find the region of a function URL."""
    found = lambda_svc.resolve_function_url(url_id)
    return str(found[1]) if found else None


def _guarded(original: Callable[..., Awaitable[Reply]]) -> Callable[..., Awaitable[Reply]]:
    async def handle(  # noqa: PLR0917 - the engine's own
        url_id: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query_params: Mapping[str, Any],
        resolved: Any = None,
        source_ip: str | None = None,
    ) -> Reply:
        resolved = resolved or lambda_svc.resolve_function_url(url_id)
        if resolved is None:
            return _say(403, "Forbidden")
        _, region, _, _, settings = resolved
        closed = settings.get("AuthType") == "AWS_IAM"
        preflight = method == "OPTIONS" and settings.get("Cors")
        if closed and not preflight and not signatures.is_signed(headers, "lambda", region):
            return _say(403, "Forbidden")
        token = _asks_for_signature.set(closed)
        try:
            answer = await original(
                url_id, method, path, headers, body, query_params, resolved, source_ip
            )
        finally:
            _asks_for_signature.reset(token)
        if answer[0] == 502 and b'"errorType"' in answer[2]:
            return _say(502, "Internal Server Error")
        return answer

    return handle


def _with_caller(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def build(  # noqa: PLR0917 - the engine's own
        url_id: str,
        account: str,
        region: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query_params: Mapping[str, Any],
        **more: Any,
    ) -> dict[str, Any]:
        event = original(url_id, account, region, method, path, headers, body, query_params, **more)
        if _asks_for_signature.get():
            caller = apigateway._iam_caller_identity_v2(dict(headers), dict(query_params))
            event["requestContext"]["authorizer"] = {"iam": {"cognitoIdentity": None, **caller}}
        return event

    return build


def _say(status: int, message: str) -> Reply:
    headers = {"Content-Type": "application/json", "x-amzn-RequestId": str(uuid4())}
    return status, headers, f'{{"Message":"{message}"}}'.encode()
