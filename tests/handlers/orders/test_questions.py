"""The questions on a real server, as the role that functions log in with."""

import psycopg
import pytest
from handlers.orders_on_postgres import APP

from aurora_access.standing import Lag, Standing
from order_readiness.clusters import Cluster as ReadinessCluster
from order_recovery.writer import Writer
from orders.failures import DatabaseRefused, NotWritable, TemporaryFailure

pytestmark = pytest.mark.postgres


def do(cluster, *statements):
    with cluster.master() as connection:
        for each in statements:
            connection.execute(each)


def read_only(cluster, *, is_so):
    do(cluster, f"ALTER ROLE {APP} SET default_transaction_read_only = {'on' if is_so else 'off'}")


@pytest.fixture
def copy(cluster):
    """A database that takes no writes, as far as the role is concerned."""
    read_only(cluster, is_so=True)
    yield cluster
    read_only(cluster, is_so=False)


def test_the_canary_is_one_row_a_region(cluster):
    writer = Writer(cluster.database())
    for region in ("us-east-1", "us-east-2", "us-east-2"):
        writer.prove_writable(region)
    rows = cluster.rows("SELECT region FROM trading.canary ORDER BY 1")
    assert rows == [("us-east-1",), ("us-east-2",)]


def test_a_copy_is_not_writable_yet_and_says_what_it_is(copy):
    writer = Writer(copy.database())
    with pytest.raises(NotWritable):
        writer.prove_writable("us-east-2")
    assert writer.standing() == (Standing.COPY, 1)
    assert ReadinessCluster(copy.database()).standing() is Standing.COPY


def test_a_writer_says_its_fence(cluster):
    cluster.books().raise_fence(4)
    assert Writer(cluster.database()).standing() == (Standing.WRITER, 4)
    assert ReadinessCluster(cluster.database()).standing() is Standing.WRITER


def test_a_connection_that_was_cut_is_not_yet_and_then_new(cluster):
    writer = Writer(cluster.database())
    writer.prove_writable("us-east-2")
    do(
        cluster,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'orders_app'",
    )
    with pytest.raises(NotWritable):
        writer.prove_writable("us-east-2")
    writer.prove_writable("us-east-2")


def test_what_is_no_aurora_is_refused(cluster):
    with pytest.raises(DatabaseRefused, match="42883"):
        Writer(cluster.database()).lags()
    assert ReadinessCluster(cluster.database()).lags() is None


def test_lags_are_the_worse_of_both(cluster):
    do(
        cluster,
        "CREATE FUNCTION public.aurora_global_db_status() RETURNS TABLE (aws_region text,"
        " highest_lsn_written bigint, durability_lag_in_msec double precision,"
        " rpo_lag_in_msec double precision) LANGUAGE sql AS $$ VALUES"
        " ('us-east-2', 9::bigint, 40.0, 900.0), ('us-east-1', 9::bigint, -1.0, -1.0) $$",
    )
    expected = (Lag("us-east-1", -1), Lag("us-east-2", 900))
    assert Writer(cluster.database()).lags() == expected
    assert ReadinessCluster(cluster.database()).lags() == expected


def test_a_server_that_is_not_there_is_no_answer(cluster):
    def connect():
        raise psycopg.OperationalError("secret")

    gone = type(cluster.database())(connect)
    with pytest.raises(NotWritable):
        Writer(gone).prove_writable("us-east-2")
    with pytest.raises(TemporaryFailure):
        Writer(gone).standing()
    assert ReadinessCluster(gone).standing() is None
