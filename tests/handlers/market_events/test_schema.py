"""What a market event is, row by row."""

import dataclasses
import json
import uuid
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_events.failures import InvalidEvent, Problem
from market_events.schema import (
    FIELDS,
    TYPES,
    amount_text,
    complete,
    derived_id,
    is_event_id,
    is_type,
    parse,
)

ABSENT = object()
CANARY = "4111111111111111"
TRADE = {
    "eventId": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "type": "trade",
    "symbol": "ACME.TEST",
    "venue": "XTST",
    "currency": "USD",
    "occurredAt": "2026-11-20T15:04:05.123Z",
    "tradeId": "TRADE-TEST-0001",
    "price": "101.250",
    "quantity": "100",
}
QUOTE = {
    "eventId": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "type": "quote",
    "symbol": "ACME.TEST",
    "venue": "XTST",
    "currency": "USD",
    "occurredAt": "2026-11-20T15:04:05Z",
    "bidPrice": "101.2",
    "bidSize": "300",
    "askPrice": "101.30",
    "askSize": "0.5",
}
EVENTS = {"trade": TRADE, "quote": QUOTE}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
amounts = st.decimals(
    min_value=-(10**18) + 1, max_value=10**18 - 1, places=10, allow_nan=False
).map(lambda amount: format(amount, "f") if amount else "0")


def changed(event, **fields):
    return {name: value for name, value in (event | fields).items() if value is not ABSENT}


def problems(detail):
    with pytest.raises(InvalidEvent) as caught:
        parse(detail)
    return {problem.field for problem in caught.value.problems}


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_an_event_is_read_and_written_in_canonical_form(kind):
    event = parse(EVENTS[kind])
    assert (event.id, event.type, event.symbol) == (EVENTS[kind]["eventId"], kind, "ACME.TEST")
    assert (event.venue, event.currency, event.date) == ("XTST", "USD", "2026-11-20")
    written = json.loads(json.dumps(event.canonical()))
    assert written.keys() == EVENTS[kind].keys()
    again = parse(written)
    assert again == event
    assert again.digest == event.digest
    assert again.canonical() == written


def test_amounts_are_exact_and_never_float():
    event = parse(changed(TRADE, price="0.1", quantity="0.2"))
    assert event.facts["price"] + event.facts["quantity"] == Decimal("0.3")
    assert {type(value) for value in event.facts.values()} == {str, Decimal}
    most = "999999999999999999.9999999999"
    with localcontext(prec=5):  # a context must not round them
        event = parse(changed(TRADE, price=most))
        assert event.canonical()["price"] == most
        assert event.digest == parse(changed(TRADE, price=most)).digest
    assert parse(changed(TRADE, price="-37.63")).facts["price"] == Decimal("-37.63")


@given(amount=amounts)
def test_any_amount_survives_writing_and_reading(amount):
    event = parse(changed(TRADE, price=amount))
    assert event.facts["price"] == Decimal(amount)
    assert parse(event.canonical()) == event


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("100", "100"),
        ("100.00", "100"),
        ("0.10", "0.1"),
        ("0", "0"),
        ("0.00", "0"),
        ("-5.50", "-5.5"),
    ],
)
def test_an_amount_has_one_spelling(amount, text):
    assert amount_text(Decimal(amount)) == text


def test_the_digest_is_of_the_content_alone():
    event = parse(TRADE)
    assert parse(changed(TRADE, price="101.25")).digest == event.digest
    assert parse(changed(TRADE, occurredAt="2026-11-20T15:04:05.123000Z")).digest == event.digest
    assert parse(changed(TRADE, eventId=QUOTE["eventId"])).digest == event.digest
    others = {
        parse(changed(TRADE, **{name: value})).digest
        for name, value in {
            "symbol": "OTHER",
            "venue": "XOTH",
            "currency": "EUR",
            "occurredAt": "2026-11-20T15:04:05.124Z",
            "tradeId": "other",
            "price": "101.2500000001",
            "quantity": "101",
        }.items()
    }
    assert len(others - {event.digest}) == 7
    assert parse(QUOTE).digest not in others


def test_the_digest_and_the_derived_id_are_stored_facts():
    """Who changes how they are made turns every stored event into another one: so do not."""
    assert parse(TRADE).digest == (
        "2c7fce72bcb8c617710a6d7193baf26c2021676ae4630f89025e001f76cd94ac"
    )
    assert derived_id(TRADE) == "1d7bb94e-698d-5627-9585-adf358632b0b"


