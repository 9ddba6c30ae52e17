"""Invariants on REST APIs: a pair without fault, and each fault found where it is planted."""

import pytest
from unit.blocks import rest_pair
from unit.invariants.conftest import Specimen
from unit.invariants.planted_in_rest_apis import PLANTED

from tap_templates.compiler.invariants import check_system, failover_budget


@pytest.fixture(scope="module")
def books() -> Specimen:
    return Specimen(rest_pair.SYSTEM, rest_pair.rendered(), rest_pair.parameters())


def test_a_name_on_two_rest_apis_keeps_every_promise(books):
    assert check_system(books.compiled()) == []
    assert [term.seconds for term in failover_budget(books.compiled())] == [48, 10, 60]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.id)
def test_a_planted_fault_is_found_where_it_is_and_with_the_way_out(books, planted):
    found = check_system(books.edited(planted.stack, planted.edit))
    assert len(planted.findings(found)) == 1
