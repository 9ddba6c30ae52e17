"""What a person and a program are told of the time that a failover takes."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from unit.blocks import latched_pair
from unit.invariants.conftest import Specimen
from unit.invariants.failover_ground import SYSTEM, compiled

from tap_templates import report
from tap_templates.model.system import Objectives


def run_of(*systems):
    """Make what a report reads of a compilation that has nothing else to say."""
    return SimpleNamespace(
        systems=[each.system for each in systems],
        rendered={each.system.name: each.stacks for each in systems},
        views={each.system.name: each.view for each in systems},
        findings=[],
        stacks=list,
        packages={},
        changes=None,
    )


@pytest.fixture(scope="module")
def ran():
    latched = Specimen(latched_pair.SYSTEM, latched_pair.rendered(), latched_pair.parameters())
    return run_of(latched.compiled(), compiled(system=replace(SYSTEM, objectives=Objectives())))


def test_the_way_of_the_traffic_is_held_against_its_promise_and_that_of_the_database_is_not(
    ran, capsys
):
    report.check(ran, form="text", privileges=False)
    traffic, database = [
        line for line in capsys.readouterr().out.splitlines() if line.startswith("failover ")
    ]
    assert traffic.startswith("failover books  52 s of 60 s: 32 s detection")
    assert database.startswith(
        "failover orders, database  not bounded: AWS publishes no bound for a promotion; "
        "280 s beside it: 240 s detection"
    )
    assert " + ? s promotion: a few minutes typically" in database


def test_a_program_is_told_the_same_term_by_term(ran, capsys):
    report.check(ran, form="json", privileges=False)
    traffic, database = json.loads(capsys.readouterr().out)["failovers"]
    assert (traffic["system"], traffic["path"]) == ("books", "traffic")
    assert (traffic["seconds"], traffic["promised_seconds"]) == (52, 60)
    assert (database["path"], database["seconds"], database["known_seconds"]) == (
        "database", None, 280)  # fmt: skip
    assert database["promised_seconds"] is None
    assert [term["seconds"] for term in database["terms"]] == [240, 35, None, 5]


def test_without_a_promise_the_way_of_the_traffic_is_not_told(capsys):
    report.check(
        run_of(compiled(system=replace(SYSTEM, objectives=Objectives()))),
        form="text",
        privileges=False,
    )
    assert "failover orders " not in capsys.readouterr().out
