"""Whether an address answers: asked over HTTPS, quickly, and without an opinion on why not."""

import http.client
from urllib.parse import urlsplit

DEEP = "/health/deep"  # writes into the journal: what fails over is what is asked
# To connect, to shake hands, to answer: each may take so long.
SECONDS = 1.5
HEALTHY = 200


def answers(url: str, *, seconds: float = SECONDS) -> bool:
    """Tell whether a GET of `url` is answered with 200; as `asked`."""
    return asked(url, seconds=seconds) == HEALTHY


def asked(url: str, *, seconds: float = SECONDS) -> int | None:
    """Give the status of the answer to a GET of `url`; None if there is none, for any reason.

    Never raises for what the network does. Goes through no proxy and follows nothing. `http` is for
    tests on the loopback.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the address of a health check is no URL of HTTP")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=seconds)
    try:
        connection.request("GET", parts.path or "/", headers={"accept": "application/json"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def deep(base: str) -> str:
    """Spell the address of a region's deep health, from that of its API."""
    return f"{base.rstrip('/')}{DEEP}"
