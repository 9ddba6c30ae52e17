"""The rules of orders without a database: the journal, marks, cuts, and settling one order."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from handlers.orders_in_memory import (
    BooksInMemory,
    Client,
    Crash,
    Database,
    Table,
    refused,
    timed_out,
)
from hypothesis import given
from hypothesis import strategies as st

from orders import moments
from orders.applying import Outcome, settle
from orders.failures import AwsRefused, StaleEpoch, TemporaryFailure, UnreadableItem
from orders.journal import Journal, entry_of
from orders.order import SHARDS, InvalidOrder, order_of, shard_of
from orders.role import Role
from orders.trust import Mark, cuts_after, doubtful, is_trusted

EAST = "us-east-1"
OWNER = "111122223333:role/desk"
AT = "2026-11-20T12:00:00.000000Z"


def ordered(number=1, **changes):
    said = {
        "clientOrderId": f"c{number}",
        "symbol": "AMZN",
        "side": "buy",
        "quantity": "1",
        "price": "10",
    }
    return order_of(OWNER, said | changes)


def after(seconds):
    moment = datetime(2026, 11, 20, 12, tzinfo=UTC) + timedelta(seconds=seconds)
    return moments.written(moment)


@pytest.fixture
def table():
    return Table("orderId")


@pytest.fixture
def client(table):
    return Client(table, page=2)


@pytest.fixture
def journal(client):
    return Journal(client, "t")


@pytest.fixture
def database():
    return Database(EAST, lambda: 0.0, is_writer=True)


# Orders.


def test_ids_are_the_owners_own_and_digests_are_of_what_is_ordered():
    order = ordered()
    assert order.id == ordered(quantity="2").id != ordered(2).id
    assert order.digest == ordered(2).digest == ordered(quantity="1.0").digest
    assert order.digest != ordered(quantity="2").digest
    said = {"clientOrderId": "c1", **ordered().fields()}
    assert order_of("111122223333:role/other", said).id != order.id
    # The separator cannot be part of either.
    with pytest.raises(InvalidOrder):
        order_of("111122223333:role/a\0b", said)


@given(st.from_regex(r"o-[0-9a-f]{32}", fullmatch=True))
def test_shards_are_few(order_id):
    assert 0 <= shard_of(order_id) < SHARDS


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_moments_compare_as_texts(one, other):
    assert (moments.written(one) < moments.written(other)) is (one < other)


def test_moments():
    there = timezone(timedelta(hours=2))
    assert moments.written(datetime(2026, 1, 1, 1, tzinfo=there)) == "2025-12-31T23:00:00.000000Z"
    assert moments.before(AT, timedelta(seconds=1)) == "2026-11-20T11:59:59.000000Z"
    assert moments.before(moments.BEGINNING, timedelta(days=1)) == moments.BEGINNING


# The journal.


def test_what_is_written_is_read(journal):
    assert journal.add_order(ordered(), at=AT, region=EAST) is None
    entry = journal.find_order(ordered().id)
    assert (entry.order, entry.accepted_at, entry.accepted_in) == (ordered(), AT, EAST)
    assert (entry.digest, entry.mark) == (ordered().digest, None)
    assert journal.find_order(ordered(2).id) is None


def test_an_entry_that_is_there_is_given_also_if_it_is_not_shown(journal, client):
    journal.add_order(ordered(), at=AT, region=EAST)
    there = journal.add_order(ordered(quantity="2"), at=after(1), region=EAST)
    assert there.order == ordered()
    failed = refused("PutItem", "ConditionalCheckFailedException")
    client.faults = [("put_item", "before", failed)]
    assert journal.add_order(ordered(), at=AT, region=EAST).order == ordered()


def test_marks_do_not_go_back(journal):
    journal.add_order(ordered(), at=AT, region=EAST)
    assert journal.mark_applied(ordered().id, Mark(2, after(2)))
    assert not journal.mark_applied(ordered().id, Mark(1, after(3)))
    assert journal.find_order(ordered().id).mark == Mark(2, after(2))
    assert journal.mark_applied(ordered().id, Mark(3, after(1)))
    assert journal.find_order(ordered().id).mark == Mark(3, after(1))
    assert not journal.mark_applied(ordered(2).id, Mark(3, after(1)))  # makes no order
    assert journal.find_order(ordered(2).id) is None


def test_indexes_list_by_shard_and_moment_page_by_page(journal):
    for number in range(30):
        journal.add_order(ordered(number), at=after(number), region=EAST)

    def listed(read):
        return {order_id for shard in range(SHARDS) for order_id in read(shard)}

    waiting = listed(lambda shard: journal.pending_ids(shard, until=after(19)))
    assert waiting == {ordered(number).id for number in range(20)}
    for number in range(10):
        journal.mark_applied(ordered(number).id, Mark(1, after(number)))
    waiting = listed(lambda shard: journal.pending_ids(shard, until=after(19)))
    assert waiting == {ordered(number).id for number in range(10, 20)}
    applied = listed(lambda shard: journal.applied_ids(1, shard, since=after(4)))
    assert applied == {ordered(number).id for number in range(4, 10)}
    assert listed(lambda shard: journal.applied_ids(2, shard, since=AT)) == set()


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("get_item", lambda journal: journal.find_order("o-1")),
        ("put_item", lambda journal: journal.add_order(ordered(), at=AT, region=EAST)),
        ("put_item", lambda journal: journal.touch(EAST, AT)),
        ("update_item", lambda journal: journal.mark_applied(ordered().id, Mark(1, AT))),
        ("query", lambda journal: list(journal.pending_ids(1, until=AT))),
    ],
)
def test_failures_quote_nothing(journal, client, operation, call):
    denied = refused(operation, "AccessDeniedException")
    for error, failure in ((timed_out(), TemporaryFailure), (denied, AwsRefused)):
        client.faults = [(operation, "before", error)]
        with pytest.raises(failure) as caught:
            call(journal)
        assert str(caught.value) in ("ReadTimeoutError", "AccessDeniedException")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("owner", {"S": "somebody"}),
        ("quantity", {"N": "1"}),
        ("quantity", {"S": "-1"}),
        ("clientOrderId", {"S": "other"}),  # the id would be another
        ("acceptedAt", {"S": "yesterday"}),
        ("digest", {}),
        ("appliedEpoch", {"N": "0"}),
        ("appliedEpoch", {"N": "1"}),  # without a moment
    ],
)
def test_an_item_that_we_did_not_write_is_refused_by_name(journal, table, name, value):
    journal.add_order(ordered(), at=AT, region=EAST)
    with pytest.raises(UnreadableItem, match=r"journal\."):
        entry_of(table.items[ordered().id] | {name: value})


# Trust.


@pytest.mark.parametrize(
    ("mark", "cuts", "trusted"),
    [
        (Mark(3, AT), {}, True),  # of this epoch
        (Mark(3, AT), {3: moments.BEGINNING}, True),
        (Mark(4, AT), {}, True),  # of a later one: the reader is late
        (Mark(1, AT), {}, True),  # a failback loses nothing
        (Mark(1, AT), {2: moments.BEGINNING}, True),
        (Mark(1, AT), {1: after(1)}, True),
        (Mark(1, AT), {1: AT}, False),
        (Mark(1, after(2)), {1: after(1)}, False),
        (Mark(2, AT), {2: moments.BEGINNING}, False),
    ],
)
def test_which_marks_are_trusted(mark, cuts, trusted):
    assert is_trusted(mark, Role(epoch=3, active=EAST, cuts=cuts)) is trusted


B = moments.BEGINNING


@pytest.mark.parametrize(
    ("known", "epoch", "newest", "cuts"),
    [
        ({}, 2, (1, AT), {1: AT}),
        ({}, 2, None, {1: B}),
        ({}, 4, (1, AT), {1: AT, 2: B, 3: B}),  # nothing is left of 2 and 3
        ({}, 4, None, {1: B, 2: B, 3: B}),
        ({1: after(-9)}, 3, (2, AT), {1: after(-9), 2: AT}),
        ({1: after(-9)}, 2, (1, AT), {1: after(-9)}),  # said before, and earlier
        ({1: after(9)}, 2, (1, AT), {1: AT}),
    ],
)
def test_cuts(known, epoch, newest, cuts):
    assert cuts_after(known, epoch=epoch, newest=newest) == cuts


def test_marks_of_this_epoch_are_not_doubted():
    assert doubtful(Role(epoch=2, active=EAST, cuts={1: AT, 2: AT})) == {1: AT}


# Settling.


def test_an_order_is_settled_once(journal, database):
    role, books = Role(epoch=1, active=EAST), BooksInMemory(database)
    journal.add_order(ordered(), at=AT, region=EAST)

    def outcome():
        return settle(ordered().id, role, journal=journal, books=books)

    assert [outcome(), outcome()] == [Outcome.APPLIED, Outcome.DONE]
    assert settle(ordered(2).id, role, journal=journal, books=books) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("dies", "then"),
    [
        ("before commit", Outcome.APPLIED),
        ("after commit", Outcome.CONFIRMED),
        ("before mark", Outcome.CONFIRMED),
        ("after mark", Outcome.DONE),
    ],
)
def test_a_function_that_dies_anywhere_leaves_what_can_be_settled(
    journal, client, database, dies, then
):
    when, where = dies.split()
    role, books = Role(epoch=1, active=EAST), BooksInMemory(database)
    journal.add_order(ordered(), at=AT, region=EAST)
    books.crash = when if where == "commit" else None
    client.faults = [("update_item", when, Crash())] if where == "mark" else []
    with pytest.raises(Crash):
        settle(ordered().id, role, journal=journal, books=books)
    assert settle(ordered().id, role, journal=journal, books=books) is then
    assert journal.find_order(ordered().id).mark.epoch == 1
    assert len(database.log) == 2


def test_what_was_lost_is_restored_and_what_was_not_is_confirmed(journal, database):
    books = BooksInMemory(database)
    for number in (1, 2):
        journal.add_order(ordered(number), at=AT, region=EAST)
        settle(ordered(number).id, Role(epoch=1, active=EAST), journal=journal, books=books)
    del database.log[2:]  # the second is lost
    books.raise_fence(2)
    role = Role(epoch=2, active=EAST, cuts={1: B})
    outcomes = [
        settle(ordered(number).id, role, journal=journal, books=books) for number in (1, 2, 2)
    ]
    assert outcomes == [Outcome.CONFIRMED, Outcome.RESTORED, Outcome.DONE]


def test_an_old_role_settles_nothing(journal, database):
    journal.add_order(ordered(), at=AT, region=EAST)
    books = BooksInMemory(database)
    books.raise_fence(2)
    with pytest.raises(StaleEpoch):
        settle(ordered().id, Role(epoch=1, active=EAST), journal=journal, books=books)
    assert journal.find_order(ordered().id).mark is None
