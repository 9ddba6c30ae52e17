"""Laws of planning, for many systems and many states of the world."""

import json

from deploy_fakes import (
    PRIMARY,
    SECONDARY,
    TEXT,
    FakeCloud,
    changed,
    desired,
    means,
    parts,
    template,
)
from hypothesis import given
from hypothesis import strategies as st

from tap_templates.deploy.destroy import destruction, plan_destroy
from tap_templates.deploy.events import Succeeded
from tap_templates.deploy.executor import apply
from tap_templates.deploy.observed import observe
from tap_templates.deploy.plan import Action, Plan
from tap_templates.deploy.planner import Options, plan
from tap_templates.deploy.rollout import plan_rollout
from tap_templates.deploy.steps import (
    CreateInstances,
    DeleteInstances,
    Gate,
    UpdateInstances,
    UpdateStackSet,
    step_from_json,
    step_to_json,
)

REGIONS = st.sampled_from([(PRIMARY,), (SECONDARY,), (PRIMARY, SECONDARY)])
SCOPES = st.sampled_from([None, PRIMARY, SECONDARY])


@st.composite
def systems(draw):
    """Some stacks; each may take an output of an earlier one."""
    made = {}
    for number in range(draw(st.integers(1, 4))):
        regions = draw(REGIONS)
        parameters, values = {}, {}
        sources = [(name, region) for name, (where, _, _) in made.items() for region in where]
        if sources and draw(st.booleans()):
            stack, region = draw(st.sampled_from(sources))
            parameters["Taken"] = TEXT
            values["Taken"] = {"output": {"stack": stack, "region": region, "name": "Out"}}
        body = template(
            parameters=parameters, outputs={"Out": "out"}, Description=draw(st.sampled_from("ab"))
        )
        made[f"s{number}"] = (regions, body, values)
    return made


@st.composite
def edits(draw, stacks):
    """The same stacks, some with another template or another output."""
    new = {}
    for name, (regions, old, values) in stacks.items():
        change = draw(st.sampled_from(["none", "text", "output"]))
        body = json.loads(json.dumps(old))
        if change == "text":
            body["Description"] = "edited"
        elif change == "output":
            body["Outputs"]["Out"]["Value"] = "another"
        new[name] = (regions, body, values)
    return new


@st.composite
def rollouts(draw):
    """A system, an edit of it, and a world in which the first, or nothing, is deployed."""
    old = draw(systems())
    new = draw(edits(old))
    cloud = FakeCloud()
    if draw(st.booleans()):
        deploy(cloud, desired(old), "first")
    if draw(st.booleans()):
        deploy(cloud, desired(new), "part", draw(SCOPES))
    return desired(new), cloud


def deploy(cloud, wanted, made, region=None):
    made_plan = plan_rollout(wanted, cloud, Options(region=region, made=made))
    return None if made_plan.blocked else apply(made_plan, wanted, cloud, means())


@given(rollouts())
def test_plan_of_the_reached_state_is_empty(rollout):
    wanted, cloud = rollout
    assert isinstance(deploy(cloud, wanted, "last"), Succeeded)
    after = plan_rollout(wanted, cloud)
    assert after.is_empty
    assert {each.action for each in after.changes} == {Action.NO_OP}


@given(rollouts(), SCOPES)
def test_planning_is_a_function(rollout, scope):
    wanted, cloud = rollout
    options = Options(region=scope)
    assert plan(wanted, observe(cloud, wanted), options) == plan(
        wanted, observe(cloud, wanted), options
    )


@given(rollouts(), SCOPES)
def test_a_saved_plan_is_the_plan(rollout, scope):
    wanted, cloud = rollout
    for made in (
        plan_rollout(wanted, cloud, Options(region=scope)),
        plan_destroy(wanted, cloud, Options(region=scope)),
    ):
        saved = json.dumps(made.to_json())
        assert Plan.from_json(json.loads(saved)) == made
        assert json.dumps(Plan.from_json(json.loads(saved)).to_json()) == saved
        assert all(step_from_json(step_to_json(step)) == step for step in made.steps)


@given(rollouts(), SCOPES)
def test_a_region_that_was_not_asked_for_is_left_alone(rollout, scope):
    wanted, cloud = rollout
    made = plan_rollout(wanted, cloud, Options(region=scope))
    touched = {
        region
        for step in made.steps
        if isinstance(step, CreateInstances | UpdateInstances | UpdateStackSet | DeleteInstances)
        for region in step.regions
    }
    assert touched <= ({scope} if scope else {PRIMARY, SECONDARY})


@given(rollouts())
def test_order_of_updates_and_creations(rollout):
    """Updated: standby before primary, a gate between. Created: primary before standby."""
    wanted, cloud = rollout
    steps = plan_rollout(wanted, cloud).steps
    updated, created, gated = [], [], set()
    for step in steps:
        match step:
            case Gate():
                gated |= {*step.stacks}
            case UpdateStackSet(regions=(region,)):
                if region == PRIMARY and (step.stack, SECONDARY) in updated:
                    assert step.stack in gated
                assert (step.stack, PRIMARY) not in updated
                assert step.stack not in {stack for stack, _ in created}
                updated.append((step.stack, region))
            case CreateInstances():
                for region in step.regions:
                    assert (step.stack, SECONDARY) not in created
                    created.append((step.stack, region))


@given(rollouts())
def test_no_step_comes_before_what_it_depends_on(rollout):
    """In each region stacks follow the manifest; what takes an output follows what makes it."""
    wanted, cloud = rollout
    order = [stack.name for stack in wanted.stacks]
    done = []
    for step in plan_rollout(wanted, cloud).steps:
        for region in getattr(step, "regions", ()):
            later = [each for each in done if each[1] == region]
            assert all(order.index(name) <= order.index(step.stack) for name, _ in later)
            done.append((step.stack, region))


@given(rollouts())
def test_destroy_is_the_reverse_and_leaves_nothing_to_destroy(rollout):
    wanted, cloud = rollout
    made = plan_destroy(wanted, cloud)
    order = [stack.name for stack in wanted.stacks]
    deleted = [step for step in made.steps if isinstance(step, DeleteInstances)]
    assert [each.stack for each in deleted] == sorted(
        (each.stack for each in deleted), key=order.index, reverse=True
    )
    assert all(each.regions != (PRIMARY, SECONDARY) for each in deleted)
    assert isinstance(apply(made, wanted, cloud, means()), Succeeded)
    assert cloud.sets == {}
    assert destruction(wanted, observe(cloud, wanted)).is_empty


def test_the_change_of_one_stack_plans_just_that():
    cloud = FakeCloud()
    deploy(cloud, desired(), "first")
    made = plan_rollout(desired(changed(parts(), app={"Description": "new"})), cloud)
    assert {(each.stack, each.action) for each in made.changes} == {
        ("table", Action.NO_OP),
        ("app", Action.UPDATE),
        ("edge", Action.NO_OP),
        ("board", Action.NO_OP),
    }
