"""The database dies, hangs or turns read-only, in the middle: nothing half, nothing twice."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from postgres.clusters import Cluster, Function, failing, new_key, started

from aurora_access.connecting import Database
from tap_templates.local.link import Link

pytestmark = pytest.mark.postgres

SHORT = {"seconds": 1.0, "attempt_seconds": 0.5}


@pytest.fixture(scope="module")
def mortal():
    """A server of this module's own; each test leaves it running."""
    cluster = started()
    yield cluster
    cluster.server.remove()


@pytest.fixture
def own(mortal):
    """Counts from here on."""
    before = mortal.counts()[0]
    yield lambda: (mortal.counts()[0] - before, *mortal.counts()[1:])
    payments, entries, total = mortal.counts()
    assert (entries, total) == (2 * payments, 0)


class Hooked:
    """A connection that calls before, or after, the statement that begins with `word`."""

    def __init__(self, connection, word, hook, *, after):
        self._connection = connection
        self._word, self._hook, self._after = word, hook, after

    def execute(self, query, *values):
        is_it = query.strip().startswith(self._word)
        if is_it and not self._after:
            self._hook()
        result = self._connection.execute(query, *values)
        if is_it and self._after:
            self._hook()
            self._connection.close()
            raise psycopg.OperationalError("the answer is lost")
        return result

    def __getattr__(self, name):
        return getattr(self._connection, name)


class HookedDatabase:
    """A database whose first loan is hooked."""

    def __init__(self, database, word, hook, *, after=False):
        self._database = database
        self._hooks = [(word, hook, after)]

    @contextmanager
    def within(self, seconds) -> Iterator[object]:
        with self._database.within(seconds) as connection:
            if not self._hooks:
                yield connection
                return
            word, hook, after = self._hooks.pop()
            yield Hooked(connection, word, hook, after=after)

    def __getattr__(self, name):
        return getattr(self._database, name)


def crash(mortal):
    return mortal.server.kill


POINTS = [
    ("BEGIN", False, 0),
    ("INSERT INTO payments.payment", False, 0),
    ("INSERT INTO payments.entry", False, 0),
    ("COMMIT", False, 0),
    ("COMMIT", True, 1),
]


@pytest.mark.parametrize(("word", "after", "committed"), POINTS)
def test_a_database_that_dies_in_the_middle_leaves_nothing_half(
    mortal, own, word, after, committed
):
    """The function gives up with 503; after the restart the client's retry succeeds, once."""
    key = new_key()
    database = HookedDatabase(mortal.database(), word, crash(mortal), after=after)
    with Function(database, **SHORT) as function:
        status, body, headers = function.pay(key)
        assert (status, json.loads(body)) == (503, {"error": "DatabaseUnavailable"})
        assert headers["retry-after"] == "5"
        assert not mortal.server.is_running
        mortal.server.start()
        assert own()[0] == committed
        status, body, _ = function.pay(key)
        assert status == (200 if committed else 201)
        assert function.pay(key)[:2] == (200, body)
    assert own()[0] == 1


@pytest.mark.parametrize(("word", "after", "committed"), POINTS)
def test_a_database_that_comes_back_in_time_costs_the_caller_nothing(
    mortal, own, word, after, committed
):
    """Dead and restarted within one request: the function itself books it, and says 201."""

    def restart():
        mortal.server.kill()
        mortal.server.start()

    database = HookedDatabase(mortal.database(), word, restart, after=after)
    with Function(database) as function:
        status, body, headers = function.pay(key := new_key())
        assert status == 201  # also where COMMIT was done and its answer lost: the work is its own
        assert "idempotent-replay" not in headers
        assert function.pay(key)[:2] == (200, body)
    assert own()[0] == 1


def test_a_connection_cut_while_commit_is_on_its_way(mortal, own):
    """Cut between function and database, after COMMIT has left: booked once, whichever it was."""
    with Link(mortal.server.port) as link:
        hooked = HookedDatabase(mortal.database(port=link.port), "COMMIT", link.stall)
        with Function(hooked, attempt_seconds=0.3) as function:
            timer = threading.Timer(0.5, lambda: (link.cut(), link.flow()))
            timer.start()
            status, _, _ = function.pay(key := new_key())
            timer.join()
            assert status == 201
            assert function.pay(key)[0] == 200
    assert own()[0] == 1


def test_a_kept_connection_that_died_is_made_anew_without_a_word(mortal, own):
    with Function(mortal.database(), sleep=lambda seconds: time.sleep(min(seconds, 0))) as function:
        assert function.pay(new_key())[0] == 201
        mortal.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'payments_app'"
        )
        assert function.pay(new_key())[0] == 201
    assert own()[0] == 2


