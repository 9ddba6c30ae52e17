"""What each task of the replayer does, refuses and leaves for the next call."""

import json
from datetime import timedelta

import pytest
from handlers.orders_in_memory import (
    EPOCH,
    BooksInMemory,
    Client,
    Database,
    Heard,
    Table,
    refused,
    timed_out,
)
from handlers.orders_regions import EAST, ORDERS, WEST

from order_replayer import tasks
from order_replayer.reports import Reports
from order_replayer.service import RESERVE_SECONDS, WAITS_AT_LEAST, Replayer
from order_replayer.tasks import task_of
from order_replayer.walk import Walk
from orders import moments
from orders.applying import Outcome, settle
from orders.failures import (
    AwsRefused,
    BadRequest,
    DatabaseRefused,
    NotWritable,
    StaleEpoch,
    TemporaryFailure,
    Unreconciled,
)
from orders.journal import Journal
from orders.role import Phase, Role

SECOND = Role(epoch=2, active=EAST, phase=Phase.FAILING_OVER, cuts={1: moments.BEGINNING})


class Environment:
    def __init__(self):
        self.role = Role(epoch=1, active=EAST)
        self.client = Client(Table("orderId"), page=2)
        self.journal = Journal(self.client, "t")
        self.database = Database(EAST, lambda: 0.0, is_writer=True)
        self.books = BooksInMemory(self.database)
        self.kept = {}
        self.watch = Heard()
        self.now = EPOCH
        self.ticks = 0.0

    def accept(self, *orders):
        for order in orders:
            self.journal.add_order(order, at=moments.written(self.now), region=EAST)

    def apply(self, *orders):
        self.accept(*orders)
        for order in orders:
            settle(order.id, self.role, journal=self.journal, books=self.books)

    def do(self, task, seconds=1000.0, workers=1):
        return Replayer(
            lambda: self.role,
            self.journal,
            [self.books] * workers,
            self.kept.__setitem__,
            self.watch,
            region=EAST,
            now=lambda: self.now,
            stopwatch=self._tick,
        )(task, RESERVE_SECONDS + seconds)

    def _tick(self):
        self.ticks += 1
        return self.ticks


@pytest.fixture
def environment():
    return Environment()


# Prepare and raise.


def test_prepare_raises_the_fence_and_says_what_may_be_lost(environment):
    environment.apply(*ORDERS[:2])
    environment.role = Role(epoch=2, active=EAST, phase=Phase.FAILING_OVER)
    said = environment.do(tasks.Prepare(2))
    last = max(at for _, at, _ in environment.database.rows.values())
    cut = moments.before(last, timedelta(seconds=60))
    assert said == {"cut": cut, "cuts": {"1": {"S": cut}}}
    assert environment.database.fence == 2
    environment.role = SECOND
    environment.apply(ORDERS[2])
    environment.role = Role(epoch=2, active=EAST, phase=Phase.FAILING_OVER, cuts={1: cut})
    assert environment.do(tasks.Prepare(2)) == said  # whatever was applied since


def test_prepare_keeps_cuts_of_before_and_cuts_epochs_of_which_nothing_is_left(environment):
    environment.apply(ORDERS[0])
    early = "2020-01-01T00:00:00.000000Z"
    environment.role = Role(epoch=4, active=EAST, phase=Phase.FAILING_OVER, cuts={1: early})
    cuts = environment.do(tasks.Prepare(4))["cuts"]
    assert cuts == {
        "1": {"S": early},
        "2": {"S": moments.BEGINNING},
        "3": {"S": moments.BEGINNING},
    }


def test_raise_needs_the_epoch_alone_as_the_other_region_is_active_then(environment):
    environment.role = Role(epoch=3, active=WEST, phase=Phase.FAILING_BACK)
    assert environment.do(tasks.Raise(3)) == {}
    assert environment.database.fence == 3


@pytest.mark.parametrize(
    "task", [tasks.Prepare(3), tasks.Raise(3), tasks.Replay(3, 0, 0), tasks.Reconcile(3, "run")]
)
def test_a_task_of_another_epoch_is_stale(environment, task):
    environment.role = SECOND
    with pytest.raises(StaleEpoch):
        environment.do(task)
    assert environment.database.fence == 1


