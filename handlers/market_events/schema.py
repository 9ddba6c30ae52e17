"""What a market event is. Pure: no client, no clock, no logging.

The same reading serves every function: the event that ingestion accepts, in canonical form, is
what the bus carries, what the state machine hands on, and what each function reads again.
Amounts are decimal strings outside and `Decimal` inside; no amount is ever a float.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from market_events.failures import InvalidEvent, Problem

SOURCE = "market.data"
DETAIL_TYPE = "market.event"
SCHEMA_VERSION = 1

# An id is logged and traced, so nothing shaped like an account or a card may be one.
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9./-]{0,31}")  # no '#': keys of the table are joined with it
_CURRENCY = re.compile(r"[A-Z]{3}")
_VENUE = re.compile(r"[A-Z0-9]{4}")  # ISO 10383
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
# 18 + 10 digits: exact in a DynamoDB number, which holds 38.
_AMOUNT = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,10})?")
# Ids that are derived live in this space; another one would make new events of old ones.
_ID_SPACE = uuid.UUID("7d0e4a4e-53c5-5f0e-9d3c-5d3b6f1c2a90")

Value = str | Decimal
_Parse = Callable[[object], Value | None]


def _text(pattern: re.Pattern[str]) -> _Parse:
    return lambda value: value if isinstance(value, str) and pattern.fullmatch(value) else None


def _instant(value: object) -> str | None:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _amount(value: object) -> Decimal | None:
    """Take a decimal string only: a JSON number has been through a float before we see it."""
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        return None
    amount = Decimal(value)
    return None if amount.is_zero() and amount.is_signed() else amount


def _positive(value: object) -> Decimal | None:
    amount = _amount(value)
    return amount if amount is not None and amount > 0 else None


def is_type(value: object) -> bool:
    """Tell whether a value is a type of ours, and thereby may be logged."""
    return isinstance(value, str) and value in TYPES


def _kind(value: object) -> str | None:
    return str(value) if is_type(value) else None


@dataclass(frozen=True, slots=True)
class _Field:
    parse: _Parse
    rule: str


_ID_FIELD = _Field(_text(_ID), "must be a lower-case UUID")
# A price may be negative: a spread's often is, and crude oil's was.
_PRICE = _Field(_amount, "must be a decimal string like '101.25' (a JSON number is not exact)")
_SIZE = _Field(_positive, "must be a decimal string above zero like '100' (not a JSON number)")
_COMMON: Mapping[str, _Field] = {
    "type": _Field(_kind, "must be trade or quote"),
    "symbol": _Field(_text(_SYMBOL), "must be an upper-case symbol of up to 32 characters"),
    "venue": _Field(_text(_VENUE), "must be an ISO 10383 market code"),
    "currency": _Field(_text(_CURRENCY), "must be an ISO 4217 code"),
    "occurredAt": _Field(_instant, "must be a UTC instant like '2026-11-20T15:04:05.123Z'"),
}
_BY_TYPE: Mapping[str, Mapping[str, _Field]] = MappingProxyType(
    {
        "quote": {"bidPrice": _PRICE, "bidSize": _SIZE, "askPrice": _PRICE, "askSize": _SIZE},
        "trade": {
            "tradeId": _Field(_text(_NAME), "must be a name of 1 to 64 letters, digits and ._:-"),
            "price": _PRICE,
            "quantity": _SIZE,
        },
    }
)
TYPES = frozenset(_BY_TYPE)
FIELDS = frozenset({"eventId", *_COMMON}.union(*_BY_TYPE.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketEvent:
    """A valid event, in canonical form."""

    id: str
    type: str
    symbol: str
    venue: str
    currency: str
    occurred_at: str  # microseconds and Z, so that texts sort as instants do
    facts: Mapping[str, Value]  # the fields of its type; amounts as Decimal

    @property
    def date(self) -> str:
        """The UTC day on which it occurred: yyyy-mm-dd."""
        return self.occurred_at[:10]

    @property
    def digest(self) -> str:
        """Digest of all but the id. Equal for two spellings of one number ('1.5', '1.50')."""
        content = self.canonical()
        del content["eventId"]
        body = json.dumps([SCHEMA_VERSION, content], sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()

    def canonical(self) -> dict[str, str]:
        """Write the event as texts, amounts in their shortest form; `parse` reads it back."""
        facts = {
            name: amount_text(value) if isinstance(value, Decimal) else value
            for name, value in self.facts.items()
        }
        return {
            "eventId": self.id,
            "type": self.type,
            "symbol": self.symbol,
            "venue": self.venue,
            "currency": self.currency,
            "occurredAt": self.occurred_at,
            **facts,
        }


def amount_text(amount: Decimal) -> str:
    """Write an amount without exponent and trailing zeros, exactly (no context rounds it)."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_event_id(value: object) -> bool:
    """Tell whether a value may be an event's id, and thereby be logged."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def parse(detail: object) -> MarketEvent:
    """Read an event; raise InvalidEvent with everything that is wrong with it."""
    given = _object(detail)
    parsed = _fields(given, {"eventId": _ID_FIELD})
    return _event(str(parsed.pop("eventId")), parsed)


def complete(detail: object) -> MarketEvent:
    """Read an event that may lack its id, which is then derived; raise InvalidEvent."""
    given = _object(detail)
    if "eventId" in given:
        return parse(given)
    parsed = _fields(given, {})
    without_id = _event("", parsed)
    return _event(str(uuid.uuid5(_ID_SPACE, without_id.digest)), parsed)


def derived_id(detail: Mapping[str, object]) -> str:
    """Derive an id from the content: the same event always gets the same; raise InvalidEvent.

    An `eventId` in `detail` is passed over. Two spellings of one number make one id.
    """
    return complete({name: value for name, value in detail.items() if name != "eventId"}).id


def _object(detail: object) -> dict[str, object]:
    if not isinstance(detail, dict):
        raise InvalidEvent([Problem("event", "must be a JSON object")])
    return detail


def _event(event_id: str, parsed: Mapping[str, Value]) -> MarketEvent:
    facts = {name: value for name, value in parsed.items() if name not in _COMMON}
    return MarketEvent(
        id=event_id,
        type=str(parsed["type"]),
        symbol=str(parsed["symbol"]),
        venue=str(parsed["venue"]),
        currency=str(parsed["currency"]),
        occurred_at=str(parsed["occurredAt"]),
        facts=MappingProxyType(facts),
    )


def _fields(given: Mapping[str, object], first: Mapping[str, _Field]) -> dict[str, Value]:
    kind = _kind(given.get("type"))
    fields = {**first, **_COMMON, **(_BY_TYPE[kind] if kind else {})}
    parsed = {name: field.parse(given.get(name)) for name, field in fields.items()}
    problems = [Problem(name, fields[name].rule) for name in fields if parsed[name] is None]
    # Names of unknown fields are the sender's words: they are counted, not repeated. Without a
    # type, a field of either type may be right.
    known = fields.keys() if kind else FIELDS
    if unknown := len(given.keys() - known):
        problems.append(Problem("event", f"must not have unknown fields (it has {unknown})"))
    bid, ask = parsed.get("bidPrice"), parsed.get("askPrice")
    if isinstance(bid, Decimal) and isinstance(ask, Decimal) and bid > ask:
        problems.append(Problem("askPrice", "must not be below bidPrice"))
    if problems:
        raise InvalidEvent(problems)
    return {name: value for name, value in parsed.items() if value is not None}
