"""Invariants on a system with a database, a name that fails over, copies and backups."""

from dataclasses import replace
from datetime import timedelta

import pytest
from unit.blocks import books_pair
from unit.invariants.conftest import Specimen
from unit.invariants.planted import put
from unit.invariants.planted_in_databases import PLANTED

from tap_templates.compiler.invariants import check_system, failover_budget


@pytest.fixture(scope="module")
def books() -> Specimen:
    return Specimen(books_pair.SYSTEM, books_pair.rendered(), books_pair.parameters())


def test_the_pair_keeps_every_promise(books):
    assert check_system(books.compiled()) == []


@pytest.mark.parametrize(
    "overrides",
    [
        {"DatabaseMode": "IndependentClusters", "EngineVersion": "15.12"},
        {"EngineVersion": "16.8", "InstanceClass": "db.r6g.large"},
        {"EnvironmentSuffix": "amuchlongone"},
    ],
)
def test_it_does_so_for_other_values_of_its_parameters_too(books, overrides):
    assert check_system(replace(books, overrides=overrides).compiled()) == []


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.id)
def test_a_planted_fault_is_found_where_it_is_and_with_the_way_out(books, planted):
    found = check_system(books.edited(planted.stack, planted.edit))
    assert len(planted.findings(found)) == 1


def test_the_budget_of_a_name_is_for_the_worst_its_parameters_allow(books):
    terms = failover_budget(books.compiled())
    # 10 until the next check, 3 checks of 6 with 10 between them; the allowance; the longest TTL.
    assert [term.seconds for term in terms] == [48, 10, 60]
    assert all(term.source.startswith("https://docs.aws.amazon.com/") for term in terms)


def test_searching_the_answer_takes_longer(books):
    edit = put("BooksHealthCheck", "HealthCheckConfig.Type", "HTTPS_STR_MATCH")
    assert failover_budget(books.edited("dns", edit))[0].seconds == 54


def test_what_route_53_takes_where_nothing_is_said(books):
    def edit(template):
        config = template["Resources"]["BooksHealthCheck"]["Properties"]["HealthCheckConfig"]
        del config["RequestInterval"], config["FailureThreshold"]

    assert failover_budget(books.edited("dns", edit))[0].seconds == 30 + 3 * 6 + 2 * 30


def test_a_recovery_time_shorter_than_the_budget_is_refused(books):
    objectives = replace(books.system.objectives, rto=timedelta(seconds=117))
    (finding,) = check_system(
        replace(books, system=replace(books.system, objectives=objectives)).compiled()
    )
    assert finding.code == "TAP-OBJ-03"
    assert "within 117 s, but failover takes 48 s" in finding.what
