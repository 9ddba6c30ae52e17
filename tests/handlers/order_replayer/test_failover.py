"""A primary, its streaming standby, commits that never arrive, a promotion: and all is there."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from handlers.orders_in_memory import Client, Heard, Table
from handlers.orders_on_postgres import Cluster, ordered

from order_replayer import tasks
from order_replayer.service import Replayer
from orders import moments
from orders.applying import Outcome, settle
from orders.failures import NotWritable, StaleEpoch, Unreconciled
from orders.journal import Journal
from orders.role import Phase, Role
from orders.trust import is_trusted
from tap_templates.local.link import Link
from tap_templates.local.postgres import Server

pytestmark = pytest.mark.postgres

EAST, WEST = "us-east-1", "us-east-2"
LATER = timedelta(minutes=2)


def eventually(is_so):
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Pair:
    """A journal, a primary and its copy behind a link that can be stalled."""

    def __init__(self, east, west, link):
        self.east, self.west, self.link = east, west, link
        self.table = Table("orderId")
        self.journal = Journal(Client(self.table), "t")
        self.role = Role(epoch=1, active=EAST)
        self.reports = {}
        self.watch = Heard()

    def accept(self, numbers):
        for number in numbers:
            at = moments.written(datetime.now(UTC))
            self.journal.add_order(ordered(number), at=at, region=EAST)

    def apply(self, cluster, numbers):
        books = cluster.books()
        return [
            settle(ordered(number).id, self.role, journal=self.journal, books=books)
            for number in numbers
        ]

    def fail_over(self):
        """Lose the primary, promote the copy, take hold of it."""
        self.east.server.kill()
        self.west.server.promote()
        self.role = Role(epoch=2, active=WEST, phase=Phase.FAILING_OVER)
        cuts = self.do(tasks.Prepare(2))["cuts"]
        self.role = Role(
            epoch=2,
            active=WEST,
            phase=Phase.FAILING_OVER,
            cuts={int(epoch): at["S"] for epoch, at in cuts.items()},
        )

    def do(self, task, workers=4):
        replayer = Replayer(
            lambda: self.role,
            self.journal,
            [self.west.books() for _ in range(workers)],
            self.reports.__setitem__,
            self.watch,
            region=WEST,
            now=lambda: datetime.now(UTC) + LATER,
        )
        return replayer(task, 60)


@pytest.fixture
def pair():
    with Server.create() as server:
        east = Cluster.new(server.start())
        east.migrate()
        with Link(server.port) as link, server.standby(name="west", upstream=link.port) as copy:
            west = Cluster(copy.start(), east.name)
            yield Pair(east, west, link)
            east.close()
            west.close()


def test_what_was_lost_is_restored_and_counted_and_nothing_else_is_touched(pair):
    kept, lost, waiting = range(12), range(12, 19), range(19, 22)
    pair.accept([*kept, *lost])
    assert set(pair.apply(pair.east, kept)) == {Outcome.APPLIED}
    eventually(lambda: pair.west.count() == len(kept))
    with pytest.raises(NotWritable):  # a copy is no place to apply to
        pair.west.books(attempts=1).apply_order(ordered(0), 1)
    pair.link.stall()
    assert set(pair.apply(pair.east, lost)) == {Outcome.APPLIED}
    pair.accept(waiting)
    pair.fail_over()
    assert pair.west.count() == len(kept)

    said = pair.do(tasks.Replay(2, applied=0, restored=0))

    assert said == {"done": True, "applied": len(waiting), "restored": len(lost)}
    assert pair.west.count() == len(kept) + len(lost) + len(waiting)
    assert pair.west.is_whole()
    rows = dict(pair.west.rows("SELECT order_id, epoch FROM trading.orders"))
    assert {number for number in range(22) if rows[ordered(number).id] == 2} == {*lost, *waiting}
    for number in range(22):
        assert is_trusted(pair.journal.find_order(ordered(number).id).mark, pair.role)
    # Again finds nothing: what is done is marked.
    assert pair.do(tasks.Replay(2, 3, 7)) == {"done": True, "applied": 3, "restored": 7}
    assert pair.west.count() == 22

    found = pair.do(tasks.Reconcile(2, "failover-2"))
    assert (found["acknowledged"], found["missing"], found["complete"]) == (22, 0, True)
    report = json.loads(pair.reports["reconciliation/2/failover-2.json"])
    assert (report["missing"], report["missingOrders"]) == (0, [])


def test_a_stale_applier_is_refused_by_the_promoted_database(pair):
    pair.accept([1])
    eventually(lambda: pair.west.rows("SELECT 1 FROM pg_tables WHERE tablename = 'orders'"))
    pair.fail_over()
    with pytest.raises(StaleEpoch):
        pair.west.books().apply_order(ordered(1), 1)
    assert pair.west.count() == 0


def test_a_database_that_has_kept_nothing_is_filled_again(pair):
    pair.link.stall()
    pair.accept(range(5))
    pair.apply(pair.east, range(5))
    pair.fail_over()
    assert pair.role.cuts == {1: moments.BEGINNING}
    assert pair.do(tasks.Replay(2, 0, 0))["restored"] == 5
    assert pair.west.count() == 5


def test_a_loss_that_nobody_accounts_for_is_found(pair):
    """Reconciling settles what is doubted, and tells of what was believed wrongly."""
    pair.link.stall()
    pair.accept(range(3))
    pair.apply(pair.east, range(3))
    pair.fail_over()
    latest = max(pair.journal.find_order(ordered(number).id).mark.at for number in range(3))
    too_late = moments.written(datetime.fromisoformat(latest) + timedelta(seconds=1))
    pair.role = Role(epoch=2, active=WEST, cuts={1: too_late})
    with pytest.raises(Unreconciled, match="3 missing"):
        pair.do(tasks.Reconcile(2, "failover-2"))
    report = json.loads(pair.reports["reconciliation/2/failover-2.json"])
    assert report["missingOrders"] == sorted(ordered(number).id for number in range(3))
    assert pair.watch.counted["OrdersMissing"] == 3
