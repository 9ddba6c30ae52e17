"""Patches: HTTP APIs let in whom AWS lets in, and count.

The engine takes any Authorization header for a signature, and checks tokens only where a package is
installed that its environment here has not. Here a signature must be one for this API, of a key
that is known and not older than five minutes; *whether it is right* is not looked at, since any
secret goes with an account's number.
"""

import base64
import hashlib
import json
import math
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ministack.services import apigateway, apigateway_v1, cloudwatch

from tap_engine import invocation, signatures
from tap_engine.originals import patch

Answer = tuple[int, dict[str, str], bytes]
Handle = Callable[..., Awaitable[Answer]]

_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")  # RFC 8017, 9.2, note 1


def install() -> None:
    """Make the patches."""
    patch(
        apigateway,
        "_handle_execute_in_scope",
        "aa60b8b0dfaa",
        _guarded,
        why="AWS_IAM takes any header, Lambda's permission is not asked, nothing is counted",
    )
    patch(
        apigateway,
        "_verify_rs256_signature",
        "2d63ffe79e06",
        lambda _: verify,
        why="every token is refused without the package cryptography",
    )


def address_of(api_id: str) -> str:
    """Give the address of an HTTP API on this engine."""
    return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}/_aws/execute-api/{api_id}"


def region_of(api_id: str) -> str | None:
    """Find the region of an HTTP or REST API."""
    stores = (apigateway._apis, apigateway_v1._rest_apis)
    for (_, region, known), _ in (each for store in stores for each in store.all_items()):
        if known == api_id:
            return str(region)
    return None


def trust(issuer: str, keys: Mapping[str, Any]) -> None:
    """Take a JSON Web Key Set for an issuer's, which is then never asked for it.

    So that an issuer with an https address needs no server: the engine would have to trust it.
    """
    known, where = issuer.rstrip("/"), f"{issuer.rstrip('/')}/keys"
    apigateway._oidc_config_cache[known] = {"jwks_uri": where, "expiresAt": math.inf}
    apigateway._jwks_cache[where] = {"jwks": dict(keys), "expiresAt": math.inf}


def verify(token: str, jwk: Mapping[str, Any]) -> bool:
    """Check the RS256 signature of a token: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2.2)."""
    try:
        signed, _, signature = token.rpartition(".")
        modulus, exponent, proof = (
            int.from_bytes(_decoded(each), "big") for each in (jwk["n"], jwk["e"], signature)
        )
    except (KeyError, ValueError):
        return False
    size = (modulus.bit_length() + 7) // 8
    digest = _SHA256 + hashlib.sha256(signed.encode()).digest()
    if proof >= modulus or size < len(digest) + 11:
        return False
    expected = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    return pow(proof, exponent, modulus).to_bytes(size, "big") == expected


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _guarded(original: Handle) -> Handle:
    async def handle(  # noqa: PLR0917 - the engine's own
        api_id: str,
        stage: str,
        path: str,
        method: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Any,
        account: str,
        region: str,
        raw_query: str | None = None,
    ) -> Answer:
        began = time.monotonic()
        route = apigateway._match_route(api_id, method, f"/{path.lstrip('/')}")
        answer = None
        if route and method != "OPTIONS":
            key = route["routeKey"].replace(" ", "")
            where = f"arn:aws:execute-api:{region}:{account}:{api_id}/{stage}/{key}"
            answer = _refusal(route, api_id, where, headers)
        if answer is None:
            arguments = (api_id, stage, path, method, headers, body, query, account, region)
            answer = _as_aws_says(await original(*arguments, raw_query))
        _count(api_id, stage, answer[0], (time.monotonic() - began) * 1000)
        return answer

    return handle


def _refusal(
    route: Mapping[str, Any], api_id: str, where: str, headers: Mapping[str, str]
) -> Answer | None:
    """Say what AWS answers before it comes to the integration; None if it comes to it."""
    if route.get("authorizationType") == "AWS_IAM" and not signatures.is_signed(
        headers, "execute-api", where.split(":")[3]
    ):
        return _say(403, "Forbidden")
    identity = str(route.get("target", "")).rpartition("/")[2]
    integration = apigateway._integrations.get(api_id, {}).get(identity, {})
    function = apigateway._extract_lambda_ref_from_integration_uri(
        integration.get("integrationUri", "")
    )
    if integration.get("integrationType") == "AWS_PROXY" and not invocation.may_be_invoked_by(
        function, where, service="apigateway.amazonaws.com"
    ):
        return _say(500, "Internal Server Error")
    return None


def _as_aws_says(answer: Answer) -> Answer:
    """Hide from the caller what went wrong in the function, as AWS does."""
    status, _, body = answer
    if status == 502 and b'"errorType"' in body:
        return _say(500, "Internal Server Error")
    return answer


def _say(status: int, message: str) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps({"message": message}).encode()


def _count(api_id: str, stage: str, status: int, milliseconds: float) -> None:
    values = {
        "Count": (1, "Count"),
        "4xx": (int(400 <= status < 500), "Count"),
        "5xx": (int(status >= 500), "Count"),
        "Latency": (milliseconds, "Milliseconds"),
    }
    for dimensions in ({"ApiId": api_id}, {"ApiId": api_id, "Stage": stage}):
        for name, (value, unit) in values.items():
            cloudwatch.record_metric("AWS/ApiGateway", name, value, unit, dimensions)