@pytest.mark.parametrize(
    "task", [tasks.Prepare(2), tasks.Replay(2, 0, 0), tasks.Reconcile(2, "run")]
)
def test_a_task_in_a_region_that_is_not_active_is_stale(environment, task):
    environment.role = Role(epoch=2, active=WEST, phase=Phase.FAILING_OVER, cuts=SECOND.cuts)
    with pytest.raises(StaleEpoch):
        environment.do(task)


def test_a_copy_is_not_writable(environment):
    environment.database.is_writer = False
    environment.role = SECOND
    with pytest.raises(NotWritable):
        environment.do(tasks.Prepare(2))


# Replay.


@pytest.mark.parametrize("workers", [1, 4])
def test_replay_applies_what_waits_and_restores_what_is_lost(environment, workers):
    environment.apply(*ORDERS[:3])
    environment.accept(*ORDERS[3:])
    del environment.database.log[2:]  # the fence and one order are left
    environment.books.raise_fence(2)
    environment.role = SECOND
    said = environment.do(tasks.Replay(2, 10, 20), workers=workers)
    assert said == {"done": True, "applied": 12, "restored": 22}
    assert len(environment.database.rows) == len(ORDERS)


def test_replay_goes_on_where_it_was_cut_off(environment):
    environment.accept(*ORDERS)
    environment.books.raise_fence(2)
    environment.role = SECOND
    task, rounds = tasks.Replay(2, 0, 0), 0
    while not (said := environment.do(task, seconds=3.5))["done"]:
        task, rounds = tasks.Replay(2, said["applied"], said["restored"]), rounds + 1
    assert (said["applied"], rounds > 0) == (len(ORDERS), True)


def test_replay_without_a_cut_is_refused(environment):
    environment.role = Role(epoch=2, active=EAST, phase=Phase.FAILING_OVER)
    with pytest.raises(BadRequest, match="no cut"):
        environment.do(tasks.Replay(2, 0, 0))


@pytest.mark.parametrize("workers", [1, 4])
def test_what_stops_one_worker_stops_all_and_is_told(environment, workers):
    environment.accept(*ORDERS)
    environment.role = SECOND  # and the fence stands at 1
    with pytest.raises(StaleEpoch):
        environment.do(tasks.Replay(2, 0, 0), workers=workers)
    environment.client.faults = [("query", "before", timed_out())]
    with pytest.raises(TemporaryFailure):
        environment.do(tasks.Replay(2, 0, 0), workers=workers)


def test_an_order_that_the_books_refuse_stops_nobody(environment):
    told = []

    def work(order_id):
        if order_id == "b":
            raise DatabaseRefused("x")
        return Outcome.APPLIED

    walk = Walk("abc", is_time=lambda: True, refused=lambda *said: told.append(said[0]))
    tally = walk.go([work])
    assert (tally.applied, tally.refused, tally.is_done, told) == (2, 1, True, ["b"])


# Sweep.


def test_a_sweep_takes_what_waits_for_long(environment):
    environment.accept(ORDERS[0])
    environment.now += WAITS_AT_LEAST - timedelta(seconds=1)
    assert environment.do(tasks.Sweep())["applied"] == 0
    environment.now += timedelta(seconds=1)
    assert environment.do(tasks.Sweep()) == {"applied": 1, "restored": 0, "done": True}
    assert environment.watch.counted["OrdersApplied"] == 1


@pytest.mark.parametrize(
    ("role", "why"),
    [
        (Role(epoch=2, active=WEST), "not active"),
        (SECOND, "failing-over"),
        (Role(epoch=2, active=EAST, phase=Phase.FAILING_BACK), "failing-back"),
    ],
)
def test_a_sweep_elsewhere_does_nothing(environment, role, why):
    environment.role = role
    assert environment.do(tasks.Sweep()) == {"skipped": why}
    assert environment.client.requests == []


def test_a_sweep_restores_what_a_late_mark_hides(environment):
    environment.apply(ORDERS[0])
    del environment.database.log[1:]
    environment.books.raise_fence(2)
    environment.role = Role(epoch=2, active=EAST, cuts=SECOND.cuts)
    assert environment.do(tasks.Sweep())["restored"] == 1


def test_a_sweep_that_does_not_get_through_is_counted(environment):
    environment.accept(*ORDERS)
    environment.now += WAITS_AT_LEAST
    assert environment.do(tasks.Sweep(), seconds=2.0)["done"] is False
    assert environment.watch.counted["SweepsUnfinished"] == 1
    assert environment.do(tasks.Sweep())["done"] is True
    assert environment.watch.counted["SweepsUnfinished"] == 1


# Reconcile.


