"""Patches: real databases behind clusters, for a driver that has some.

The engine keeps clusters and has no database for them. A driver, which is a process outside, tells
of a server that it runs for a cluster (`/_tap/database`). From then on functions are placed beside
it: where a variable `…DB_HOST` of theirs names the cluster's endpoint, they get the server's
address and port, and nothing else of them is changed, so the server has to take TLS as a cluster
does. Where the driver gives an address to be told at, a global database moves its writer when the
driver says that it did; without, at once.

Migrations then run, and a function answers CloudFormation over https alone. The driver has a door
with TLS before the engine for that, with a certificate that such functions are told to trust.
"""

import contextvars
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from ministack.core.responses import get_account_id
from ministack.services import lambda_svc, rds
from ministack.services.cloudformation import custom_resource

from tap_engine.originals import patch

_HOST, _PORT = "DB_HOST", "DB_PORT"
_LOOPBACK = "127.0.0.1"
_PATIENCE_SECONDS = 300

Record = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that stands behind a cluster."""

    cluster: str
    region: str
    host: str
    port: int
    driver: str | None  # where to tell that the writer shall move


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where the engine is reached over https."""

    url: str
    chain: str  # the file of the certificate


SERVERS: dict[tuple[str, str], Server] = {}  # region and cluster
DOORS: list[Door] = []  # the last one counts
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def install() -> None:
    """Make the patches."""
    patch(
        rds,
        "_switch_global_cluster_writer_locked",
        "6e9b43355ed4",
        _told_to_the_driver,
        why="the writer of a global database moves at once, with no database that could follow",
    )
    patch(
        custom_resource,
        "_response_url",
        "e4ffdb252aec",
        _over_https,
        why="functions that answer over https alone have nobody to answer to",
    )


def register(query: Mapping[str, str]) -> dict[str, object]:
    """Answer the control command `database`; raise ValueError for what is not on this machine."""
    driver = query.get("driver") or None
    for host in (query["host"], urlsplit(driver).hostname if driver else _LOOPBACK):
        if host != _LOOPBACK:
            raise ValueError(f"{host} is not {_LOOPBACK}")
    server = Server(
        cluster=query["cluster"].lower(),
        region=query["region"],
        host=query["host"],
        port=int(query["port"]),
        driver=driver,
    )
    SERVERS[server.region, server.cluster] = server
    return {"databases": [asdict(each) for each in SERVERS.values()]}


def secure(query: Mapping[str, str]) -> dict[str, object]:
    """Answer the control command `door`: from now on this is where https leads to the engine."""
    door = Door(url=query["url"].rstrip("/"), chain=query["chain"])
    if urlsplit(door.url).hostname != _LOOPBACK:
        raise ValueError(f"{door.url} is not at {_LOOPBACK}")
    DOORS.append(door)
    return {"door": asdict(door)}


def _over_https(original: Callable[[str], str]) -> Callable[[str], str]:
    def url(token: str) -> str:
        return DOORS[-1].url + urlsplit(original(token)).path if DOORS else original(token)

    return url


def behind(function_arn: str) -> bool:
    """Say whether a function has a server behind the cluster that it is told of."""
    function, config, _ = lambda_svc._get_func_record_for_ref(function_arn)
    return bool(function and config) and any(moved(_variables(config)))


def _variables(config: Record) -> dict[str, str]:
    return (config.get("Environment") or {}).get("Variables") or {}


def moved(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """List the variables that lead to a server instead of a cluster; `X_DB_HOST` has a port too."""
    for name, value in variables.items() if SERVERS else ():
        server = _at(value) if name.endswith(_HOST) else None
        if server:
            yield name, server.host
            yield f"{name.removesuffix(_HOST)}{_PORT}", str(server.port)
            yield from (("SSL_CERT_FILE", door.chain) for door in DOORS[-1:])


def _at(endpoint: str) -> Server | None:
    for (account, region, name), cluster in rds._clusters.all_items():
        if account == get_account_id() and endpoint in (
            cluster["Endpoint"],
            cluster["ReaderEndpoint"],
        ):
            return SERVERS.get((region, name))
    return None


def _of(member: Record) -> Server | None:
    """Find the server of a member of a global database."""
    _, _, _, region, _, _, name = member["DBClusterArn"].split(":", 6)
    return SERVERS.get((region, name))


def _told_to_the_driver(original: Callable[..., Any]) -> Callable[..., Any]:
    def switch(p: Record, *, allow_data_loss: bool = False) -> Any:
        found, error = rds._resolve_global_writer_switch(p)
        server = _of(found[2]) if found else None
        if error or server is None or server.driver is None:
            return original(p, allow_data_loss=allow_data_loss)
        whole, _, target, writer = found
        if whole["Status"] != "available":
            what = f"Global cluster {whole['GlobalClusterIdentifier']} is {whole['Status']}."
            return rds._error("InvalidGlobalClusterStateFault", what, 400)
        answer = rds._global_cluster_writer_switch_response(
            whole, writer, target, allow_data_loss=allow_data_loss
        )
        whole.update(Status=answer["Status"], FailoverState=answer["FailoverState"])
        context = contextvars.copy_context()
        arguments = (_move, whole, target, server.driver)
        threading.Thread(target=context.run, args=arguments, daemon=True).start()
        return answer

    return switch


def _move(whole: Record, target: Record, driver: str) -> None:
    """Ask the driver to move the writer, wait until it has, and then say so of the clusters."""
    state = whole["FailoverState"]
    state["Status"] = "failing-over"
    said = json.dumps({"global_cluster": whole["GlobalClusterIdentifier"], **state}).encode()
    request = urllib.request.Request(driver, data=said, method="POST")  # noqa: S310 - register lets the loopback in alone
    try:
        with _OPENER.open(request, timeout=_PATIENCE_SECONDS):
            rds._set_global_cluster_writer(whole, target)
    except OSError as error:
        rds.logger.warning("%s: the driver did not move it: %s", said.decode(), error)
    finally:
        whole.pop("FailoverState", None)
        whole["Status"] = "available"
