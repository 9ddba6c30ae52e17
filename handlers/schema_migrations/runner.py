"""Applies migrations: one transaction each, one run at a time, in one region only.

Runs wait for each other on an advisory lock, which ends with its connection. A database that is
in recovery is the other region's copy: what is applied there arrives here by replication.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from aurora_access.connecting import Connection, Database
from aurora_access.faults import fault_of
from schema_migrations.core import Migration, migrations_of, plan

_LOCK = 7_350_286_613_140_271_001  # any number that nothing else in the database locks
_LOGIN_PAUSES = (1.0, 2.0, 4.0)
_LOGIN_SECONDS = 5.0
_HISTORY = """
CREATE SCHEMA IF NOT EXISTS schema_history;
REVOKE ALL ON SCHEMA schema_history FROM PUBLIC;
CREATE TABLE IF NOT EXISTS schema_history.applied (
    version    integer     NOT NULL CONSTRAINT applied_pkey PRIMARY KEY,
    name       text        NOT NULL,
    digest     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
_HAS_HISTORY = "SELECT to_regclass('schema_history.applied') IS NOT NULL"
_TRANSACTION = "SELECT pg_current_xact_id()::text"
_APPLIED = "SELECT version, digest FROM schema_history.applied"
_RECORD = "INSERT INTO schema_history.applied (version, name, digest) VALUES (%s, %s, %s)"


class MigrationFailedError(Exception):
    """A step did not go through. The text names the step and an SQLSTATE."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a run did."""

    applied: tuple[str, ...]
    version: int  # of the database afterwards
    is_standby: bool


def read_migrations(folder: Path) -> tuple[Migration, ...]:
    """Read the migrations of a folder, which is packaged with the function."""
    return migrations_of({path.stem: path.read_text() for path in folder.glob("*.sql")})


def migrate(
    database: Database,
    migrations: Sequence[Migration],
    *,
    seconds: float,
    say: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Bring the database to the last migration within so many seconds; do nothing if it is there.

    `say` hears the name of each step that is applied. Raises MigrationRefusedError,
    MigrationFailedError.
    """
    _log_in(database, sleep)
    at = "login"
    try:
        with database.within(seconds) as connection:
            at = "history"
            if _one(connection, "SELECT pg_is_in_recovery()"):
                return _look(connection, migrations)
            connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            try:
                connection.execute(_HISTORY)
                steps = plan(migrations, _applied(connection))
                for migration in steps.to_apply:
                    at = migration.name
                    _apply(connection, migration)
                    say(migration.name)
                names = tuple(each.name for each in steps.to_apply)
                return Result(names, len(migrations) + steps.ahead, is_standby=False)
            finally:
                _unlock(connection)
    except psycopg.Error as error:
        state = error.sqlstate or fault_of(error).name
        raise MigrationFailedError(f"{at} failed with {state}") from None


def _log_in(database: Database, sleep: Callable[[float], None]) -> None:
    """Wait a little for a database made a moment ago; a failure rolls a whole stack back."""
    for pause in _LOGIN_PAUSES:
        try:
            with database.within(_LOGIN_SECONDS):
                return
        except psycopg.Error:
            sleep(pause)


def _look(connection: Connection, migrations: Sequence[Migration]) -> Result:
    """Check the copy's history. It may be behind: its region is updated first."""
    applied = _applied(connection) if _one(connection, _HAS_HISTORY) else {}
    plan(migrations, applied)
    return Result((), max(applied, default=0), is_standby=True)


def _apply(connection: Connection, migration: Migration) -> None:
    connection.execute("BEGIN")
    began = connection.execute(_TRANSACTION).fetchone()
    connection.execute(migration.sql.encode())  # without values: several statements may be sent
    if connection.execute(_TRANSACTION).fetchone() != began:
        raise MigrationFailedError(f"{migration.name} ends the transaction it runs in")
    connection.execute(_RECORD, (migration.version, migration.name, migration.digest))
    ended = connection.execute("COMMIT")
    if ended.statusmessage != "COMMIT":
        raise MigrationFailedError(f"{migration.name} was rolled back")


def _unlock(connection: Connection) -> None:
    """Give the lock back with the connection: right whatever state that is in."""
    connection.close()


def _applied(connection: Connection) -> dict[int, str]:
    return {int(version): str(digest) for version, digest in connection.execute(_APPLIED)}


def _one(connection: Connection, query: Any) -> bool:
    row = connection.execute(query).fetchone()
    return row is not None and row[0] is True