def test_an_id_is_derived_from_the_content():
    without = changed(TRADE, eventId=ABSENT)
    event = complete(without)
    assert is_event_id(event.id)
    assert uuid.UUID(event.id).version == 5
    assert event.id == derived_id(without) == derived_id(TRADE)
    assert complete(changed(without, price="101.25")).id == event.id
    assert complete(changed(without, price="101.26")).id != event.id
    assert dataclasses.replace(event, id=TRADE["eventId"]) == complete(TRADE)
    with pytest.raises(InvalidEvent) as caught:
        complete(changed(TRADE, eventId=None))  # said, and wrong
    assert [problem.field for problem in caught.value.problems] == ["eventId"]
    with pytest.raises(InvalidEvent) as caught:
        derived_id({"type": "trade"})
    assert "eventId" not in {problem.field for problem in caught.value.problems}
    assert problems(without) == {"eventId"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("eventId", ABSENT),
        ("eventId", ""),
        ("eventId", CANARY),
        ("eventId", "0F8FAD5B-D9CB-469F-A165-70867728950E"),
        ("eventId", "0f8fad5b-d9cb-469f-a165-70867728950e\n"),
        ("eventId", ["0f8fad5b-d9cb-469f-a165-70867728950e"]),
        ("symbol", "acme"),
        ("symbol", "A" * 33),
        ("symbol", "A#B"),
        ("venue", "XNYSE"),
        ("venue", ABSENT),
        ("currency", "usd"),
        ("currency", "US"),
        ("occurredAt", "2026-11-20T15:04:05+00:00"),
        ("occurredAt", "2026-02-30T15:04:05Z"),
        ("occurredAt", "2026-11-20T24:00:00Z"),
        ("occurredAt", "2026-11-20T15:04:60Z"),
        ("occurredAt", "2026-11-20T15:04:05.1234567Z"),
        ("occurredAt", "٢٠٢٦-11-20T15:04:05Z"),
        ("occurredAt", "0000-11-20T15:04:05Z"),
        ("occurredAt", 1763651045),
        ("tradeId", ""),
        ("tradeId", "x" * 65),
        ("tradeId", "a b"),
        ("price", 101.25),
        ("price", 101),
        ("price", True),
        ("price", Decimal("101.25")),
        ("price", "1e3"),
        ("price", "NaN"),
        ("price", "Infinity"),
        ("price", "+1"),
        ("price", "-0"),
        ("price", "-0.00"),
        ("price", "01"),
        ("price", "1."),
        ("price", ".5"),
        ("price", " 1"),
        ("price", "1_000"),
        ("price", "\u0661"),
        ("price", "1000000000000000000"),
        ("price", "1.00000000001"),
        ("price", ABSENT),
        ("quantity", "0"),
        ("quantity", "0.000"),
        ("quantity", "-1"),
        ("quantity", 100),
    ],
)
def test_a_broken_field_is_named_and_not_quoted(field, value):
    with pytest.raises(InvalidEvent) as caught:
        parse(changed(TRADE, **{field: value}))
    assert [problem.field for problem in caught.value.problems] == [field]
    if isinstance(value, str) and len(value) > 5:
        assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [("bidPrice", "x"), ("bidSize", "0"), ("askPrice", ABSENT), ("askSize", "-1")],
)
def test_a_broken_field_of_a_quote_is_named(field, value):
    assert problems(changed(QUOTE, **{field: value})) == {field}


def test_a_quote_is_not_crossed():
    assert problems(changed(QUOTE, bidPrice="101.31")) == {"askPrice"}
    assert parse(changed(QUOTE, bidPrice="101.30")).facts["bidPrice"] == Decimal("101.3")
    assert parse(changed(QUOTE, bidPrice="-2", askPrice="-1"))


def test_everything_wrong_is_told_at_once():
    with pytest.raises(InvalidEvent) as caught:
        parse(changed(TRADE, price=1.5, quantity=ABSENT, **{CANARY: CANARY}))
    found = caught.value.problems
    assert [problem.field for problem in found] == ["price", "quantity", "event"]
    assert found[-1] == Problem("event", "must not have unknown fields (it has 1)")
    assert CANARY not in str(caught.value)
    assert str(caught.value).count("; ") == 2


def test_the_fields_of_the_other_type_are_unknown():
    assert problems(TRADE | {"bidPrice": "1"}) == {"event"}
    assert problems(QUOTE | {"price": "1"}) == {"event"}


@pytest.mark.parametrize("kind", [ABSENT, "Trade", "order", None, [], {}, 1])
def test_without_a_type_the_type_is_the_problem(kind):
    assert problems(changed(TRADE, type=kind)) == {"type"}
    assert problems(changed(TRADE, type=kind) | {"surprise": "1"}) == {"type", "event"}


@pytest.mark.parametrize("detail", [None, [], "x", 1, True, [TRADE]])
def test_what_is_no_object_is_no_event(detail):
    assert problems(detail) == {"event"}
    with pytest.raises(InvalidEvent):
        complete(detail)


@given(
    detail=json_values,
    field=st.sampled_from(sorted(FIELDS)),
    kind=st.sampled_from(["trade", "quote"]),
)
def test_any_json_is_an_event_or_an_invalid_event(detail, field, kind):
    for each in (detail, EVENTS[kind] | {field: detail}):
        try:
            event = parse(each)
        except InvalidEvent:
            continue
        assert parse(event.canonical()) == event


def test_what_may_be_logged_is_told():
    assert is_event_id(TRADE["eventId"])
    assert not is_event_id(CANARY)
    assert not is_event_id([])
    assert is_type("quote")
    assert not is_type([])
    assert TRADE.keys() | QUOTE.keys() == FIELDS
