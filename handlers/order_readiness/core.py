"""What must be so for a failover to succeed, as checks with names. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from aurora_access.standing import Lag, Standing

MOST_LAG_MS = 5_000  # the alarm on replication rings at the same


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its name, also of its metric, whether it passed, and what was seen."""

    name: str
    ok: bool
    what: str

    @property
    def metric(self) -> str:
        """Name the metric: 1 or 0 each hour."""
        return "".join(part.capitalize() for part in self.name.split("-")) + "Ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one look at both regions has found. None: it does not answer."""

    own_api: bool
    other_api: bool
    own_database: Standing | None
    other_database: Standing | None
    lags: tuple[Lag, ...] | None
    configured: frozenset[str] | None  # names of parameters, without the prefix


def findings(seen: Seen, *, wanted: Collection[str]) -> tuple[Finding, ...]:
    """Judge all of it; `wanted` are the parameters that must be there."""
    return (
        _answers("own-api", seen.own_api),
        _answers("other-api", seen.other_api),
        _database("own-database", seen.own_database),
        _database("other-database", seen.other_database),
        _writer(seen),
        _replication(seen.lags),
        _configuration(seen.configured, wanted),
    )


def failed(found: Iterable[Finding]) -> tuple[str, ...]:
    """Name the checks that failed."""
    return tuple(each.name for each in found if not each.ok)


def _answers(name: str, is_so: bool) -> Finding:  # noqa: FBT001 - what was seen, not a choice
    return Finding(name, is_so, "answers" if is_so else "no answer")


def _database(name: str, standing: Standing | None) -> Finding:
    return Finding(name, standing is not None, "no answer" if standing is None else standing.value)


def _writer(seen: Seen) -> Finding:
    """Demand one writer: with two, orders are written that nobody will find again."""
    both = (seen.own_database, seen.other_database)
    count = sum(each is Standing.WRITER for each in both)
    if None in both:
        return Finding("one-writer", ok=False, what="not known")
    return Finding("one-writer", count == 1, f"writers {count}")


def _replication(lags: tuple[Lag, ...] | None) -> Finding:
    if lags is None:
        return Finding("replication", ok=False, what="no answer")
    copies = [lag for lag in lags if not lag.is_primary]
    if not copies:
        return Finding("replication", ok=False, what="no copy")
    worst = max(lag.ms for lag in copies)
    return Finding("replication", worst <= MOST_LAG_MS, f"ms {worst}")


def _configuration(configured: frozenset[str] | None, wanted: Collection[str]) -> Finding:
    if configured is None:
        return Finding("configuration", ok=False, what="no answer")
    missing = set(wanted) - configured
    is_there = bool(configured) and not missing
    return Finding("configuration", is_there, "complete" if is_there else f"missing {len(missing)}")
