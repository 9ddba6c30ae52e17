"""Lose a region under load, on two real PostgreSQL servers, and say what was lost and repaired.

Usage: .venv/bin/python scripts/payments_drill.py [--stall 0.5] [--clients 6] [--load 1.5]

Two servers stand for the clusters of two regions, with asynchronous streaming replication between
them as a global database has. Clients pay through the function's own code, first in the one region;
its server is killed (SIGKILL, all processes), the other is promoted. `--stall` holds replication
back for so many seconds before the kill: what is committed then is acknowledged and lost. Clients
have kept what they sent; sending it again, with the same keys, repairs the ledger.

Times are those of this machine, not of AWS: promoting Aurora takes minutes. Exits with 1 if at the
end a payment is missing or there twice.
"""

import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "handlers"))

import payments_schema
from aurora_access.connecting import Database, opener
from aurora_access.persisting import Persistence
from aurora_access.settings import NONE, Settings
from payments_api.health import Health
from payments_api.ledger import Ledger
from payments_api.service import Payments
from payments_api.sessions import Sessions
from schema_migrations.runner import migrate, read_migrations
from tap_templates.errors import TapError
from tap_templates.local.link import Link
from tap_templates.local.postgres import HOST, MASTER, Server

EAST, WEST = "us-east-1", "us-west-2"
_MIGRATIONS = Path(payments_schema.__file__).parent / "migrations"
PAYER, SHOP = "drill-payer", "drill-shop"
_IAM = {"iam": {"userArn": "arn:aws:iam::111122223333:role/drill"}}
_POLL_SECONDS = 0.05
_WAIT_SECONDS = 30.0
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a drill."""

    acknowledged: int  # in the region that died
    lost: int  # of these, not in the promoted database
    repaired: int  # booked anew when clients sent them again
    changed_ids: int  # that came back with another payment id than before
    expected: int  # payments that clients were told of, in either region
    payments: int
    entries: int
    total: str  # of all entries
    noticed_seconds: float
    promoted_seconds: float
    first_write_seconds: float

    @property
    def is_whole(self) -> bool:
        """Every payment once, with two entries that cancel out, under the id that was told."""
        return (
            self.payments == self.expected
            and self.entries == 2 * self.expected
            and float(self.total) == 0
            and self.changed_ids == 0
        )


class _NoSessions:
    """Stands for the table of sessions, which this drill is not about."""

    def get_item(self, **_: Any) -> Mapping[str, Any]:
        return {}

    def update_item(self, **_: Any) -> Mapping[str, Any]:
        return {}


class _Silence:
    """Stands for the watch."""

    def say(self, message: str, **_: Any) -> None: ...
    def count(self, name: str, amount: int = 1) -> None: ...
    def time(self, name: str, took_ms: float) -> None: ...
    def annotate(self, payment_id: str) -> None: ...


class Region:
    """The function of one region, in one execution environment."""

    def __init__(self, name: str, server: Server) -> None:
        self.database = _database(server, "payments_app")
        sessions = Sessions(_NoSessions(), _NoSessions(), "sessions")
        self._payments = Payments(
            Ledger(self.database, Persistence(seconds=1.0)),
            sessions,
            Health(self.database, sessions),
            _Silence(),
            region=name,
        )

    def pay(self, key: str) -> dict[str, Any]:
        """Post a payment of one cent."""
        body = f'{{"amount":"0.01","currency":"EUR","debtor":"{PAYER}","creditor":"{SHOP}"}}'
        headers = {"content-type": "application/json", "idempotency-key": key}
        return self._ask("POST", "/payments", headers=headers, body=body)

    def is_healthy(self) -> bool:
        """Ask the region's health route."""
        return bool(self._ask("GET", "/health")["statusCode"] == 200)

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        context = {"http": {"method": method}, "stage": "$default", "authorizer": _IAM}
        request = {"rawPath": path, "requestContext": context, **more}
        return self._payments(request, str(uuid.uuid4()))


