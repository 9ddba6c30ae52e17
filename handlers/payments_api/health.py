"""Whether this region can take payments: asked by DNS health checks, so the answer moves traffic.

Uses the connection that payments use. It is made anew when it is lost; and, while the database does
not accept writes, at most every half minute, in case the name leads to another instance by now.
"""

import time
from collections.abc import Callable

import psycopg

from aurora_access.connecting import Database
from payments_api.sessions import Sessions

# Route 53 waits 2 s for an answer once it is connected.
DATABASE_SECONDS = 1.5
_SOON_SECONDS = 0.3
_STALE_SECONDS = 30.0
# Aurora's readers and PostgreSQL's standbys are in recovery; a writer may be set read-only.
_WRITES = "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'"


class Health:
    """The checks of one region."""

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._clock = clock

    def failing(self) -> list[str]:
        """Name the checks that fail: `database`, `sessions`. Takes under 3 s, whatever hangs."""
        checks = {"database": self._takes_writes, "sessions": self._sessions.answer}
        return [name for name, passes in checks.items() if not passes()]

    def _takes_writes(self) -> bool:
        started = self._clock()
        try:
            return self._ask()
        except psycopg.Error:
            self._database.drop()
        if self._clock() - started > _SOON_SECONDS:
            return False  # it hangs: asking again would take the time that nobody has
        try:  # the kept connection was cut, as after a failover
            return self._ask()
        except psycopg.Error:
            self._database.drop()
            return False

    def _ask(self) -> bool:
        with self._database.within(DATABASE_SECONDS) as connection:
            row = connection.execute(_WRITES).fetchone()
        takes_writes = row is not None and row[0] is True
        age = self._database.age_seconds
        if not takes_writes and age is not None and age > _STALE_SECONDS:
            self._database.drop()
        return takes_writes
