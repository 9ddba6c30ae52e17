"""What a drill follows: the log, the states of a run, what is done again and again."""

import threading
from datetime import UTC, datetime

import pytest

from tap_templates.drill.following import (
    Following,
    Log,
    Repeating,
    failure,
    states,
    wait_until,
)
from tap_templates.drill.report import Event
from tap_templates.drill.trading_runs import entered
from tap_templates.errors import TapError

ERROR = TapError("x", "does not come", "wait")


def at(second):
    return datetime(2026, 11, 20, 12, 0, second, tzinfo=UTC)


def enters(second, kind, name):
    details = {"stateEnteredEventDetails": {"name": name}}
    return {"timestamp": at(second), "type": f"{kind}StateEntered", **details}


HISTORY = [
    {"timestamp": at(0), "type": "ExecutionStarted"},
    enters(0, "Pass", "Setup"),
    enters(1, "Task", "Look"),
    enters(2, "Choice", "IsDone"),
    enters(3, "Wait", "AwaitWriter"),
    enters(4, "Task", "Look"),
    enters(5, "Task", "Promote"),
    enters(6, "Succeed", "Serving"),
]


def test_states_that_take_time_are_listed_once_with_the_first_moment():
    found = list(states(HISTORY))
    assert found == [
        (at(1).timestamp(), "Look"),
        (at(3).timestamp(), "AwaitWriter"),
        (at(5).timestamp(), "Promote"),
        (at(6).timestamp(), "Serving"),
    ]
    assert entered(found, "Promote", "Look") == at(1).timestamp()
    assert entered(found, "Never") is None


def test_a_run_fails_for_what_its_last_failed_task_says():
    """The run's own failure only says that it failed."""
    failed = [
        {"type": "TaskFailed", "taskFailedEventDetails": {"error": "Early", "cause": "c"}},
        {"type": "TaskFailed", "taskFailedEventDetails": {"error": "Late", "cause": "why"}},
        {"type": "ExecutionFailed", "executionFailedEventDetails": {"error": "FailoverFailed"}},
    ]
    assert failure(failed) == "Late: why"
    assert failure(HISTORY) is None
    timed_out = [{"type": "TaskTimedOut", "taskTimedOutEventDetails": {"error": "States.Timeout"}}]
    assert failure(timed_out) == "States.Timeout"


def test_the_log_keeps_what_it_says_and_finds_the_first():
    said = []
    log = Log(said.append)
    killed = log.tell("drill", "kills")
    log.note("machine", "Promote", killed - 5)
    log.tell("dns", "moved", killed + 1)
    log.tell("dns", "moved", killed + 3)
    assert [line.split(" s  ")[1] for line in said] == ["drill: kills", *["dns: moved"] * 2]
    assert log.first("dns", "moved", after=killed) == killed + 1
    assert log.first("dns", "moved", after=killed + 2) == killed + 3
    assert log.first("dns", "gone", after=0.0) is None
    assert log.holds("dns", "moved", after=killed) == killed + 1
    assert log.holds("dns", "moved", after=killed + 2) == killed + 2  # it had already
    log.tell("dns", "moved back", killed + 4)
    assert log.holds("dns", "moved", after=killed + 5) is None
    assert Event(killed - 5, "machine", "Promote") in log.events()
    assert Event(killed - 5, "machine", "Promote") not in log.events(after=killed)


def test_a_change_is_told_once_and_silence_is_no_change():
    answers = iter(["home", "home", None, ERROR, "home", "away", "away"])
    seen = threading.Event()

    def probe(_):
        said = next(answers, "end")
        if said == "end":
            seen.set()
        if isinstance(said, TapError):
            raise said
        return said

    log = Log(lambda _: None)
    with Following(log, None, {"dns": probe}):
        assert seen.wait(10)
    told = [event.what for event in log.events()]
    assert told[:3] == ["home", "away", "end"]


def test_what_is_repeated_goes_on_after_a_failure():
    done, enough = [], threading.Event()

    def act():
        done.append(1)
        if len(done) > 2:
            enough.set()
        raise ERROR

    with Repeating(act, pause_seconds=0.0):
        assert enough.wait(10)


def test_waiting_ends_with_the_error_that_it_was_given():
    wait_until(lambda: True, ERROR, seconds=0.0)
    with pytest.raises(TapError, match="does not come"):
        wait_until(lambda: False, ERROR, seconds=0.05, every=0.01)
