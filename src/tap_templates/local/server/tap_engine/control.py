"""`/_tap/…`: what is supported, what was patched, and faults on demand.

A wrapper around the engine's ASGI application. It also answers 503 for a region that was killed.
"""

import json
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl

from tap_engine import http_apis
from tap_engine.faults import FAULTS
from tap_engine.originals import PATCHES, VERSION
from tap_engine.support import SUPPORT

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_SIGNED_FOR = re.compile(r"Credential=[^/]+/\d{8}/([a-z0-9-]+)/")
_API = re.compile(r"([^./]+)\.execute-api\.|.*/_aws/execute-api/([^/]+)")
_PREFIX = "/_tap/"

COMMANDS: dict[str, Callable[[Mapping[str, str]], object]] = {
    "health": lambda _: {"engine": VERSION, "token": os.environ.get("TAP_TOKEN")},
    "support": lambda _: {"types": SUPPORT},
    "patches": lambda _: {"patches": [asdict(each) for each in PATCHES]},
    "faults": lambda _: FAULTS.as_json(),
    "kill": lambda query: FAULTS.kill(query["region"]),
    "heal": lambda query: FAULTS.heal(query["region"]),
    "fail": lambda query: FAULTS.fail_next(query["region"], query["reason"]),
    "hold": lambda query: FAULTS.hold(query["region"]),
    "release": lambda query: FAULTS.release(query["region"]),
    "trust": lambda query: http_apis.trust(query["issuer"], json.loads(query["keys"])),
}
_READING = {"health", "support", "patches", "faults"}


def around(application: Application) -> Application:
    """Put the control routes and the dead regions before the engine."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
        elif scope["path"].startswith(_PREFIX):
            await _answer(send, *_command(scope))
        elif _region(scope) in FAULTS.dead:
            said = {"__type": "ServiceUnavailable", "message": f"{_region(scope)} does not answer"}
            await _answer(send, 503, said)
        else:
            await application(scope, receive, send)

    return serve


def _command(scope: Scope) -> tuple[int, object]:
    name = scope["path"].removeprefix(_PREFIX)
    if name not in COMMANDS:
        return 404, {"error": f"{name} is none of {', '.join(COMMANDS)}"}
    if name not in _READING and scope["method"] != "POST":
        return 405, {"error": f"{name} changes something: POST it"}
    try:
        result = COMMANDS[name](dict(parse_qsl(scope.get("query_string", b"").decode())))
    except KeyError as missing:
        return 400, {"error": f"{name} needs {missing}"}
    except ValueError as error:
        return 400, {"error": f"{name} cannot read what it was given: {error}"}
    return 200, result if result is not None else FAULTS.as_json()


def _region(scope: Scope) -> str | None:
    headers = dict(scope["headers"])
    found = _SIGNED_FOR.search(headers.get(b"authorization", b"").decode("latin-1"))
    if found:
        return found.group(1)
    # Whoever calls an HTTP API need not sign: it is known by its address.
    asked = _API.match(headers.get(b"host", b"").decode("latin-1") + str(scope["path"]))
    return http_apis.region_of(asked.group(1) or asked.group(2)) if asked else None


async def _answer(send: Send, status: int, said: object) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(said).encode()})
