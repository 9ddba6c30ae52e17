"""What a drill has shown: its verdict, the order of what happened, its JSON."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from tap_templates.drill.report import Act, Event, Losses, Report, Term, between, timeline
from tap_templates.drill.tally import Position, Row, Sent, tally

ORDER = Sent(
    client_order_id="a",
    symbol="ALPHA",
    side="buy",
    quantity=Decimal(2),
    price=Decimal(3),
    region="us-east-1",
)
ROW = Row("a", "ALPHA", "buy", Decimal(2), Decimal(3), 1)
WHOLE = tally([ORDER], [ROW], [Position("ALPHA", Decimal(2))])
SHORT = tally([ORDER], [], [])
DOUBLED = tally([ORDER], [ROW, ROW], [Position("ALPHA", Decimal(4))])
ACT = Act(
    name="failover",
    timeline=(Event(0.0, "drill", "kills us-east-1"),),
    terms=(Term(path="traffic", name="kill → there", seconds=1.5, budget_seconds=52),),
    tally=WHOLE,
    losses=Losses(lost=3, waiting=2, restored=3, replayed=5),
)
REPORT = Report(system="trading-dr", acts=(ACT,), shortened={"RecordTtl": "2"})


def with_tally(found, **changes):
    return replace(REPORT, acts=(replace(ACT, tally=found),), **changes)


def test_a_whole_ledger_passes():
    assert REPORT.passes
    assert REPORT.verdict == (
        "all 1 acknowledged orders are there, each once, and the positions are right"
    )


@pytest.mark.parametrize(
    ("report", "says"),
    [
        (with_tally(SHORT), "not in the database: a"),
        (with_tally(DOUBLED), "more than once: a"),
        (replace(REPORT, acts=(ACT, replace(ACT, tally=SHORT))), "not in the database: a"),
        (replace(REPORT, acts=(replace(ACT, problems=("the machine: FAILED",)),)), "FAILED"),
        (replace(REPORT, left=("stack-1",)), "left after all was destroyed: stack-1"),
        (replace(REPORT, acts=()), "no act was played"),
    ],
    ids=["missing", "doubled", "in the second act", "the run failed", "left", "nothing"],
)
def test_each_fault_fails_the_drill_and_is_told(report, says):
    assert not report.passes
    assert report.verdict.startswith("FAILED: ")
    assert says in report.verdict


def test_the_control_passes_if_orders_are_missing():
    control = with_tally(SHORT, is_control=True)
    assert control.passes
    assert control.verdict == (
        "the drill can fail: without the replay 1 acknowledged orders are missing"
    )


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (WHOLE, "no order is missing though none was replayed"),
        (DOUBLED, "more than once: a"),
    ],
)
def test_the_control_fails_if_anything_else_comes_of_it(found, says):
    control = with_tally(found, is_control=True)
    assert not control.passes
    assert f"the control has failed: {says}" in control.verdict or says in control.verdict


def test_the_control_fails_if_its_run_does():
    act = replace(ACT, tally=SHORT, problems=("the machine: FAILED",))
    assert not replace(REPORT, acts=(act,), is_control=True).passes


def test_what_happened_is_in_order_and_counted_from_the_moment():
    told = [Event(12.5, "dns", "moved"), Event(9.0, "drill", "load"), Event(10.0, "drill", "kill")]
    assert timeline(told, since=10.0) == (
        Event(-1.0, "drill", "load"),
        Event(0.0, "drill", "kill"),
        Event(2.5, "dns", "moved"),
    )


def test_what_came_at_once_is_in_the_order_in_which_it_was_told_and_told_once():
    told = [Event(1.0, "machine", "Observe"), Event(1.0, "machine", "Fence")]
    assert timeline([*told, told[0]], since=1.0) == (
        Event(0.0, "machine", "Observe"),
        Event(0.0, "machine", "Fence"),
    )


def test_what_never_came_took_no_time():
    assert between(1.0, 3.456) == 2.46
    assert between(None, 3.0) is None
    assert between(1.0, None) is None


def test_the_document_says_all_of_it():
    said = json.loads(json.dumps(REPORT.to_json(), default=str))
    assert said["schema"] == "tap.drill/1"
    assert said["passes"] is True
    assert said["verdict"] == REPORT.verdict
    assert said["shortened"] == {"RecordTtl": "2"}
    (act,) = said["acts"]
    assert act["name"] == "failover"
    assert act["timeline"] == [{"at": 0.0, "who": "drill", "what": "kills us-east-1"}]
    assert act["terms"][0]["budget_seconds"] == 52
    assert act["orders"]["whole"] is True
    assert act["orders"]["acknowledged"] == {"us-east-1": 1}
    assert act["losses"] == {"lost": 3, "waiting": 2, "restored": 3, "replayed": 5}
