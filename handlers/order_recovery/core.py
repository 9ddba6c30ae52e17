"""What must be so at each step of a failover or failback. Pure: findings are names of checks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from aurora_access.standing import Lag, Standing
from orders.failures import BadRequest
from orders.reports import ENABLED, Report
from orders.role import Role

FRESH_SECONDS = 120  # a prober reports every ten seconds, with a pause at the turn of a minute
MOST_LAG_MS = 5_000  # the alarm on replication rings at the same


class Operation(StrEnum):
    """What the machines ask for."""

    CANARY = "canary"
    VALIDATE = "validate"
    READY = "ready-to-return"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What was seen of the region that is to serve."""

    role: Role
    region: str
    api: bool
    standing: Standing | None  # None: the database does not answer
    fence: int | None


def operation_of(payload: object) -> Operation:
    """Read the payload; raise BadRequest."""
    said = payload.get("operation") if isinstance(payload, Mapping) else None
    if said not in set(Operation):
        raise BadRequest("operation")
    return Operation(said)


def not_serving(seen: Served) -> tuple[str, ...]:
    """Name what keeps this region from serving in the epoch of the role."""
    return _failing(
        {
            "role": seen.role.serves(seen.region),
            "api": seen.api,
            "database": seen.standing is Standing.WRITER,
            "fence": seen.fence == seen.role.epoch,
        }
    )


def not_ready(
    role: Role, *, region: str, other: str, report: Report | None, lags: Iterable[Lag], now: int
) -> tuple[str, ...]:
    """Name what speaks against giving the orders to the `other` region now."""
    copy = [lag for lag in lags if lag.region == other]
    return _failing(
        {
            "role": role.serves(region),
            **_health(report, now),
            "copy": len(copy) == 1 and not copy[0].is_primary,
            "lag": all(lag.ms <= MOST_LAG_MS for lag in copy),
        }
    )


def not_returned(role: Role, *, other: str, report: Report | None, now: int) -> tuple[str, ...]:
    """Name what the `other` region does not do yet, of what the role asks of it."""
    begun = seconds_of(role.since)
    return _failing(
        {
            "role": role.serves(other),
            **_health(report, now),
            "consumers": report is not None and report.consumers == ENABLED,
            # What it said before the role changed, it said of another role.
            "since": report is not None and (begun is None or report.at > begun),
        }
    )


def seconds_of(moment: str | None) -> int | None:
    """Read the moment at which the role changed, as Step Functions writes it."""
    try:
        return None if moment is None else int(datetime.fromisoformat(moment).timestamp())
    except ValueError:
        return None


def _health(report: Report | None, now: int) -> dict[str, bool]:
    return {
        "report": report is not None and report.age_seconds(now) <= FRESH_SECONDS,
        "api": report is not None and report.api,
        "database": report is not None and report.database,
    }


def _failing(checks: Mapping[str, bool]) -> tuple[str, ...]:
    return tuple(name for name, passes in checks.items() if not passes)
