"""The machines of trading-dr on the engine's interpreter: run, failing anywhere, cut off anywhere.

What this does not cover: a real promotion, which takes minutes, may lose commits and answers with
states that the engine does not have (a moving writer is scripted); real pauses, which are a tenth
of a second here, with fewer attempts; time-outs of tasks and of runs; the permissions of the
machine's role; which names Step Functions gives to errors of RDS; two regions that disagree, since
the table is one here, as a strongly consistent one is.
"""

import pytest
from local.conftest import ROOT, Clients, eventually
from local.trading_machines import CUT, HERE, HOME, MACHINES, Places
from local.trading_stories import (
    FAILBACK,
    FAILOVER,
    ON_THE_WAY,
    TAKING_BACK,
    TELLING,
    Story,
    all_at_once,
    in_order,
    is_done,
    is_failed_over,
    is_returned,
    prepared,
    two_runs,
)

from tap_templates.local import engine as engines

STEPS = [(kind, name) for kind, found in ON_THE_WAY.items() for name in found]
# To be cut off after a task that only looks is to be cut off before it.
CHANGING = [step for step in STEPS if not step[1].startswith(("Check", "Look", "Observe", "Read"))]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    engines.stop(ROOT, name="tests-machines")
    clients = Clients(engines.start(ROOT, name="tests-machines"))
    yield Places(clients, tmp_path_factory.mktemp("worlds"))
    clients.close()
    engines.stop(ROOT, name="tests-machines")


@pytest.fixture(scope="module")
def broken(places):
    """For each task: a run in which it fails for good, and one after it is mended."""

    def tell(number, kind, name):
        world = f"b{number}"
        return lambda: two_runs(places, world, kind, {name: "Broken"}, proxied=(name,))

    return all_at_once(places, {step: tell(number, *step) for number, step in enumerate(STEPS)})


@pytest.fixture(scope="module")
def cut(places):
    """For each task: a run that is cut off after it, and another from the start."""

    def tell(number, kind, name):
        return lambda: two_runs(places, f"c{number}", kind, {}, cut_after=name)

    return all_at_once(places, {step: tell(number, *step) for number, step in enumerate(CHANGING)})


@pytest.fixture(scope="module")
def there_and_back(places):
    """A failover, once more, a failback, once more."""
    world = places.world_with_mapping("happy")
    kept, mapped = {}, {}
    for name, make in (("over", FAILOVER), ("again", FAILOVER), ("back", FAILBACK)):
        world.script(calls=[])
        kept[name] = (world.run(make), world.role(), world.script()["calls"])
        mapped[name] = places.mapping_state(world)
    assert mapped == {"over": "Enabled", "again": "Enabled", "back": "Disabled"}
    assert (world.writer(), world.latched(), world.cuts()) == (HOME, False, {"1": CUT})
    kept["back again"] = (world.run(FAILBACK), world.role(), None)
    return world, kept, dict(zip(kept, world.runs, strict=True))


def test_a_failover_does_everything_in_order_and_says_so(places, there_and_back):
    world, kept, runs = there_and_back
    found, role, calls = kept["over"]
    assert (found["status"], role) == ("SUCCEEDED", (2, HERE, "serving", 2))
    in_order(
        world.entered(runs["over"]),
        *("Fence", "Latch", "Promote", "Canary", "Prepare", "RecordCuts", "Replay"),
        *("Serve", "EnableConsumers", "Validate", "Reconcile", "Announce", "Notify", "Settle"),
    )
    assert calls.count("Replay") == 2
    (notice,), events = places.about(runs["over"])
    assert events == ["failover completed"]
    assert (notice["epoch"], notice["applied"], notice["restored"]) == (2, 6, 2)
    assert (notice["acknowledged"], notice["region"]) == (7, HERE)
    assert "docs/trading-dr/failover.md" in notice["todo"]


