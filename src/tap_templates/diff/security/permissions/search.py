"""The search for a request that one side allows and the other does not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from tap_templates.diff.security.permissions.languages import TooComplexError

_MAX_STEPS: Final = 400_000


class Match(NamedTuple):
    """Which statements a request matches, as bit masks.

    Texts may hold atoms. `plain` takes an atom as a letter like any other; `must` is what is
    matched whatever the open atoms stand for, `may` what is matched for some of it.
    """

    plain: int
    must: int
    may: int

    def __and__(self, other: "Match") -> "Match":
        return Match(self.plain & other.plain, self.must & other.must, self.may & other.may)


NOWHERE: Final = Match(-1, -1, -1)  # what no request matches


class Cell(NamedTuple):
    """Requests that are alike in one dimension."""

    label: str
    match: Match


@dataclass(slots=True)
class Dimension:
    """The cells of one dimension, and the statements it says anything about."""

    name: str
    sure: list[Cell]
    possible: list[Cell]
    concerns: int
    match_of: Callable[[str], Match] | None = None
    is_named: bool = False  # whether a witness names it even if any value would do


@dataclass(frozen=True, slots=True)
class Side:
    """Which statements, as bit masks, make up one side of the comparison."""

    allows: int
    denies: int
    boundary: int | None  # those of a boundary that allow


class Test(Protocol):
    """What a request has to pass."""

    @property
    def surely(self) -> bool: ...

    def is_open(self, match: Match) -> bool:
        """Tell whether a request with these matches so far can still pass."""
        ...

    def passes(self, match: Match) -> bool: ...


@dataclass(frozen=True, slots=True)
class Surely:
    """Allowed by `new` and not by `old`, whatever open atoms stand for."""

    new: Side
    old: Side
    surely = True

    def is_open(self, match: Match) -> bool:
        new = self.new
        return bool(match.must & new.allows) and (
            new.boundary is None or bool(match.must & new.boundary)
        )

    def passes(self, match: Match) -> bool:
        old = self.old
        if not self.is_open(match) or match.may & self.new.denies:
            return False
        if match.must & old.denies or not match.may & old.allows:
            return True
        return old.boundary is not None and not match.may & old.boundary


@dataclass(frozen=True, slots=True)
class Possibly:
    """Allowed by `new` and not by `old` for some values of open atoms.

    It is enough to look at texts that hold the atoms of the statement which newly allows: any
    other text that it comes to match is one of them, filled in. There it is matched plainly, as
    are the same statements of the old side; all else may match or not, save that a statement on
    both sides does the same on both.
    """

    new: Side
    old: Side
    surely = False

    def is_open(self, match: Match) -> bool:
        new = self.new
        return bool(match.plain & new.allows) and (
            new.boundary is None or bool(match.plain & new.boundary)
        )

    def passes(self, match: Match) -> bool:
        new, old = self.new, self.old
        if not self.is_open(match) or match.must & new.denies:
            return False
        if match.may & old.denies & ~new.denies:
            return True
        if match.plain & new.allows & ~old.allows and not match.must & old.allows:
            return True
        if old.boundary is None or match.must & old.boundary:
            return False
        return new.boundary is None or bool(match.plain & new.boundary & ~old.boundary)


class Search:
    """Depth first through the dimensions, never twice from the same matches."""

    def __init__(self, dimensions: Sequence[Dimension], test: Test) -> None:
        self._dimensions = dimensions
        self._test = test
        self._failed: set[tuple[int, Match]] = set()
        self._steps = 0

    def descend(self, depth: int, match: Match) -> list[Cell | None] | None:
        """Give the cells of the dimensions from `depth` on, or None if there is no request."""
        if not self._test.is_open(match) or (depth, match) in self._failed:
            return None
        if depth == len(self._dimensions):
            return [] if self._test.passes(match) else None
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise TooComplexError
        dimension = self._dimensions[depth]
        if not (match.may | match.plain) & dimension.concerns and not dimension.is_named:
            rest = self.descend(depth + 1, match)
            return None if rest is None else [None, *rest]
        for cell in dimension.sure if self._test.surely else dimension.possible:
            rest = self.descend(depth + 1, match & cell.match)
            if rest is not None:
                return [cell, *rest]
        self._failed.add((depth, match))
        return None
