"""The function under AWS's own runtime client: secret, database and answer all behind TLS."""

import pytest
from handlers.schema_runs import schema_run

from tap_templates.local.postgres import free_port

pytestmark = pytest.mark.postgres


@pytest.fixture
def run(empty, tmp_path):
    return lambda **changes: schema_run("payments_schema", empty, tmp_path, **changes)


def test_a_run_makes_the_schema_and_answers(run, empty):
    answer, log = run()
    assert (answer["Status"], answer["Data"]["Applied"]) == ("SUCCESS", "3")
    assert empty.counts() == (0, 0, 0)
    assert log.count("schema step applied") == 3
    assert '"version":"v0003_application_role"' in log.replace(": ", ":")


def test_a_database_that_is_gone_is_a_failure_that_is_answered(run):
    answer, log = run(DB_PORT=str(free_port()))
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == "MigrationFailedError: login failed with LOST"
    assert "schema not changed" in log


def test_a_database_without_tls_is_refused(run):
    answer, _ = run(DB_SSL="disable")
    assert (answer["Status"], answer["Reason"]) == ("FAILED", "unexpected ValueError")
