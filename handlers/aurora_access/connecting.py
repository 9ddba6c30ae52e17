"""One connection an execution environment, kept between invocations and made anew when it is lost.

Whoever borrows it says for how long. Time-outs of the server do not help against a server that has
stopped, nor those of TCP against a kernel that still acknowledges: when the time is up, our end of
the socket is shut, and what waits on it gets an error at once.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

Connection = psycopg.Connection[tuple[Any, ...]]

CONNECT_SECONDS = 2  # the least that libpq and psycopg take
# The server's own limits, below ours: so it ends what nobody waits for any more.
_SESSION = (
    "-c statement_timeout=2500 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=5000"
)
# A peer that is gone without a word is noticed by the kernel, if our own limit is not reached.
_TCP = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 3000,
}


def opener(
    parameters: Mapping[str, str | int],
    password: Callable[[], str | None],
    *,
    application: str,
    session: str = _SESSION,
) -> Callable[[], Connection]:
    """Make the function that opens a connection, with a new password each time."""

    def connect() -> Connection:
        told: dict[str, Any] = {
            **parameters,
            **_TCP,
            "password": password(),
            "connect_timeout": CONNECT_SECONDS,
            "application_name": application,
            "options": session,
        }
        return psycopg.connect(
            make_conninfo("", **told),
            autocommit=True,  # transactions are begun and ended in so many words
            prepare_threshold=None,  # a prepared plan does not outlive a failover
        )

    return connect


def first_of(*openers: Callable[[], Connection]) -> Callable[[], Connection]:
    """Make the function that opens the first connection that can be had, in this order.

    For who asks how a cluster stands: the endpoint for writes of a copy leads nowhere, that for
    reads does. What is raised is of the last one.
    """
    *before, last = openers

    def connect() -> Connection:
        for each in before:
            with suppress(psycopg.OperationalError):
                return each()
        return last()

    return connect


class Database:
    """Keeps the connection."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._kept: Connection | None = None
        self._since = 0.0

    @property
    def age_seconds(self) -> float | None:
        """How long the kept connection is open; None if there is none."""
        return None if self._kept is None else self._clock() - self._since

    @contextmanager
    def within(self, seconds: float) -> Iterator[Connection]:
        """Lend the connection for at most so long; a new one takes up to CONNECT_SECONDS more.

        Whatever is left of a transaction is rolled back; a connection that does not answer any
        more is dropped. Raises psycopg.Error.
        """
        if self._kept is None:
            self._kept = self._connect()
            self._since = self._clock()
        connection = self._kept
        try:
            with _limited(connection, seconds):
                try:
                    yield connection
                finally:
                    _end_transaction(connection)
        finally:
            if connection.closed:
                self.drop()

    def drop(self) -> None:
        """Close the kept connection; the next to borrow gets a new one, to wherever DNS leads."""
        kept, self._kept = self._kept, None
        if kept is not None:
            with suppress(psycopg.Error):
                kept.close()


def _end_transaction(connection: Connection) -> None:
    idle = psycopg.pq.TransactionStatus.IDLE
    if connection.closed or connection.info.transaction_status is idle:
        return
    try:
        connection.execute("ROLLBACK")
    except psycopg.Error:
        connection.close()


@contextmanager
def _limited(connection: Connection, seconds: float) -> Iterator[None]:
    """Shut the socket when the time is up. The connection is closed then, also if nobody waits."""
    lock = threading.Lock()
    is_over = has_fired = False

    def fire() -> None:
        nonlocal has_fired
        with lock:
            if is_over or connection.closed:
                return
            has_fired = True
            # A copy of the descriptor is the same socket to the kernel; libpq keeps its own.
            with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as copy:
                copy.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(seconds, 0.0), fire)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with lock:
            is_over = True
        if has_fired:
            connection.close()
