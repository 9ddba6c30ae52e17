"""Conditions on numbers, dates and addresses, by samples that leave no case out.

A clause changes its answer at its bounds alone, so that each bound, a point between each two of
them and one beyond each end decide it for all values.
"""

import ipaddress
import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final, NamedTuple

from tap_templates.diff.security.permissions.statements import Clause

_COMPARISONS: Final[dict[str, Callable[[Fraction, Fraction], bool]]] = {
    "equals": lambda value, bound: value == bound,
    "notequals": lambda value, bound: value != bound,
    "lessthan": lambda value, bound: value < bound,
    "lessthanequals": lambda value, bound: value <= bound,
    "greaterthan": lambda value, bound: value > bound,
    "greaterthanequals": lambda value, bound: value >= bound,
}
_ADDRESSES: Final = frozenset({"ipaddress", "notipaddress"})
_NUMBERS: Final = frozenset(f"numeric{each}" for each in _COMPARISONS)
_DATES: Final = frozenset(f"date{each}" for each in _COMPARISONS)
SAMPLED: Final = _ADDRESSES | _NUMBERS | _DATES

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Sampled(NamedTuple):
    """One value that a request may carry, and which clauses hold for it, in their order."""

    label: str
    holds: tuple[bool, ...]


def sampled(clauses: Sequence[Clause]) -> list[Sampled] | None:
    """Sample all that these clauses tell apart; None if one has a value we cannot read."""
    operators = {clause.operator for clause in clauses}
    try:
        if operators <= _ADDRESSES:
            return _addresses(clauses)
        if operators <= _NUMBERS:
            return _ordered(clauses, Fraction, lambda value: f"{float(value):g}")
        if operators <= _DATES:
            return _ordered(clauses, _date, _spell_date)
    except (ValueError, OverflowError, ZeroDivisionError):
        return None
    return None


def _ordered(
    clauses: Sequence[Clause], read: Callable[[str], Fraction], spell: Callable[[Fraction], str]
) -> list[Sampled]:
    read_clauses = [
        (
            _COMPARISONS[clause.operator.removeprefix("numeric").removeprefix("date")],
            [read(value) for value in clause.values],
        )
        for clause in clauses
    ]
    bounds = sorted({bound for _, values in read_clauses for bound in values})
    samples = {bounds[0] - 1, *bounds, bounds[-1] + 1}
    samples |= {(low + high) / 2 for low, high in itertools.pairwise(bounds)}
    return [
        Sampled(
            spell(sample),
            tuple(
                # A value of a negative operator must agree with all bounds, else with one.
                (all if holds is _COMPARISONS["notequals"] else any)(
                    holds(sample, bound) for bound in values
                )
                for holds, values in read_clauses
            ),
        )
        for sample in sorted(samples)
    ]


def _date(text: str) -> Fraction:
    if text.lstrip("-").isdecimal():
        return Fraction(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return Fraction(moment.timestamp())


def _spell_date(seconds: Fraction) -> str:
    return datetime.fromtimestamp(float(seconds), UTC).isoformat()


def _addresses(clauses: Sequence[Clause]) -> list[Sampled]:
    networks = [
        [ipaddress.ip_network(value, strict=False) for value in clause.values] for clause in clauses
    ]
    samples: set[Address] = set()
    for network in (each for group in networks for each in group):
        first, last = network[0], network[-1]
        samples |= {first, last}
        if int(first) > 0:
            samples.add(first - 1)
        if int(last) < 2**network.max_prefixlen - 1:
            samples.add(last + 1)
    # Each version has addresses of its own, which a clause on the other says nothing about.
    samples |= {ipaddress.ip_address("203.0.113.1"), ipaddress.ip_address("2001:db8::1")}
    return [
        Sampled(
            str(sample),
            tuple(
                any(sample in network for network in group) is (clause.operator == "ipaddress")
                for clause, group in zip(clauses, networks, strict=True)
            ),
        )
        for sample in sorted(samples, key=lambda each: (each.version, int(each)))
    ]
