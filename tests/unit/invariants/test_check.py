"""The checks as a whole: across systems, failover budget, tables, cost."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from unit.invariants.planted import put

from tap_templates.compiler.invariants import check_across, check_system, failover_budget
from tap_templates.compiler.invariants.names import LOG_GROUP, NAMED, WITHOUT_NAME
from tap_templates.compiler.invariants.tags import GLOBAL_TABLE, NOT_TAGGABLE, TAGS_AT

EAST = "us-east-1"
MOST_MS = 30


def _schema(kind):
    return PROVIDER_SCHEMA_MANAGER.get_resource_schema(region=EAST, resource_type=kind).schema


def _dangling(compiled):
    return [finding for finding in check_system(compiled) if finding.code == "TAP-REF-01"]


def test_systems_that_claim_the_same_name_are_told_apart_by_the_later_one(trading):
    again = replace(trading, system=replace(trading.system, name="another")).compiled()
    found = check_across([trading.compiled(), again])
    assert {(finding.code, finding.system) for finding in found} == {("TAP-NAME-05", "another")}
    queue = next(finding for finding in found if finding.logical_id == "FailedQueue")
    assert "which system 'trading-events' already makes, in both regions" in queue.what
    assert queue.remedy == "rename one of them: systems share the account"
    export = next(finding for finding in found if finding.path == "/Outputs/BusArn/Export/Name")
    assert "already exports" in export.what


def test_a_fault_of_both_regions_is_one_finding_and_of_one_region_names_it(edited):
    action = {"Fn::Sub": "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:gone"}

    def in_both(template):
        template["Resources"]["TableFailingAlarm"]["Properties"]["AlarmActions"] = [action]

    def in_one(template):
        template["Conditions"] = {"Here": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}}
        only = [{"Fn::If": ["Here", action, {"Ref": "AWS::NoValue"}]}]
        template["Resources"]["TableFailingAlarm"]["Properties"]["AlarmActions"] = only

    names_nothing = ":${AWS::AccountId}:gone names no resource of the system, in"
    (both,) = _dangling(edited("processing", in_both))
    assert both.what == f"arn:aws:sns:${{AWS::Region}}{names_nothing} both regions"
    (one,) = _dangling(edited("processing", in_one))
    assert one.what == f"arn:aws:sns:us-east-1{names_nothing} us-east-1"


def test_the_failover_budget_is_the_bound_of_eventbridge_in_its_terms(trading):
    terms = failover_budget(trading.compiled())
    assert [term.seconds for term in terms] == [300, 120]
    assert all(term.source.startswith("https://") for term in terms)


def test_a_recovery_time_shorter_than_the_budget_is_refused(trading):
    objectives = replace(trading.system.objectives, rto=timedelta(seconds=419))
    system = replace(trading.system, objectives=objectives)
    (finding,) = check_system(replace(trading, system=system).compiled())
    assert finding.code == "TAP-OBJ-03"
    assert "within 419 s, but failover takes 300 s" in finding.what


def test_the_table_of_tags_is_what_the_schemas_of_cfn_lint_say():
    for kind, where in TAGS_AT.items():
        tagging = _schema(kind)["tagging"]
        assert (tagging["taggable"], tagging["tagProperty"]) == (True, f"/properties/{where}"), kind
    for kind in NOT_TAGGABLE:
        schema = _schema(kind)
        assert not schema.get("tagging", {}).get("taggable"), kind
        assert not [name for name in schema["properties"] if name.endswith("Tags")], kind
    replica = _schema(GLOBAL_TABLE)["definitions"]["ReplicaSpecification"]
    assert "Tags" in replica["properties"]


def test_the_table_of_names_is_what_the_schemas_of_cfn_lint_say():
    for kind, naming in NAMED.items():
        assert naming.property in _schema(kind)["properties"], kind
    stages = {"AWS::ApiGateway::Stage", "AWS::ApiGatewayV2::Stage"}  # called by what they serve
    for kind in WITHOUT_NAME.keys() - stages:
        words = kind.rpartition("::")[2]
        assert f"{words}Name" not in _schema(kind)["properties"], kind
    assert LOG_GROUP not in NAMED


def test_checking_costs_little(trading):
    compiled = trading.compiled()
    check_system(compiled)  # warm: regular expressions are compiled on first use
    spent = []
    for _ in range(5):
        began = time.process_time()
        check_system(trading.compiled())
        spent.append(time.process_time() - began)
    assert min(spent) * 1000 < MOST_MS


def _apart(compiled, *purposes):
    promised = replace(
        compiled.system.objectives, apart=dict.fromkeys(purposes, "no work is in it")
    )
    return replace(compiled, system=replace(compiled.system, objectives=promised))


def _of(compiled, code):
    return [each for each in check_system(compiled) if each.code == code]


def test_a_table_may_be_set_apart_from_the_promise_of_losing_nothing(specimens):
    weak = specimens["trading-events"].edited(
        "table", put("TransactionsTable", "MultiRegionConsistency", "EVENTUAL")
    )
    assert _of(weak, "TAP-REP-02")
    assert not _of(_apart(weak, "trading-transactions"), "TAP-REP-02")


@pytest.mark.parametrize("purpose", ["trading-transactions", "trading-notes"])
def test_what_is_set_apart_for_no_reason_is_told(specimens, purpose):
    strong = specimens["trading-events"].edited("table", lambda _: None)
    (found,) = _of(_apart(strong, purpose), "TAP-REP-02")
    assert f"sets the table '{purpose}' apart" in found.what
    assert "take it out" in found.remedy
