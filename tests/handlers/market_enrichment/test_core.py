"""What an instrument adds, exactly."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from handlers.market_samples import enrichment, instrument, quote, trade
from hypothesis import given
from hypothesis import strategies as st

from market_enrichment.core import enrich, is_multiple
from market_events.failures import InvalidEvent
from market_events.schema import parse
from market_table.enrichments import attributes_of
from market_table.instruments import parse_instrument

ASML = parse_instrument(instrument())


def amounts(lowest=-(10**18) + 1, highest=10**18 - 1):
    """Every amount that an event may have: 18 digits before the point, 10 after it."""
    units = st.integers(lowest * 10**10, highest * 10**10)
    return units.map(lambda unit: Decimal(unit).scaleb(-10)).filter(
        lambda amount: abs(amount) < 10**18
    )


@pytest.fixture(autouse=True)
def _context_that_rounds():
    """The thread's own context must not matter."""
    with localcontext(prec=3):
        yield


@pytest.mark.parametrize("detail", [trade(), quote()])
def test_the_samples_are_enriched_as_written(detail):
    assert enrich(parse(detail), ASML) == enrichment(detail["type"])


@given(price=amounts(), quantity=amounts(lowest=0).filter(bool))
def test_a_notional_is_the_product_to_38_digits(price, quantity):
    text = {"price": format(price, "f"), "quantity": format(quantity, "f")}
    if text["price"].startswith("-") and price == 0:
        return
    said = enrich(parse(trade(**text)), ASML)
    exact = Fraction(price) * Fraction(quantity)
    notional = Fraction(said["notional"])
    assert abs(notional - exact) <= abs(exact) / 10**37
    if len(str(exact.numerator * 10**20 // exact.denominator).strip("-0")) <= 37:
        assert notional == exact
    assert attributes_of(said, "trade")  # the table takes it


@pytest.mark.parametrize("last", ["0000000005", "0000000015"], ids=["down", "up"])
def test_a_notional_of_39_digits_is_rounded_half_to_even(last):
    """As banks round: always up, or always down, would add up over a day."""
    said = enrich(parse(trade(price="10.0000000001", quantity=f"100000000000000000.{last}")), ASML)
    exact = Fraction("10.0000000001") * Fraction(f"100000000000000000.{last}")
    ulp = Fraction(1, 10**19)
    assert abs(Fraction(said["notional"]) - exact) == ulp / 2
    assert Fraction(said["notional"]) / ulp % 2 == 0


@given(prices=st.tuples(amounts(), amounts()))
def test_mid_and_spread_are_exact(prices):
    bid, ask = sorted(prices)
    if any(price == 0 for price in prices):
        return
    said = enrich(parse(quote(bidPrice=format(bid, "f"), askPrice=format(ask, "f"))), ASML)
    assert Fraction(said["mid"]) * 2 == Fraction(bid) + Fraction(ask)
    assert Fraction(said["spread"]) == Fraction(ask) - Fraction(bid)
    assert attributes_of(said, "quote")


@given(price=amounts(), tick=amounts(lowest=0).filter(bool))
def test_a_multiple_is_told_as_fractions_tell_it(price, tick):
    assert is_multiple(price, tick) == ((Fraction(price) / Fraction(tick)).denominator == 1)


@pytest.mark.parametrize(
    ("price", "said"),
    [("612.4", "true"), ("612.45", "false"), ("0", "true"), ("-3.7", "true"), ("-3.75", "false")],
)
def test_a_price_off_the_ticks_is_said_and_is_no_error(price, said):
    assert enrich(parse(trade(price=price)), ASML)["onTick"] == said


@pytest.mark.parametrize(
    ("bid", "ask", "said"),
    [("1.1", "1.2", "true"), ("1.15", "1.2", "false"), ("1.1", "1.25", "false")],
)
def test_a_quote_is_on_tick_if_both_prices_are(bid, ask, said):
    assert enrich(parse(quote(bidPrice=bid, askPrice=ask)), ASML)["onTick"] == said


def test_another_currency_than_the_instruments_is_an_invalid_event():
    with pytest.raises(InvalidEvent, match=r"^currency must be that of the instrument$"):
        enrich(parse(trade(currency="USD")), ASML)
