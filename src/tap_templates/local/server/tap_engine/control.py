"""`/_tap/…`: what is supported, what was patched, and faults on demand.

A wrapper around the engine's ASGI application. It also answers 503 for a region that was killed.
"""

import json
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl, quote

from tap_engine import function_urls, hosts, http_apis, name_service, outage, servers
from tap_engine.faults import FAULTS
from tap_engine.originals import PATCHES, VERSION
from tap_engine.support import SUPPORT

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_SIGNED_FOR = re.compile(r"Credential=[^/]+/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/")
_API = re.compile(r"([^./]+)\.execute-api\.|[^/]*/_aws/execute-api/([^/]+)")
_URL = re.compile(r"([^./]+)\.lambda-url\.|[^/]*/_aws/lambda-url/([^/]+)")
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
    "dns": lambda query: name_service.ask(query["name"]),
    "database": servers.register,
    "door": servers.secure,
    "trust": lambda query: http_apis.trust(query["issuer"], json.loads(query["keys"])),
}
_READING = {"dns", "health", "support", "patches", "faults"}


def around(application: Application) -> Application:
    """Put the control routes and the dead regions before the engine."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
        elif scope["path"].startswith(_PREFIX):
            await _answer(send, *_command(scope))
        elif _region(scope) in FAULTS.dead:
            await _unavailable(scope, send)
        else:
            await application(_by_address(scope), receive, send)

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
    # Whoever calls an API or a function need not sign: it is known by its address.
    host = _host(scope)
    for known, region_of in ((_API, http_apis.region_of), (_URL, function_urls.region_of)):
        asked = known.match(host + str(scope["path"]))
        if asked:
            return region_of(asked.group(1) or asked.group(2))
    return hosts.region_of(host.partition(":")[0])


def _by_address(scope: Scope) -> Scope:
    """Turn a request by the name of a custom domain into one by the address of its API.

    The engine answers some paths itself, such as /health, whatever name it is asked by.
    """
    found = hosts.resolve(_host(scope), scope["path"])
    if found is None:
        return scope
    return {**scope, "path": found, "raw_path": quote(found).encode()}


def _host(scope: Scope) -> str:
    return str(dict(scope["headers"]).get(b"host", b""), "latin-1")


async def _unavailable(scope: Scope, send: Send) -> None:
    headers = dict(scope["headers"])
    found = _SIGNED_FOR.search(headers.get(b"authorization", b"").decode("latin-1"))
    message = f"{_region(scope)} does not answer"
    kind, content = outage.body(headers, found.group(2) if found else None, message)
    await _send(send, 503, kind, content)


async def _answer(send: Send, status: int, said: object) -> None:
    await _send(send, status, b"application/json", json.dumps(said).encode())


async def _send(send: Send, status: int, kind: bytes, content: bytes) -> None:
    headers = [(b"content-type", kind)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
