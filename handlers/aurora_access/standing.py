"""What a cluster is in its global database now, and how far the others are behind it."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from aurora_access.connecting import Connection

# Aurora's readers and PostgreSQL's standbys are in recovery; a writer may be set read-only.
_TAKES_WRITES = (
    "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'"
)
# One row a cluster, asked of any instance; -1 of lag, or nothing, for the primary.
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora_global_db_status.html
_LAGS = (
    "SELECT aws_region, durability_lag_in_msec, rpo_lag_in_msec "
    "FROM aurora_global_db_status() ORDER BY aws_region"
)


class Standing(Enum):
    """What an instance that answers can be."""

    WRITER = "writer"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the cluster of a region is behind the primary; that one itself has -1."""

    region: str
    ms: int

    @property
    def is_primary(self) -> bool:
        return self.ms < 0


def standing(connection: Connection) -> Standing:
    """Ask whether the instance takes writes; raise psycopg.Error if it does not answer."""
    row = connection.execute(_TAKES_WRITES).fetchone()
    return Standing.WRITER if row is not None and row[0] is True else Standing.COPY


def lags(connection: Connection) -> tuple[Lag, ...]:
    """Ask how far each region is behind; raise psycopg.Error, also where there is no Aurora."""
    return tuple(
        Lag(str(region), max(_ms(durability), _ms(rpo)))
        for region, durability, rpo in connection.execute(_LAGS).fetchall()
    )


def _ms(value: Any) -> int:
    return -1 if value is None else int(value)
