"""What an instrument adds to an event. Pure and exact: no amount is ever a float."""

from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, Inexact, InvalidOperation

from market_events.failures import InvalidEvent, Problem
from market_events.schema import MarketEvent, amount_text
from market_table.attributes import DIGITS
from market_table.instruments import Instrument

# A product of two amounts can have 56 digits and a number of DynamoDB holds 38. What needs more is
# rounded to them, half to even; below, and so for anything traded, products are exact.
_PRODUCT = Context(prec=DIGITS, rounding=ROUND_HALF_EVEN)
# 28 digits before and after the point hold every amount, sum and remainder of events exactly; a
# context that would have to round raises instead.
_EXACT = Context(prec=60, traps=[DivisionByZero, Inexact, InvalidOperation])


def enrich(event: MarketEvent, instrument: Instrument) -> dict[str, str]:
    """Say what the instrument adds to the event; raise InvalidEvent for another currency.

    A price off the instrument's ticks is no error: venues print such prices (mid-point matches,
    auctions, corrections). It is said (`onTick`), for whoever reads the event to judge.
    """
    if event.currency != instrument.currency:
        raise InvalidEvent([Problem("currency", "must be that of the instrument")])
    amounts = {name: value for name, value in event.facts.items() if isinstance(value, Decimal)}
    if event.type == "trade":
        prices = [amounts["price"]]
        derived = {"notional": _PRODUCT.multiply(amounts["price"], amounts["quantity"])}
    else:
        bid, ask = prices = [amounts["bidPrice"], amounts["askPrice"]]
        derived = {
            "mid": _EXACT.divide(_EXACT.add(bid, ask), Decimal(2)),
            "spread": _EXACT.subtract(ask, bid),
        }
    is_on_tick = all(is_multiple(price, instrument.tick_size) for price in prices)
    return {
        "isin": instrument.isin,
        "instrumentName": instrument.name,
        "assetClass": instrument.asset_class,
        "tickSize": amount_text(instrument.tick_size),
        "lotSize": amount_text(instrument.lot_size),
        "validFrom": instrument.valid_from,
        "onTick": "true" if is_on_tick else "false",
        **{name: amount_text(_plain(value)) for name, value in derived.items()},
    }


def is_multiple(price: Decimal, tick: Decimal) -> bool:
    """Tell whether a price is a whole number of ticks; it may be negative."""
    return _EXACT.remainder(price, tick).is_zero()


def _plain(amount: Decimal) -> Decimal:
    return abs(amount) if amount.is_zero() else amount  # no '-0'
