"""Who may send events: what API Gateway says of the caller, checked once more. Pure.

API Gateway has verified the token or the signature. Should its route ever be opened by mistake,
requests arrive here without that context, and are refused. The token itself is never read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

JWT = "JWT"
IAM = "IAM"
_SECONDS = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """The one way in. Raises ValueError, at the function's start, for a way that is not closed."""

    mode: str
    issuer: str = ""
    audience: str = ""

    def __post_init__(self) -> None:
        if self.mode not in (JWT, IAM):
            raise ValueError("AUTHORIZATION is neither JWT nor IAM")
        if self.mode == JWT and not (self.issuer and self.audience):
            raise ValueError("AUTHORIZATION is JWT, but JWT_ISSUER or JWT_AUDIENCE is empty")

    def admits(self, request: object, now: datetime) -> bool:
        """Tell whether the request's context names an admitted caller; in doubt it does not."""
        authorizer = _inner(_inner(request, "requestContext"), "authorizer")
        if self.mode == IAM:
            return bool(_inner(authorizer, "iam"))
        claims = _inner(_inner(authorizer, "jwt"), "claims")
        return (
            claims.get("iss") == self.issuer
            and self.audience in _audiences(claims)
            and _expires(claims) > now.timestamp()
        )


def _inner(value: object, name: str) -> Mapping[Any, Any]:
    inner = value.get(name) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _audiences(claims: Mapping[Any, Any]) -> tuple[str, ...]:
    """List for whom the token is. As at API Gateway, client_id counts only without aud."""
    said = claims["aud"] if "aud" in claims else claims.get("client_id")
    if isinstance(said, list) and "aud" in claims:
        return tuple(said) if all(isinstance(each, str) for each in said) else ()
    if not isinstance(said, str):
        return ()
    # HTTP APIs hand over a list as one text: "[first second]".
    if "aud" in claims and said.startswith("[") and said.endswith("]"):
        return (said, *said[1:-1].split())
    return (said,)


def _expires(claims: Mapping[Any, Any]) -> int:
    """Read when the token ends, in seconds since 1970; 0 if that is no plain number."""
    said = claims.get("exp")
    if isinstance(said, str) and _SECONDS.fullmatch(said):
        return int(said)
    return said if isinstance(said, int) else 0
