"""Instruments: reference data that says what a symbol is, from a day on.

A version of an instrument is never changed: what was recorded with it must stay explicable. A new
version is a new item with a later `validFrom`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from market_table.attributes import Item, Stored, number, number_of, text, text_of
from market_table.keys import (
    REFERENCE_PARTITION,
    REFERENCE_SORT,
    instrument_key,
    symbol_partition,
    valid_from_sort,
)

ASSET_CLASSES = frozenset({"bond", "equity", "etf", "fund", "future", "fx", "option"})

_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9./-]{0,31}")  # as events spell it
_CURRENCY = re.compile(r"[A-Z]{3}")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,17})(\.[0-9]{1,10})?")


class InvalidInstrument(ValueError):  # noqa: N818 - as its siblings in market_events
    """Reference data that cannot be used. The text names fields and rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One version of an instrument."""

    symbol: str
    isin: str
    name: str
    asset_class: str
    currency: str
    tick_size: Decimal
    lot_size: Decimal
    valid_from: str  # the first UTC day

    def item(self) -> Item:
        """Write the version as the table keeps it."""
        return {
            **instrument_key(self.isin, self.valid_from),
            REFERENCE_PARTITION: text(symbol_partition(self.symbol)),
            REFERENCE_SORT: text(valid_from_sort(self.valid_from)),
            "symbol": text(self.symbol),
            "isin": text(self.isin),
            "name": text(self.name),
            "assetClass": text(self.asset_class),
            "currency": text(self.currency),
            "tickSize": number(self.tick_size),
            "lotSize": number(self.lot_size),
            "validFrom": text(self.valid_from),
        }


def parse_instrument(given: object) -> Instrument:
    """Read a version from JSON; raise InvalidInstrument with everything that is wrong with it."""
    if not isinstance(given, dict):
        raise InvalidInstrument("instrument must be a JSON object")
    problems = [
        f"{name} {rule}" for name, (holds, rule) in _FIELDS.items() if not holds(given.get(name))
    ]
    problems += [
        f"{name!r} is no field" for name in sorted(map(str, given.keys() - _FIELDS.keys()))
    ]
    if problems:
        raise InvalidInstrument("; ".join(problems))
    return Instrument(
        symbol=given["symbol"],
        isin=given["isin"],
        name=given["name"],
        asset_class=given["assetClass"],
        currency=given["currency"],
        tick_size=Decimal(given["tickSize"]),
        lot_size=Decimal(given["lotSize"]),
        valid_from=given["validFrom"],
    )


def instrument_of(item: Stored) -> Instrument:
    """Read a version from its item; raise InvalidInstrument if it is none."""
    written: dict[str, str | None] = {name: text_of(item, name) for name in _FIELDS}
    try:
        for name in ("tickSize", "lotSize"):
            amount = number_of(item, name)
            written[name] = None if amount is None else format(amount, "f")
    except InvalidOperation:
        raise InvalidInstrument("an amount is no number") from None
    return parse_instrument(written)


def _matches(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_isin(value: object) -> bool:
    """Tell by form and check digit (ISO 6166): letters count as 10 to 35, then as Luhn has it."""
    if not isinstance(value, str) or not _ISIN.fullmatch(value):
        return False
    digits = [int(digit) for letter in value for digit in str(int(letter, 36))][::-1]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_amount(value: object) -> bool:
    return isinstance(value, str) and _AMOUNT.fullmatch(value) is not None and Decimal(value) > 0


def _is_day(value: object) -> bool:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


_AMOUNT_RULE = "must be a decimal string above zero like '0.01' (not a JSON number)"
_FIELDS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "symbol": (_matches(_SYMBOL), "must be an upper-case symbol of up to 32 characters"),
    "isin": (_is_isin, "must be an ISIN with its check digit"),
    "name": (_matches(_NAME), "must be a text of 1 to 100 characters"),
    "assetClass": (
        lambda value: isinstance(value, str) and value in ASSET_CLASSES,
        f"must be one of {', '.join(sorted(ASSET_CLASSES))}",
    ),
    "currency": (_matches(_CURRENCY), "must be an ISO 4217 code"),
    "tickSize": (_is_amount, _AMOUNT_RULE),
    "lotSize": (_is_amount, _AMOUNT_RULE),
    "validFrom": (_is_day, "must be a day like '2026-01-01'"),
}
