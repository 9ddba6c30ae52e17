"""What a trading event is, and what a claim on it means. Pure: no client, no clock, no logging.

Input is the EventBridge envelope as Lambda hands it over; the envelope belongs to AWS and may grow,
the `detail` belongs to us and may not: unknown fields are refused. An error names fields and rules
and never quotes a value, because Lambda writes its text into logs and into the failure queue.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from types import MappingProxyType

SOURCE = "trading-system"
SCHEMA_VERSION = 1

# UUID or ULID: an id is logged and traced, so nothing shaped like an account or a card may be one.
_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-7][0-9A-HJKMNP-TV-Z]{25}"
)
_REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,2}-[0-9]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9./-]{0,31}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_VENUE = re.compile(r"[A-Z0-9]{4}")  # ISO 10383
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
# 18 + 10 digits: exact in a DynamoDB number, which holds 38.
_AMOUNT = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,10})?")


class PoisonEvent(ValueError):  # noqa: N818  # the name becomes Lambda's errorType, read by people
    """An event that no retry makes valid. The text names fields and rules, never values."""


class EventIdReused(PoisonEvent):
    """Two different events carry one id; the first is stored, this one is not."""


class Outcome(Enum):
    """How the handling of a valid event ends."""

    PROCESSED = "processed"
    DUPLICATE = "duplicate"
    UNCOMPARED_DUPLICATE = "duplicate, content not compared"  # the table did not show its item


Value = str | Decimal


def _text(pattern: re.Pattern[str]) -> Callable[[object], str | None]:
    def parse(value: object) -> str | None:
        return value if isinstance(value, str) and pattern.fullmatch(value) else None

    return parse


def _one_of(*allowed: str) -> Callable[[object], str | None]:
    return lambda value: value if isinstance(value, str) and value in allowed else None


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


@dataclass(frozen=True, slots=True)
class _Field:
    parse: Callable[[object], Value | None]
    rule: str


_NAME_FIELD = _Field(_text(_NAME), "a name of 1 to 64 letters, digits and ._:-")
_AMOUNT_FIELD = _Field(_amount, "a decimal string like '101.25' (a JSON number is not exact)")
_COMMON = {
    "eventId": _Field(_text(_ID), "a lower-case UUID or a ULID"),
    "occurredAt": _Field(_instant, "a UTC instant like '2026-11-20T15:04:05.123Z'"),
    "account": _NAME_FIELD,
    "orderId": _NAME_FIELD,
    "symbol": _Field(_text(_SYMBOL), "an upper-case symbol of up to 32 characters"),
    "side": _Field(_one_of("BUY", "SELL"), "BUY or SELL"),
    "quantity": _Field(_positive, "a decimal string above zero like '100' (not a JSON number)"),
    "currency": _Field(_text(_CURRENCY), "an ISO 4217 code"),
}
# A price may be negative: a spread's often is, and crude oil's was.
_SCHEMAS: Mapping[str, Mapping[str, _Field]] = MappingProxyType(
    {
        "TradeExecuted": _COMMON
        | {
            "tradeId": _NAME_FIELD,
            "price": _AMOUNT_FIELD,
            "venue": _Field(_text(_VENUE), "an ISO 10383 market code"),
        },
        "OrderPlaced": _COMMON
        | {
            "orderType": _Field(_one_of("LIMIT", "MARKET"), "LIMIT or MARKET"),
            "limitPrice": _AMOUNT_FIELD,
        },
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingEvent:
    """A valid event: its facts are what the producer said, in canonical form."""

    id: str
    type: str
    source_region: str
    facts: Mapping[str, Value]  # the detail less the id; amounts as Decimal

    @property
    def digest(self) -> str:
        """Digest type and facts. Equal for two spellings of one number ('1.5', '1.50')."""
        facts = {
            name: format(value.normalize(), "f") if isinstance(value, Decimal) else value
            for name, value in self.facts.items()
        }
        body = json.dumps([SCHEMA_VERSION, self.type, facts], sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One attempt to be the one that processes an event."""

    event: TradingEvent
    region: str  # where it is made
    request: str  # Lambda's request id: the same in its retries of one asynchronous invocation
    received_at: str

    def item(self) -> dict[str, dict[str, str]]:
        """Write the event as the table keeps it, in DynamoDB's JSON."""
        facts = {
            name: {"N": format(value, "f")} if isinstance(value, Decimal) else {"S": value}
            for name, value in self.event.facts.items()
        }
        return facts | {
            "id": {"S": self.event.id},
            "eventType": {"S": self.event.type},
            "schemaVersion": {"N": str(SCHEMA_VERSION)},
            "digest": {"S": self.event.digest},
            "sourceRegion": {"S": self.event.source_region},
            "processedRegion": {"S": self.region},
            "receivedAt": {"S": self.received_at},
            "claimedBy": {"S": self.request},
        }

    def against(self, existing: Mapping[str, Mapping[str, object]]) -> Outcome:
        """Judge a claim that found the item `existing`; raise EventIdReused if it is another event.

        A claim may find its own item: the write arrived and the answer was lost, or Lambda
        repeats an invocation that died after the write. That one is the winner.
        """
        stored = {name: existing.get(name, {}).get("S") for name in ("digest", "claimedBy")}
        if stored["digest"] != self.event.digest:
            raise EventIdReused("eventId is already used by an event with another content")
        return Outcome.PROCESSED if stored["claimedBy"] == self.request else Outcome.DUPLICATE


def known_type(value: object) -> str | None:
    """Give the detail type if it is one of ours, and thereby safe to log."""
    return value if isinstance(value, str) and value in _SCHEMAS else None


def parse(envelope: object) -> TradingEvent:
    """Read an event from its EventBridge envelope; raise PoisonEvent for anything else."""
    if not isinstance(envelope, dict):
        raise PoisonEvent("event: is no JSON object")
    if envelope.get("source") != SOURCE:
        raise PoisonEvent("source: is not trading-system")
    kind = known_type(envelope.get("detail-type"))
    if kind is None:
        raise PoisonEvent(f"detail-type: is none of {', '.join(_SCHEMAS)}")
    region = _text(_REGION)(envelope.get("region"))
    if region is None:
        raise PoisonEvent("region: is no AWS region")
    facts = _facts(envelope.get("detail"), kind)
    return TradingEvent(id=str(facts.pop("eventId")), type=kind, source_region=region, facts=facts)


def _facts(detail: object, kind: str) -> dict[str, Value]:
    if not isinstance(detail, dict):
        raise PoisonEvent("detail: is no JSON object")
    schema = dict(_SCHEMAS[kind])
    if detail.get("orderType") == "MARKET":
        del schema["limitPrice"]
    # The names of unknown fields are the sender's words: they are counted, not repeated.
    unknown = len(detail.keys() - schema.keys())
    broken = [
        f"detail.{name}: is not {field.rule}"
        for name, field in schema.items()
        if field.parse(detail.get(name)) is None
    ]
    if unknown:
        broken.append(f"detail: has {unknown} unknown field(s)")
    if broken:
        raise PoisonEvent("; ".join(broken))
    parsed = {name: field.parse(detail[name]) for name, field in schema.items()}
    return {name: value for name, value in parsed.items() if value is not None}
