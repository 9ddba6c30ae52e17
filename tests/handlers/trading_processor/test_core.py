"""What a trading event is, row by row, and what a claim on it means."""

import copy
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_processor.core import (
    Claim,
    EventIdReused,
    Outcome,
    PoisonEvent,
    TradingEvent,
    known_type,
    parse,
)

ABSENT = object()
CANARY = "4111111111111111"
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def claim(event, *, region="us-east-1", request="req-1"):
    return Claim(
        event=event, region=region, request=request, received_at="2026-11-20T15:04:06.000Z"
    )


@pytest.mark.parametrize(
    "name",
    ["trade-executed", "trade-executed-replicated", "order-placed-limit", "order-placed-market"],
)
def test_the_documented_events_are_valid(event, name):
    envelope = event(name)
    parsed = parse(envelope)
    assert parsed.id == envelope["detail"]["eventId"]
    assert parsed.type == envelope["detail-type"]
    assert parsed.source_region == "us-east-1"
    assert parsed.facts.keys() == envelope["detail"].keys() - {"eventId"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("eventId", ABSENT),
        ("eventId", ""),
        ("eventId", CANARY),
        ("eventId", "0F8FAD5B-D9CB-469F-A165-70867728950E"),
        ("eventId", "0f8fad5b-d9cb-469f-a165-70867728950e\n"),
        ("eventId", ["0f8fad5b-d9cb-469f-a165-70867728950e"]),
        ("occurredAt", "2026-11-20T15:04:05+00:00"),
        ("occurredAt", "2026-02-30T15:04:05Z"),
        ("occurredAt", "2026-11-20T24:00:00Z"),
        ("occurredAt", "2026-11-20T15:04:05.1234567Z"),
        ("occurredAt", "٢٠٢٦-11-20T15:04:05Z"),
        ("occurredAt", 1763651045),
        ("account", ""),
        ("account", "x" * 65),
        ("account", "a b"),
        ("symbol", "acme"),
        ("symbol", "A" * 33),
        ("side", "HOLD"),
        ("side", None),
        ("quantity", "0"),
        ("quantity", "0.000"),
        ("quantity", "-1"),
        ("quantity", 100),
        ("price", 101.25),
        ("price", True),
        ("price", "1e3"),
        ("price", "NaN"),
        ("price", "Infinity"),
        ("price", "+1"),
        ("price", "01"),
        ("price", ".5"),
        ("price", "1."),
        ("price", "-0"),
        ("price", "1" * 19),
        ("price", "1." + "1" * 11),
        ("price", " 1"),
        ("price", ABSENT),
        ("currency", "usd"),
        ("venue", "NYSE1"),
        ("tradeId", ABSENT),
        ("limitPrice", "1"),
        (CANARY, "unknown"),
    ],
)
def test_a_broken_field_is_poison_and_is_named_without_its_value(event, field, value):
    envelope = event("trade-executed")
    envelope["detail"].pop(field, None)
    if value is not ABSENT:
        envelope["detail"][field] = value
    with pytest.raises(PoisonEvent) as caught:
        parse(envelope)
    said = str(caught.value)
    known = field not in {"limitPrice", CANARY}
    assert said.startswith(f"detail.{field}: " if known else "detail: has 1 unknown field(s)")
    assert CANARY not in said


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source", "trading-system2"),
        ("source", None),
        ("detail-type", "TradeCancelled"),
        ("detail-type", ["TradeExecuted"]),
        ("region", "us-east-1; drop"),
        ("region", None),
        ("detail", None),
        ("detail", "{}"),
        ("detail", []),
    ],
)
def test_a_broken_envelope_is_poison(event, field, value):
    with pytest.raises(PoisonEvent, match=rf"^{field}: "):
        parse(event("trade-executed") | {field: value})


@pytest.mark.parametrize("envelope", [None, [], "x", 1, {}])
def test_what_is_no_event_is_poison(envelope):
    with pytest.raises(PoisonEvent):
        parse(envelope)


def test_a_market_order_has_no_limit_and_a_limit_order_has_one(event):
    market, limit = event("order-placed-market"), event("order-placed-limit")
    market["detail"]["limitPrice"] = "1"
    del limit["detail"]["limitPrice"]
    for envelope in (market, limit):
        with pytest.raises(PoisonEvent):
            parse(envelope)


def test_all_broken_fields_are_reported_at_once(event):
    envelope = event("trade-executed")
    envelope["detail"] |= {"side": "HOLD", "price": 1.5, "surprise": 1}
    with pytest.raises(PoisonEvent) as caught:
        parse(envelope)
    assert [part.split(":")[0] for part in str(caught.value).split("; ")] == [
        "detail.side",
        "detail.price",
        "detail",
    ]


@given(detail=json_values)
def test_any_detail_is_an_event_or_poison(detail):
    envelope = {"source": "trading-system", "detail-type": "TradeExecuted", "region": "us-east-1"}
    with suppress(PoisonEvent):
        assert isinstance(parse(envelope | {"detail": detail}), TradingEvent)


