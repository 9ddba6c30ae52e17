"""Who has the databases behind the clusters of a local engine, and moves their writer when asked.

The engine is told of a server with `register`. When somebody then fails a global database over,
the engine asks the `Driver` for it and waits: the clusters say what the servers have done.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tap_templates.errors import TapError
from tap_templates.local import engine as engines
from tap_templates.local.engine import HOST, Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What the engine asks for: that another region's cluster is the one that is written to."""

    global_cluster: str
    from_region: str
    to_region: str
    is_data_loss_allowed: bool  # the old writer may be gone, with what it alone had

    @classmethod
    def of(cls, said: dict[str, Any]) -> Self:
        """Read what the engine says, in the words of the API's FailoverState."""
        from_arn, to_arn = said["FromDbClusterArn"], said["ToDbClusterArn"]
        return cls(
            global_cluster=said["global_cluster"],
            from_region=from_arn.split(":")[3],
            to_region=to_arn.split(":")[3],
            is_data_loss_allowed=said["IsDataLossAllowed"],
        )


class Driver:
    """Listens on the loopback for the time of a `with` block; `move` returns when it is done.

    `move` runs in a thread of its own. What it raises as TapError leaves the writer where it is.
    """

    def __init__(self, move: Callable[[Move], None]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = 200, "done"
                try:
                    move(Move.of(said))
                except TapError as error:
                    status, answer = 500, str(error)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer.encode())))
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing: the engine keeps the log."""

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{HOST}:{self._server.server_port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def open_door(engine: Engine, port: int, chain: Path) -> None:
    """Tell an engine of the port that leads to it over https, and what to trust there."""
    engines.control(engine, "door", url=f"https://{HOST}:{port}", chain=str(chain))


def register(
    engine: Engine, *, cluster: str, region: str, port: int, driver: Driver | None = None
) -> None:
    """Tell an engine of the server behind a cluster, before functions of that cluster first run."""
    query = {"cluster": cluster, "region": region, "host": HOST, "port": str(port)}
    engines.control(engine, "database", **query, **({"driver": driver.url} if driver else {}))
