"""Two real PostgreSQL servers that stand for the clusters of a global database.

The one streams to the other over a wire that can stall, without waiting for it, as Aurora does. In
front of each is a door with TLS, whose port stays while the server behind it changes. Where a
function asks what only Aurora has, a view of replication in its place answers.

Touches: processes, their folders, the loopback. What is left at the end of a `with` block goes.
"""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tap_templates.errors import TapError
from tap_templates.local.link import Link
from tap_templates.local.postgres import HOST, MASTER, Server

if TYPE_CHECKING:
    import psycopg

    from tap_templates.local.driver import Move
    from tap_templates.local.tls import Certificate, Door

_PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.05
# Of Aurora's there is the region, how far a copy is behind, and -1 for the one that is written to
# (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora_global_db_status.html).
_STATUS = """
CREATE FUNCTION public.aurora_global_db_status()
RETURNS TABLE (aws_region text, durability_lag_in_msec bigint, rpo_lag_in_msec bigint)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT current_setting('cluster_name'), -1::bigint, -1::bigint WHERE NOT pg_is_in_recovery()
    UNION ALL
    SELECT application_name,
        coalesce(extract(epoch FROM replay_lag) * 1000, 0)::bigint,
        coalesce(extract(epoch FROM replay_lag) * 1000, 0)::bigint
    FROM pg_stat_replication
$$
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the templates call the database and the user that owns it."""

    database: str
    master: str


class Databases:
    """The servers of a pair of regions. Start it with the region that is written to first."""

    def __init__(self, names: Names, files: "Certificate", *, writer: str, copy: str) -> None:
        self.writer = writer  # the region whose server takes writes
        self.copy = copy
        self.servers: dict[str, Server] = {}
        self._names = names
        self._files = files
        self._doors: dict[str, Door] = {}
        self._links: list[Link] = []
        self._stack = ExitStack()
        self._lock = threading.Lock()  # the driver and the drill both move things

    def __enter__(self) -> Self:
        from tap_templates.local.tls import Door  # noqa: PLC0415 - of the development environment

        with ExitStack() as stack:
            stack.callback(self._remove)
            own = Server.create({"cluster_name": self.writer})
            self.servers[self.writer] = own
            own.start()
            self._prepare(own)
            self._follow(self.copy)
            for region, server in self.servers.items():
                self._doors[region] = stack.enter_context(Door(server.port, self._files))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def port(self, region: str) -> int:
        """Give the port that functions of a region find their database at."""
        return self._doors[region].port

    def stall(self) -> None:
        """Let nothing pass from the writer to its copy from now on."""
        self._links[-1].stall()

    def kill(self, region: str) -> None:
        """End the server of a region at once, and what was on its way to the other."""
        with self._lock:
            self.servers[region].kill()
            for link in self._links:
                link.cut()

    def fail_over(self, move: "Move", kept: Callable[[], None]) -> None:
        """Promote the copy, whatever it has; `kept` may look at it before anybody writes."""
        with self._lock:
            self.servers[move.to_region].promote()
            self.writer, self.copy = move.to_region, move.from_region
        kept()

    def switch_over(self, move: "Move") -> None:
        """Stop the writer, promote the copy once it has everything, let the old one follow it."""
        with self._lock:
            if not self._streams(move.to_region):
                raise TapError("drill", f"{move.to_region} copies nothing now", "rebuild it first")
            # In an orderly stop the server waits until its copy has the last record.
            self.servers[move.from_region].stop()
            self.servers[move.to_region].promote()
            self.writer, self.copy = move.to_region, move.from_region
            self._rebuilt(move.from_region)

    def rebuild(self, region: str) -> None:
        """Make the server of a region anew, as a copy of the writer's."""
        with self._lock:
            self._rebuilt(region)

    def rows(self, query: str, region: str | None = None) -> list[tuple[Any, ...]]:
        """Ask the server of a region, the writer's by default."""
        with closing(self._connect(self.servers[region or self.writer])) as connection:
            return connection.execute(query.encode()).fetchall()

    def _rebuilt(self, region: str) -> None:
        self.servers.pop(region).remove()
        self._follow(region)
        self._doors[region].target = self.servers[region].port

    def _follow(self, region: str) -> None:
        """Make the server of a region as a copy of the writer's, and wait until it streams."""
        source = self.servers[self.writer]
        while self._links:
            self._links.pop().__exit__()
        link = Link(source.port).__enter__()
        self._links.append(link)
        copy = source.standby(name=region, upstream=link.port)
        copy.settings["cluster_name"] = region
        self.servers[region] = copy
        copy.start()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self._streams(region):
            if time.monotonic() > deadline:
                raise TapError(
                    "drill",
                    f"the copy in {region} does not stream after {_PATIENCE_SECONDS:g} s",
                    f"read {copy.log}; run again on a machine that does less",
                )
            time.sleep(_POLL_SECONDS)

    def _streams(self, region: str) -> bool:
        asked = "SELECT state, application_name FROM pg_stat_replication"
        return ("streaming", region) in self.rows(asked)

    def _prepare(self, server: Server) -> None:
        """Make the database and its owner, who is no superuser, as on Aurora."""
        names = self._names
        with closing(self._connect(server, "postgres")) as connection:
            connection.execute(f"CREATE ROLE {names.master} LOGIN CREATEROLE".encode())
            connection.execute(f"CREATE DATABASE {names.database} OWNER {names.master}".encode())
        with closing(self._connect(server)) as connection:
            connection.execute(_STATUS.encode())

    def _connect(
        self, server: Server, database: str | None = None
    ) -> "psycopg.Connection[tuple[Any, ...]]":
        import psycopg  # noqa: PLC0415 - of the development environment

        return psycopg.connect(
            host=HOST,
            port=server.port,
            dbname=database or self._names.database,
            user=MASTER,
            autocommit=True,
            connect_timeout=5,
        )

    def _remove(self) -> None:
        for server in self.servers.values():
            server.remove()
        while self._links:
            self._links.pop().__exit__()
