"""One task of the replayer, from what is asked to what is told."""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, Protocol, assert_never

from order_replayer.candidates import Indexes, doubted, waiting
from order_replayer.reconciliation import Reconciliation
from order_replayer.tasks import Prepare, Raise, Reconcile, Replay, Sweep, Task
from order_replayer.walk import Tally, Walk
from orders.applying import BooksOrders, Journals, Outcome, settle
from orders.failures import BadRequest, Failure, StaleEpoch
from orders.role import Role
from orders.trust import cuts_after

# A hint takes seconds; who waits for longer has lost his.
WAITS_AT_LEAST = timedelta(seconds=30)
# Kept for the answer, and for what was begun when time was up.
RESERVE_SECONDS = 15.0


class Journal(Journals, Indexes, Protocol):
    """What is used of the journal."""


class Books(BooksOrders, Protocol):
    """What is used of the books."""

    def raise_fence(self, epoch: int) -> None:
        """Refuse everyone of another epoch from now on."""

    def newest_before(self, epoch: int) -> tuple[int, str] | None:
        """Find the newest epoch before that one of which orders are here."""

    def present(self, order_ids: Iterable[str]) -> set[str]:
        """Find which of these orders are booked."""


class Told(Protocol):
    """What is told of a task: `orders.watch.Watch`."""

    def say(
        self,
        message: str,
        *,
        order_id: object = None,
        error: object = None,
        findings: Iterable[object] = (),
        operation: object = None,
        epoch: int | None = None,
        count: int | None = None,
    ) -> None:
        """Write a log line."""

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a metric that counts."""


class Replayer:
    """Restores and sweeps in one region.

    Each of the books has a connection of its own. `patient` are for what takes long: raising the
    fence, and looking through all orders; without them, the first of the books.
    """

    def __init__(
        self,
        read_role: Callable[[], Role],
        journal: Journal,
        books: Sequence[Books],
        keep: Callable[[str, bytes], None],
        watch: Told,
        *,
        region: str,
        patient: Books | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read_role = read_role
        self._journal = journal
        self._books = books
        self._patient = patient or books[0]
        self._keep = keep
        self._watch = watch
        self._region = region
        self._now = now
        self._stopwatch = stopwatch

    def __call__(self, task: Task, seconds_left: float) -> dict[str, Any]:
        """Do what is asked; raise a Failure, by whose name the machine goes on."""
        deadline = self._stopwatch() + seconds_left - RESERVE_SECONDS
        role = self._read_role()
        match task:
            case Sweep():
                return self._sweep(role, deadline)
            case Raise():
                _same_epoch(role, task.epoch)
                self._patient.raise_fence(task.epoch)
                self._watch.say("fence raised", epoch=task.epoch)
                return {}
            case Prepare():
                self._ours(role, task.epoch)
                return self._prepare(role)
            case Replay():
                self._ours(role, task.epoch)
                return self._replay(role, task, deadline)
            case Reconcile():
                self._ours(role, task.epoch)
                return self._reconcile(role, task, deadline)
        assert_never(task)

    def _prepare(self, role: Role) -> dict[str, Any]:
        """Take hold of the database first: what is newest in it does not change after that."""
        self._patient.raise_fence(role.epoch)
        newest = self._patient.newest_before(role.epoch)
        cuts = cuts_after(role.cuts, epoch=role.epoch, newest=newest)
        self._watch.say("database taken hold of", epoch=role.epoch)
        return {
            "cut": cuts[role.epoch - 1],
            "cuts": {str(epoch): {"S": at} for epoch, at in sorted(cuts.items())},
        }

    def _replay(self, role: Role, task: Replay, deadline: float) -> dict[str, Any]:
        # Without it every mark of the epoch before would be believed, and what is lost stay lost.
        if role.epoch - 1 not in role.cuts:
            raise BadRequest("no cut recorded")
        tally = self._settle(role, deadline, until=self._now())
        self._tell("replayed" if tally.is_done else "replayed in part", role, tally)
        return {
            "done": tally.is_done,
            "applied": task.applied + tally.applied,
            "restored": task.restored + tally.restored,
        }

    def _sweep(self, role: Role, deadline: float) -> dict[str, Any]:
        if not role.serves(self._region):
            why = "not active" if role.active != self._region else role.phase.value
            return {"skipped": why}
        tally = self._settle(role, deadline, until=self._now() - WAITS_AT_LEAST)
        if tally.applied or tally.restored or tally.refused:
            self._tell("swept", role, tally)
        if not tally.is_done:
            # Once is a backlog; again and again, orders come in faster than they are swept.
            self._watch.count("SweepsUnfinished")
        return {"applied": tally.applied, "restored": tally.restored, "done": tally.is_done}

    def _reconcile(self, role: Role, task: Reconcile, deadline: float) -> dict[str, Any]:
        """Settle what waits still, as orders came in meanwhile; then look for each order.

        Those of one moment: what came after it waits, and is not missing.
        """
        until = self._now() - WAITS_AT_LEAST
        tally = self._settle(role, deadline, until=until)
        if not tally.is_done:  # what still waits would be taken for missing
            self._watch.say("not reconciled yet", epoch=role.epoch, count=tally.applied)
            return {
                "acknowledged": 0,
                "missing": 0,
                "complete": False,
                "applied": tally.applied,
                "restored": tally.restored,
            }
        found = Reconciliation(self._journal, self._patient).look(
            role, until=until, is_time=lambda: self._stopwatch() < deadline
        )
        self._keep(
            f"reconciliation/{role.epoch}/{task.run}.json",
            found.report(role, run=task.run, region=self._region, at=self._now(), tally=tally),
        )
        self._watch.count("OrdersMissing", len(found.missing))
        self._watch.say("reconciled", epoch=role.epoch, count=found.acknowledged)
        found.demand()
        return {
            "acknowledged": found.acknowledged,
            "missing": 0,
            "complete": found.is_complete,
            "applied": tally.applied,
            "restored": tally.restored,
        }

    def _settle(self, role: Role, deadline: float, *, until: datetime) -> Tally:
        candidates = chain(
            waiting(self._journal, until=until),
            doubted(self._journal, role),
        )
        walk = Walk(candidates, is_time=lambda: self._stopwatch() < deadline, refused=self._refused)
        return walk.go([self._settler(role, each) for each in self._books])

    def _settler(self, role: Role, books: Books) -> Callable[[str], Outcome]:
        """Make one worker."""

        def settle_one(order_id: str) -> Outcome:
            return settle(order_id, role, journal=self._journal, books=books)

        return settle_one

    def _refused(self, order_id: str, failure: Failure) -> None:
        self._watch.count("OrdersRefusedByBooks")
        self._watch.say(
            "order not applied",
            order_id=order_id,
            error=type(failure).__name__,
            findings=failure.findings,
        )

    def _tell(self, message: str, role: Role, tally: Tally) -> None:
        self._watch.count("OrdersApplied", tally.applied)
        self._watch.count("OrdersRestored", tally.restored)
        self._watch.say(message, epoch=role.epoch, count=tally.applied + tally.restored)

    def _ours(self, role: Role, epoch: int) -> None:
        _same_epoch(role, epoch)
        if role.active != self._region:
            raise StaleEpoch("role")


def _same_epoch(role: Role, epoch: int) -> None:
    if role.epoch != epoch:
        raise StaleEpoch("role")
