"""Does work on the database again while that may help, within a time and a number of attempts.

A connection that is lost leaves open whether COMMIT was done, so the work must be safe to do twice.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import psycopg

from aurora_access.connecting import Connection, Database
from aurora_access.faults import Fault, fault_of

_Result = TypeVar("_Result")


class GaveUpError(Exception):
    """The database cannot do it now; `fault` is what the last attempt met."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.name)
        self.fault = fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """How long and how often to try; the pause before attempt n is random in 0 … base * 2**n."""

    seconds: float = 8.0
    attempt_seconds: float = 2.5
    attempts: int = 6
    base_seconds: float = 0.05
    longest_seconds: float = 1.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random  # noqa: S311 - spreads retries, hides nothing

    def pause(self, attempt: int) -> float:
        """Draw the pause after attempt number `attempt`, counted from 0."""
        most = min(self.longest_seconds, self.base_seconds * 2.0**attempt)
        return self.random() * most


def persist(
    database: Database,
    work: Callable[[Connection], _Result],
    how: Persistence,
    *,
    count: Callable[[str], None] = lambda _: None,
) -> _Result:
    """Do the work until it is done; raise psycopg.Error if it is refused, GaveUpError in the end.

    Refused is what stays refused: a constraint, or a defect of ours. Each retry is counted.
    """
    deadline = how.clock() + how.seconds
    for attempt in range(how.attempts):
        was_kept = database.age_seconds is not None
        try:
            left = min(how.attempt_seconds, deadline - how.clock())
            with database.within(left) as connection:
                return work(connection)
        except psycopg.Error as error:
            fault = fault_of(error)
            if fault in (Fault.CONSTRAINT, Fault.DEFECT):
                raise
        if fault is not Fault.BUSY:
            database.drop()
        if fault is Fault.READ_ONLY and not was_kept:
            break  # a new connection led to a standby: it stays one for longer than we wait
        count("DatabaseRetries")
        # A kept connection may be dead since long ago; a new one is worth no pause.
        pause = 0.0 if was_kept and fault is not Fault.BUSY else how.pause(attempt)
        if how.clock() + pause >= deadline:
            break
        how.sleep(pause)
    raise GaveUpError(fault)
