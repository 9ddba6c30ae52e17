"""What became of the orders: every fault that a drill must find is planted, and found."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tap_templates.drill.tally import Position, Row, Sent, tally

HOME, AWAY = "us-east-1", "us-east-2"


def sent(name, side="buy", quantity="2", symbol="ALPHA", region=HOME):
    return Sent(
        client_order_id=name,
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        price=Decimal("1.5"),
        region=region,
    )


def row(order, epoch=1):
    return Row(order.client_order_id, order.symbol, order.side, order.quantity, order.price, epoch)


ORDERS = [
    sent("a"),
    sent("b", side="sell", quantity="0.5"),
    sent("c", symbol="BETA", region=AWAY),
    sent("never-told", region=None),
]
ROWS = [row(each) for each in ORDERS[:3]]
POSITIONS = [Position("ALPHA", Decimal("1.5")), Position("BETA", Decimal(2))]


def test_each_order_once_is_whole():
    found = tally(ORDERS, ROWS, POSITIONS)
    assert found.is_whole
    assert found.faults == ()
    assert found.acknowledged == {HOME: 2, AWAY: 1}
    assert found.booked == 3


def test_an_order_that_nobody_was_told_of_may_be_there_or_not():
    """Its client gave up before the answer: either is right."""
    more = [Position("ALPHA", Decimal("3.5")), POSITIONS[1]]
    assert tally(ORDERS, [*ROWS, row(ORDERS[3])], more).is_whole


def test_it_matters_not_under_which_epoch_an_order_was_applied():
    assert tally(ORDERS, [row(each, epoch=2) for each in ORDERS[:3]], POSITIONS).is_whole


def test_nothing_at_all_is_whole_and_says_so():
    found = tally([], [], [])
    assert found.is_whole
    assert found.booked == 0


FAULTS = {
    "missing": (ROWS[:2], POSITIONS[:1], ("c",), "1 order is acknowledged and not in the database"),
    "doubled": (
        [*ROWS, ROWS[2]],
        [POSITIONS[0], Position("BETA", Decimal(4))],
        ("c",),
        "1 order is in the database more than once",
    ),
    "changed": (
        [*ROWS[:2], ROWS[2]._replace(price=Decimal("1.6"))],
        POSITIONS,
        ("c",),
        "as another order than was sent: c",
    ),
    "unknown": (
        [*ROWS, row(sent("d", symbol="GAMMA"))],
        [*POSITIONS, Position("GAMMA", Decimal(2))],
        ("d",),
        "sent by nobody: d",
    ),
    "askew": (
        ROWS,
        [Position("ALPHA", Decimal("3.5")), POSITIONS[1]],
        ("ALPHA",),
        "not the sum of their orders: ALPHA",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_told_and_no_other(fault):
    rows, positions, who, says = FAULTS[fault]
    found = tally(ORDERS, rows, positions)
    assert not found.is_whole
    assert getattr(found, fault) == who
    others = FAULTS.keys() - {fault}
    assert {other: getattr(found, other) for other in others} == dict.fromkeys(others, ())
    (told,) = found.faults
    assert says in told


def test_a_position_without_orders_is_askew_and_one_that_is_not_there_too():
    assert tally(ORDERS, ROWS, [*POSITIONS, Position("DELTA", Decimal(0))]).askew == ("DELTA",)
    assert tally(ORDERS, ROWS, POSITIONS[:1]).askew == ("BETA",)


def test_only_short_means_missing_and_nothing_else():
    assert tally(ORDERS, ROWS[:2], POSITIONS[:1]).is_only_short
    assert not tally(ORDERS, ROWS, POSITIONS).is_only_short
    assert not tally(ORDERS, ROWS[:2], POSITIONS).is_only_short  # its position is still there


def test_many_are_counted_and_some_are_named():
    many = [replace(sent(f"o{n}"), region=AWAY) for n in range(5)]
    (told,) = tally(many, [], []).faults
    assert told.startswith("5 orders are acknowledged")
    assert told.endswith("o0, o1, o2 and 2 more")
