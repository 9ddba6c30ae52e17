"""The schema of orders: applied in order, once; and under AWS's own runtime client."""

import pytest
from handlers.orders_on_postgres import MIGRATIONS
from handlers.schema_runs import schema_run

from schema_migrations.runner import Result, read_migrations

pytestmark = pytest.mark.postgres

RELEASED = [
    ("v0001_trading", "a3220d3b1951"),
    ("v0002_positions", "b5a1eb32cfc9"),
    ("v0003_application_role", "7739ca6c8a2d"),
]
NAMES = tuple(name for name, _ in RELEASED)


def test_what_is_released_stays():
    found = read_migrations(MIGRATIONS)
    assert [(each.name, each.digest[:12]) for each in found] == RELEASED


def test_steps_are_applied_once_and_the_fence_begins_at_one(empty):
    assert empty.migrate() == Result(NAMES, 3, is_standby=False)
    assert empty.migrate() == Result((), 3, is_standby=False)
    assert empty.rows("SELECT epoch FROM trading.fence") == [(1,)]
    assert empty.one("SELECT count(*) FROM pg_roles WHERE rolname = 'orders_app'") == 1


def test_moments_are_texts_that_the_journal_takes(empty):
    empty.migrate()
    query = "SELECT trading.moment('2026-01-01 01:02:03+02'::timestamptz)"
    assert empty.one(query) == "2025-12-31T23:02:03.000000Z"


def test_a_run_makes_the_schema_and_answers(empty, tmp_path):
    answer, log = schema_run("order_schema", empty, tmp_path)
    assert (answer["Status"], answer["Data"]["Applied"]) == ("SUCCESS", "3")
    assert log.count("schema step applied") == 3
    assert empty.rows("SELECT epoch FROM trading.fence") == [(1,)]
