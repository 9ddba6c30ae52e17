"""The databases of both regions: what each is, and how far the copy is behind."""

from typing import Protocol

import psycopg

from aurora_access.connecting import Database
from aurora_access.standing import Lag, Standing, lags, standing

_SECONDS = 3.0


class Asks(Protocol):
    """What is asked of a cluster: `Cluster`."""

    def standing(self) -> Standing | None: ...

    def lags(self) -> tuple[Lag, ...] | None: ...


class Cluster:
    """One cluster. None for an answer is none, whatever the reason: the log has its class."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def standing(self) -> Standing | None:
        """Log in anew, as after a failover, and ask whether it takes writes."""
        self._database.drop()
        try:
            with self._database.within(_SECONDS) as connection:
                return standing(connection)
        except psycopg.Error:
            self._database.drop()
            return None

    def lags(self) -> tuple[Lag, ...] | None:
        """Ask how far each region is behind."""
        try:
            with self._database.within(_SECONDS) as connection:
                return lags(connection)
        except psycopg.Error:
            self._database.drop()
            return None
