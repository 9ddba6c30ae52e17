"""Rollback, destroy, status and drift."""

import pytest
from deploy_fakes import PRIMARY, SECONDARY, WRITES, FakeCloud, changed, desired, means, parts

from tap_templates.deploy.destroy import leftovers, plan_destroy
from tap_templates.deploy.drift import drift
from tap_templates.deploy.errors import CloudError, DeployError
from tap_templates.deploy.events import Failed, Succeeded
from tap_templates.deploy.executor import apply
from tap_templates.deploy.observed import observe
from tap_templates.deploy.planner import Options
from tap_templates.deploy.ports import ResourceDrift
from tap_templates.deploy.rollback import plan_rollback
from tap_templates.deploy.rollout import plan_rollout
from tap_templates.deploy.status import status
from tap_templates.deploy.steps import (
    DeleteInstances,
    DeleteStackSet,
    EmptyBucket,
    UpdateStackSet,
    word,
)

TWO = changed(app={"Description": "two"}, board={"Description": "two"})
THREE = changed(TWO, app={"Description": "three"})


@pytest.fixture
def cloud():
    cloud = FakeCloud()
    for number, stacks in enumerate((parts(), TWO, THREE)):
        deploy(cloud, stacks, str(number))
    return cloud


def deploy(cloud, stacks, made, **named):
    wanted = desired(stacks, **named)
    assert (
        apply(plan_rollout(wanted, cloud, Options(made=made)), wanted, cloud, means())
        == Succeeded()
    )


def roll_back(cloud, made, stacks=None, **named):
    plan, back = plan_rollback(desired(stacks), cloud, Options(made=made), **named)
    return apply(plan, back, cloud, means())


def described(cloud, stack):
    return cloud.sets[f"shop-{stack}-dev"].request.template.count("three"), cloud.sets[
        f"shop-{stack}-dev"
    ].request.template.count("two")


def test_rollback_undoes_the_last_build_without_its_checkout(cloud):
    """The checkout at hand is the oldest one; what comes back is what was deployed before."""
    assert roll_back(cloud, "a") == Succeeded()
    assert described(cloud, "app") == (0, 1)
    assert described(cloud, "board") == (0, 1)
    assert plan_rollout(desired(TWO), cloud).is_empty


def test_rollback_again_changes_nothing_and_further_goes_on(cloud):
    assert roll_back(cloud, "a") == Succeeded()
    assert roll_back(cloud, "b") == Succeeded(nothing_to_do=True)
    assert roll_back(cloud, "c", further=True) == Succeeded()
    assert described(cloud, "app") == (0, 0)
    assert described(cloud, "board") == (0, 1)


def test_rollback_after_a_failed_update_that_also_mended_something():
    """The last operation was on a stack whose release stayed; that build is not the last one."""
    cloud = FakeCloud()
    cloud.broken["shop-edge-dev", PRIMARY] = "no"
    wanted = desired()
    apply(plan_rollout(wanted, cloud, Options(made="0")), wanted, cloud, means())
    new = desired(TWO)
    assert isinstance(
        apply(plan_rollout(new, cloud, Options(made="1")), new, cloud, means()), Failed
    )
    assert described(cloud, "app") == (0, 1)
    plan, back = plan_rollback(new, cloud, Options(made="2"))
    assert {step.stack for step in plan.steps if isinstance(step, UpdateStackSet)} == {"app"}
    apply(plan, back, cloud, means())
    assert described(cloud, "app") == (0, 0)


def test_rollback_of_one_stack(cloud):
    assert roll_back(cloud, "a") == Succeeded()
    plan, _ = plan_rollback(desired(), cloud, stacks=["board"])
    assert {step.stack for step in plan.steps if hasattr(step, "stack")} == {"board"}


def test_rollback_brings_the_old_code_back():
    cloud = FakeCloud()
    deploy(cloud, parts(), "0")
    old = desired().stack("app").literals["CodeKey"]
    wanted = desired(zipped=b"new zip")
    made = plan_rollout(wanted, cloud, Options(made="1"))
    assert apply(made, wanted, cloud, means(read_file=lambda _: b"new zip")) == Succeeded()
    assert cloud.sets["shop-app-dev"].parameters["CodeKey"] != old
    assert roll_back(cloud, "2") == Succeeded()
    assert cloud.sets["shop-app-dev"].parameters["CodeKey"] == old


def test_rollback_is_an_update_with_gate(cloud):
    plan, _ = plan_rollback(desired(), cloud)
    assert [word(step) for step in plan.steps] == [
        "store-release",
        "update-stack-set",
        "gate",
        "update-stack-set",
    ]
    assert plan.verb == "rollback"


def test_rollback_without_an_earlier_release_says_so():
    cloud = FakeCloud()
    deploy(cloud, parts(), "0")
    with pytest.raises(DeployError, match="no earlier release"):
        plan_rollback(desired(), cloud)
    with pytest.raises(DeployError, match="app: has no earlier"):
        plan_rollback(desired(), cloud, stacks=["app"])


@pytest.mark.parametrize(
    ("prefix", "match"), [("releases/", "not what"), ("packages/", "not what")]
)
def test_rollback_to_something_tampered_with_is_refused(cloud, prefix, match):
    for bucket in cloud.buckets.values():
        bucket.update({key: b"{}" for key in bucket if key.startswith(prefix)})
    with pytest.raises(DeployError, match=match):
        plan_rollback(desired(), cloud)