def test_a_failover_that_finds_it_done_does_nothing(places, there_and_back):
    world, kept, runs = there_and_back
    found, role, calls = kept["again"]
    assert (found["status"], role, calls) == ("SUCCEEDED", (2, HERE, "serving", 2), [])
    assert world.entered(runs["again"])[-1] == "AlreadyServing"
    assert places.about(runs["again"]) == ([], [])


def test_a_failback_does_everything_in_order_and_says_so(places, there_and_back):
    world, kept, runs = there_and_back
    found, role, _ = kept["back"]
    assert (found["status"], role) == ("SUCCEEDED", (3, HOME, "serving", 3))
    in_order(
        world.entered(runs["back"]),
        *("CheckReady", "Claim", "DisableConsumers", "RaiseFence", "Switchover", "Return"),
        *("AwaitReturned", "Unlatch", "Announce", "Notify", "Settle"),
    )
    (notice,), events = places.about(runs["back"])
    assert events == ["failback completed"]
    assert (notice["epoch"], notice["what"]) == (3, "The home region is active again")


def test_a_failback_that_finds_it_done_does_nothing(places, there_and_back):
    world, kept, runs = there_and_back
    found, role, _ = kept["back again"]
    assert (found["status"], role) == ("SUCCEEDED", (3, HOME, "serving", 3))
    assert world.entered(runs["back again"])[-1] == "AlreadyHome"
    assert places.about(runs["back again"]) == ([], [])


@pytest.fixture(scope="module")
def stumbling(places):
    """For each machine: a run in which every task fails once, and a run after it."""

    def tell(kind):
        on_the_way = ON_THE_WAY[kind]
        faults = {name: ["Busy"] for name in on_the_way}
        return lambda: two_runs(places, f"once-{kind}", kind, faults, proxied=on_the_way)

    return all_at_once(places, {kind: tell(kind) for kind in MACHINES})


@pytest.mark.parametrize("kind", MACHINES)
def test_every_task_may_fail_once(stumbling, kind):
    story = stumbling[kind]
    assert story.first["status"] == "SUCCEEDED", story.first
    is_done(kind, story.world)
    calls = story.world.script()["calls"]
    assert {name for name in ON_THE_WAY[kind] if calls.count(name) < 2} == set()


@pytest.mark.parametrize(("kind", "name"), STEPS)
def test_a_task_that_fails_for_good_is_told_of_and_the_next_run_does_the_rest(broken, kind, name):
    story = broken[kind, name]
    status, error = story.first["status"], story.first.get("error")
    if name in TELLING:
        assert status == "SUCCEEDED"
    else:
        assert (status, error) == ("FAILED", f"{kind.capitalize()}Failed")
        *_, event = story.events
        *_, notice = story.told
        assert event == f"{kind} failed"
        assert f"docs/trading-dr/{kind}.md" in notice["todo"]
        if name not in {"Switchover", "Promote"}:
            assert notice["error"] == "Broken"
    assert story.second["status"] == "SUCCEEDED", story.second
    # A switchover that is refused for good has cost an epoch, in which this region served on.
    if name == "Switchover":
        is_returned(story.world, epoch=5)
    else:
        is_done(kind, story.world)


@pytest.mark.parametrize(("kind", "name"), CHANGING)
def test_a_run_that_is_cut_off_anywhere_is_made_good_by_another(cut, kind, name):
    story = cut[kind, name]
    assert story.first["error"] == "Cut"
    assert story.second["status"] == "SUCCEEDED", story.second
    is_done(kind, story.world)


def test_an_answer_that_is_lost_does_not_cost_the_fence(places):
    world = places.world("lost")
    world.script(faults={"Fence": ["lost"]})
    found = world.run(FAILOVER, proxied=("Fence",))
    assert found["status"] == "SUCCEEDED"
    is_failed_over(world)
    assert world.script()["calls"].count("Fence") == 2


