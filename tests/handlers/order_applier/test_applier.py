"""A batch: what is applied, what comes again, and what is dropped."""

import json

import pytest
from handlers.orders_in_memory import BooksInMemory, Client, Database, Heard, Table, timed_out
from handlers.orders_regions import EAST, ORDERS, WEST

from order_applier.service import Applier, hinted
from orders.failures import DatabaseRefused, TemporaryFailure
from orders.journal import Journal
from orders.role import Phase, Role

AT = "2026-11-20T12:00:00.000000Z"


class Environment:
    def __init__(self):
        self.role = Role(epoch=1, active=EAST)
        self.client = Client(Table("orderId"))
        self.journal = Journal(self.client, "t")
        self.database = Database(EAST, lambda: 0.0, is_writer=True)
        self.books = BooksInMemory(self.database)
        self.watch = Heard()
        self.failure = None
        self.apply = Applier(self._read, self.journal, self.books, self.watch, region=EAST)
        for order in ORDERS:
            self.journal.add_order(order, at=AT, region=EAST)

    def _read(self):
        if self.failure:
            raise self.failure
        return self.role

    def batch(self, *bodies):
        """Apply a batch; give the numbers of the messages that come again."""
        records = [{"messageId": str(index), "body": body} for index, body in enumerate(bodies)]
        answer = self.apply({"Records": records})
        assert answer.keys() == {"batchItemFailures"}
        return [int(each["itemIdentifier"]) for each in answer["batchItemFailures"]]


def hint(order):
    return json.dumps({"orderId": order.id})


HINTS = [hint(order) for order in ORDERS]


@pytest.fixture
def environment():
    return Environment()


def test_a_batch_is_applied_and_repeated_hints_do_nothing(environment):
    assert environment.batch(*HINTS, HINTS[0]) == []
    assert environment.batch(*HINTS) == []
    assert environment.database.rows.keys() == {order.id for order in ORDERS}
    assert environment.watch.counted["OrdersApplied"] == len(ORDERS)
    assert environment.watch.counted["OrdersRepeated"] == len(ORDERS) + 1


def test_hints_of_a_region_that_is_not_active_are_dropped_and_nothing_is_touched(environment):
    environment.role = Role(epoch=2, active=WEST)
    assert environment.batch(*HINTS) == []
    assert environment.database.rows == {}
    assert environment.watch.counted["StaleRegion"] == len(HINTS)
    assert all(operation == "put_item" for operation, _ in environment.client.requests)


@pytest.mark.parametrize("phase", [Phase.FAILING_OVER, Phase.FAILING_BACK])
def test_while_a_machine_runs_all_come_again(environment, phase):
    environment.role = Role(epoch=2, active=EAST, phase=phase)
    assert environment.batch(*HINTS) == list(range(len(HINTS)))
    assert environment.database.rows == {}


def test_a_role_that_cannot_be_read_stops_the_batch(environment):
    environment.failure = TemporaryFailure("ThrottlingException")
    assert environment.batch(*HINTS) == list(range(len(HINTS)))
    assert environment.watch.counted["BatchesStopped"] == 1


@pytest.mark.parametrize("fence", [2, 7])
def test_another_fence_stops_the_batch(environment, fence):
    environment.books.raise_fence(fence)
    assert environment.batch(*HINTS) == list(range(len(HINTS)))
    assert environment.watch.counted["StaleEpochs"] == 1
    assert environment.database.rows == {}


def test_a_database_that_is_not_there_stops_the_batch_where_it_is(environment):
    environment.client.faults = [("get_item", "before", timed_out())]
    assert environment.batch(HINTS[0]) == [0]
    environment.books.is_down = True
    assert environment.batch(*HINTS) == list(range(len(HINTS)))
    environment.books.is_down = False
    environment.database.is_writer = False
    assert environment.batch(*HINTS) == list(range(len(HINTS)))
    assert environment.watch.counted["BatchesStopped"] == 3


def test_what_is_no_hint_comes_again_until_it_is_a_dead_letter(environment):
    poison = ["", "{", "[]", '{"orderId": 1}', '{"orderId": "o-1"}', "[" * 9999, None]
    unknown = json.dumps({"orderId": "o-" + "0" * 32})
    assert environment.batch(HINTS[0], *poison, HINTS[1], unknown) == [*range(1, 8), 9]
    assert environment.watch.counted["HintsUnknown"] == 8
    assert len(environment.database.rows) == 2


def test_an_order_that_the_books_refuse_stops_nobody_else(environment):
    apply_order = environment.books.apply_order

    def refuse(order, epoch):
        if order == ORDERS[1]:
            raise DatabaseRefused("some_constraint")
        return apply_order(order, epoch)

    environment.books.apply_order = refuse
    assert environment.batch(*HINTS) == [1]
    assert len(environment.database.rows) == len(ORDERS) - 1
    [(_, said)] = [line for line in environment.watch.lines if line[0] == "order not applied"]
    assert (said["order_id"], said["error"]) == (ORDERS[1].id, "DatabaseRefused")
    assert said["findings"] == ("some_constraint",)


def test_hints():
    assert hinted(HINTS[0]) == ORDERS[0].id
    assert hinted(b"x") is None
