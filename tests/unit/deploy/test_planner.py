"""What the planner decides, case by case, and what it refuses."""

import json
from dataclasses import replace

import pytest
from deploy_fakes import (
    ACCOUNT,
    PRIMARY,
    SECONDARY,
    TEXT,
    FakeCloud,
    Instance,
    changed,
    desired,
    means,
    parts,
    template,
)

from tap_templates.deploy.errors import DeployError, NotApprovedError
from tap_templates.deploy.events import Failed, Succeeded
from tap_templates.deploy.executor import apply
from tap_templates.deploy.plan import Action, Plan
from tap_templates.deploy.planner import Options
from tap_templates.deploy.rollout import plan_rollout
from tap_templates.deploy.steps import (
    CreateInstances,
    CreateStackSet,
    DeleteInstances,
    Gate,
    StoreRelease,
    UpdateInstances,
    UpdateStackSet,
    UploadPackage,
    word,
)
from tap_templates.deploy.values import Known, Output


@pytest.fixture
def deployed():
    cloud = FakeCloud()
    assert run(cloud, desired()) == Succeeded()
    return cloud


def run(cloud, wanted, **options):
    made = plan_rollout(wanted, cloud, Options(made=str(len(cloud.calls)), **options))
    return apply(made, wanted, cloud, means())


def actions(made):
    return {(each.stack, each.region): each.action for each in made.changes}


def reasons(made):
    return {(each.stack, each.region): each.reason for each in made.changes}


def test_first_deploy_creates_the_primary_first_and_takes_outputs_later():
    made = plan_rollout(desired(), FakeCloud())
    kinds = [
        (word(step), getattr(step, "stack", ""), getattr(step, "regions", ()))
        for step in made.steps
    ]
    assert [each for each in kinds if each[0] == "create-instances"] == [
        ("create-instances", "table", (SECONDARY,)),
        ("create-instances", "app", (PRIMARY, SECONDARY)),
        ("create-instances", "edge", (PRIMARY,)),
        ("create-instances", "board", (PRIMARY, SECONDARY)),
    ]
    assert kinds[0][0] == kinds[1][0] == "upload-package"
    assert made.steps[-1].overrides == {"Check": Output("edge", PRIMARY, "CheckId")}


def with_own_outputs():
    """A network in both regions, and an application that takes each region's own."""
    own = {"output": {"stack": "net", "region": "own", "name": "VpcId"}}
    both = (PRIMARY, SECONDARY)
    return {
        "net": (both, template(outputs={"VpcId": "vpc"}), {}),
        "fn": (both, template(parameters={"VpcId": TEXT}), {"VpcId": own}),
    }


def test_each_instance_takes_the_output_of_its_own_region():
    cloud = FakeCloud()
    made = plan_rollout(desired(with_own_outputs()), cloud)
    taken = {
        (step.regions, step.overrides["VpcId"])
        for step in made.steps
        if isinstance(step, CreateInstances) and step.stack == "fn"
    }
    assert taken == {((region,), Output("net", region, "VpcId")) for region in (PRIMARY, SECONDARY)}
    assert run(cloud, desired(with_own_outputs())) == Succeeded()
    again = plan_rollout(desired(with_own_outputs()), cloud)
    assert again.steps == ()
    assert set(actions(again).values()) == {Action.NO_OP}


def test_what_is_missing_is_named_with_the_region_it_is_missing_in():
    made = plan_rollout(desired({"fn": with_own_outputs()["fn"]}), FakeCloud())
    for region in (PRIMARY, SECONDARY):
        assert actions(made)["fn", region] is Action.BLOCKED
        assert f"it needs net.VpcId of {region}" in reasons(made)["fn", region]


def test_update_is_standby_then_gate_then_primary(deployed):
    made = plan_rollout(desired(changed(app={"Description": "new"})), deployed)
    assert [type(step) for step in made.steps] == [
        StoreRelease,
        UpdateStackSet,
        Gate,
        UpdateStackSet,
    ]
    assert [step.regions for step in made.steps if isinstance(step, UpdateStackSet)] == [
        (SECONDARY,),
        (PRIMARY,),
    ]
    assert made.steps[2] == Gate(region=SECONDARY, stacks=("app",))


def test_all_of_the_standby_is_updated_before_the_primary(deployed):
    new = changed(app={"Description": "new"}, board={"Description": "new"})
    steps = plan_rollout(desired(new), deployed).steps
    assert [(s.stack, *s.regions) for s in steps if isinstance(s, UpdateStackSet)] == [
        ("app", SECONDARY),
        ("board", SECONDARY),
        ("app", PRIMARY),
        ("board", PRIMARY),
    ]


