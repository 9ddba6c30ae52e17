"""Failures: what is told of them."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from market_events import failures
from market_events.failures import (
    AwsRefused,
    EventIdReused,
    Failure,
    InvalidEvent,
    Problem,
    Superseded,
    TemporaryFailure,
    UnexpectedError,
    UnknownInstrument,
    failure_of,
)

CANARY = "4111111111111111"
HANDLERS = Path(failures.__file__).parents[1]


def test_the_names_are_those_the_state_machine_knows():
    for kind, name in {
        EventIdReused: "EventIdReused",
        InvalidEvent: "InvalidEvent",
        Superseded: "Superseded",
        TemporaryFailure: "TemporaryFailure",
        UnknownInstrument: "UnknownInstrument",
        AwsRefused: "AwsRefused",
        UnexpectedError: "UnexpectedError",
    }.items():
        assert kind.__name__ == name
        assert issubclass(kind, Failure)
    assert InvalidEvent([Problem("price", "must be so")]).name == "InvalidEvent"
    assert TemporaryFailure("Throttling").name == "TemporaryFailure.Throttling"


def test_an_invalid_event_tells_all_its_problems():
    invalid = InvalidEvent(iter([Problem("price", "must be so"), Problem("event", "must not")]))
    assert str(invalid) == "price must be so; event must not"
    assert len(invalid.problems) == 2


def test_an_error_of_botocore_becomes_ours_without_its_message():
    for code, kind in (("Throttling", TemporaryFailure), ("AccessDeniedException", AwsRefused)):
        said = {"Error": {"Code": code, "Message": CANARY}}
        failure = failure_of(ClientError(said, "PutItem"))
        assert (type(failure), str(failure)) == (kind, code)


def test_a_failure_can_be_carried_between_processes():
    again = pickle.loads(pickle.dumps(TemporaryFailure("Throttling")))  # noqa: S301 - our bytes
    assert again.name == "TemporaryFailure.Throttling"


@pytest.mark.parametrize("module", ["failures", "schema"])
def test_the_event_and_its_failures_need_nothing_but_python(module):
    """What is pure stays usable where neither boto3 nor Powertools is installed."""
    code = f"import sys; sys.path[:0] = [{str(HANDLERS)!r}]; import market_events.{module}"
    subprocess.run([sys.executable, "-S", "-I", "-c", code], check=True)
