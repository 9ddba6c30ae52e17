"""Sets of texts given by patterns, and the finest partition that a list of patterns makes.

All patterns run side by side as one nondeterministic automaton whose set of states is a bit mask
(shift-and); its reachable state sets are explored breadth first, letter by letter, where all
letters that no pattern names count as one. Two texts that the same patterns match are in one
class, and each class that is not empty is found, with its shortest text: nothing is sampled.

Where patterns hold open atoms, a text may match a pattern for some values of the atoms only. Each
pattern then runs twice: as it stands (must) and with its open atoms as `*` (may).
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from tap_templates.diff.security.texts import (
    ATOM,
    ONE,
    SEGMENT,
    STAR,
    is_atom,
    is_open,
    is_part,
)

_MAX_STATES: Final = 40_000
_OTHERS: Final = "xyzwvuqkjXYZ0189~"  # a letter that no pattern names, the nicest first


class TooComplexError(ValueError):
    """The patterns make more classes than we are willing to look at."""


class Pattern(NamedTuple):
    """A glob over symbols; `folded` ignores case."""

    text: str
    folded: bool = False


class Word(NamedTuple):
    """A class of texts by its shortest text; bit i of the masks stands for pattern i."""

    text: str
    must: int
    may: int


@dataclass(slots=True)
class _Masks:
    """Which states take which step."""

    start: int = 0
    star: int = 0
    segment: int = 0
    one: int = 0
    any_atom: int = 0
    size: int = 0

    def add(self, text: str, *, folded: bool, letters: dict[str, int]) -> tuple[int, int]:
        """Lay a pattern out; return its final state's bit and the mask of all its states."""
        first = self.size
        self.start |= 1 << first
        for symbol in text:
            here = 1 << self.size
            if symbol == STAR:
                self.star |= here
                continue
            if symbol == SEGMENT:
                self.segment |= here
                continue
            if symbol == ONE:
                self.one |= here
            elif symbol == ATOM:
                self.any_atom |= here
            else:
                for each in {symbol.lower(), symbol.upper()} if folded else {symbol}:
                    letters[each] = letters.get(each, 0) | here
            self.size += 1
        final = 1 << self.size
        self.size += 1
        return final, (1 << self.size) - (1 << first)


def _relaxed(symbol: str) -> str:
    if is_part(symbol):
        return SEGMENT
    return STAR if is_open(symbol) else symbol


