"""Which events go together and which way they go, as tables."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_producer.core import (
    BYTES_MAX,
    Circuit,
    Event,
    InvalidEventError,
    Route,
    batches,
    codes,
    event,
    pause,
)

NEW = "0f8fad5b-d9cb-469f-a165-70867728950e"
OWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def sized(size, name="e"):
    bare = Event(id=name, detail_type="T", detail="").size
    return Event(id=name, detail_type="T", detail="x" * (size - bare))


def test_an_event_without_an_id_is_given_one_and_keeps_its_own():
    assert json.loads(event("T", {"a": 1}, new_id=NEW).detail) == {"a": 1, "eventId": NEW}
    assert event("T", {"eventId": OWN}, new_id=NEW).id == OWN


@pytest.mark.parametrize(
    ("detail_type", "detail", "said"),
    [
        ("", {}, "detailType"),
        (None, {}, "detailType"),
        ("T" * 129, {}, "detailType"),
        ("T", [], "detail:"),
        ("T", None, "detail:"),
        ("T", {"eventId": "4111111111111111"}, "detail.eventId"),
        ("T", {"eventId": 7}, "detail.eventId"),
        ("T", {"eventId": None}, "detail.eventId"),
        ("T", {"a": float("nan")}, "detail: cannot"),
        ("T", {"a": object()}, "detail: cannot"),
        ("T", {"a": "x" * BYTES_MAX}, "detail: is larger"),
    ],
)
def test_what_cannot_be_published_is_refused_before_anything_is_sent(detail_type, detail, said):
    with pytest.raises(InvalidEventError, match=f"^{said}") as caught:
        event(detail_type, detail, new_id=NEW)
    assert "4111" not in str(caught.value)


@given(detail=st.dictionaries(st.text(), st.text() | st.integers()))
def test_any_detail_of_json_survives(detail):
    detail.pop("eventId", None)
    assert json.loads(event("T", detail, new_id=NEW).detail) == detail | {"eventId": NEW}


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([100] * 10, [10]),
        ([100] * 11, [10, 1]),
        ([BYTES_MAX], [1]),
        ([BYTES_MAX, 100], [1, 1]),
        ([BYTES_MAX - 100, 100, 100], [2, 1]),
        ([400_000] * 5, [2, 2, 1]),
    ],
)
def test_a_batch_is_what_one_call_takes(sizes, expected):
    assert [len(batch) for batch in batches(map(sized, sizes))] == expected


@given(st.lists(st.integers(min_value=50, max_value=BYTES_MAX), max_size=25))
def test_batches_lose_and_reorder_nothing(sizes):
    events = [sized(size, str(index)) for index, size in enumerate(sizes)]
    made = list(batches(events))
    assert [each for batch in made for each in batch] == events
    assert all(len(batch) <= 10 and sum(e.size for e in batch) < 1_000_000 for batch in made)


def test_size_counts_bytes_not_characters():
    assert Event(id="e", detail_type="T", detail="€").size == len("trading-system") + 1 + 3


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (
            {"Entries": [{"EventId": "a"}, {"ErrorCode": "InternalFailure"}]},
            (None, "InternalFailure"),
        ),
        ({"Entries": [{"EventId": "a"}, {}]}, (None, "Unknown")),
        ({"Entries": [{"EventId": "a"}]}, ("UnexpectedResponse",) * 2),
        ({}, ("UnexpectedResponse",) * 2),
    ],
)
def test_an_answer_is_read_entry_by_entry(response, expected):
    assert codes(response, 2) == expected


def walk(circuit, *steps):
    """Apply (time, what the endpoint did) and give the circuit."""
    for now, answered in steps:
        circuit = circuit.endpoint_answered() if answered else circuit.endpoint_failed(now)
    return circuit


@pytest.mark.parametrize(
    ("steps", "now", "route"),
    [
        ([], 0, Route.ENDPOINT),
        ([(0, False), (1, False)], 1, Route.ENDPOINT),
        ([(0, False), (1, False), (2, False)], 2, Route.SECONDARY),
        ([(0, False), (1, False), (2, False)], 31.9, Route.SECONDARY),
        ([(0, False), (1, False), (2, False)], 32, Route.ENDPOINT),
        ([(0, False), (1, False), (1, True), (2, False)], 2, Route.ENDPOINT),
        ([(0, False), (1, False), (2, False), (32, False)], 61, Route.SECONDARY),
        ([(0, False), (1, False), (2, False), (32, False)], 62, Route.ENDPOINT),
        ([(0, False), (1, False), (2, False), (32, True), (33, False)], 33, Route.ENDPOINT),
    ],
)
def test_the_circuit(steps, now, route):
    assert walk(Circuit(threshold=3, cool_down=30), *steps).route(now) is route


@pytest.mark.parametrize("wrong", [{"threshold": 0}, {"cool_down": -1}])
def test_a_circuit_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="threshold"):
        Circuit(**wrong)


@given(st.integers(min_value=1, max_value=50), st.floats(min_value=0, max_value=1))
def test_a_pause_is_bounded(attempt, chance):
    assert 0 <= pause(attempt, chance) <= 5
