"""From the journal into the books: the one way, for applier, replay and sweep alike.

May be done at any time, by several at once, and be cut off anywhere: an order is booked once, and
one that is booked and not marked is found again, as it is pending still.
"""

from enum import StrEnum
from typing import Protocol

from orders.books import Applied
from orders.journal import Entry
from orders.order import Order
from orders.role import Role
from orders.trust import Mark, is_trusted


class Outcome(StrEnum):
    """What became of an order."""

    APPLIED = "applied"  # booked now, for the first time
    RESTORED = "restored"  # was booked before, in what a failover has lost
    CONFIRMED = "confirmed"  # is booked, and now marked so
    DONE = "done"  # nothing had to be done
    UNKNOWN = "unknown"  # nobody ordered this


class Journals(Protocol):
    """What is used of the journal."""

    def find_order(self, order_id: str) -> Entry | None:
        """Read an order as it is now."""

    def mark_applied(self, order_id: str, mark: Mark) -> bool:
        """Note that an order is applied."""


class BooksOrders(Protocol):
    """What is used of the books."""

    def apply_order(self, order: Order, epoch: int) -> Applied:
        """Book an order unless it is booked, under the fence."""


def settle(order_id: str, role: Role, *, journal: Journals, books: BooksOrders) -> Outcome:
    """See to it that an order is in the active database, if its mark does not say so already.

    Only for who is active by `role`, which may be old by the time: the fence decides. Raises
    StaleEpoch, TemporaryFailure, AwsRefused, DatabaseRefused, NotWritable, UnreadableItem.
    """
    entry = journal.find_order(order_id)
    if entry is None:
        return Outcome.UNKNOWN
    if entry.mark is not None and is_trusted(entry.mark, role):
        return Outcome.DONE
    applied = books.apply_order(entry.order, role.epoch)
    # After the commit: a mark without a row is never written, a row without a mark is confirmed.
    journal.mark_applied(order_id, applied.mark)
    if entry.mark is not None and applied.row_epoch == role.epoch:
        return Outcome.RESTORED  # also if an earlier attempt of this epoch was cut off
    return Outcome.APPLIED if applied.is_new else Outcome.CONFIRMED