def test_one_region_leaves_the_other_and_says_so(deployed):
    wanted = desired(changed(app={"Description": "new"}))
    made = plan_rollout(wanted, deployed, Options(region=SECONDARY))
    assert made.outdated == (("app", PRIMARY),)
    assert "OUTDATED" in reasons(made)["app", PRIMARY]
    assert apply(made, wanted, deployed, means()) == Succeeded()
    instances = deployed.sets["shop-app-dev"].instances
    assert (instances[PRIMARY].status, instances[SECONDARY].status) == ("OUTDATED", "CURRENT")
    rest = plan_rollout(wanted, deployed)
    assert [s.regions for s in rest.steps if isinstance(s, UpdateStackSet)] == [(PRIMARY,)]


def test_unknown_region_is_refused(deployed):
    with pytest.raises(DeployError, match="no region mars-1"):
        plan_rollout(desired(), deployed, Options(region="mars-1"))


def test_only_what_takes_a_changed_output_is_overridden(deployed):
    """A changed output reaches its taker; the plan cannot know it, and says that it may."""
    wanted = desired(changed(edge={"Outputs": {"CheckId": {"Value": "other"}}}))
    made = plan_rollout(wanted, deployed)
    assert actions(made)["edge", PRIMARY] is Action.UPDATE
    assert actions(made)["board", PRIMARY] is Action.NO_OP
    assert "may change" in reasons(made)["board", PRIMARY]
    overriding = [step for step in made.steps if isinstance(step, UpdateInstances)]
    assert [step.regions for step in overriding] == [(SECONDARY,), (PRIMARY,)]
    assert apply(made, wanted, deployed, means()) == Succeeded()
    board = deployed.sets["shop-board-dev"].instances
    assert {each.overrides["Check"] for each in board.values()} == {f"other-{PRIMARY}"}
    assert plan_rollout(wanted, deployed).is_empty


def test_an_unchanged_output_costs_no_operation(deployed):
    wanted = desired(changed(edge={"Description": "new"}))
    before = len(deployed.sets["shop-board-dev"].operations)
    assert run(deployed, wanted) == Succeeded()
    assert len(deployed.sets["shop-board-dev"].operations) == before


def test_a_new_parameter_is_overridden_after_all_instances_know_it(deployed):
    stacks = changed(app={})
    stacks["board"][1]["Parameters"]["More"] = TEXT
    stacks["board"][2]["More"] = {"output": {"stack": "table", "region": SECONDARY, "name": "N"}}
    stacks["table"][1]["Outputs"] = {"N": {"Value": "n"}}
    wanted = desired(stacks)
    assert run(deployed, wanted) == Succeeded()
    board = deployed.sets["shop-board-dev"]
    assert all(each.overrides["More"] == f"n-{SECONDARY}" for each in board.instances.values())
    assert plan_rollout(wanted, deployed).is_empty


def test_an_override_by_hand_is_set_right_with_the_complete_list(deployed):
    board = deployed.sets["shop-board-dev"].instances[PRIMARY]
    board.overrides["Place"] = "elsewhere"
    made = plan_rollout(desired(), deployed)
    (step,) = made.steps
    assert isinstance(step, UpdateInstances)
    assert step.overrides == {"Check": Known(f"check-{PRIMARY}"), "Place": Known(PRIMARY)}
    assert apply(made, desired(), deployed, means()) == Succeeded()
    assert plan_rollout(desired(), deployed).is_empty


def test_a_stack_changed_past_its_stack_set_is_updated(deployed):
    instance = deployed.sets["shop-app-dev"].instances[PRIMARY]
    deployed.stacks[instance.stack_id].template = json.dumps({"Resources": {}})
    made = plan_rollout(desired(), deployed)
    assert "past the stack set" in reasons(made)["app", PRIMARY]
    assert run(deployed, desired()) == Succeeded()
    assert plan_rollout(desired(), deployed).is_empty


def test_a_failed_creation_is_made_again():
    cloud = FakeCloud()
    cloud.broken["shop-app-dev", PRIMARY] = "no capacity"
    assert isinstance(run(cloud, desired()), Failed)
    cloud.broken.clear()
    made = plan_rollout(desired(changed(app={"Description": "mended"})), cloud)
    assert "ROLLBACK_COMPLETE" in reasons(made)["app", PRIMARY]
    own = [type(s) for s in made.steps if getattr(s, "stack", "") == "app"]
    assert own == [StoreRelease, DeleteInstances, UpdateStackSet, CreateInstances]
    assert run(cloud, desired(changed(app={"Description": "mended"}))) == Succeeded()


def test_uploads_only_where_and_what_is_missing(deployed):
    other = desired(zipped=b"another zip")
    made = plan_rollout(other, deployed)
    uploads = [step for step in made.steps if isinstance(step, UploadPackage)]
    assert [(each.region, each.sha256) for each in uploads] == [
        (region, other.packages["code"].sha256) for region in sorted([PRIMARY, SECONDARY])
    ]
    assert other.stack("app").literals["CodeSha256"] == other.packages["code"].code_sha256
    assert not any(
        isinstance(step, UploadPackage) for step in plan_rollout(desired(), deployed).steps
    )


