"""What an execution does when things go right, wrong, or another way than planned."""

import copy

import pytest
from deploy_fakes import (
    PRIMARY,
    SECONDARY,
    WRITES,
    FakeCloud,
    Faulty,
    Recorder,
    changed,
    desired,
    means,
)

from tap_templates.deploy.errors import DeployError, ThrottledError, WorldMovedError
from tap_templates.deploy.events import (
    Detached,
    Failed,
    Failure,
    GateWaiting,
    OperationSeen,
    StepDone,
    Succeeded,
)
from tap_templates.deploy.executor import apply
from tap_templates.deploy.planner import Options
from tap_templates.deploy.retrying import Backoff, RetryingCloud
from tap_templates.deploy.rollout import join, plan_rollout

NEW = changed(app={"Description": "new"})


@pytest.fixture
def deployed():
    cloud = FakeCloud()
    assert run(cloud, desired()) == Succeeded()
    return cloud


def run(cloud, wanted, **named):
    made = plan_rollout(wanted, cloud, Options(made=str(len(named))))
    return apply(made, wanted, cloud, means(**named))


def test_a_failing_region_is_explained_by_its_first_failing_resource(deployed):
    """Not by the operation's summary, nor by what was cancelled after it."""
    deployed.broken["shop-app-dev", SECONDARY] = "the quota of things is exceeded"
    recorder = Recorder()
    outcome = run(deployed, desired(NEW), observer=recorder)
    assert isinstance(outcome, Failed)
    assert (outcome.stack, outcome.exit_code) == ("app", 1)
    assert outcome.failures == (
        Failure(
            stack="app",
            region=SECONDARY,
            status="FAILED",
            logical_id="Culprit",
            resource_type="AWS::Fake::Thing",
            reason="the quota of things is exceeded",
        ),
    )
    assert recorder.of(Failure) == [*outcome.failures]
    assert "tap rollback" in outcome.remedy
    primary = deployed.sets["shop-app-dev"].instances[PRIMARY]
    assert deployed.stacks[primary.stack_id].template == desired().stack("app").template


def test_a_region_that_was_cancelled_is_no_success():
    cloud = FakeCloud()
    cloud.broken["shop-app-dev", PRIMARY] = "no capacity"
    outcome = run(cloud, desired())
    assert [(each.region, each.status) for each in outcome.failures] == [
        (PRIMARY, "FAILED"),
        (SECONDARY, "CANCELLED"),
    ]


def test_success_with_another_template_is_no_success(deployed):
    class Forgetful(FakeCloud):
        pass

    made = plan_rollout(desired(NEW), deployed)
    deployed.__class__ = Forgetful
    Forgetful._act = lambda self, name, found, instance, action: ""  # CREATE_COMPLETE, as some do
    outcome = apply(made, desired(NEW), deployed, means())
    assert isinstance(outcome, Failed)
    assert "another template" in outcome.failures[0].reason


def test_an_update_of_one_region_may_not_undo_another(deployed):
    """AWS leaves instances of other regions as they are if nothing changed; not all imitate it."""

    class Hasty(FakeCloud):
        def update_stack_set(self, request, **named):
            super().update_stack_set(request, **named)
            for each in self.sets[request.name].instances.values():
                each.status = "OUTDATED"

    made = plan_rollout(desired(NEW), deployed)
    deployed.__class__ = Hasty
    outcome = apply(made, desired(NEW), deployed, means())
    assert isinstance(outcome, Failed)
    assert [(each.region, each.status) for each in outcome.failures] == [(SECONDARY, "OUTDATED")]


def test_the_gate_holds_the_primary_back_while_an_alarm_rings(deployed):
    standby = deployed.sets["shop-app-dev"].instances[SECONDARY]
    deployed.ringing[SECONDARY] = (deployed.stacks[standby.stack_id].physical("Rings"),)
    recorder = Recorder()
    outcome = run(deployed, desired(NEW), observer=recorder)
    assert isinstance(outcome, Failed)
    assert "rings" in outcome.what
    assert recorder.of(GateWaiting)
    assert deployed.sets["shop-app-dev"].instances[PRIMARY].status == "OUTDATED"


def test_an_alarm_of_the_primary_does_not_hold_it_back(deployed):
    primary = deployed.sets["shop-app-dev"].instances[PRIMARY]
    deployed.ringing[PRIMARY] = (deployed.stacks[primary.stack_id].physical("Rings"),)
    assert run(deployed, desired(NEW)) == Succeeded()


def test_a_plan_is_refused_when_the_world_moved(deployed):
    made = plan_rollout(desired(NEW), deployed)
    deployed._start(deployed.sets["shop-table-dev"], "console-1", "UPDATE", ())
    before = len(deployed.calls)
    with pytest.raises(WorldMovedError, match="no longer"):
        apply(made, desired(NEW), deployed, means())
    assert not {name for name, _ in deployed.calls[before:]} & WRITES


def test_a_plan_is_refused_for_another_build(deployed):
    made = plan_rollout(desired(NEW), deployed)
    with pytest.raises(WorldMovedError, match="another build"):
        apply(made, desired(), deployed, means())


def test_a_foreign_operation_in_between_is_named(deployed):
    class Busy(FakeCloud):
        def update_stack_set(self, request, **named):
            if not any(o.operation_id == "console-1" for o in self.sets[request.name].operations):
                self._start(self.sets[request.name], "console-1", "UPDATE", [PRIMARY])
            super().update_stack_set(request, **named)

    made = plan_rollout(desired(NEW), deployed)
    deployed.__class__ = Busy
    with pytest.raises(DeployError, match="console-1"):
        apply(made, desired(NEW), deployed, means())