@dataclass
class Traffic:
    """Clients that pay until told to stop, each key until it is acknowledged."""

    servers: Mapping[str, Server]
    to: str = EAST  # where the name leads
    told: dict[str, tuple[str, str]] = field(default_factory=dict)  # key → region, answer
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, clients: int) -> None:
        """Start the clients."""
        self._threads = [threading.Thread(target=self._client) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each client finish what it is at."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def acknowledged(self, region: str) -> dict[str, str]:
        """List what a region has acknowledged so far: key → answer."""
        with self._lock:
            return {key: answer for key, (by, answer) in self.told.items() if by == region}

    def _client(self) -> None:
        regions = {name: Region(name, server) for name, server in self.servers.items()}
        while not self._stop.is_set():
            key, deadline = str(uuid.uuid4()), time.monotonic() + _WAIT_SECONDS
            while time.monotonic() < deadline:
                name = self.to
                answer = regions[name].pay(key)
                if answer["statusCode"] in (200, 201):
                    with self._lock:
                        self.told[key] = (name, answer["body"])
                    break
                time.sleep(_POLL_SECONDS)
        for region in regions.values():
            region.database.drop()


def drill(
    say: Say, *, clients: int = 6, load_seconds: float = 1.5, stall_seconds: float = 0.5
) -> Report:
    """Run a drill from empty servers to the repaired ledger; `say` hears the timeline."""
    with ExitStack() as stack:
        east = stack.enter_context(Server.create())
        _prepare(east.start())
        link = stack.enter_context(Link(east.port))
        west = stack.enter_context(east.standby(name=WEST, upstream=link.port))
        west.start()
        _until(lambda: _streams(east), "the standby does not stream")
        say(f"{EAST} takes writes; {WEST} is its standby, replication is asynchronous")
        traffic = Traffic({EAST: east, WEST: west})
        traffic.start(clients)
        try:
            time.sleep(load_seconds)
            killed = _kill(say, east, link, stall_seconds, traffic)
            noticed, promoted, first = _fail_over(say, east, west, traffic, killed)
            time.sleep(load_seconds)
        finally:
            traffic.stop()
        return _count_and_repair(say, west, traffic, (noticed, promoted, first))


def _prepare(server: Server) -> None:
    """Make the schema by the function's own migrations, and two accounts."""
    database = _database(server, MASTER)
    migrate(database, read_migrations(_MIGRATIONS), seconds=_WAIT_SECONDS)
    database.drop()
    with _master(server) as connection:
        for account in (PAYER, SHOP):
            connection.execute(
                "INSERT INTO payments.account VALUES (%s, 'EUR', 0, NULL)", (account,)
            )


def _kill(say: Say, east: Server, link: Link, stall_seconds: float, traffic: Traffic) -> float:
    if stall_seconds:
        link.stall()
        say(f"replication stalls; {len(traffic.acknowledged(EAST))} payments acknowledged so far")
        time.sleep(stall_seconds)
    east.kill()
    killed = time.monotonic()
    link.cut()
    say(f"{EAST} is killed; {len(traffic.acknowledged(EAST))} payments acknowledged")
    return killed


def _fail_over(
    say: Say, east: Server, west: Server, traffic: Traffic, killed: float
) -> tuple[float, float, float]:
    """Notice by the health route, promote, lead the name there; give seconds since the kill."""
    there, here = Region(EAST, east), Region(WEST, west)
    _until(lambda: not there.is_healthy(), "the dead region says that it is healthy")
    noticed = time.monotonic() - killed
    say(f"health of {EAST} is 503; health of {WEST}, still a standby, is too: {_health(here)}")
    west.promote()
    promoted = time.monotonic() - killed
    _until(here.is_healthy, "the promoted region does not become healthy")
    say(f"{WEST} is promoted, its health is {_health(here)}; the name leads there")
    traffic.to = WEST
    _until(lambda: bool(traffic.acknowledged(WEST)), "nothing is booked in the promoted region")
    first = time.monotonic() - killed
    say(f"first payment booked in {WEST}")
    for region in (there, here):
        region.database.drop()
    return noticed, promoted, first


def _count_and_repair(
    say: Say, west: Server, traffic: Traffic, seconds: tuple[float, float, float]
) -> Report:
    acknowledged = traffic.acknowledged(EAST)
    with _master(west) as connection:
        rows = connection.execute("SELECT idempotency_key FROM payments.payment").fetchall()
    lost = acknowledged.keys() - {row[0] for row in rows}
    say(f"{len(lost)} of {len(acknowledged)} payments that {EAST} acknowledged are not here")
    region, repaired, changed = Region(WEST, west), 0, 0
    for key, answer in acknowledged.items():
        again = region.pay(key)
        repaired += again["statusCode"] == 201
        changed += _id(again["body"]) != _id(answer)
    region.database.drop()
    say(f"clients sent all {len(acknowledged)} again: {repaired} booked anew, the rest replayed")
    with _master(west) as connection:
        payments, entries, total = connection.execute(
            "SELECT (SELECT count(*) FROM payments.payment), count(*), coalesce(sum(amount), 0)"
            " FROM payments.entry"
        ).fetchone() or (0, 0, 1)
    noticed, promoted, first = seconds
    return Report(
        acknowledged=len(acknowledged),
        lost=len(lost),
        repaired=repaired,
        changed_ids=changed,
        expected=len(traffic.told),
        payments=payments,
        entries=entries,
        total=str(total),
        noticed_seconds=noticed,
        promoted_seconds=promoted,
        first_write_seconds=first,
    )


def _id(answer: str) -> str:
    return answer.partition('"paymentId": "')[2][:36]


def _health(region: Region) -> int:
    return 200 if region.is_healthy() else 503


def _database(server: Server, user: str) -> Database:
    settings = Settings(
        host=HOST, port=server.port, name="postgres", user=user, auth=NONE, tls="disable"
    )
    return Database(opener(settings.parameters(), lambda: None, application="drill"))


def _master(server: Server) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(
        host=HOST, port=server.port, dbname="postgres", user=MASTER, autocommit=True
    )


def _streams(server: Server) -> bool:
    with _master(server) as connection:
        rows = connection.execute("SELECT state FROM pg_stat_replication").fetchall()
    return rows == [("streaming",)]


def _until(is_so: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise TapError("drill", otherwise, "run it again, on a machine that does less")
        time.sleep(_POLL_SECONDS)


@click.command()
@click.option("--clients", default=6, show_default=True, help="Clients that pay at once.")
@click.option("--load", default=1.5, show_default=True, help="Seconds of load before and after.")
@click.option("--stall", default=0.5, show_default=True, help="Seconds of lag before the kill.")
def main(clients: int, load: float, stall: float) -> None:
    """Kill a region under load, promote the other, count what is lost, repair it."""
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - started:7.2f} s  {line}", flush=True)

    try:
        report = drill(say, clients=clients, load_seconds=load, stall_seconds=stall)
    except TapError as error:
        print(f"{error}\n  {error.remedy}", file=sys.stderr)
        sys.exit(error.exit_code)
    print(
        f"\nkill → noticed {report.noticed_seconds:.2f} s,"
        f" → promoted {report.promoted_seconds:.2f} s,"
        f" → first payment {report.first_write_seconds:.2f} s"
        f"\nacknowledged in {EAST}: {report.acknowledged}"
        f"\nlost with it:              {report.lost}"
        f"\nbooked anew by retries:    {report.repaired}"
        f"\nin the ledger at the end:  {report.payments} payments, {report.entries} entries,"
        f" sum {report.total}; clients know of {report.expected}"
        f"\n{'every payment is there once' if report.is_whole else 'THE LEDGER IS NOT WHOLE'}"
    )
    sys.exit(0 if report.is_whole else 1)


if __name__ == "__main__":
    main()
