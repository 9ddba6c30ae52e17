"""The books on a real server: once each, under the fence, whoever is at it at the same time."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
from handlers.orders_on_postgres import APP, OWNER, ordered

from orders.books import MARGIN_SECONDS
from orders.failures import DatabaseRefused, StaleEpoch, TemporaryFailure
from orders.moments import before
from orders.role import MOMENT
from orders.trust import Mark

pytestmark = pytest.mark.postgres


def positions(cluster):
    return cluster.rows("SELECT owner, symbol, quantity FROM trading.positions")


def test_an_order_is_booked_once_and_keeps_its_moment(cluster):
    books = cluster.books()
    order = ordered(1, quantity="2.50")
    first = books.apply_order(order, 1)
    again = books.apply_order(order, 1)
    assert (first.is_new, again.is_new) == (True, False)
    assert first.mark == again.mark
    assert MOMENT.fullmatch(first.mark.at)
    age = time.time() - datetime.fromisoformat(first.mark.at).timestamp()
    assert -1 < age < 60
    assert positions(cluster) == [(OWNER, "AMZN", Decimal("2.5"))]


def test_concurrent_duplicates_are_booked_once(cluster):
    orders = [ordered(number) for number in range(5)]
    gate = threading.Barrier(6)

    def work(_):
        books = cluster.books()
        gate.wait()
        return [books.apply_order(order, 1) for order in orders]

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(work, range(6)))
    for each in zip(*results, strict=True):
        assert sum(applied.is_new for applied in each) == 1
        assert len({applied.mark for applied in each}) == 1
    assert cluster.count() == 5
    assert cluster.is_whole()


@pytest.mark.parametrize("epoch", [1, 3])
def test_another_epoch_is_refused_in_both_directions(cluster, epoch):
    books = cluster.books()
    books.raise_fence(2)
    with pytest.raises(StaleEpoch):
        books.apply_order(ordered(1), epoch)
    assert cluster.count() == 0
    assert books.apply_order(ordered(1), 2).row_epoch == 2


def test_the_fence_rises_and_never_sinks(cluster):
    books = cluster.books()
    books.raise_fence(3)
    books.raise_fence(3)
    with pytest.raises(StaleEpoch):
        books.raise_fence(2)
    assert cluster.one("SELECT epoch FROM trading.fence") == 3
    with pytest.raises(psycopg.errors.CheckViolation):
        cluster.rows("UPDATE trading.fence SET epoch = 2 RETURNING epoch")
    with pytest.raises(psycopg.errors.CheckViolation):
        cluster.rows("DELETE FROM trading.fence RETURNING epoch")


def test_raising_the_fence_waits_for_those_who_passed_it(cluster):
    """Who holds the fence commits under the old epoch, before anything of the new one."""
    with cluster.master() as holder:
        holder.execute("BEGIN")
        holder.execute("SELECT epoch FROM trading.fence FOR SHARE")
        raised = threading.Event()

        def work():
            cluster.books().raise_fence(2)
            raised.set()

        thread = threading.Thread(target=work)
        thread.start()
        assert not raised.wait(0.5)
        assert cluster.one("SELECT epoch FROM trading.fence") == 1
        holder.execute("COMMIT")
        assert raised.wait(10)
        thread.join()
    assert cluster.one("SELECT epoch FROM trading.fence") == 2


def test_who_waits_behind_a_raise_is_refused(cluster):
    """An applier that came while the fence was being raised reads the new epoch, not the old."""
    with cluster.master() as raiser:
        raiser.execute("BEGIN")
        raiser.execute("UPDATE trading.fence SET epoch = 2")
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(cluster.books().apply_order, ordered(1), 1)
            time.sleep(0.3)
            assert not waiting.done()
            raiser.execute("COMMIT")
            with pytest.raises(StaleEpoch):
                waiting.result(10)
    assert cluster.count() == 0


def test_a_fence_that_is_held_for_too_long_is_a_temporary_failure(cluster):
    with cluster.master() as holder:
        holder.execute("BEGIN")
        holder.execute("SELECT epoch FROM trading.fence FOR SHARE")
        with pytest.raises(TemporaryFailure, match="database busy"):
            cluster.books(attempts=1).raise_fence(2)


def test_the_newest_epoch_before_ours_with_its_safe_moment(cluster):
    books = cluster.books()
    assert books.newest_before(5) is None
    books.apply_order(ordered(1), 1)
    books.raise_fence(3)
    last = max(books.apply_order(ordered(number), 3).mark.at for number in (2, 3))
    books.raise_fence(5)
    books.apply_order(ordered(4), 5)
    safe = before(last, timedelta(seconds=MARGIN_SECONDS))
    assert books.newest_before(5) == (3, safe)
    assert books.newest_before(4) == (3, safe)
    assert books.newest_before(3)[0] == 1
    assert books.newest_before(1) is None


def test_which_of_these_are_booked(cluster):
    books = cluster.books()
    books.apply_order(ordered(1), 1)
    assert books.present([ordered(1).id, ordered(2).id]) == {ordered(1).id}
    assert books.present([]) == set()


def test_what_the_database_refuses_names_a_constraint_alone(cluster):
    with cluster.master() as connection:
        connection.execute(
            "ALTER TABLE trading.orders ADD CONSTRAINT only_sales CHECK (side = 'sell')"
        )
    with pytest.raises(DatabaseRefused) as caught:
        cluster.books().apply_order(ordered(1), 1)
    assert str(caught.value) == "only_sales"
    assert (cluster.count(), positions(cluster)) == (0, [])


@pytest.mark.parametrize(
    ("change", "said"),
    [({"quantity": Decimal("1E+140000")}, "22003"), ({"symbol": "A\0B"}, "data")],
)
def test_values_that_the_database_cannot_hold_are_refused_for_their_order_alone(
    cluster, change, said
):
    """Nothing accepted has such; should it, the orders behind it are booked all the same."""
    books = cluster.books()
    with pytest.raises(DatabaseRefused) as caught:
        books.apply_order(replace(ordered(1), **change), 1)
    assert str(caught.value) == said
    assert books.apply_order(ordered(2), 1).is_new


def test_a_lost_connection_is_replaced(cluster):
    books = cluster.books()
    books.apply_order(ordered(1), 1)
    cluster.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", APP)
    assert books.apply_order(ordered(2), 1).mark == Mark(
        1, cluster.one("SELECT trading.moment(max(applied_at)) FROM trading.orders")
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trading.orders SET quantity = 1",
        "DELETE FROM trading.orders",
        "INSERT INTO trading.positions VALUES ('a', 'b', 1)",
        "UPDATE trading.positions SET quantity = 0",
        "DELETE FROM trading.fence",
        "INSERT INTO trading.fence VALUES (false, 9)",
        "UPDATE trading.fence SET is_only = false",
        "DELETE FROM trading.canary",
        "CREATE TABLE trading.more ()",
        "SELECT trading.move_position()",
    ],
)
def test_the_role_of_the_functions_may_do_no_more_than_they_do(cluster, statement):
    database = cluster.database()
    with database.within(5) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())
    database.drop()


def test_the_role_of_the_functions_writes_its_canary(cluster):
    database = cluster.database()
    with database.within(5) as connection:
        for _ in range(2):
            connection.execute(
                "INSERT INTO trading.canary VALUES ('us-east-2', now())"
                " ON CONFLICT (region) DO UPDATE SET at = EXCLUDED.at"
            )
    database.drop()
    assert cluster.one("SELECT count(*) FROM trading.canary") == 1


def test_what_is_booked_stays_whoever_asks(cluster):
    cluster.books().apply_order(ordered(1), 1)
    for statement in (
        "UPDATE trading.orders SET quantity = 1 RETURNING 1",
        "DELETE FROM trading.orders RETURNING 1",
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            cluster.rows(statement)