def test_destroy_in_reverse_and_zero_left(cloud):
    app = cloud.sets["shop-app-dev"].instances
    full = [cloud.stacks[each.stack_id].physical("Files") for each in app.values()]
    cloud.filled = dict.fromkeys(full, 3)
    plan = plan_destroy(desired(THREE), cloud)
    names = [
        (word(step), step.stack)
        for step in plan.steps
        if isinstance(step, DeleteInstances | DeleteStackSet | EmptyBucket)
    ]
    assert [name for kind, name in names if kind == "delete-instances"] == [
        "board",
        "edge",
        "app",
        "table",
    ]
    assert names.index(("empty-bucket", "app")) < names.index(("delete-instances", "app"))
    assert [each.logical_id for each in plan.retained] == ["Table"]
    assert apply(plan, desired(THREE), cloud, means()) == Succeeded()
    left = leftovers(desired(THREE), cloud)
    assert (left.stack_sets, left.stacks) == ((), ())
    assert len(left.expiring) == 2
    assert [arn.split(":")[3] for arn in left.tagged] == [SECONDARY]
    assert "table" in left.tagged[0]
    assert not left.is_clean


def test_a_destroy_that_failed_is_explained_and_can_be_repeated(cloud):
    cloud.broken["shop-app-dev", SECONDARY] = "somebody protects it"
    plan = plan_destroy(desired(THREE), cloud, Options(made="a"))
    outcome = apply(plan, desired(THREE), cloud, means())
    assert isinstance(outcome, Failed)
    assert outcome.failures[0].reason == "somebody protects it"
    assert cloud.sets["shop-app-dev"].instances[SECONDARY].status == "INOPERABLE"
    assert plan_rollout(desired(THREE), cloud).blocked
    cloud.broken.clear()
    again = plan_destroy(desired(THREE), cloud, Options(made="b"))
    assert apply(again, desired(THREE), cloud, means()) == Succeeded()
    assert cloud.sets == {}


def test_what_cannot_be_checked_is_not_clean(cloud):
    def refuse(region, tags):
        raise CloudError("tagging", "UnknownOperation", "")

    cloud.tagged = refuse
    left = leftovers(desired(), cloud)
    assert len(left.unchecked) == 2
    assert not left.is_clean


def test_leftovers_of_stacks_that_the_manifest_forgot(cloud):
    stacks = parts()
    del stacks["table"]
    assert "shop-table-dev" in leftovers(desired(stacks), cloud).stack_sets


def test_destroy_of_one_region_keeps_the_other(cloud):
    plan = plan_destroy(desired(THREE), cloud, Options(region=PRIMARY))
    assert apply(plan, desired(THREE), cloud, means()) == Succeeded()
    assert set(cloud.sets) == {"shop-table-dev", "shop-app-dev", "shop-board-dev"}
    assert all(set(each.instances) == {SECONDARY} for each in cloud.sets.values())


def test_deploy_change_rollback_destroy_leaves_nothing():
    """The whole story, with nothing that is retained."""
    stacks = {name: part for name, part in parts().items() if name != "table"}
    cloud = FakeCloud()
    deploy(cloud, stacks, "0")
    deploy(cloud, changed(stacks, app={"Description": "two"}), "1")
    assert roll_back(cloud, "2", stacks) == Succeeded()
    plan = plan_destroy(desired(stacks), cloud, Options(made="3"))
    assert apply(plan, desired(stacks), cloud, means()) == Succeeded()
    assert leftovers(desired(stacks), cloud).is_clean


def test_status_has_a_row_for_each_stack_and_region(cloud):
    rows = status(desired(THREE), observe(cloud, desired(THREE)))
    assert [(row.stack, row.region) for row in rows] == [
        ("table", SECONDARY),
        ("app", PRIMARY),
        ("app", SECONDARY),
        ("edge", PRIMARY),
        ("board", PRIMARY),
        ("board", SECONDARY),
    ]
    assert all(row.is_good for row in rows)
    older = status(desired(TWO), observe(cloud, desired(TWO)))
    assert [row.stack for row in older if not row.is_ours] == ["app", "app"]


def test_status_of_nothing():
    rows = status(desired(), observe(FakeCloud(), desired()))
    assert {row.status for row in rows} == {"ABSENT"}


def test_drift_names_resources_and_templates_that_differ(cloud):
    app = cloud.sets["shop-app-dev"].instances
    found = (ResourceDrift(logical_id="Key", resource_type="AWS::KMS::Key", status="MODIFIED"),)
    cloud.drifted[app[PRIMARY].stack_id] = found
    cloud.stacks[app[SECONDARY].stack_id].template = "{}"
    rows = {(row.stack, row.region): row for row in drift(desired(), cloud, means().pace)}
    assert rows["app", PRIMARY].resources == found
    assert not rows["app", PRIMARY].is_in_sync
    assert rows["app", SECONDARY].template_differs
    assert rows["edge", PRIMARY].is_in_sync


def test_plan_status_and_drift_write_nothing_and_stay_in_the_pair(cloud):
    cloud.calls.clear()
    plan_rollout(desired(), cloud)
    plan_rollback(desired(), cloud)
    plan_destroy(desired(), cloud)
    status(desired(), observe(cloud, desired()))
    drift(desired(), cloud, means().pace)
    assert not {name for name, _ in cloud.calls} & WRITES
    assert {region for _, region in cloud.calls} <= {"", PRIMARY, SECONDARY}
