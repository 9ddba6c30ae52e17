"""What an error of the database means for what to do next. Pure.

Only SQLSTATEs and names of constraints are read: the texts of PostgreSQL quote values.
"""

from enum import Enum

import psycopg


class Fault(Enum):
    """What went wrong, by what helps."""

    BUSY = "busy"  # rolled back by the server; the same again may succeed
    LOST = "lost"  # no connection, or none that answers; outcome of a COMMIT unknown
    READ_ONLY = "read only"  # a standby, or a writer that has become a reader
    CONSTRAINT = "constraint"  # the data is refused; the same again is refused again
    DEFECT = "defect"  # ours: wrong SQL, missing table, missing right


# https://www.postgresql.org/docs/current/errcodes-appendix.html
_BUSY = frozenset(
    {
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "55P03",  # lock_not_available
        "57014",  # query_canceled: statement_timeout
    }
)
_READ_ONLY = "25006"
_LOST = frozenset(
    {
        "25P03",  # idle_in_transaction_session_timeout
        "25P04",  # transaction_timeout
        "57P01",  # admin_shutdown
        "57P02",  # crash_shutdown
        "57P03",  # cannot_connect_now
        "57P05",  # idle_session_timeout
    }
)
# Connection, login (a token of 15 minutes, a role that is not there yet), resources, system, core.
_LOST_CLASSES = ("08", "28", "53", "58", "XX")
_CONSTRAINT_CLASS = "23"


def fault_of(error: psycopg.Error) -> Fault:
    """Say what an error means."""
    state = error.sqlstate
    if state is None:
        is_of_link = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return Fault.LOST if is_of_link else Fault.DEFECT
    if state in _BUSY:
        return Fault.BUSY
    if state == _READ_ONLY:
        return Fault.READ_ONLY
    if state in _LOST or state.startswith(_LOST_CLASSES):
        return Fault.LOST
    return Fault.CONSTRAINT if state.startswith(_CONSTRAINT_CLASS) else Fault.DEFECT


def constraint_of(error: psycopg.Error) -> str | None:
    """Name the constraint that was violated."""
    return error.diag.constraint_name
