"""The database of this region, as failover and failback ask for it."""

from collections.abc import Callable
from typing import Protocol, TypeVar

import psycopg

from aurora_access.connecting import Connection, Database
from aurora_access.faults import Fault, fault_of
from aurora_access.standing import Lag, Standing, lags, standing
from orders.failures import DatabaseRefused, Failure, NotWritable, TemporaryFailure

_SECONDS = 3.0
_CANARY = (
    "INSERT INTO trading.canary (region, at) VALUES (%s, clock_timestamp()) "
    "ON CONFLICT (region) DO UPDATE SET at = EXCLUDED.at"
)
_FENCE = "SELECT epoch FROM trading.fence"

_Found = TypeVar("_Found")


class Asks(Protocol):
    """What is asked of the database: `Writer`."""

    def prove_writable(self, region: str) -> None: ...

    def standing(self) -> tuple[Standing, int | None]: ...

    def lags(self) -> tuple[Lag, ...]: ...


class Writer:
    """Asks over the kept connection; after an error the next one gets a new connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def prove_writable(self, region: str) -> None:
        """Write the canary of this region; raise NotWritable, or DatabaseRefused for good."""
        self._ask(lambda connection: connection.execute(_CANARY, (region,)), not_yet=NotWritable)

    def standing(self) -> tuple[Standing, int | None]:
        """Say whether it takes writes, and at which epoch its fence stands.

        Raises TemporaryFailure or DatabaseRefused.
        """

        def asked(connection: Connection) -> tuple[Standing, int | None]:
            row = connection.execute(_FENCE).fetchone()
            return standing(connection), None if row is None else int(row[0])

        return self._ask(asked)

    def lags(self) -> tuple[Lag, ...]:
        """Say how far each region is behind; raises as `standing`."""
        return self._ask(lags)

    def _ask(
        self,
        question: Callable[[Connection], _Found],
        *,
        not_yet: type[Failure] = TemporaryFailure,
    ) -> _Found:
        try:
            with self._database.within(_SECONDS) as connection:
                return question(connection)
        except psycopg.Error as error:
            # Wherever the name led to: the next to ask follows it anew.
            self._database.drop()
            fault = fault_of(error)
            if fault in (Fault.LOST, Fault.BUSY, Fault.READ_ONLY):
                raise not_yet(f"database {fault.value}") from None
            raise DatabaseRefused(error.sqlstate or type(error).__name__) from None
