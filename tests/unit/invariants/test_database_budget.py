"""The budget of the database path: read from what was compiled, and never a promise."""

from dataclasses import replace
from datetime import timedelta

import pytest
from unit.invariants.failover_ground import SYSTEM, compiled, task, template
from unit.invariants.planted_in_failovers import BUDGET

from tap_templates.compiler.invariants import database_budget
from tap_templates.compiler.invariants.objectives_database import DATABASE_OBJECTIVES
from tap_templates.model.system import Objectives


def seconds(edit=None):
    edited = template()
    if edit:
        edit(edited)
    return [term.seconds for term in database_budget(compiled(edited))]


def put(path, value):
    def edit(edited):
        place = edited["Resources"]
        *steps, last = path.split(".")
        for step in steps:
            place = place[step]
        place[last] = value

    return edit


WATCHER = "Prober.Properties.Environment.Variables"
STATES = "Failover.Properties.Definition.States"


def test_its_terms_are_detection_decision_promotion_and_what_clients_remember():
    terms = database_budget(compiled())
    # 80 s until a report is stale, a minute between runs and Scheduler's minute, then at most 4
    # rounds of 10 s; the states before the promotion at their timeouts: 10 + 20 + 5; AWS bounds no
    # promotion; 5 s of DNS.
    assert [term.seconds for term in terms] == [240, 35, None, 5]
    assert "AWS publishes no bound" in terms[2].name
    assert all(term.source.startswith("https://docs.aws.amazon.com/") for term in terms)


@pytest.mark.parametrize(
    ("edit", "detection"),
    [
        (put(f"{WATCHER}.PROBE_FAILURES", "3"), 230),
        (put(f"{WATCHER}.PROBE_ROUND_SECONDS", "20"), 280),
        (put(f"{WATCHER}.REPORT_STALE_SECONDS", "90"), 250),
        # What does not fit into one run goes on in the next: two gaps, then one round.
        (put(f"{WATCHER}.PROBE_FAILURES", "6"), 80 + 2 * 120 + 10),
        (put("Watch.Properties.ScheduleExpression", "rate(5 minutes)"), 80 + 360 + 40),
        (
            put(
                "Watch.Properties.FlexibleTimeWindow",
                {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 2},
            ),
            80 + 240 + 40,
        ),
        (put("Watch.Properties.State", "DISABLED"), None),
        (put("Watch.Properties.ScheduleExpression", "cron(0 * * * ? *)"), None),
        (put(f"{WATCHER}.PROBE_ROUNDS", ""), None),
        (put(f"{WATCHER}.REPORT_STALE_SECONDS", {"Ref": "AWS::Region"}), None),
        (
            lambda edited: edited["Resources"]["Prober"]["Properties"]["Environment"][
                "Variables"
            ].pop("REPORT_STALE_SECONDS"),
            None,
        ),
        (put(f"{WATCHER}.FAILOVER_MACHINE_ARN", "another"), None),
        (lambda edited: edited["Parameters"]["Failures"].pop("MaxValue"), None),
        (lambda edited: edited["Resources"].pop("Watch"), None),
    ],
)
def test_detection_is_for_the_worst_of_schedule_and_tempo(edit, detection):
    assert seconds(edit)[0] == detection


def _in_parallel(edited):
    states = edited["Resources"]["Failover"]["Properties"]["Definition"]["States"]
    states["Fence"] = {
        "Type": "Parallel",
        "Branches": [
            {"StartAt": "One", "States": {"One": task("sns:publish", {}, "Two", 7),
                                          "Two": {"Type": "Wait", "Seconds": 4, "End": True}}},
            {"StartAt": "Three", "States": {"Three": {"Type": "Pass", "End": True}}},
        ],
        "Next": "Settle",
    }  # fmt: skip


def _promotes_in_a_branch(edited):
    states = edited["Resources"]["Failover"]["Properties"]["Definition"]["States"]
    inner = {
        "Pause": {"Type": "Wait", "Seconds": 3, "Next": "Promote"},
        "Promote": states["Promote"],
    }
    inner["Promote"] = {**inner["Promote"], "End": True}
    del inner["Promote"]["Next"], inner["Promote"]["Catch"]
    states["Settle"]["Next"] = "Both"
    states["Both"] = {
        "Type": "Parallel", "Branches": [{"StartAt": "Pause", "States": inner}], "Next": "Canary",
    }  # fmt: skip
    del states["Promote"]


@pytest.mark.parametrize(
    ("edit", "decision"),
    [
        (put(f"{STATES}.Fence.TimeoutSeconds", 200), 215),
        (put(f"{STATES}.Settle", {"Type": "Wait", "SecondsPath": "$.x", "Next": "Promote"}), None),
        (lambda t: t["Resources"]["Failover"]["Properties"]["Definition"]["States"]["Fence"].pop(
            "TimeoutSeconds"), None),
        (put(f"{STATES}.Fence", {"Type": "Map", "ItemProcessor": {"StartAt": "I", "States": {
            "I": {"Type": "Pass", "End": True}}}, "Next": "Settle"}), None),
        (_in_parallel, 10 + 11 + 5),
        (_promotes_in_a_branch, 35 + 3),
    ],
)  # fmt: skip
def test_the_decision_is_all_that_is_passed_before_the_promotion(edit, decision):
    assert seconds(edit)[1] == decision


def test_a_system_that_promotes_nothing_has_no_such_path():
    edited = template()
    del edited["Resources"]["Failover"]
    edited["Resources"]["Prober"]["Properties"]["Environment"]["Variables"].pop(
        "FAILOVER_MACHINE_ARN"
    )
    edited["Resources"]["ProberRole"]["Properties"]["Policies"] = []
    assert database_budget(compiled(edited)) == ()


def faults(**promised):
    system = replace(SYSTEM, objectives=Objectives(**promised))
    edited = template()
    return [fault for each in DATABASE_OBJECTIVES for fault in each.check(compiled(edited, system))]


def test_nothing_is_found_where_nothing_is_promised():
    assert faults(rto=timedelta(seconds=60)) == []


@pytest.mark.parametrize("planted", BUDGET, ids=lambda each: each.id)
def test_what_nobody_bounds_is_not_promised(planted):
    (fault,) = faults(database_rto=timedelta(hours=1))
    assert planted.says in fault.what
    assert planted.remedy in fault.remedy


def test_a_promise_without_a_machine_is_told():
    system = replace(SYSTEM, objectives=Objectives(database_rto=timedelta(hours=1)))
    edited = template()
    for name in ("Failover", "Prober", "ProberRole", "Watch"):
        del edited["Resources"][name]
    (fault,) = DATABASE_OBJECTIVES[0].check(compiled(edited, system))
    assert "has no state machine that calls failoverGlobalCluster" in fault.what
