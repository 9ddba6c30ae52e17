"""What a request may carry under one condition key, as cells: which clauses hold for it.

Texts are partitioned exactly, numbers, dates and addresses by samples on and between their
bounds, several values of one key by sets of classes. What is left (an operator we do not know,
kinds that do not mix) is opaque: each clause is true or false, and nobody knows which of them go
together.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from tap_templates.diff.security.permissions.bounds import SAMPLED, Sampled, sampled
from tap_templates.diff.security.permissions.languages import (
    Partition,
    Pattern,
    TooComplexError,
    Word,
)
from tap_templates.diff.security.permissions.statements import ABSENT, TEMPLATE, Clause

_POSITIVE: Final = frozenset(
    {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike",
     "binaryequals", "bool"}
)  # fmt: skip
_NEGATIVE: Final = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
}
_NEGATIVE_SAMPLED: Final = frozenset({"notipaddress", "numericnotequals", "datenotequals"})
_FOLDED: Final = frozenset({"stringequalsignorecase", "bool"})
_MAX_CLASSES: Final = 7  # of values of a key with several: their subsets are 2 to its power
_MAX_OPAQUE: Final = 6
_QUANTIFIERS: Final = frozenset({"", "forallvalues", "foranyvalue"})


class Cell(NamedTuple):
    """Requests that are alike in one dimension; bit i of the masks stands for clause i."""

    label: str  # as symbols; "" if nothing has to be said
    plain: int  # with an atom taken as a letter like any other
    must: int
    may: int


# Whether a clause holds: plainly, surely, maybe.
Holds = tuple[bool, bool, bool]


@dataclass(frozen=True, slots=True)
class Cells:
    """All requests by one key: `sure` are those that surely exist, `possible` all that might."""

    sure: tuple[Cell, ...]
    possible: tuple[Cell, ...]


def cells(clauses: Sequence[Clause]) -> Cells:
    """Partition what a request may carry under the one key of these clauses."""
    if clauses[0].operator == TEMPLATE:
        return _of_template(clauses)
    plain = [each for each in clauses if each.operator != "null"]
    exact: list[Cell] | None = None
    if all(each.quantifier in _QUANTIFIERS for each in clauses):
        if all(each.operator in _POSITIVE or each.operator in _NEGATIVE for each in plain):
            exact = _of_texts(clauses)
        elif all(each.operator in SAMPLED and not each.quantifier for each in plain):
            samples = sampled(plain)
            exact = None if samples is None else _of_samples(clauses, samples)
    if exact is None:
        return _opaque(clauses)
    return Cells(tuple(exact), tuple(exact))


def _collect(holds: Iterable[Holds], label: str) -> Cell:
    plain = must = may = 0
    for index, (plainly, surely, maybe) in enumerate(holds):
        plain |= plainly << index
        must |= surely << index
        may |= maybe << index
    return Cell(label, plain, must, may)


def _when_absent(clause: Clause) -> bool:
    if clause.operator == "null":
        return "true" in clause.values
    if clause.quantifier == "forallvalues" or clause.if_exists:
        return True
    if clause.quantifier == "foranyvalue":
        return False
    return clause.operator in _NEGATIVE or clause.operator in _NEGATIVE_SAMPLED


def _absent(clauses: Sequence[Clause]) -> Cell:
    return _collect(((holds,) * 3 for holds in map(_when_absent, clauses)), ABSENT)


def _is_null(clause: Clause) -> Holds:
    return ("false" in clause.values,) * 3


# Texts.


def _of_texts(clauses: Sequence[Clause]) -> list[Cell] | None:
    patterns: dict[Pattern, int] = {}
    masks: list[int] = []
    for clause in clauses:
        operator = _NEGATIVE.get(clause.operator, clause.operator)
        mask = 0
        for value in sorted(clause.values) if operator != "null" else ():
            pattern = Pattern(value, operator in _FOLDED)
            mask |= 1 << patterns.setdefault(pattern, len(patterns))
        masks.append(mask)
    plain = [each for each in clauses if each.operator != "null"]
    only_bool = bool(plain) and all(each.operator == "bool" for each in plain)
    try:
        found = Partition(list(patterns), ("true", "false") if only_bool else ()).classes()
    except TooComplexError:
        return None
    several = any(each.quantifier for each in clauses)
    if several and len(found) > _MAX_CLASSES:
        return None
    most = len(found) if several else 1
    result = [_absent(clauses)]
    for size in range(1, most + 1):
        for values in itertools.combinations(found, size):
            holds = (
                _holds(clause, mask, values) for clause, mask in zip(clauses, masks, strict=True)
            )
            label = f"= {' and '.join(word.text or '(empty)' for word in values)}"
            result.append(_collect(holds, label))
    return result


def _holds(clause: Clause, mask: int, values: Sequence[Word]) -> Holds:
    """Tell whether a clause holds for these values of its key."""
    if clause.operator == "null":
        return _is_null(clause)
    if clause.operator in _NEGATIVE:
        each = [(not w.must & mask, not w.may & mask, not w.must & mask) for w in values]
    else:
        each = [(bool(w.must & mask), bool(w.must & mask), bool(w.may & mask)) for w in values]
    plainly, surely, maybe = zip(*each, strict=True)
    if clause.quantifier == "forallvalues":
        return all(plainly), all(surely), all(maybe)
    if clause.quantifier == "foranyvalue":
        return any(plainly), any(surely), any(maybe)
    # What an operator for one value makes of several is nowhere said.
    return (plainly[0], surely[0], maybe[0]) if len(values) == 1 else (True, False, True)


# Numbers, dates, addresses.


def _of_samples(clauses: Sequence[Clause], samples: Sequence[Sampled]) -> list[Cell]:
    """Cells of samples, each of which tells which of the clauses without Null hold."""
    result = [_absent(clauses)]
    for sample in samples:
        given = iter(sample.holds)
        holds = (
            _is_null(clause) if clause.operator == "null" else (next(given),) * 3
            for clause in clauses
        )
        result.append(_collect(holds, f"= {sample.label}"))
    return result


# What is opaque.


def _of_template(clauses: Sequence[Clause]) -> Cells:
    """A condition of the template is true or false once for all, and we do not know which."""
    possible = tuple(
        _collect(((value in each.values,) * 3 for each in clauses), f"= {value}")
        for value in ("true", "false")
    )
    return Cells((Cell("", 0, 0, (1 << len(clauses)) - 1),), possible)


def _opaque(clauses: Sequence[Clause]) -> Cells:
    everything = (1 << len(clauses)) - 1
    sure: list[Cell] = []
    for index, clause in enumerate(clauses):
        bit = 1 << index
        sure.append(Cell(f"meeting {spell(clause)}", bit, bit, everything))
        sure.append(Cell(f"not meeting {spell(clause)}", 0, 0, everything & ~bit))
    if len(clauses) > _MAX_OPAQUE:
        return Cells(tuple(sure), (Cell("", everything, 0, everything),))
    possible = tuple(Cell("", mask, mask, mask) for mask in range(everything + 1))
    return Cells(tuple(sure), possible)


def spell(clause: Clause) -> str:
    """Write a clause for a person."""
    quantifier = f"{clause.quantifier}:" if clause.quantifier else ""
    suffix = "IfExists" if clause.if_exists else ""
    return f"{quantifier}{clause.operator}{suffix} {', '.join(sorted(clause.values))}"
