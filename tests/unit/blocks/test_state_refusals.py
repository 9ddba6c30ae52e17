"""Machines that are wrong are refused where they are written."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tap_templates.blocks import state_choices as choices
from tap_templates.blocks.function import Function
from tap_templates.blocks.state_calls import (
    Invoke,
)
from tap_templates.blocks.state_errors import Catch, Retry
from tap_templates.blocks.state_flow import Definition, Flow
from tap_templates.blocks.states import (
    Choice,
    Fail,
    Map,
    Parallel,
    Pass,
    Succeed,
    Task,
    Wait,
    When,
)
from tap_templates.errors import ModelError

SECOND = timedelta(seconds=1)
RETRY = Retry(errors=("E",), interval=SECOND, most_attempts=1)
CATCH = Catch(errors=("E",), then="Out")
CALL = Invoke(function=Function("f"), payload={"id.$": "$.id"})
OUT = Fail(error="E", cause="c")


def task(**changes: object) -> Task:
    plain = Task(call=CALL, timeout=SECOND, retry=(RETRY,), catch=(CATCH,), then=None)
    return replace(plain, **changes)


def one(**changes: object) -> Definition:
    """Make a machine of one task and where it goes when it fails."""
    return machine({"Do": task(**changes), "Out": OUT})


def machine(states, start="Do", **more) -> Definition:
    return Definition(comment="c", start=start, states=states, **more)


def test_the_machine_that_the_refusals_start_from_is_fine():
    assert one().body()["StartAt"] == "Do"


BRANCH = Flow(start="In", states={"In": Pass(then=None)})

REFUSED = {
    "an unknown successor": (lambda: one(then="Nowhere"), "goes on to Nowhere"),
    "an unknown target of a catch": (
        lambda: machine({"Do": task()}),
        "goes on to Out, which is no state of the same machine or branch",
    ),
    "an unknown default": (
        lambda: machine({"Do": Choice(when=(When(choices.present("$.a"), "Out"),), otherwise="X"),
                         "Out": OUT}),
        "goes on to X",
    ),
    "a branch that leaves itself": (
        lambda: machine({"Do": Parallel(then=None, branches=(
            Flow(start="In", states={"In": Pass(then="Out")}),)), "Out": OUT}),
        "a branch|goes on to Out",
    ),
    "an unknown start": (lambda: machine({"Out": OUT}), "begins with 'Do'"),
    "no state": (lambda: machine({}), "begins with 'Do'"),
    "an unreachable state": (
        lambda: machine({"Do": task(), "Out": OUT, "Lost": Succeed()}), "cannot be reached"),
    "no end": (
        lambda: machine({"Do": Pass(then="On"), "On": Pass(then="Do")}), "no way to an end"),
    "a loop without a bound": (
        lambda: machine({"Do": task(then="Do"), "Out": OUT}), "can go round for ever"),
    "a loop in a branch": (
        lambda: machine({"Do": Map(items="$", most_at_once=1, then=None, each=Flow(
            start="In", states={"In": Choice(when=(When(choices.present("$.a"), "On"),),
                                             otherwise="In"), "On": Succeed()}))}),
        "can go round for ever",
    ),
    "two of one name": (
        lambda: machine({"In": Parallel(branches=(BRANCH,), then=None)}, "In"),
        "two states called In",
    ),
    "a long name": (lambda: machine({"D" * 81: Succeed()}, "D" * 81), "81 characters"),
    "no time": (lambda: one(timeout=timedelta()), "has a timeout of"),
    "half a second": (lambda: one(timeout=SECOND / 2), "has a timeout of"),
    "no retry and no reason": (lambda: one(retry=()), "has no retry, and no reason"),
    "no catch and no reason": (
        lambda: machine({"Do": task(catch=())}), "has no catch, and no reason"),
    "neither": (
        lambda: machine({"Do": task(retry=(), catch=(), because=" ")}),
        "no retry and no catch, and no reason",
    ),
    "a reason for nothing": (lambda: one(because="x"), "take|has retry and catch"),
    "all errors first": (
        lambda: one(retry=(replace(RETRY, errors=("States.ALL",)), RETRY)), "beside or before"),
    "all errors beside others": (
        lambda: one(catch=(replace(CATCH, errors=("E", "States.ALL")),)), "beside or before"),
    "an error of nobody's": (
        lambda: one(retry=(replace(RETRY, errors=("States.TimeOut",)),)), "does not define"),
    "no error": (lambda: one(catch=(replace(CATCH, errors=()),)), "catches no error"),
    "an error twice": (lambda: one(retry=(RETRY, RETRY)), "retries E twice"),
    "no pause": (lambda: one(retry=(replace(RETRY, interval=timedelta()),)), "its retry: pauses"),
    "a backoff that hurries": (lambda: one(retry=(replace(RETRY, backoff=0.5),)), "0.5 times"),
    "a longest delay that is short": (
        lambda: one(retry=(replace(RETRY, longest_delay=SECOND),)), "never longer than"),
    "a failure without a name": (
        lambda: machine({"Do": Fail(error="", cause="c")}), "without the name of an error"),
    "a failure with a name of AWS's": (
        lambda: machine({"Do": Fail(error="States.Mine", cause="c")}), "as AWS names its own"),
    "a result at no path": (lambda: one(keep_at="valid"), "where a path is needed"),
    "a path passed as text": (
        lambda: one(call=replace(CALL, payload={"id": "$.id"})), "passes the text '\\$.id'"),
    "a text where a path is needed": (
        lambda: one(result={"id.$": "id"}), "has 'id' under id.\\$, which is no path"),
    "null": (lambda: one(result={"a": [{"b": None}]}), "passes null"),
    "what JSON does not have": (lambda: one(result={"a": SECOND}), "passes datetime"),
    "a wait without end": (lambda: machine({"Do": Wait(then=None)}), "says 0 times"),
    "a wait of two minds": (
        lambda: machine({"Do": Wait(duration=SECOND, until_at="$.t", then=None)}), "says 2 times"),
    "no branches": (lambda: machine({"Do": Parallel(branches=(), then=None)}), "no branches"),
    "no choice": (
        lambda: machine({"Do": Choice(when=(), otherwise="Out"), "Out": OUT}), "to choose by"),
    "a map without limit": (
        lambda: machine({"Do": Map(items="$", each=BRANCH, most_at_once=0, then=None)}),
        "no limit"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_refused_where_it_is_written(name):
    make, says = REFUSED[name]
    with pytest.raises(ModelError, match=says) as raised:
        make()
    assert raised.value.remedy


def test_a_task_in_a_branch_is_caught_by_the_whole():
    branch = Flow(start="In", states={"In": task(catch=())})
    caught = Parallel(branches=(branch,), catch=(CATCH,), then=None)
    assert machine({"Do": caught, "Out": OUT})
    with pytest.raises(ModelError, match="state 'In': has no catch"):
        machine({"Do": replace(caught, catch=())})


def test_a_reason_and_a_recovery_stand_in_the_comment():
    made = replace(task(), retry=(), catch=(), because="Once.", recovers="It may.", comment="Hm.")
    assert made.body()["Comment"] == "No retry, no catch: Once. Recovers: It may. Hm."
    assert "Comment" not in task().body()
