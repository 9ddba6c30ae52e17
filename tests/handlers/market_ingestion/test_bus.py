"""The bus: what is put again, what is not, and for how long."""

import json
import random
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError, ParamValidationError, ReadTimeoutError

from market_events.schema import DETAIL_TYPE, SOURCE, parse
from market_ingestion.bus import PATIENCE_SECONDS, Bus

THROTTLED = "ThrottlingException"
REFUSED = "NotAuthorizedForSourceException"
# docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html; it was raised since.
ENTRIES_BYTES_MAX = 256 * 1024


@pytest.fixture
def bus(fake_bus, time):
    return Bus(fake_bus, "market-events-test", stopwatch=time, sleep=time.sleep, chance=lambda: 1.0)


@pytest.fixture
def events(trade, quote):
    third = trade | {"eventId": "00000000-0000-4000-8000-000000000003"}
    return [parse(trade), parse(quote), parse(third)]


def failure(code, status=400):
    return ClientError(
        {"Error": {"Code": code, "Message": "x"}, "ResponseMetadata": {"HTTPStatusCode": status}},
        "PutEvents",
    )


def test_all_events_go_in_one_call(bus, fake_bus, time, events, trade):
    assert bus.put(events) == {}
    assert fake_bus.calls == [[event.id for event in events]]
    assert time.slept == []
    entry = fake_bus.taken[0]
    assert entry.keys() == {"Source", "DetailType", "EventBusName", "Time", "Detail"}
    assert (entry["Source"], entry["DetailType"]) == (SOURCE, DETAIL_TYPE)
    assert entry["EventBusName"] == "market-events-test"
    assert entry["Time"] == datetime(2026, 11, 20, 15, 4, 5, 124000, tzinfo=UTC)
    detail = json.loads(entry["Detail"])
    assert detail == events[0].canonical()
    assert parse(detail) == parse(trade)


def test_only_what_failed_is_put_again(bus, fake_bus, time, events):
    first, second, third = (event.id for event in events)
    fake_bus.script = [[None, THROTTLED, "InternalFailure"], ["InternalFailure", None], [None]]
    assert bus.put(events) == {}
    assert fake_bus.calls == [[first, second, third], [second, third], [second]]
    assert len(fake_bus.taken) == 3
    assert time.slept == [0.05, 0.1]


def test_what_is_refused_is_not_put_again(bus, fake_bus, events):
    first, second, third = (event.id for event in events)
    fake_bus.script = [[REFUSED, THROTTLED, None], [None]]
    missed = bus.put(events)
    assert {name: tuple(miss) for name, miss in missed.items()} == {first: (REFUSED, False)}
    assert fake_bus.calls == [[first, second, third], [second]]


@pytest.mark.parametrize(
    "lost",
    [
        failure(THROTTLED),
        failure("InternalException", 500),
        failure("NeverHeardOf", 503),
        ReadTimeoutError(endpoint_url="x"),
        {},
        {"Entries": []},
        {"Entries": "x"},
        {"Entries": [{}, {}, {}]},
    ],
)
def test_a_call_without_an_answer_is_made_again(bus, fake_bus, events, lost):
    fake_bus.script = [lost]
    assert bus.put(events) == {}
    assert len(fake_bus.calls) == 2


@pytest.mark.parametrize(
    "refusal",
    [
        failure("AccessDeniedException"),
        failure("ResourceNotFoundException"),
        ParamValidationError(report="x"),
    ],
)
def test_a_call_that_is_refused_is_not(bus, fake_bus, time, events, refusal):
    fake_bus.script = [refusal]
    missed = bus.put(events)
    assert list(missed) == [event.id for event in events]
    assert not any(miss.may_pass for miss in missed.values())
    assert (len(fake_bus.calls), time.slept) == (1, [])


def test_patience_ends(bus, fake_bus, time, events):
    fake_bus.script = [[None, THROTTLED, None], *([[THROTTLED]] * 100)]
    missed = bus.put(events)
    assert {name: tuple(miss) for name, miss in missed.items()} == {events[1].id: (THROTTLED, True)}
    assert time.seconds <= PATIENCE_SECONDS
    assert time.slept[:6] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0]
    assert time.seconds + 1.0 > PATIENCE_SECONDS


def test_slow_calls_use_patience_up_as_well(fake_bus, time, events):
    class Slow:
        def put_events(self, **kwargs):
            time.seconds += 2
            raise ReadTimeoutError(endpoint_url="x")

    bus = Bus(Slow(), "b", stopwatch=time, sleep=time.sleep, chance=lambda: 0.0)
    missed = bus.put(events)
    assert {miss.code for miss in missed.values()} == {"ReadTimeoutError"}
    assert time.slept == [0.025, 0.05]
    assert time.seconds == pytest.approx(6.075)


def test_pauses_differ_between_callers(fake_bus, time, events):
    fake_bus.script = [[THROTTLED] * 3] * 2
    Bus(fake_bus, "b", stopwatch=time, sleep=time.sleep, chance=lambda: 0.0).put(events)
    assert time.slept == [0.025, 0.05]


def test_pauses_differ_between_functions_restored_from_one_snapshot(fake_bus, time, events):
    """Their generators are in one state, as if all had been seeded alike."""
    slept = []
    for _ in range(2):
        random.seed(7)
        fake_bus.script = [[THROTTLED] * 3] * 3
        Bus(fake_bus, "b", stopwatch=time, sleep=time.sleep).put(events)
        slept.append(tuple(time.slept))
        time.slept.clear()
    assert slept[0] != slept[1]


def test_a_code_that_is_no_code_is_named_so(bus, fake_bus, events):
    fake_bus.script = [["card 4111111111111111", None, None]]
    [miss] = bus.put(events).values()
    assert tuple(miss) == ("UnknownCode", False)


def test_the_largest_batch_is_far_below_the_limit(bus, fake_bus, trade, quote):
    """Every field is bounded, so entries need no check of their size."""
    amount = "-" + "9" * 18 + "." + "9" * 10
    most = {"symbol": "A" * 32, "occurredAt": "2026-11-20T15:04:05.123456Z"}
    trade |= most | {"tradeId": "x" * 64, "price": amount, "quantity": amount[1:]}
    quote |= most | {"bidPrice": amount, "askPrice": amount}
    quote |= {"bidSize": amount[1:], "askSize": amount[1:]}
    for event in (trade, quote):
        bus.put([parse(event | {"eventId": f"0f8fad5b-d9cb-469f-a165-{n:012}"}) for n in range(10)])
    sizes = [
        14 + len(entry["Source"]) + len(entry["DetailType"]) + len(entry["Detail"].encode())
        for entry in fake_bus.taken
    ]
    assert len(sizes) == 20
    assert 10 * max(sizes) < ENTRIES_BYTES_MAX / 30
