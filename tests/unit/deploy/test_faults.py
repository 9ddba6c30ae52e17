"""Every call of every verb, failed in every way: the next run reaches the same end state."""

import copy
from collections import Counter

import pytest
from deploy_fakes import FAULTS, FakeCloud, Faulty, Killed, changed, desired, means, parts

from tap_templates.deploy.destroy import plan_destroy
from tap_templates.deploy.events import Failed, Succeeded
from tap_templates.deploy.executor import apply
from tap_templates.deploy.planner import Options
from tap_templates.deploy.retrying import Backoff, RetryingCloud
from tap_templates.deploy.rollback import plan_rollback
from tap_templates.deploy.rollout import join, plan_rollout
from tap_templates.errors import TapError

NEW = changed(
    table={"Description": "two"},
    app={"Description": "two"},
    edge={"Outputs": {"CheckId": {"Value": "other"}}},
)
NEWEST = changed(NEW, app={"Description": "three"}, board={"Description": "three"})


def deploy(stacks):
    def run(cloud, made):
        wanted = desired(stacks)
        outcome = join(wanted, cloud, means())
        return outcome or apply(
            plan_rollout(wanted, cloud, Options(made=made)), wanted, cloud, means()
        )

    return run


def rollback(cloud, made):
    wanted = desired(NEWEST)
    outcome = join(wanted, cloud, means())
    if outcome:
        return outcome
    plan, back = plan_rollback(wanted, cloud, Options(made=made))
    return apply(plan, back, cloud, means())


def destroy(cloud, made):
    wanted = desired(NEWEST)
    outcome = join(wanted, cloud, means())
    return outcome or apply(plan_destroy(wanted, cloud, Options(made=made)), wanted, cloud, means())


SCENARIOS = {
    "first deploy": ((), deploy(parts())),
    "update": ((deploy(parts()),), deploy(NEW)),
    "rollback": ((deploy(parts()), deploy(NEW), deploy(NEWEST)), rollback),
    "destroy": ((deploy(parts()), deploy(NEW)), destroy),
}


def patient(cloud):
    return RetryingCloud(cloud=cloud, again=Backoff(sleep=lambda _: None, random=lambda: 0.5))


def prepared(before):
    cloud = FakeCloud()
    for number, run in enumerate(before):
        assert run(cloud, f"before-{number}") == Succeeded()
    return cloud


def one_run(run, faulty, made):
    """Run once; say how it ended: done, or stopped with a reason, or killed."""
    try:
        outcome = run(patient(faulty), made)
    except TapError as error:
        return f"stopped: {type(error).__name__}" if error.where and error.what else "no reason"
    except Killed:
        return "killed"
    return f"Failed: {outcome.what}" if isinstance(outcome, Failed) else type(outcome).__name__


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_next_run_reaches_the_same_end_state(scenario, capsys):
    """For each call, for each fault: at most one more run, and the world is as without fault."""
    before, run = SCENARIOS[scenario]
    start = prepared(before)
    reference = copy.deepcopy(start)
    counting = Faulty(reference)
    assert run(patient(counting), "now") == Succeeded()
    wanted = reference.end_state()
    ends: Counter[tuple[str, str]] = Counter()
    for at in range(counting.count):
        for fault in FAULTS:
            cloud = copy.deepcopy(start)
            ended = one_run(run, Faulty(cloud, at, fault), "now")
            ends[fault, ended] += 1
            if fault in {"throttle", "server error", "timeout after the effect"}:
                assert ended == "Succeeded", (at, fault)
            else:
                assert ended != "Succeeded", (at, fault)
                again = one_run(run, Faulty(cloud), "later")
                assert again == "Succeeded", (at, fault, again)
            assert cloud.end_state() == wanted, (at, fault)
    with capsys.disabled():
        total = sum(ends.values())
        print(f"\n{scenario}: {counting.count} calls x {len(FAULTS)} faults = {total} cases")  # noqa: T201 - the count is asked for
        for (fault, ended), count in sorted(ends.items()):
            print(f"  {fault:25} {ended:30} {count}")  # noqa: T201 - the count
