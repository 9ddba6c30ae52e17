"""Databases, backups, copies and two doors: a planted fault for each need, and none without."""

import pytest
from unit.iam.building import EAST
from unit.iam.planted_in_payments import FAULTS
from unit.iam.right_in_payments import SILENT

from tap_templates.iam.proof import privileges


def test_a_system_of_payments_whose_needs_equal_its_grants_is_silent(payments):
    assert payments.findings() == []


@pytest.mark.parametrize(
    ("code", "plant"), FAULTS, ids=[f"{code.name}-{i}" for i, (code, _) in enumerate(FAULTS)]
)
def test_a_planted_fault_is_found_by_its_code(payments, code, plant):
    plant(payments)
    assert code.code in {each.code for each in payments.findings()}


@pytest.mark.parametrize("name", SILENT)
def test_what_is_right_is_silent(payments, name):
    SILENT[name](payments)
    assert payments.findings() == []


def test_the_privilege_table_says_who_may_call_and_who_logs_in(payments):
    view = payments.view()
    rows = [row for row in privileges(view, payments.handlers) if row.region == EAST]
    (called,) = [row for row in rows if row.action == "lambda:InvokeFunctionUrl"]
    assert (called.role, called.why) == (
        view.account,
        "primary Url in us-east-1 /Properties/AuthType",
    )
    (login,) = [row for row in rows if row.action == "rds-db:connect"]
    assert login.resource.endswith("<primary.Cluster.DBClusterResourceId@us-east-1>/payments_app")
    assert login.why == "aurora_access/settings.py:11 rds.generate_db_auth_token"
