"""Migrations on a real server: once, in order, one run at a time, and no rewriting of history."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from postgres.clusters import MIGRATIONS, Cluster, Function, new_key, started

from schema_migrations.core import Migration, MigrationRefusedError, migrations_of, plan
from schema_migrations.runner import MigrationFailedError, Result, migrate, read_migrations
from tap_templates.local.postgres import MASTER

pytestmark = pytest.mark.postgres

NAMES = ("v0001_ledger", "v0002_double_entry", "v0003_application_role")
RELEASED = [
    ("v0001_ledger", "e952012e2cfb"),
    ("v0002_double_entry", "2e97d315a1d8"),
    ("v0003_application_role", "a48015475e63"),
]
ONE = Migration(1, "v0001_one", "CREATE TABLE one ()")
TWO = Migration(2, "v0002_two", "CREATE TABLE two ()")


def run(cluster, migrations, **options):
    database = cluster.database(MASTER)
    try:
        return migrate(database, migrations, sleep=lambda _: None, **{"seconds": 20} | options)
    finally:
        database.drop()


def tables(cluster):
    return {
        name
        for (name,) in cluster.rows(
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'"
        )
    }


def test_from_nothing_to_a_booked_payment(empty):
    said = []
    assert run(empty, read_migrations(MIGRATIONS), say=said.append) == Result(
        NAMES, 3, is_standby=False
    )
    assert tuple(said) == NAMES
    empty.open_accounts()
    with Function(empty.database()) as function:
        assert function.pay(new_key())[0] == 201
    assert empty.counts() == (1, 2, 0)


def test_a_second_run_does_nothing(empty):
    run(empty, read_migrations(MIGRATIONS))
    before = empty.rows("SELECT * FROM schema_history.applied ORDER BY version")
    assert run(empty, read_migrations(MIGRATIONS)) == Result((), 3, is_standby=False)
    assert empty.rows("SELECT * FROM schema_history.applied ORDER BY version") == before
    assert [row[1] for row in before] == list(NAMES)


def test_a_file_that_has_changed_is_refused_and_nothing_is_done(empty):
    run(empty, [ONE])
    changed = Migration(1, ONE.name, ONE.sql + " -- changed")
    with pytest.raises(
        MigrationRefusedError, match=r"^v0001_one is applied and has changed since$"
    ):
        run(empty, [changed, TWO])
    assert tables(empty) == {"one"}


def test_a_step_that_fails_leaves_nothing_of_itself_and_all_before_it(empty):
    broken = Migration(2, "v0002_two", "CREATE TABLE two (); SELECT 1 / 0")
    with pytest.raises(MigrationFailedError, match=r"^v0002_two failed with 22012$"):
        run(empty, [ONE, broken])
    assert tables(empty) == {"one"}
    assert run(empty, [ONE, TWO]).applied == ("v0002_two",)
    assert tables(empty) == {"one", "two"}


@pytest.mark.parametrize("end", ["ROLLBACK", "COMMIT", "ROLLBACK; BEGIN", "COMMIT; BEGIN"])
def test_a_step_that_ends_its_transaction_is_refused_and_not_recorded(empty, end):
    sly = Migration(1, "v0001_one", f"CREATE TABLE one (); {end}")
    with pytest.raises(MigrationFailedError, match=r"^v0001_one ends the transaction it runs in$"):
        run(empty, [sly])
    assert empty.rows("SELECT * FROM schema_history.applied") == []


def test_two_runs_at_once_apply_each_step_once(empty):
    slow = Migration(1, "v0001_one", "CREATE TABLE one (); SELECT pg_sleep(0.4)")
    start = threading.Barrier(4)

    def go(_):
        start.wait()
        return run(empty, [slow, TWO]).applied

    with ThreadPoolExecutor(4) as pool:
        applied = sorted(pool.map(go, range(4)))
    assert applied == [(), (), (), ("v0001_one", "v0002_two")]


def test_a_run_waits_for_the_lock_and_its_death_gives_it_back(empty):
    begun = threading.Event()

    def doomed():
        sql = "CREATE TABLE one (); SELECT pg_sleep(60)"
        begun.set()
        with pytest.raises(MigrationFailedError):
            run(empty, [Migration(1, ONE.name, sql)])

    thread = threading.Thread(target=doomed)
    thread.start()
    begun.wait()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND query LIKE %s"
    deadline = time.monotonic() + 10
    while not empty.one(waiting, empty.name, "CREATE TABLE one (); SELECT pg_sleep%"):
        assert time.monotonic() < deadline
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(run, empty, [ONE])
        time.sleep(0.3)
        assert not second.done()
        empty.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND query LIKE 'CREATE TABLE one (); SELECT pg_sleep%%'",
            empty.name,
        )
        assert second.result(20).applied == ("v0001_one",)
    thread.join()
    assert tables(empty) == {"one"}


def test_a_run_ends_when_its_time_is_up(empty):
    endless = Migration(1, "v0001_one", "SELECT pg_sleep(60)")
    before = time.monotonic()
    with pytest.raises(MigrationFailedError, match=r"^v0001_one failed with LOST$"):
        run(empty, [endless], seconds=0.5)
    assert time.monotonic() - before < 5


def test_a_newer_database_is_left_alone(empty):
    """As when a release is rolled back: its steps stay, and the older code goes on."""
    run(empty, [ONE, TWO])
    assert run(empty, [ONE]) == Result((), 2, is_standby=False)


def test_a_standby_is_looked_at_only():
    with started().server as east, east.standby(name="west") as server:
        west = Cluster(server.start(), "postgres")
        assert run(west, [ONE]) == Result((), 0, is_standby=True)
        [[database]] = west.rows(
            "SELECT datname::text FROM pg_database WHERE datname LIKE 'payments%%'"
        )
        copy = Cluster(server, database)
        assert run(copy, read_migrations(MIGRATIONS)) == Result((), 3, is_standby=True)
        changed = (Migration(1, NAMES[0], "SELECT 1"), *read_migrations(MIGRATIONS)[1:])
        with pytest.raises(MigrationRefusedError):
            run(copy, changed)


def test_a_database_that_is_not_there_is_a_failure_without_its_words(server):
    with pytest.raises(MigrationFailedError, match=r"^login failed with LOST$"):
        run(Cluster(server, "no_such_database"), [ONE])


def test_the_role_logs_in_by_iam_where_there_is_iam(empty):
    with empty.master() as connection:
        connection.execute("CREATE ROLE rds_iam")
        try:
            run(empty, read_migrations(MIGRATIONS))
            member = "SELECT pg_has_role('payments_app', 'rds_iam', 'member')"
            assert connection.execute(member).fetchone() == (True,)
        finally:
            connection.execute("DROP ROLE rds_iam")


def test_the_role_has_the_least_rights(empty):
    run(empty, read_migrations(MIGRATIONS))
    rights = empty.rows(
        "SELECT table_name::text, privilege_type::text FROM information_schema.table_privileges"
        " WHERE grantee = 'payments_app' ORDER BY 1, 2"
    )
    assert rights == [
        ("account", "SELECT"),
        *(("entry", each) for each in ("INSERT", "SELECT")),
        *(("payment", each) for each in ("INSERT", "SELECT")),
    ]
    role = empty.rows(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
        " FROM pg_roles WHERE rolname = 'payments_app'"
    )
    assert role == [(False,) * 5]
    asked = "SELECT has_database_privilege('payments_app', current_database(), %s)"
    assert [empty.one(asked, each) for each in ("CONNECT", "CREATE", "TEMPORARY")] == [
        True,
        False,
        False,
    ]
    everyone = "SELECT has_schema_privilege('payments_app', 'schema_history', 'USAGE')"
    assert empty.one(everyone) is False


# What needs no database.


@pytest.mark.parametrize(
    "names",
    [
        ["0001_ledger"],
        ["v1_ledger"],
        ["v0001_Ledger"],
        ["v0002_ledger"],
        ["v0001_a", "v0003_b"],
        ["v0001_a", "v0001_b"],
        ["v0000_a", "v0001_b"],
    ],
)
def test_files_that_are_no_sequence_are_refused(names):
    with pytest.raises(MigrationRefusedError):
        migrations_of(dict.fromkeys(names, "SELECT 1"))


def test_files_are_ordered_by_their_number():
    found = migrations_of({"v0002_a": "2", "v0001_b": "1"})
    assert [each.name for each in found] == ["v0001_b", "v0002_a"]
    assert migrations_of({}) == ()


@pytest.mark.parametrize("applied", [{2: "x"}, {0: "x", 1: ONE.digest}, {1: ONE.digest, 3: "x"}])
def test_a_history_with_a_gap_is_refused(applied):
    with pytest.raises(MigrationRefusedError, match="gap"):
        plan([ONE, TWO], applied)


def test_only_what_is_new_is_planned():
    assert plan([ONE, TWO], {1: ONE.digest}).to_apply == (TWO,)
    assert plan([ONE], {1: ONE.digest, 2: "x"}).ahead == 1


def test_the_packaged_files_are_as_they_were_released():
    """A change here would be refused by every database that has them: write a new file."""
    assert [(each.name, each.digest[:12]) for each in read_migrations(MIGRATIONS)] == RELEASED