def test_all_that_is_acknowledged_is_looked_for(environment):
    environment.apply(*ORDERS[:3])
    environment.books.raise_fence(2)
    environment.role = SECOND
    environment.accept(*ORDERS[3:])
    environment.now += WAITS_AT_LEAST
    said = environment.do(tasks.Reconcile(2, "failover-2"))
    assert said == {
        "acknowledged": 5,
        "missing": 0,
        "complete": True,
        "applied": 2,
        "restored": 0,
    }
    report = json.loads(environment.kept["reconciliation/2/failover-2.json"])
    assert report["cuts"] == {"1": moments.BEGINNING}
    assert (report["region"], report["run"], report["epoch"]) == (EAST, "failover-2", 2)


def test_an_order_just_before_its_cut_is_looked_for_too(environment):
    environment.apply(ORDERS[0])
    [(_, at, _)] = environment.database.rows.values()
    del environment.database.log[1:]
    environment.books.raise_fence(2)
    too_late = moments.before(at, timedelta(seconds=-1))
    environment.role = Role(epoch=2, active=EAST, cuts={1: too_late})
    with pytest.raises(Unreconciled, match="1 missing"):
        environment.do(tasks.Reconcile(2, "failover-2"))
    report = json.loads(environment.kept["reconciliation/2/failover-2.json"])
    assert report["missingOrders"] == [ORDERS[0].id]


def test_reconciling_says_if_it_did_not_come_to_the_end(environment):
    environment.apply(*ORDERS)
    environment.books.raise_fence(2)
    environment.role = SECOND
    assert environment.do(tasks.Reconcile(2, "run"), seconds=3.0)["complete"] is False


def test_what_still_waits_is_not_missing(environment):
    environment.accept(*ORDERS)
    environment.role = Role(epoch=1, active=EAST)
    environment.now += WAITS_AT_LEAST
    said = environment.do(tasks.Reconcile(1, "run"), seconds=2.0)
    assert (said["complete"], said["missing"], said["acknowledged"]) == (False, 0, 0)
    assert "OrdersMissing" not in environment.watch.counted
    assert environment.do(tasks.Reconcile(1, "run"))["acknowledged"] == len(ORDERS)


def test_reports_fail_by_name():
    class Bucket:
        def put_object(self, **request):
            raise self.error

    bucket = Bucket()
    for error, failure in (
        (timed_out(), TemporaryFailure),
        (refused("PutObject", "AccessDenied"), AwsRefused),
    ):
        bucket.error = error
        with pytest.raises(failure):
            Reports(bucket, "b").keep("k", b"{}")


# The payload.


@pytest.mark.parametrize(
    ("payload", "task"),
    [
        ({"operation": "sweep"}, tasks.Sweep()),
        ({"operation": "raise", "epoch": 1}, tasks.Raise(1)),
        ({"operation": "prepare", "epoch": 2}, tasks.Prepare(2)),
        ({"operation": "replay", "epoch": 2}, tasks.Replay(2, 0, 0)),
        (
            {"operation": "replay", "epoch": 2, "applied": 3, "restored": 4},
            tasks.Replay(2, applied=3, restored=4),
        ),
        (
            {"operation": "reconcile", "epoch": 2, "run": "failover.2@night"},
            tasks.Reconcile(2, "failover.2@night"),
        ),
        (
            {"operation": "reconcile", "epoch": 2, "run": "failover-2"},
            tasks.Reconcile(2, "failover-2"),
        ),
    ],
)
def test_payloads(payload, task):
    assert task_of(payload) == task


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"operation": "stop"},
        {"operation": "prepare"},
        {"operation": "prepare", "epoch": 1},
        {"operation": "prepare", "epoch": "2"},
        {"operation": "replay", "epoch": True},
        {"operation": "replay", "epoch": 2.0},
        {"operation": "replay", "epoch": 2, "applied": -1},
        {"operation": "replay", "epoch": 2, "restored": "1"},
        {"operation": "raise", "epoch": 0},
        {"operation": "reconcile", "epoch": 2},
        {"operation": "reconcile", "epoch": 2, "run": "../x"},
        {"operation": "reconcile", "epoch": 2, "run": "a b"},
        {"operation": "reconcile", "epoch": 2, "run": ""},
        {"operation": "reconcile", "epoch": 2, "run": "a" * 81},
    ],
)
def test_payloads_of_others_are_refused(payload):
    with pytest.raises(BadRequest):
        task_of(payload)