@given(data=st.data())
def test_any_value_in_any_field_is_an_event_or_poison(data):
    detail = {
        "eventId": "0f8fad5b-d9cb-469f-a165-70867728950e",
        "occurredAt": "2026-11-20T15:04:05Z",
        "account": "A",
        "orderId": "O",
        "symbol": "ACME",
        "side": "BUY",
        "quantity": "1",
        "currency": "USD",
        "tradeId": "T",
        "price": "1",
        "venue": "XNYS",
    }
    field = data.draw(st.sampled_from(sorted(detail)))
    detail[field] = data.draw(json_values)
    envelope = {"source": "trading-system", "detail-type": "TradeExecuted", "region": "us-east-1"}
    with suppress(PoisonEvent):
        claim(parse(envelope | {"detail": detail})).item()


@given(
    amount=st.decimals(
        min_value=Decimal("1e-10"), max_value=Decimal("999999999999999999.9999999999"), places=10
    )
)
def test_amounts_reach_the_table_exactly(amount):
    facts = {"price": amount}
    item = claim(
        TradingEvent(id="i", type="TradeExecuted", source_region="us-east-1", facts=facts)
    ).item()
    assert Decimal(item["price"]["N"]) == amount
    assert "E" not in item["price"]["N"]


def test_the_item_holds_the_facts_and_where_they_came_from(event):
    item = claim(parse(event("trade-executed"))).item()
    assert item.pop("digest")["S"]
    assert item == {
        "id": {"S": "0f8fad5b-d9cb-469f-a165-70867728950e"},
        "eventType": {"S": "TradeExecuted"},
        "schemaVersion": {"N": "1"},
        "occurredAt": {"S": "2026-11-20T15:04:05.123000Z"},
        "account": {"S": "ACC-TEST-0001"},
        "orderId": {"S": "ORD-TEST-0001"},
        "tradeId": {"S": "TRD-TEST-0001"},
        "symbol": {"S": "ACME"},
        "side": {"S": "BUY"},
        "quantity": {"N": "100"},
        "price": {"N": "101.2500000001"},
        "currency": {"S": "USD"},
        "venue": {"S": "XNYS"},
        "sourceRegion": {"S": "us-east-1"},
        "processedRegion": {"S": "us-east-1"},
        "receivedAt": {"S": "2026-11-20T15:04:06.000Z"},
        "claimedBy": {"S": "req-1"},
    }


@pytest.mark.parametrize(
    ("field", "value", "same"),
    [
        ("quantity", "100.00", True),
        ("occurredAt", "2026-11-20T15:04:05.123000Z", True),
        ("quantity", "101", False),
        ("side", "SELL", False),
        ("occurredAt", "2026-11-20T15:04:05.124Z", False),
        ("account", "acc-test-0001", False),
    ],
)
def test_the_digest_is_of_the_facts_not_of_their_spelling(event, field, value, same):
    one, other = event("trade-executed"), event("trade-executed")
    other["detail"][field] = value
    assert (parse(one).digest == parse(other).digest) is same


def test_the_digest_does_not_depend_on_the_region_or_the_envelope(event):
    replicated = event("trade-executed-replicated") | {"region": "us-west-2"}
    assert parse(event("trade-executed")).digest == parse(replicated).digest


def test_the_digest_of_a_known_event_never_changes(event):
    """It is stored: another digest for the same facts would turn duplicates into conflicts."""
    assert parse(event("trade-executed")).digest == (
        "009829bfa3fa2fc066133deb6a3d262b2d2cb78c50700281199ba7a745c615c5"
    )


@pytest.mark.parametrize(
    ("region", "request_id", "outcome"),
    [
        ("us-west-2", "req-2", Outcome.DUPLICATE),
        ("us-east-1", "req-2", Outcome.DUPLICATE),
        ("us-east-1", "req-1", Outcome.PROCESSED),
    ],
)
def test_a_claim_that_finds_the_same_event_wins_only_if_it_wrote_it(
    event, region, request_id, outcome
):
    parsed = parse(event("trade-executed"))
    stored = claim(parsed).item()
    assert claim(parsed, region=region, request=request_id).against(stored) is outcome


def test_an_id_with_another_content_is_no_duplicate(event):
    first, second = event("trade-executed"), event("trade-executed")
    second["detail"]["quantity"] = "999"
    stored = claim(parse(first)).item()
    with pytest.raises(EventIdReused):
        claim(parse(second), request="req-2").against(stored)
    with pytest.raises(EventIdReused):
        claim(parse(first)).against({"id": {"S": "an item of another schema"}})


def test_parsing_leaves_the_event_alone(event):
    envelope = event("trade-executed")
    before = copy.deepcopy(envelope)
    parse(envelope)
    assert envelope == before


def test_only_known_types_are_safe_to_log():
    assert known_type("OrderPlaced") == "OrderPlaced"
    assert known_type(CANARY) is None
    assert known_type({}) is None
