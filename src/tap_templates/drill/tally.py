"""What became of the orders: those that clients were told of, against what the database has. Pure.

An order counts as there once if the books have exactly one row of it, as it was sent, and the
positions are what the rows add up to: an order that was applied twice would show in one of both.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An order that a client has sent, once or more often, with the same id of its own."""

    client_order_id: str
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    region: str | None = None  # that acknowledged it; None: nobody did

    @property
    def is_acknowledged(self) -> bool:
        return self.region is not None

    @property
    def moves(self) -> Decimal:
        return self.quantity if self.side == "buy" else -self.quantity


class Row(NamedTuple):
    """An order as the books have it."""

    client_order_id: str
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    epoch: int  # under which it was applied


class Position(NamedTuple):
    symbol: str
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The orders of a drill, counted; ids are those that clients gave."""

    acknowledged: Mapping[str, int]  # by region
    booked: int  # rows in the books
    missing: tuple[str, ...]  # acknowledged, and not in the books
    doubled: tuple[str, ...]  # in the books more than once
    changed: tuple[str, ...]  # in the books as something else than was sent
    unknown: tuple[str, ...]  # in the books, and sent by nobody
    askew: tuple[str, ...]  # symbols whose position is not the sum of their orders

    @property
    def is_whole(self) -> bool:
        """Every acknowledged order once and as it was sent, and nothing twice."""
        return not (self.missing or self.doubled or self.changed or self.unknown or self.askew)

    @property
    def is_only_short(self) -> bool:
        """Orders are missing, and nothing else is wrong: what must come of leaving a step out."""
        others = self.doubled or self.changed or self.unknown or self.askew
        return bool(self.missing) and not others

    @property
    def faults(self) -> tuple[str, ...]:
        """Say what is wrong, a line a kind."""
        kinds = (
            (self.missing, "acknowledged and not in the database"),
            (self.doubled, "in the database more than once"),
            (self.changed, "in the database as another order than was sent"),
            (self.unknown, "in the database and sent by nobody"),
        )
        said = [f"{_orders(ids)} {what}: {_some(ids)}" for ids, what in kinds if ids]
        if self.askew:
            said.append(f"positions that are not the sum of their orders: {_some(self.askew)}")
        return tuple(said)


def tally(sent: Iterable[Sent], rows: Iterable[Row], positions: Iterable[Position]) -> Tally:
    """Hold the books against what was sent."""
    orders = {each.client_order_id: each for each in sent}
    booked = list(rows)
    found = Counter(row.client_order_id for row in booked)
    told = [each for each in orders.values() if each.is_acknowledged]
    sums: dict[str, Decimal] = {}
    for row in booked:
        moved = row.quantity if row.side == "buy" else -row.quantity
        sums[row.symbol] = sums.get(row.symbol, Decimal()) + moved
    kept = {each.symbol: each.quantity for each in positions}
    symbols = sums.keys() | kept.keys()
    return Tally(
        acknowledged=dict(sorted(Counter(str(each.region) for each in told).items())),
        booked=len(booked),
        missing=_ids(each.client_order_id for each in told if not found[each.client_order_id]),
        doubled=_ids(each for each, times in found.items() if times > 1),
        changed=_ids(
            row.client_order_id
            for row in booked
            if row.client_order_id in orders and not _is(row, orders[row.client_order_id])
        ),
        unknown=_ids(each for each in found if each not in orders),
        askew=_ids(each for each in symbols if sums.get(each) != kept.get(each)),
    )


def _is(row: Row, order: Sent) -> bool:
    return row[1:5] == (order.symbol, order.side, order.quantity, order.price)


def _ids(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(found))


def _orders(ids: tuple[str, ...]) -> str:
    return "1 order is" if len(ids) == 1 else f"{len(ids)} orders are"


def _some(ids: tuple[str, ...], most: int = 3) -> str:
    more = f" and {len(ids) - most} more" if len(ids) > most else ""
    return ", ".join(ids[:most]) + more