def test_load_through_a_crash_is_booked_once_each(mortal, own):
    """Clients retry what is not answered; the server dies and comes back meanwhile."""
    keys = [[new_key() for _ in range(15)] for _ in range(6)]
    failures = []

    def client(mine):
        with Function(mortal.database(), **SHORT) as function:
            for key in mine:
                for _ in range(50):
                    status, _, _ = function.pay(key)
                    if status in (200, 201):
                        break
                    time.sleep(0.1)
                else:
                    failures.append(key)

    threads = [threading.Thread(target=client, args=(mine,), daemon=True) for mine in keys]
    for thread in threads:
        thread.start()
    for _ in range(2):
        time.sleep(0.15)
        mortal.server.kill()
        mortal.server.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert own()[0] == 6 * 15


# A database that hangs.


def test_a_hanging_database_is_a_503_in_time_and_the_retry_books_once(mortal, own):
    key = new_key()
    with Function(mortal.database(), **SHORT) as function:
        assert function.health()[0] == 200
        mortal.server.freeze()
        try:
            started_at = time.monotonic()
            assert function.pay(key)[0] == 503
            assert time.monotonic() - started_at < 4  # the limit, and one time-out of connecting
        finally:
            mortal.server.thaw()
        assert function.pay(key)[0] in (200, 201)
    assert own()[0] == 1


def test_health_of_a_hanging_database_answers_within_three_seconds(mortal):
    with Function(mortal.database()) as function, Function(mortal.database()) as fresh:
        assert function.health() == (200, {"healthy": True, "failing": []})
        mortal.server.freeze()
        try:
            for each in (function, function, fresh):
                started_at = time.monotonic()
                assert each.health() == (503, {"healthy": False, "failing": ["database"]})
                assert time.monotonic() - started_at < 3
        finally:
            mortal.server.thaw()
        assert function.health()[0] == 200


def test_health_of_a_dead_database_answers_at_once(mortal):
    with Function(mortal.database()) as function:
        assert function.health()[0] == 200
        mortal.server.kill()
        try:
            started_at = time.monotonic()
            assert function.health()[0] == 503
            assert time.monotonic() - started_at < 1
        finally:
            mortal.server.start()
        assert function.health()[0] == 200


def test_health_says_which_check_fails(mortal):
    with Function(mortal.database()) as function:
        function.table.failure = failing("ResourceNotFoundException")
        assert function.health() == (503, {"healthy": False, "failing": ["sessions"]})
    nowhere = Cluster(mortal.server, "no_such_database")
    with Function(nowhere.database()) as function:
        function.table.failure = failing("ResourceNotFoundException")
        assert function.health() == (503, {"healthy": False, "failing": ["database", "sessions"]})


def test_health_keeps_its_connection(mortal):
    opened = []

    def counted(database):
        connect = database._connect
        database._connect = lambda: opened.append(1) or connect()
        return database

    with Function(counted(mortal.database())) as function:
        for _ in range(5):
            assert function.health()[0] == 200
        assert function.pay(new_key())[0] == 201
    assert len(opened) == 1


def test_a_database_set_read_only_takes_no_payments_and_is_not_healthy(mortal, own):
    with Function(mortal.database()) as function, mortal.master() as master:
        function.health()
        master.execute(f"ALTER DATABASE {mortal.name} SET default_transaction_read_only = on")
        try:
            function.database.drop()
            assert function.health()[0] == 503
            status, body, _ = function.pay(key := new_key())
            assert (status, json.loads(body)["error"]) == (503, "DatabaseUnavailable")
        finally:
            master.execute("SET transaction_read_only = off")
            master.execute(f"ALTER DATABASE {mortal.name} RESET default_transaction_read_only")
        assert function.pay(key)[0] == 201  # on a new connection, made because the old one refused
        assert function.health()[0] == 200
    assert own()[0] == 1


def test_a_reader_is_asked_again_on_a_new_connection_after_a_while(mortal):
    """The name of a cluster may lead to another instance by now; but not at each question."""
    now = [0.0]
    opened = []
    plain = mortal.database()

    def connect():
        opened.append(1)
        connection = plain._connect()
        connection.execute("SET default_transaction_read_only = on")
        return connection

    with Function(Database(connect, clock=lambda: now[0])) as function:
        for _ in range(12):
            now[0] += 10
            assert function.health()[0] == 503
    assert len(opened) == 3


def test_a_lock_that_is_held_too_long_is_a_503(mortal, own):
    with Function(mortal.database(), attempts=2) as function, mortal.master() as other:
        other.execute("BEGIN")
        other.execute("SELECT FROM payments.account WHERE account_id = 'alice' FOR UPDATE")
        status, _, _ = function.pay(key := new_key())
        assert status == 503
        assert function.watch.counted.count("DatabaseRetries") == 2
        other.execute("ROLLBACK")
        assert function.pay(key)[0] == 201
    assert own()[0] == 1
