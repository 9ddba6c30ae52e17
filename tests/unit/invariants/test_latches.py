"""Invariants on a name with a latch: what moves it, and within what time."""

from datetime import timedelta

import pytest
from unit.blocks import latched_pair
from unit.invariants.conftest import Specimen
from unit.invariants.planted import put
from unit.invariants.planted_in_latches import PLANTED

from tap_templates.compiler.invariants import check_system, failover_budget


@pytest.fixture(scope="module")
def latched() -> Specimen:
    return Specimen(latched_pair.SYSTEM, latched_pair.rendered(), latched_pair.parameters())


def test_a_name_with_a_latch_keeps_every_promise_within_a_minute(latched):
    assert check_system(latched.compiled()) == []
    terms = failover_budget(latched.compiled())
    # 10 until the next check, 2 checks of 6 with 10 between them; the allowance; the longest TTL.
    assert [term.seconds for term in terms] == [32, 10, 10]
    assert latched.system.objectives.rto == timedelta(seconds=60)


def test_the_latch_is_not_on_the_way_by_which_a_failing_endpoint_is_noticed(latched):
    edit = put("BooksLatchCheck", "HealthCheckConfig.RequestInterval", 30)
    assert [each.seconds for each in failover_budget(latched.edited("dns", edit))] == [32, 10, 10]


def test_searching_the_answer_of_the_endpoint_stays_within_the_minute(latched):
    def edit(template):
        put("BooksEndpointCheck", "HealthCheckConfig.Type", "HTTPS_STR_MATCH")(template)
        put("BooksEndpointCheck", "HealthCheckConfig.SearchString", "well")(template)

    edited = latched.edited("dns", edit)
    assert check_system(edited) == []
    assert sum(term.seconds or 0 for term in failover_budget(edited)) == 56


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.id)
def test_a_planted_fault_is_found_where_it_is_and_with_the_way_out(latched, planted):
    found = check_system(latched.edited(planted.stack, planted.edit))
    assert len(planted.findings(found)) == 1
