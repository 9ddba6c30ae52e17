"""What an order is: read strictly, known by an id and a digest. Pure.

Unknown fields are refused. A refusal names fields and rules of ours, never a value. What passes
here passes the constraints of the database, so that nothing acknowledged is refused later.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from orders.failures import Failure

SHARDS = 8
ORDER_ID = re.compile(r"o-[0-9a-f]{32}")
_OWNER = re.compile(r"[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_-]{1,64}")
_CLIENT_ORDER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9./-]{0,31}")
_SIDES = ("buy", "sell")
# 12 + 8 digits: far above any market, and exact in every sum of the database.
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,8})?", re.ASCII)
_NUMBER_RULE = "a decimal text above zero like '12.5', of at most 12 digits and 8 decimals"


class Problem(NamedTuple):
    """What is wrong with a field."""

    field: str
    rule: str


class InvalidOrder(Failure):
    """No order. The findings are the names of fields."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*(each.field for each in problems))
        self.problems = problems


_RULES = {
    "clientOrderId": (_CLIENT_ORDER_ID, "1 to 64 letters, digits, _ and -"),
    "symbol": (_SYMBOL, "an upper-case symbol of up to 32 characters"),
    "side": (re.compile("|".join(_SIDES)), "buy or sell"),
    "quantity": (_NUMBER, _NUMBER_RULE),
    "price": (_NUMBER, _NUMBER_RULE),
}
_ABOVE_ZERO = ("quantity", "price")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A valid order of one owner."""

    owner: str
    client_order_id: str
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal

    @property
    def id(self) -> str:
        """The id follows from owner and client's id, so an order sent again is the same order."""
        return order_id(self.owner, self.client_order_id)

    @property
    def digest(self) -> str:
        """Digest what was ordered, equal for two spellings of one number ('1.5', '1.50')."""
        said = [self.symbol, self.side, plain(self.quantity), plain(self.price)]
        return hashlib.sha256(json.dumps(said, separators=(",", ":")).encode()).hexdigest()

    def fields(self) -> dict[str, str]:
        """Write the order as it is read by `order_of`."""
        return {
            "clientOrderId": self.client_order_id,
            "symbol": self.symbol,
            "side": self.side,
            "quantity": plain(self.quantity),
            "price": plain(self.price),
        }


def order_id(owner: str, client_order_id: str) -> str:
    """Name an order. Nobody can make the id of another owner's order."""
    digest = hashlib.sha256(f"{owner}\0{client_order_id}".encode()).hexdigest()
    return f"o-{digest[:32]}"


def shard_of(order: str) -> int:
    """Spread orders over the partitions of an index, by their id."""
    return int(order[2], 16) % SHARDS


def plain(number: Decimal) -> str:
    """Write a number in one way: no exponent, no zeros at the end."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def order_of(owner: str, given: object) -> Order:
    """Read an order from a JSON object; raise InvalidOrder, with every problem named."""
    if not _OWNER.fullmatch(owner):
        raise InvalidOrder(Problem("owner", "an IAM role or user"))
    if not isinstance(given, dict):
        raise InvalidOrder(Problem("body", "one JSON object"))
    problems = [*_problems(given)]
    if problems:
        raise InvalidOrder(*sorted(problems))
    return Order(
        owner=owner,
        client_order_id=given["clientOrderId"],
        symbol=given["symbol"],
        side=given["side"],
        quantity=Decimal(given["quantity"]),
        price=Decimal(given["price"]),
    )


def _problems(given: Mapping[Any, Any]) -> list[Problem]:
    problems = []
    if not given.keys() <= _RULES.keys():
        problems.append(Problem("body", "no field that is not ours"))
    for name, (pattern, rule) in _RULES.items():
        value = given.get(name)
        is_read = isinstance(value, str) and pattern.fullmatch(value)
        if not is_read or (name in _ABOVE_ZERO and not Decimal(str(value)) > 0):
            problems.append(Problem(name, rule))
    return problems
