"""Whether every acknowledged order is in the books: looked for, not concluded.

Orders that wait for long, all that were applied in this epoch, and those of older epochs around
their cuts: a while before a cut as well, so that one made too late is found out.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Protocol

from order_replayer.candidates import Indexes, doubted, marked, waiting
from order_replayer.walk import Tally
from orders import moments
from orders.failures import Unreconciled
from orders.role import Role

BEFORE_CUTS = timedelta(minutes=10)
_AT_ONCE = 500
_NAMED_MAX = 1000  # ids in a report; the count is of all


class Finds(Protocol):
    """What is used of the books."""

    def present(self, order_ids: Iterable[str]) -> set[str]:
        """Find which of these orders are booked."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was looked for, and not found."""

    acknowledged: int
    missing: tuple[str, ...]
    is_complete: bool  # False: time was up before the last

    def demand(self) -> None:
        """Raise Unreconciled if an order is missing."""
        if self.missing:
            raise Unreconciled(f"{len(self.missing)} missing")

    def report(self, role: Role, *, run: str, region: str, at: datetime, tally: Tally) -> bytes:
        """Write down what was found. Ids are digests: nothing of an order is told."""
        said = {
            "epoch": role.epoch,
            "run": run,
            "region": region,
            "at": moments.written(at),
            "cuts": {str(epoch): cut for epoch, cut in sorted(role.cuts.items())},
            "acknowledged": self.acknowledged,
            "missing": len(self.missing),
            "missingOrders": sorted(self.missing)[:_NAMED_MAX],
            "complete": self.is_complete,
            "applied": tally.applied,
            "restored": tally.restored,
            "refused": tally.refused,
        }
        return json.dumps(said, indent=2, sort_keys=True).encode()


class Reconciliation:
    """Compares journal and books."""

    def __init__(self, journal: Indexes, books: Finds) -> None:
        self._journal = journal
        self._books = books

    def look(self, role: Role, *, until: datetime, is_time: Callable[[], bool]) -> Found:
        """Look for every order in question, some hundreds at a time."""
        left = chain(
            waiting(self._journal, until=until),
            doubted(self._journal, role, earlier=BEFORE_CUTS),
            marked(self._journal, role.epoch),
        )
        looked_for: set[str] = set()  # an index that is behind names an order twice
        missing: set[str] = set()
        while ids := _page(left):
            if not is_time():
                return Found(len(looked_for), tuple(missing), is_complete=False)
            looked_for |= ids
            missing |= ids - self._books.present(ids)
        return Found(len(looked_for), tuple(missing), is_complete=True)


def _page(order_ids: Iterator[str]) -> set[str]:
    return set(islice(order_ids, _AT_ONCE))