class Partition:
    """The classes that `patterns` make of the texts within `domain` and within `focus`.

    Each of the two is a list of patterns, of which a text has to match one; () is all texts.
    """

    def __init__(
        self, patterns: Sequence[Pattern], domain: Iterable[str] = (), focus: Iterable[str] = ()
    ) -> None:
        self._masks = _Masks()
        self._letters: dict[str, int] = {}
        self._pattern_of: dict[int, int] = {}  # from the bit of a final state
        self._must = self._may = 0  # all final states
        self._may_spans: list[int] = []
        for index, pattern in enumerate(patterns):
            final, _ = self._masks.add(pattern.text, folded=pattern.folded, letters=self._letters)
            self._pattern_of[final] = 1 << index
            self._must |= final
        self._has_open = any(is_open(each) for pattern in patterns for each in pattern.text)
        if self._has_open:
            for index, pattern in enumerate(patterns):
                relaxed = "".join(map(_relaxed, pattern.text))
                final, span = self._masks.add(relaxed, folded=pattern.folded, letters=self._letters)
                self._pattern_of[final] = 1 << index
                self._may |= final
                self._may_spans.append(span)
        self._own = (1 << self._masks.size) - 1
        # Final states, and all states, of either limit.
        self._limits: list[tuple[int, int]] = []
        for limit in (domain, focus):
            finals = states = 0
            for text in limit:
                final, span = self._masks.add(text, folded=False, letters=self._letters)
                finals, states = finals | final, states | span
            if finals:
                self._limits.append((finals, states))
        if self._masks.segment:
            self._letters.setdefault(":", 0)
        self._other = next(
            (each for each in _OTHERS if each not in self._letters), "\N{GREEK SMALL LETTER XI}"
        )
        self._plain_letters = [
            (letter, mask) for letter, mask in self._letters.items() if not is_atom(letter)
        ]
        self._atoms = [(atom, mask) for atom, mask in self._letters.items() if is_atom(atom)]
        self._output = self._must | self._may

    def classes(self) -> list[Word]:
        """Find each class once; raise TooComplexError rather than miss one."""
        start = self._masks.start
        # How a state set was reached first, which is a shortest way.
        origins: dict[int, tuple[int, str] | None] = {start: None}
        queue = deque([start])
        found: dict[int, int] = {}
        while queue:
            states = queue.popleft()
            if self._is_inside(states):
                found.setdefault(states & self._output, states)
            for symbol in self._next_symbols(states):
                following = self._step(states, symbol)
                if following not in origins and self._is_alive(following):
                    origins[following] = (states, symbol)
                    queue.append(following)
            if len(origins) > _MAX_STATES:
                raise TooComplexError
        return [self._word(states, origins) for states in found.values()]

    def signature(self, text: str) -> tuple[int, int]:
        """Tell which patterns a text must and may match.

        (-1, -1) for what is outside the limits, or holds an open atom that no pattern speaks of.
        """
        if any(is_open(symbol) and symbol not in self._letters for symbol in text):
            return -1, -1
        states = self._masks.start
        for symbol in text:
            states = self._step(states, symbol)
        return self._read(states) if self._is_inside(states) else (-1, -1)

    def _is_inside(self, states: int) -> bool:
        return all(states & finals for finals, _ in self._limits)

    def _is_alive(self, states: int) -> bool:
        """Tell whether a text may still come to be inside."""
        return all(states & live for _, live in self._limits)

    def _next_symbols(self, states: int) -> list[str]:
        masks = self._masks
        symbols = [letter for letter, mask in self._plain_letters if states & mask]
        if self._atoms:
            # That a domain takes any atom is no reason to look at all of them.
            own = states & self._own
            symbols += [atom for atom, mask in self._atoms if own & mask]
        if states & (masks.star | masks.segment | masks.one):
            symbols.append(self._other)
            if masks.segment and ":" not in symbols:
                symbols.append(":")
        return symbols

    def _step(self, states: int, symbol: str) -> int:
        masks = self._masks
        taken = self._letters.get(symbol, 0)
        atom = is_atom(symbol)
        taken |= masks.any_atom if atom else masks.one
        stays = masks.star if symbol == ":" else masks.star | masks.segment
        following = ((states & taken) << 1) | (states & stays)
        if atom and is_open(symbol):
            for span in self._may_spans:
                if states & span:
                    following |= self._reached(states & span, span, is_part=is_part(symbol))
        return following

    def _reached(self, live: int, span: int, *, is_part: bool) -> int:
        """Give all states that some text leads to; of a part of an ARN, some without colon."""
        if not is_part:
            return span & ~((live & -live) - 1)
        colons = self._letters.get(":", 0) & span
        found = 0
        while live:
            first = live & -live
            after = colons & ~(first - 1)
            # Up to the next state that waits for a colon, it included.
            until = ((after & -after) << 1) - 1 if after else span
            reached = span & ~(first - 1) & until
            found |= reached
            live &= ~reached
        return found

    def _read(self, states: int) -> tuple[int, int]:
        must = self._matched(states & self._must)
        return must, self._matched(states & self._may) if self._has_open else must

    def _matched(self, finals: int) -> int:
        """Turn final states into the patterns whose they are."""
        found = 0
        while finals:
            first = finals & -finals
            found |= self._pattern_of[first]
            finals ^= first
        return found

    def _word(self, states: int, origins: dict[int, tuple[int, str] | None]) -> Word:
        must, may = self._read(states)
        symbols: list[str] = []
        origin = origins[states]
        while origin is not None:
            states, symbol = origin
            symbols.append(symbol)
            origin = origins[states]
        return Word("".join(reversed(symbols)), must, may)
