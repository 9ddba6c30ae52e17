"""What a payment is, and what its caller is told. Pure: no client, no clock, no logging.

Unknown fields are refused. A refusal names fields and rules of ours, never a value.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from json_requests.reading import loaded, told_by
from payments_api.cards import has_card_number
from payments_api.money import DECIMALS, amount_of, written

_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,63}")
_TOKEN = re.compile(r"tok_[A-Za-z0-9]{8,64}")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,:;/()+'_-]{0,139}")
_SESSION = re.compile(r"[A-Za-z0-9_-]{16,128}")
# Of a key comes the payment's id: a payment that a failover has lost and a retry books again keeps
# the id that its client was told.
_PAYMENTS = uuid.UUID("6f1a4a7e-3d8f-5b0c-9c55-0d6c8d1f5f0e")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a field."""

    field: str
    rule: str


class Refused(Exception):  # noqa: N818  # an answer, not a defect
    """A request that is not done. Nothing of it is stored."""

    def __init__(
        self,
        status: int,
        error: str,
        problems: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.problems = tuple(problems)
        self.headers = headers or {}

    def body(self) -> str:
        """Write the refusal as an answer's body."""
        said: dict[str, Any] = {"error": self.error}
        if self.problems:
            said["problems"] = [{"field": each.field, "rule": each.rule} for each in self.problems]
        return json.dumps(said)


class CardNumberRefusedError(Refused):
    """What was sent may hold a card number; send a token. Where it stands is not told."""

    def __init__(self) -> None:
        super().__init__(400, "CardNumberRefused")


@dataclass(frozen=True, slots=True)
class _Field:
    pattern: re.Pattern[str]
    rule: str
    is_optional: bool = False


_FIELDS: Mapping[str, _Field] = {
    "debtor": _Field(_ACCOUNT, "an account id of 3 to 64 letters, digits, _ and -"),
    "creditor": _Field(_ACCOUNT, "an account id of 3 to 64 letters, digits, _ and -"),
    "cardToken": _Field(
        _TOKEN, "a token like tok_ and 8 to 64 letters and digits", is_optional=True
    ),
    "reference": _Field(_REFERENCE, "1 to 140 plain characters", is_optional=True),
    "sessionId": _Field(_SESSION, "16 to 128 letters, digits, _ and -", is_optional=True),
}
_AMOUNT_RULE = "a decimal string above zero like '12.34', with no more decimals than its currency"
NAMES = frozenset(_FIELDS) | {"amount", "currency"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A valid order to pay."""

    key: str
    amount: Decimal
    currency: str
    debtor: str
    creditor: str
    card_token: str | None = None
    reference: str | None = None
    session: str | None = None

    @property
    def id(self) -> str:
        """The id follows from the key, so a payment booked anew has the id it had."""
        return str(uuid.uuid5(_PAYMENTS, self.key))

    @property
    def digest(self) -> str:
        """Digest all that was asked for, equal for two spellings of one amount ('1.5', '1.50')."""
        asked = [
            *(self.debtor, self.creditor, self.currency, written(self.amount)),
            *(self.card_token, self.reference, self.session),
        ]
        return hashlib.sha256(json.dumps(asked, separators=(",", ":")).encode()).hexdigest()

    def answer(self, booked_at: datetime, region: str) -> str:
        """Write what the caller is told, now and at each retry. The token is not repeated."""
        said = {
            "paymentId": self.id,
            "status": "BOOKED",
            "amount": written(self.amount),
            "currency": self.currency,
            "debtor": self.debtor,
            "creditor": self.creditor,
            "bookedAt": booked_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "region": region,
        }
        if self.reference is not None:
            said["reference"] = self.reference
        return json.dumps(said)


def payment_of(key: object, text: str) -> Payment:
    """Read a payment from its key and its body; raise Refused, with every problem named."""
    if has_card_number(key):
        raise CardNumberRefusedError
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        rule = "16 to 64 letters, digits, _ and -"
        raise Refused(400, "InvalidIdempotencyKey", [Problem("Idempotency-Key", rule)])
    given = _loaded(text)
    if has_card_number(_scanned(given)):
        raise CardNumberRefusedError
    if not isinstance(given, dict):
        raise Refused(400, "InvalidPayment", [Problem("body", "one JSON object")])
    problems = [*_problems(given)]
    currency, amount = given.get("currency"), None
    if isinstance(currency, str) and currency in DECIMALS:
        amount = amount_of(given.get("amount"), currency)
        if amount is None:
            problems.append(Problem("amount", _AMOUNT_RULE))
    else:
        problems.append(Problem("currency", "a code of ISO 4217"))
    if amount is None or problems:
        raise Refused(400, "InvalidPayment", sorted(problems, key=lambda each: each.field))
    return Payment(
        key=key,
        amount=amount,
        currency=given["currency"],
        debtor=given["debtor"],
        creditor=given["creditor"],
        card_token=given.get("cardToken"),
        reference=given.get("reference"),
        session=given.get("sessionId"),
    )


def _problems(given: Mapping[str, object]) -> list[Problem]:
    problems = [] if given.keys() <= NAMES else [Problem("body", "no field that is not ours")]
    for name, field in _FIELDS.items():
        if name not in given and field.is_optional:
            continue
        value = given.get(name)
        if not isinstance(value, str) or not field.pattern.fullmatch(value):
            problems.append(Problem(name, field.rule))
    if not problems and given["debtor"] == given["creditor"]:
        problems.append(Problem("creditor", "another account than the debtor"))
    return problems


@dataclass(frozen=True, slots=True)
class _Number:
    """A JSON number as it was written: no float, no huge int, and no value for any field."""

    text: str


def _scanned(given: object) -> object:
    """Give what may hold a card number: all of it, numbers as the texts they were."""
    match given:
        case _Number(text):
            return text
        case dict():
            return {name: _scanned(value) for name, value in given.items()}
        case list():
            return [_scanned(value) for value in given]
        case _:
            return given


@told_by(Refused)
def _loaded(text: str) -> Any:
    given = loaded(text, parse_float=_Number, parse_int=_Number)
    try:
        _scanned(given)  # as deep as it will be gone into
    except RecursionError:
        raise Refused(400, "TooDeep") from None
    return given