def test_a_failover_of_rds_that_runs_already_is_waited_for(places):
    world = places.world("moving")
    world.script(moving=3)
    found = world.run(FAILOVER, proxied=("Look",))
    assert found["status"] == "SUCCEEDED"
    entered = world.entered(world.runs[-1])
    assert entered.index("Promote") > [i for i, each in enumerate(entered) if each == "Look"][3]
    is_failed_over(world)


@pytest.mark.parametrize(
    "error", ["Rds.InvalidGlobalClusterStateException", "Rds.InvalidDbClusterStateException"]
)
def test_an_order_that_rds_has_taken_before_is_looked_at_again(places, error):
    world = places.world(error.replace(".", "-").lower()[:24])
    world.script(faults={"Promote": [error]})
    assert world.run(FAILOVER, proxied=("Promote",))["status"] == "SUCCEEDED"
    assert world.script()["calls"].count("Promote") == 2
    is_failed_over(world)


def test_a_promotion_that_never_comes_is_given_up_and_told(places, broken):
    story = broken["failover", "Promote"]
    assert story.told[0]["error"] == "NotPromoted"
    assert story.between == (2, HERE, "failing-over", 1)


def test_of_two_failovers_at_once_one_wins_and_the_other_ends_without_harm(places):
    world = places.world("two")
    runs = [world.start(FAILOVER), world.start(FAILOVER)]
    ended = [world.ended(run) for run in runs]
    assert [each["status"] for each in ended] == ["SUCCEEDED"] * 2
    last = sorted(world.entered(run)[-1] for run in runs)
    assert last in (["FailedOver", "Overtaken"], ["AlreadyServing", "FailedOver"])
    assert world.role()[1:] == (HERE, "serving", world.role()[0])
    assert sum(len(places.about(run)[1]) for run in runs) == 1
    is_failed_over(world)


def test_a_second_run_takes_over_from_one_that_still_runs(places):
    """The first is overtaken at its next write, and ends well; the second does the rest."""
    world = places.world("overtaking")
    world.script(faults={"Canary": ["slow"]})
    first = world.start(FAILOVER)
    eventually(lambda: "Canary" in world.script()["calls"])
    second = world.run(FAILOVER)
    assert (second["status"], world.ended(first)["status"]) == ("SUCCEEDED", "SUCCEEDED")
    assert world.entered(first)[-1] == "Overtaken"
    is_failed_over(world)


def test_of_two_failbacks_at_once_one_wins_and_the_other_ends_without_harm(places):
    world = prepared(places, "two-back", "failback")
    runs = [world.start(FAILBACK), world.start(FAILBACK)]
    assert [world.ended(run)["status"] for run in runs] == ["SUCCEEDED"] * 2
    assert sorted(world.entered(run)[-1] for run in runs) in (
        ["Overtaken", "Returned"],
        ["AlreadyHome", "Returned"],
    )
    is_returned(world)


def test_a_switchover_that_is_refused_leaves_this_region_serving(broken, places):
    story = broken["failback", "Switchover"]
    assert story.between == (4, HERE, "serving", 4)
    (notice,) = story.told
    assert notice["what"] == "RDS refused the switchover; this region serves as before"
    entered = story.world.entered(story.first["executionArn"])
    in_order(entered, "Switchover", "TakeBack", "RaiseFenceAgain", "ServeAgain")
    assert "EnableConsumersAgain" in entered


CUTTABLE = sorted(TAKING_BACK - {"NotifyTakenBack"})


@pytest.fixture(scope="module")
def refused(places):
    """For each task of taking back: a run that is cut off after it, and one that goes on."""

    def tell(name):
        def live():
            world = prepared(places, f"tb-{name}".lower(), "failback")
            world.script(faults={"Switchover": "Broken"})
            first = world.run(FAILBACK, proxied=("Switchover",), cut_after=name)
            between = world.role()
            # Once it serves again, the failover machine does the rest.
            machine = FAILOVER if between[2] == "serving" else FAILBACK
            return Story(world, first, [], [], world.run(machine), between)

        return live

    return all_at_once(places, {name: tell(name) for name in CUTTABLE})