def test_interruption_detaches_and_the_next_run_joins(deployed):
    made = plan_rollout(desired(NEW), deployed)
    at = _index_of(deployed, made, "operation")
    outcome = apply(made, desired(NEW), Faulty(deployed, at, "interrupt"), means())
    assert isinstance(outcome, Detached)
    assert outcome.exit_code == 130
    assert outcome.stack == "app"
    running = deployed.sets["shop-app-dev"].operations[-1]
    assert (running.operation_id, running.status) == (outcome.operation_id, "SUCCEEDED")
    recorder = Recorder()
    assert join(desired(NEW), deployed, means(observer=recorder)) is None
    assert run(deployed, desired(NEW)) == Succeeded()


@pytest.mark.parametrize("busy_first", [False, True])
def test_an_answer_that_was_lost_is_no_foreign_operation(deployed, busy_first):
    """Whether AWS then says "id used" or "busy": it is our own operation, and it is joined."""
    made = plan_rollout(desired(NEW), deployed)
    at = _index_of(deployed, made, "update_stack_set")
    deployed.busy_first = busy_first
    cloud = Faulty(deployed, at, "timeout after the effect")
    again = Backoff(sleep=lambda _: None, random=lambda: 0.0)
    patient = RetryingCloud(cloud=cloud, again=again)
    assert apply(made, desired(NEW), patient, means()) == Succeeded()
    ids = [each.operation_id for each in deployed.sets["shop-app-dev"].operations]
    assert len(ids) == len(set(ids)) == 3


def _index_of(cloud, made, name):
    """Say which call of applying `made` is the first to `name`, on a copy of the world."""
    twin = copy.deepcopy(cloud)
    before = len(twin.calls)
    apply(made, desired(NEW), twin, means())
    return [each for each, _ in twin.calls[before:]].index(name)


def test_an_operation_of_ours_is_joined_and_judged(deployed):
    deployed.broken["shop-app-dev", SECONDARY] = "no"
    app = deployed.sets["shop-app-dev"]
    deployed._start(app, "tap-0123-001-1", "UPDATE", [SECONDARY, PRIMARY])
    recorder = Recorder()
    outcome = join(desired(), deployed, means(observer=recorder))
    assert isinstance(outcome, Failed)
    assert outcome.step is None
    assert [each.logical_id for each in outcome.failures] == ["Culprit", ""]
    assert [each.status for each in recorder.of(OperationSeen)] == ["RUNNING", "FAILED"]


def test_an_operation_of_others_is_waited_for_only_if_asked(deployed):
    app = deployed.sets["shop-app-dev"]
    deployed._start(app, "console-1", "UPDATE", [SECONDARY])
    assert join(desired(), deployed, means()) is None
    assert app.operations[-1].status == "RUNNING"
    assert join(desired(), deployed, means(), wait_for_others=True) is None
    assert app.operations[-1].status == "SUCCEEDED"


def test_an_operation_that_does_not_end_is_left_running(deployed):
    deployed._advance = lambda name, operation: None
    with pytest.raises(DeployError, match="still RUNNING"):
        run(deployed, desired(NEW))


def test_upload_is_believed_only_when_read_back():
    cloud = FakeCloud()
    put = cloud.put_object
    cloud.put_object = lambda *args, data: put(*args, data=data[:-1])
    with pytest.raises(DeployError, match="after the upload"):
        run(cloud, desired())


def test_second_deploy_writes_nothing(deployed):
    before = len(deployed.calls)
    recorder = Recorder()
    assert run(deployed, desired(), observer=recorder) == Succeeded(nothing_to_do=True)
    assert not {name for name, _ in deployed.calls[before:]} & WRITES
    assert recorder.of(StepDone) == []


def test_no_call_leaves_the_pair(deployed):
    assert {region for _, region in deployed.calls} <= {"", PRIMARY, SECONDARY}


def test_operation_ids_say_plan_step_and_attempt(deployed):
    made = plan_rollout(desired(NEW), deployed)
    assert apply(made, desired(NEW), deployed, means(attempt=2)) == Succeeded()
    ids = [o.operation_id for o in deployed.sets["shop-app-dev"].operations[-2:]]
    assert ids == [f"tap-{made.plan_id[:16]}-{number:03d}-2" for number in (1, 3)]


def test_throttling_for_good_stops_with_the_reason_after_bounded_waits():
    slept = []

    def refuse():
        raise ThrottledError("here", "Throttling", "wait")

    backoff = Backoff(sleep=slept.append, random=lambda: 1.0)
    with pytest.raises(ThrottledError):
        backoff(refuse)
    assert slept == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0]


def test_jitter_scales_every_wait():
    slept = []
    answers = iter([ThrottledError("a", "b", "c"), ThrottledError("a", "b", "c"), 7])

    def answer():
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    assert Backoff(sleep=slept.append, random=lambda: 0.5)(answer) == 7
    assert slept == [0.25, 0.5]


def test_retrying_cloud_forwards_every_method():
    """A method that the wrapper lacks would be a call that is never repeated."""
    public = {name for name in dir(FakeCloud) if not name.startswith("_")} - {"end_state"}
    assert public <= {name for name in dir(RetryingCloud) if not name.startswith("_")}