BLOCKS = {
    "roles": (lambda cloud: cloud.roles.clear(), "bootstrap first"),
    "bucket": (lambda cloud: cloud.buckets.pop(next(iter(cloud.buckets))), "bootstrap first"),
    "tampered package": (
        lambda cloud: [
            each.update({key: b"evil" for key in each if key.endswith(".zip")})
            for each in cloud.buckets.values()
        ],
        "not what its name says",
    ),
    "foreign operation": (
        lambda cloud: cloud._start(cloud.sets["shop-app-dev"], "console-1", "UPDATE", [PRIMARY]),
        "operation console-1 (UPDATE, not ours) is RUNNING",
    ),
    "instance elsewhere": (
        lambda cloud: cloud.sets["shop-app-dev"].instances.update(
            {"eu-north-1": Instance("eu-north-1")}
        ),
        "instances elsewhere (eu-north-1",
    ),
    "inoperable": (
        lambda cloud: setattr(
            cloud.sets["shop-app-dev"].instances[PRIMARY], "status", "INOPERABLE"
        ),
        "INOPERABLE",
    ),
    "broken stack": (
        lambda cloud: [
            setattr(each, "status", "UPDATE_ROLLBACK_FAILED") for each in cloud.stacks.values()
        ],
        "needs a person",
    ),
}


@pytest.mark.parametrize("case", BLOCKS)
def test_blocked(deployed, case):
    spoil, reason = BLOCKS[case]
    spoil(deployed)
    made = plan_rollout(desired(changed(app={"Description": "new"})), deployed)
    assert reason in " ".join(each.reason for each in made.blocked)
    assert made.steps == ()
    assert not made.is_empty
    writes = dict(deployed.sets)
    with pytest.raises(DeployError):
        apply(made, desired(changed(app={"Description": "new"})), deployed, means())
    assert deployed.sets == writes


def test_a_stack_set_of_somebody_else_is_not_touched(deployed):
    found = deployed.sets["shop-app-dev"]
    found.request = replace(found.request, tags={})
    assert "tap did not make" in " ".join(
        each.reason for each in plan_rollout(desired(), deployed).blocked
    )


def test_a_region_that_the_manifest_dropped_is_not_taken_away(deployed):
    stacks = parts()
    stacks["app"] = ((PRIMARY,), *stacks["app"][1:])
    made = plan_rollout(desired(stacks), deployed)
    assert "no longer names" in reasons(made)["app", PRIMARY]


def test_an_output_that_is_not_deployed_blocks_its_taker():
    made = plan_rollout(desired(), FakeCloud(), Options(region=SECONDARY))
    assert actions(made)["board", SECONDARY] is Action.BLOCKED
    assert f"edge.CheckId of {PRIMARY}" in reasons(made)["board", SECONDARY]


def test_losing_state_needs_an_approval_of_exactly_that_loss(deployed):
    stacks = changed()
    stacks["table"][1]["Resources"]["Table"]["Properties"]["TableName"] = "renamed"
    wanted = desired(stacks)
    made = plan_rollout(wanted, deployed)
    (asked,) = made.approvals
    assert (asked.logical_id, asked.what) == ("Table", "is replaced, since TableName changes")
    with pytest.raises(NotApprovedError, match="Table is replaced") as refused:
        apply(made, wanted, deployed, means())
    assert refused.value.exit_code == 3
    assert asked.digest in refused.value.remedy
    other = plan_rollout(wanted, deployed, Options(approved=frozenset({"0" * 16})))
    assert other.unapproved == (asked,)
    assert run(deployed, wanted, approved=frozenset({asked.digest})) == Succeeded()


def test_an_edited_plan_is_refused(deployed):
    data = plan_rollout(desired(changed(app={"Description": "new"})), deployed).to_json()
    data["steps"][1]["regions"] = [PRIMARY]
    with pytest.raises(DeployError, match="edited"):
        Plan.from_json(data)


@pytest.mark.parametrize("data", [{}, {"schema": "tap.plan/2"}, {"steps": [{"do": "dance"}]}])
def test_what_is_no_plan_is_refused(data):
    with pytest.raises(DeployError, match="cannot be read"):
        Plan.from_json(data)


def test_credentials_of_another_account_are_refused_before_anything_is_read():
    cloud = FakeCloud(account="999999999999")
    with pytest.raises(DeployError, match="999999999999"):
        plan_rollout(desired(account=ACCOUNT), cloud)
    assert [name for name, _ in cloud.calls] == ["identity"]


def test_create_stack_set_answers_every_parameter():
    made = plan_rollout(desired(settings={"Size": "9"}), FakeCloud())
    app = next(s for s in made.steps if isinstance(s, CreateStackSet) and s.stack == "app")
    assert app.parameters["Size"] == Known("9")
    assert app.parameters["EnvironmentSuffix"] == Known("dev")
    assert set(app.parameters) == {"CodeKey", "CodeSha256", "EnvironmentSuffix", "Size"}