@pytest.mark.parametrize("name", CUTTABLE)
def test_taking_back_may_itself_be_cut_off(refused, name):
    story = refused[name]
    assert story.first["error"] == "Cut"
    epoch, active, phase, _ = story.between
    assert (epoch, active) == (4, HERE)
    if phase == "serving":
        assert story.second["status"] == "SUCCEEDED"
    else:
        assert story.second["error"] == "FailbackFailed"
    assert story.world.role() == (4, HERE, "serving", 4)
    assert (story.world.writer(), story.world.script()["mapping"]) == (HERE, "Enabled")


def test_a_pair_that_is_not_ready_is_left_as_it_is(places):
    world = prepared(places, "unready", "failback")
    world.script(faults={"CheckReady": "NotReady"})
    found = world.run(FAILBACK)
    assert (found["status"], found["error"]) == ("FAILED", "FailbackFailed")
    is_failed_over(world)
    assert places.about(world.runs[-1])[0][0]["error"] == "NotReady"


def test_a_failover_under_way_is_not_turned_into_a_failback(places):
    world = places.world("notnow")
    world.put_role(epoch=2, active=HERE, phase="failing-over", settled=1)
    found = world.run(FAILBACK)
    assert (found["status"], found["error"]) == ("FAILED", "FailbackFailed")
    assert world.role() == (2, HERE, "failing-over", 1)
    assert places.about(world.runs[-1])[0][0]["error"] == "NotNow"


def test_a_home_that_is_lost_on_the_way_back_is_failed_over_again(places):
    world = prepared(places, "lostback", "failback")
    world.run(FAILBACK, cut_after="Return")
    assert world.role() == (3, HOME, "serving", 2)
    assert world.run(FAILOVER)["status"] == "SUCCEEDED"
    is_failed_over(world, epoch=4)
    assert sorted(world.cuts()) == ["1", "2", "3"]


def test_cuts_are_recorded_as_the_replayer_says_also_a_second_time(places):
    world = places.world("oldcut")
    world.run(FAILOVER, cut_after="RecordCuts")
    before = world.cuts()
    assert world.run(FAILOVER)["status"] == "SUCCEEDED"
    assert world.cuts() == before == {"1": CUT}


def test_orders_that_are_missing_are_told_of_and_the_region_serves(places):
    world = places.world("missing")
    world.script(faults={"Reconcile": "Unreconciled"})
    found = world.run(FAILOVER)
    assert (found["status"], found["error"]) == ("FAILED", "FailoverFailed")
    assert world.script()["calls"].count("Reconcile") == 1
    assert world.role() == (2, HERE, "serving", 1)
    assert places.about(world.runs[-1])[0][0]["error"] == "Unreconciled"


@pytest.mark.parametrize(("incomplete", "looks", "complete"), [(2, 3, True), (99, 5, False)])
def test_orders_are_looked_for_until_all_are_or_it_says_that_they_are_not(
    places, incomplete, looks, complete
):
    world = places.world(f"incomplete{incomplete}")
    world.script(incomplete=incomplete)
    assert world.run(FAILOVER)["status"] == "SUCCEEDED"
    assert world.script()["calls"].count("Reconcile") == looks
    (notice,), _ = places.about(world.runs[-1])
    assert notice["found"]["complete"] is complete
    is_failed_over(world)


def test_a_role_that_a_person_wrote_is_taken_over_with_all_epochs_in_doubt(places):
    world = places.world("byhand")
    world.put_role(epoch=3, active=HERE, phase="failing-over")
    assert world.run(FAILOVER)["status"] == "SUCCEEDED"
    is_failed_over(world, epoch=3)
    assert sorted(world.cuts()) == ["1", "2"]
