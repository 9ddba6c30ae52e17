"""What an event and what is known of it make together."""

import pytest

from market_events.failures import EventIdReused, InvalidEvent
from market_events.schema import parse
from market_validation.core import Known, event_of, judge


def test_an_event_is_read_off_the_input_whatever_its_age(trade):
    old = trade | {"occurredAt": "1999-12-31T23:59:59Z"}
    assert event_of({"event": old, "execution": "x"}) == parse(old)


@pytest.mark.parametrize("given", [None, [], "x", 1, {}, {"event": None}, {"event": [1]}])
def test_without_an_event_the_input_is_invalid(given):
    with pytest.raises(InvalidEvent) as caught:
        event_of(given)
    assert [problem.field for problem in caught.value.problems] == ["event"]


def test_an_event_needs_its_id_here(trade):
    del trade["eventId"]
    with pytest.raises(InvalidEvent, match=r"^eventId must be"):
        event_of({"event": trade})


@pytest.mark.parametrize(
    ("status", "is_recorded"),
    [
        ("RECORDED", True),
        ("STORED", False),
        ("COMPENSATED", False),
        ("OTHER", False),
        (None, False),
    ],
)
def test_only_a_recorded_event_is_done(trade, status, is_recorded):
    event = parse(trade)
    verdict = judge(event, Known(status, event.digest))
    assert verdict.is_recorded is is_recorded


def test_an_unknown_event_is_not_done(trade):
    event = parse(trade)
    assert judge(event, None).output() == {
        "event": event.canonical(),
        "digest": event.digest,
        "recorded": False,
    }


@pytest.mark.parametrize("status", ["RECORDED", "STORED", "COMPENSATED", None])
@pytest.mark.parametrize("digest", ["another", "", None])
def test_another_content_under_the_id_is_refused(trade, status, digest):
    with pytest.raises(EventIdReused, match=r"^eventId is already used"):
        judge(parse(trade), Known(status, digest))


def test_another_spelling_is_the_same_content(trade):
    known = Known("RECORDED", parse(trade | {"price": "101.25"}).digest)
    assert judge(parse(trade), known).is_recorded
