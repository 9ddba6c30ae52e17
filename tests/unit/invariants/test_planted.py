"""Every invariant finds the fault planted for it, and nothing in what we really compile."""

from dataclasses import replace

import pytest
from unit.invariants import (
    planted_in_behaviour,
    planted_in_databases,
    planted_in_failovers,
    planted_in_latches,
    planted_in_links,
    planted_in_machines,
    planted_in_metrics,
    planted_in_networks,
    planted_in_queues,
    planted_in_references,
    planted_in_regions,
    planted_in_releases,
    planted_in_replay,
    planted_in_resources,
    planted_in_rest_apis,
    planted_in_services,
    planted_in_templates,
)

from tap_templates.compiler.invariants import ACROSS, INVARIANTS, check_across, check_system
from tap_templates.model.findings import Severity

PLANTED = (
    *planted_in_references.PLANTED,
    *planted_in_resources.PLANTED,
    *planted_in_services.PLANTED,
    *planted_in_behaviour.PLANTED,
    *planted_in_machines.PLANTED,
    *planted_in_metrics.PLANTED,
    *planted_in_networks.PLANTED,
    *planted_in_queues.PLANTED,
    *planted_in_releases.PLANTED,
    *planted_in_replay.PLANTED,
    *planted_in_regions.PLANTED,
    *planted_in_templates.PLANTED,
)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.id)
def test_a_planted_fault_is_found_where_it_is_and_with_the_way_out(specimens, planted):
    compiled = specimens[planted.system].edited(planted.stack, planted.edit)
    matching = planted.findings(check_system(compiled))
    assert all(finding.severity is Severity.ERROR and finding.source_url for finding in matching)
    assert all(finding.remedy for finding in matching)


def test_every_invariant_has_a_planted_fault():
    # Those of systems that are made for tests alone are tested in their own modules.
    elsewhere = (
        *planted_in_databases.PLANTED,
        *planted_in_failovers.PLANTED,
        *planted_in_links.PLANTED,
        *planted_in_latches.PLANTED,
        *planted_in_rest_apis.PLANTED,
    )
    planted = (*PLANTED, *elsewhere)
    assert {each.code for each in INVARIANTS} == {each.code for each in planted}


def test_codes_are_unique_and_every_invariant_says_what_it_promises_and_where_that_is_written():
    everything = [*INVARIANTS, *ACROSS]
    codes = [each.code for each in everything]
    assert len(codes) == len(set(codes))
    for each in everything:
        assert each.promise.endswith(".")
        assert each.source_url.startswith("https://")


def test_what_we_really_compile_keeps_every_promise(specimens):
    compiled = [specimen.compiled() for specimen in specimens.values()]
    assert [finding for each in compiled for finding in check_system(each)] == []
    assert check_across(compiled) == []


@pytest.mark.parametrize(
    "overrides", [{"StandbyRule": "filter"}, {"EnvironmentSuffix": "amuchlongone"}]
)
def test_it_does_so_for_other_values_of_its_parameters_too(trading, overrides):
    assert check_system(replace(trading, overrides=overrides).compiled()) == []


def test_a_queue_that_feeds_a_function_as_it_should_is_fine(edited):
    found = check_system(edited("processing", planted_in_queues.RIGHT))
    assert {each.code for each in found} <= planted_in_queues.BESIDE, found


def test_a_function_may_be_fed_in_one_region_alone(edited):
    found = check_system(edited("processing", planted_in_queues.ON_IN_ONE))
    assert {each.code for each in found} <= {*planted_in_queues.BESIDE, "TAP-LIT-01"}, found


def test_a_reason_that_is_written_down_lets_a_rule_be_ignored(edited):
    reasons = {"tap.ignore_reasons": {"W3045": "because"}}
    metadata = {"cfn-lint": {"config": {"ignore_checks": ["W3045"]}}, **reasons}
    compiled = edited("bus", lambda t: t["Resources"]["TradingBus"].update(Metadata=metadata))
    assert check_system(compiled) == []
