"""A machine, a network and an API: one planted fault for each need, and the system without any."""

import pytest
from unit.iam.building import EAST
from unit.iam.planted_in_market import FAULTS, SILENT

from tap_templates.iam.proof import privileges


def test_a_pipeline_whose_needs_equal_its_grants_is_silent(market):
    assert market.findings() == []


@pytest.mark.parametrize(
    ("code", "plant"), FAULTS, ids=[f"{code.name}-{i}" for i, (code, _) in enumerate(FAULTS)]
)
def test_a_planted_fault_is_found_by_its_code(market, code, plant):
    plant(market)
    assert code.code in {each.code for each in market.findings()}


@pytest.mark.parametrize("name", SILENT)
def test_what_is_right_is_silent(market, name):
    SILENT[name](market)
    assert market.findings() == []


def test_the_privilege_table_says_which_state_and_which_route_a_permission_is_for(market):
    rows = [row for row in privileges(market.view(), market.handlers) if row.region == EAST]
    reads = [row.why for row in rows if (row.stack, row.action) == ("processing", "sns:Publish")]
    path = "/Properties/Definition/States/Each/ItemProcessor/States/Tell"
    assert reads == [f"processing Machine in us-east-1 {path}"]
    (invokes,) = [row for row in rows if row.role == "apigateway.amazonaws.com"]
    assert invokes.why == "ingestion Route in us-east-1 /Properties/RouteKey"
    assert invokes.condition.endswith("Api@us-east-1>/$default/POST/ingest)")
    assert {row.why for row in rows if row.action == "dynamodb:PutItem"} == {
        "market_shared/table.py:11 dynamodb.put_item"
    }
