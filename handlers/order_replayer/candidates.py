"""Which orders to look at: those that wait, and those whose marks are doubted.

Both come from indexes, which may be behind: who is given by mistake is left alone when it is read,
and who is missed is found by a later sweep.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

from orders import moments
from orders.order import SHARDS
from orders.role import Role
from orders.trust import doubtful


class Indexes(Protocol):
    """What is used of the journal."""

    def pending_ids(self, shard: int, *, until: str) -> Iterator[str]:
        """List orders of one shard that wait."""

    def applied_ids(self, epoch: int, shard: int, *, since: str) -> Iterator[str]:
        """List orders of one shard with a mark of that epoch."""


def waiting(journal: Indexes, *, until: datetime) -> Iterator[str]:
    """List orders that were accepted until then and are not applied."""
    for shard in range(SHARDS):
        yield from journal.pending_ids(shard, until=moments.written(until))


def doubted(journal: Indexes, role: Role, *, earlier: timedelta = timedelta(0)) -> Iterator[str]:
    """List orders whose marks are not trusted, and those marked so much earlier than that."""
    for epoch, cut in doubtful(role).items():
        for shard in range(SHARDS):
            yield from journal.applied_ids(epoch, shard, since=moments.before(cut, earlier))


def marked(journal: Indexes, epoch: int) -> Iterator[str]:
    """List all orders that were applied in an epoch, or found applied."""
    for shard in range(SHARDS):
        yield from journal.applied_ids(epoch, shard, since=moments.BEGINNING)
