"""Invariants and the proof on a system whose regions are linked."""

import copy

import pytest
from unit.blocks import linked_pair
from unit.invariants.conftest import Specimen
from unit.invariants.planted_in_links import PLANTED

from tap_templates.compiler.invariants import check_system
from tap_templates.compiler.lint import Linter, LintJob
from tap_templates.iam.proof import prove


@pytest.fixture(scope="module")
def linked() -> Specimen:
    return Specimen(linked_pair.SYSTEM, linked_pair.rendered(), linked_pair.parameters())


def test_the_pair_keeps_every_promise(linked):
    assert check_system(linked.compiled()) == []


def test_every_role_may_do_what_is_done_with_it_and_nothing_else(linked):
    system = linked_pair.SYSTEM
    assert prove(linked.compiled().view, {}, system.operated_roles) == []


@pytest.mark.parametrize("name", linked_pair.rendered())
def test_the_linter_has_nothing_to_say(linked, name):
    stack = linked.stacks[name]
    job = LintJob("linked", name, stack.regions, stack.body)
    assert Linter(None).lint([job], lambda _: None)["linked", name].findings == ()


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.id)
def test_a_planted_fault_is_found_where_it_is_and_with_the_way_out(linked, planted):
    found = check_system(linked.edited(planted.stack, planted.edit))
    assert len(planted.findings(found)) == 1


def _trust(template):
    return template["Resources"]["OperatorRole"]["Properties"]["AssumeRolePolicyDocument"][
        "Statement"
    ][0]


@pytest.mark.parametrize(
    "edit",
    [
        lambda template: _trust(template).pop("Condition"),
        lambda template: _trust(template).update(
            Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/*"}}
        ),
        lambda template: _trust(template).update(
            Condition={"StringLike": {"aws:PrincipalTag/team": "on-call"}}
        ),
    ],
)
def test_an_account_is_trusted_for_those_that_are_named(linked, edit):
    view = linked.edited("operators", edit).view
    found = prove(view, {}, linked_pair.SYSTEM.operated_roles)
    assert {each.code for each in found} == {"TAP-IAM-TRUST-PRINCIPAL"}


def test_an_operator_may_start_the_machines_of_both_regions(linked):
    role = linked.stacks["operators"].template["Resources"]["OperatorRole"]["Properties"]
    (statement,) = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["states:StartExecution"]
    assert len(statement["Resource"]) == 2
    assert "aws:RequestedRegion" in statement["Condition"]["StringEquals"]


def test_the_rule_matches_its_own_region_and_sends_to_the_other(linked):
    rule = copy.deepcopy(linked.stacks["links"].template["Resources"]["CrossingRule"])["Properties"]
    assert rule["EventPattern"]["region"] == [{"Ref": "AWS::Region"}]
    (target,) = rule["Targets"]
    first, there, here = target["Arn"]["Fn::If"]
    assert first == "InPrimaryRegion"
    assert "${SecondaryRegion}" in there["Fn::Sub"]
    assert "${PrimaryRegion}" in here["Fn::Sub"]
