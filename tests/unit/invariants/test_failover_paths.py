"""What a failover may depend on: each fault is found, and what is right is let be."""

import pytest
from unit.invariants.failover_ground import compiled, task, template
from unit.invariants.planted import properties, put
from unit.invariants.planted_in_failovers import PATHS, _alarm, _may, _rule

from tap_templates.compiler.invariants.failover_paths import FAILOVER_PATHS

STATES = "Definition.States"


def faults(edit=None):
    edited = template()
    if edit:
        edit(edited)
    system = compiled(edited)
    return [(each.code, fault) for each in FAILOVER_PATHS for fault in each.check(system)]


@pytest.mark.parametrize("planted", PATHS, ids=lambda planted: planted.id)
def test_a_planted_fault_is_found_where_it_is_and_with_the_way_out(planted):
    found = faults(planted.edit)
    matching = [
        fault for code, fault in found if code == planted.code and planted.is_told_by(fault)
    ]
    assert matching, found


def test_a_path_that_asks_its_own_region_alone_is_let_be():
    assert faults() == []


def _caught_around(edited):
    states = properties(edited, "Failover")["Definition"]["States"]
    inner = states["Fence"]
    del inner["Catch"], inner["Next"]
    states["Fence"] = {
        "Type": "Map",
        "ItemProcessor": {"StartAt": "Each", "States": {"Each": {**inner, "End": True}}},
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Lost"}],
        "Next": "Settle",
    }


def _denied(edited):
    policy = properties(edited, "RecoveryRole")["Policies"][0]["PolicyDocument"]
    policy["Statement"].append({"Effect": "Deny", "Action": ["route53:*"], "Resource": ["*"]})


@pytest.mark.parametrize(
    "edit",
    [
        _caught_around,
        _denied,
        _may("RecoveryRole", "iam:PassRole"),
        _may("RecoveryRole", "s3:PutObject"),
        _may("RecoveryRole", "cloudformation:DescribeStacks"),
        # What goes back may talk to the other region: it is there.
        put("Failback", f"{STATES}.Return", task(
            "sqs:sendMessage", {"QueueUrl": "https://sqs.us-east-2.amazonaws.com/1/x"}, "Canary2")),
        # The back-off that is not written is 2, the attempts are 3.
        put("Failover", f"{STATES}.Promote.Retry", [{"ErrorEquals": ["States.ALL"]}]),
        # Alarms may ring on Route 53, as long as they start nothing.
        lambda edited: _alarm(edited, AlarmActions=["arn:aws:sns:us-east-1:123456789012:people"]),
        _rule("aws.cloudwatch", detail={"alarmName": ["another"]}),
        _rule("orders"),
    ],
)  # fmt: skip
def test_what_is_no_fault_is_let_be(edit):
    assert faults(edit) == []


def test_a_system_that_moves_no_database_is_not_asked():
    edited = template()
    for name in ("Failover", "Failback", "Prober", "ProberRole", "Watch"):
        del edited["Resources"][name]
    _may("RecoveryRole", "route53:ChangeResourceRecordSets")(edited)
    assert [fault for each in FAILOVER_PATHS for fault in each.check(compiled(edited))] == []
