"""Items: exact amounts there and back, the keys of each status, and instruments."""

from decimal import Decimal

import pytest
from handlers.market_samples import enrichment, instrument, quote, trade
from hypothesis import given
from hypothesis import strategies as st

from market_events.failures import InvalidEvent
from market_events.schema import FIELDS, parse
from market_table.attributes import number, number_of
from market_table.enrichments import ENRICHED, attributes_of, enrichment_of
from market_table.events import (
    LIVE_ATTRIBUTES,
    MARKER_ATTRIBUTES,
    Status,
    event_of,
    marker,
    recorded_item,
    status_of,
    stored_item,
)
from market_table.instruments import InvalidInstrument, instrument_of, parse_instrument
from market_table.keys import KEY_ATTRIBUTES

WRITTEN = {"execution": "e", "region": "us-east-1", "at": "2026-11-20T15:04:06.000Z"}
AMOUNTS = st.decimals(-(10**18), 10**18, places=10, allow_nan=False).filter(
    lambda amount: abs(amount) < 10**18 and not (amount.is_zero() and amount.is_signed())
)


def complete(detail):
    event = parse(detail)
    return recorded_item(event, enrichment(event.type), **WRITTEN)


@given(AMOUNTS)
def test_an_amount_is_the_same_after_the_table(amount):
    assert number_of({"price": number(amount)}, "price") == amount


@pytest.mark.parametrize("amount", ["1E+40", "123E-45", "-0.10", "100"])
def test_a_number_is_written_without_exponent(amount):
    written = number(Decimal(amount))["N"]
    assert "E" not in written
    assert Decimal(written) == Decimal(amount)


def test_an_amount_that_a_table_would_round_is_refused():
    assert number(Decimal("9" * 38))
    with pytest.raises(ValueError, match="38 significant digits"):
        number(Decimal("9" * 39))


@given(price=AMOUNTS, quantity=AMOUNTS.filter(lambda amount: amount > 0))
def test_an_event_is_the_same_after_the_table(price, quantity):
    event = parse(trade(price=format(price, "f"), quantity=format(quantity, "f")))
    read = event_of(stored_item(event, **WRITTEN))
    assert read == event
    assert read.digest == event.digest


@pytest.mark.parametrize("detail", [trade(), quote()])
def test_a_recorded_event_and_its_enrichment_are_read_back(detail):
    item = complete(detail)
    assert event_of(item) == parse(detail)
    assert enrichment_of(item, detail["type"]) == enrichment(detail["type"])
    assert status_of(item) is Status.RECORDED


def test_only_a_recorded_event_is_in_the_time_series_and_only_a_compensated_one_in_the_list():
    event = parse(trade())
    stored, recorded = stored_item(event, **WRITTEN), complete(trade())
    left = marker(event, execution="e", region="r", reason="X", at=WRITTEN["at"])
    assert KEY_ATTRIBUTES & stored.keys() == {"PK", "SK"}
    assert KEY_ATTRIBUTES & recorded.keys() == {"PK", "SK", "TS_PK", "TS_SK"}
    assert KEY_ATTRIBUTES & left.keys() == {"GSI1PK", "GSI1SK"}
    assert recorded["TS_PK"] == {"S": "ASML#trade#2026-11-20"}
    assert recorded["TS_SK"] == {"S": f"2026-11-20T15:04:05.123000Z#{event.id}"}
    assert left["GSI1PK"] == {"S": "STATUS#COMPENSATED#2026-11-20"}
    assert left["GSI1SK"] == {"S": f"2026-11-20T15:04:06.000Z#{event.id}"}


@pytest.mark.parametrize("detail", [trade(), quote()])
def test_a_marker_keeps_nothing_of_the_event_but_id_and_digest(detail):
    event = parse(detail)
    left = marker(event, execution="e", region="r", reason="X", at=WRITTEN["at"])
    everything = complete(detail).keys() | stored_item(event, **WRITTEN).keys()
    assert everything - LIVE_ATTRIBUTES == (left.keys() - MARKER_ATTRIBUTES) | {"PK", "SK"}
    assert left.keys() & LIVE_ATTRIBUTES == set()
    assert left["digest"] == {"S": event.digest}


def test_what_enrichment_adds_hides_no_fact():
    assert ENRICHED & (FIELDS | KEY_ATTRIBUTES | MARKER_ATTRIBUTES | {"status", "digest"}) == set()


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "text",
        {},
        enrichment("quote"),
        enrichment() | {"surprise": "1"},
        {name: value for name, value in enrichment().items() if name != "isin"},
        enrichment(notional="1e5"),
        enrichment(notional=15310),
        enrichment(notional="9" * 38 + ".9"),
        enrichment(isin=""),
    ],
)
def test_an_enrichment_that_enrichment_cannot_give_is_refused(broken):
    with pytest.raises(InvalidEvent, match=r"^enrichment must be what enrichment says of a trade$"):
        attributes_of(broken, "trade")


def test_an_item_of_a_status_we_do_not_know_has_none():
    assert status_of({"status": {"S": "ARCHIVED"}}) is None
    assert status_of({}) is None


def test_an_instrument_is_the_same_after_the_table():
    parsed = parse_instrument(instrument())
    assert instrument_of(parsed.item()) == parsed
    assert parsed.item()["tickSize"] == {"N": "0.1"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"isin": "NL0010273216"}, "isin must be an ISIN with its check digit"),
        ({"isin": "nl0010273215"}, "isin must be"),
        ({"tickSize": "0"}, "tickSize must be a decimal string above zero"),
        ({"tickSize": 0.1}, "tickSize must be"),
        ({"tickSize": "-1"}, "tickSize must be"),
        ({"lotSize": "1e2"}, "lotSize must be"),
        ({"validFrom": "2026-02-30"}, "validFrom must be a day"),
        ({"validFrom": "20260101"}, "validFrom must be a day"),
        ({"assetClass": "shares"}, "assetClass must be one of bond, equity"),
        ({"symbol": "AS#ML"}, "symbol must be"),
        ({"currency": "eur"}, "currency must be"),
        ({"name": ""}, "name must be"),
        ({"ticksize": "1"}, "'ticksize' is no field"),
    ],
)
def test_what_is_wrong_with_an_instrument_is_named(changes, said):
    with pytest.raises(InvalidInstrument, match=said):
        parse_instrument(instrument(**changes))


def test_everything_wrong_with_an_instrument_is_named_at_once():
    with pytest.raises(InvalidInstrument) as caught:
        parse_instrument({})
    assert str(caught.value).count("must be") == 8
    with pytest.raises(InvalidInstrument, match="must be a JSON object"):
        parse_instrument([])


@pytest.mark.parametrize("isin", ["US0378331005", "GB0002634946", "DE000BAY0017", "JP3633400001"])
def test_real_isins_pass(isin):
    assert parse_instrument(instrument(isin=isin)).isin == isin


def test_an_item_that_is_no_instrument_is_refused():
    item = parse_instrument(instrument()).item()
    for broken in (
        item | {"tickSize": {"S": "0.1"}},
        item | {"tickSize": {"N": "x"}},
        {name: value for name, value in item.items() if name != "currency"},
    ):
        with pytest.raises(InvalidInstrument):
            instrument_of(broken)
