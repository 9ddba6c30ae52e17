"""Is everything that is allowed after also allowed before? Decided by looking at every case.

A request has an action, a resource, a principal and a value (or none) under each condition key.
Each of these dimensions is partitioned into finitely many cells, by which of the statements a
request in that cell may match. The product of the cells is searched, with what cannot matter any
more cut off, for a request that the new policies allow and the old ones do not. Two searches: one
for a request that surely proves it, one for a request that proves it for some values of what is
unknown (a parameter, an operator we do not know). If neither finds one, there is none.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tap_templates.diff.security.permissions import keys
from tap_templates.diff.security.permissions.languages import (
    Partition,
    Pattern,
    TooComplexError,
)
from tap_templates.diff.security.permissions.search import (
    NOWHERE,
    Cell,
    Dimension,
    Match,
    Possibly,
    Search,
    Side,
    Surely,
)
from tap_templates.diff.security.permissions.statements import (
    Clause,
    Policies,
    Statement,
    Witness,
    Words,
)
from tap_templates.diff.security.permissions.witness import Request, Surroundings, describe
from tap_templates.diff.security.texts import ATOM, SEGMENT, STAR, Atoms

# What a request can name at all; a text with an atom may be anything.
_ANY_ATOM: Final = f"{STAR}{ATOM}{STAR}"
_ACTIONS: Final = (f"{SEGMENT}:{STAR}", _ANY_ATOM)
_RESOURCES: Final = (f"arn:{':'.join([SEGMENT] * 4)}:{STAR}", "*", _ANY_ATOM)
_PRINCIPALS: Final = tuple(
    f"{kind}:{STAR}" for kind in ("AWS", "CanonicalUser", "Federated", "Service")
)
_MAX_WITNESSES: Final = 40  # to choose the most telling action from


class Verdict(StrEnum):
    """What the new policies allow, compared with the old ones."""

    EQUAL = "equal"
    NARROWER = "narrower"
    BROADER = "broader"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict; a witness if broader (newly allowed) or narrower (no more allowed)."""

    verdict: Verdict
    witness: Witness | None = None
    reason: str = ""  # why it is unknown, or what the witness is if that is not all


def compare(
    before: Policies,
    after: Policies,
    *,
    atoms: Atoms,
    resources: Iterable[str] = (),
    named: Collection[str] = ("resource", "principal"),
    region: str = "us-east-1",
) -> Comparison:
    """Decide what became of what is allowed.

    `resources` are patterns of all that the policies can be about, for a policy that sits at one
    resource. `named` is what a witness names besides the action: a role's permissions need no
    principal, and its trust no resource. Broader wins over narrower where both are true.
    """
    if before == after:
        return Comparison(Verdict.EQUAL)
    if before.unread != after.unread:
        # Something that we do not read came or went: it may allow or deny anything.
        what = min(before.unread ^ after.unread)
        return Comparison(Verdict.UNKNOWN, reason=f"a statement cannot be read: it {what}")
    if before.unread:
        what = min(before.unread)
        return Comparison(
            Verdict.UNKNOWN,
            reason=f"other statements changed beside one that cannot be read: it {what}",
        )
    try:
        space = _Space(before, after, atoms, resources=tuple(resources), named=named, region=region)
        return _decide(space)
    except TooComplexError:
        return Comparison(Verdict.UNKNOWN, reason="the patterns are too many to be decided")


def _decide(space: "_Space") -> Comparison:
    before, after = space.before, space.after
    if found := space.search(Surely(after, before)):
        return Comparison(Verdict.BROADER, found)
    if found := space.search(Possibly(after, before)):
        reason = f"{found} is newly allowed, unless a value that is not known here says no"
        return Comparison(Verdict.UNKNOWN, reason=reason)
    if found := space.search(Surely(before, after)):
        return Comparison(Verdict.NARROWER, found)
    if space.search(Possibly(before, after)):
        return Comparison(Verdict.NARROWER)
    return Comparison(Verdict.EQUAL)


class _Space:
    """The product of all dimensions."""

    def __init__(
        self,
        before: Policies,
        after: Policies,
        atoms: Atoms,
        *,
        resources: tuple[str, ...],
        named: Collection[str],
        region: str,
    ) -> None:
        self.atoms = atoms
        self.region = region
        everything = {
            *before.statements, *after.statements, *(before.boundary or ()),
            *(after.boundary or ()),
        }  # fmt: skip
        self.statements: list[Statement] = sorted(everything, key=_order)
        self._index = {statement: i for i, statement in enumerate(self.statements)}
        self._all = (1 << len(self.statements)) - 1
        self._changed = _changed(before, after)
        self.before = self._side(before)
        self.after = self._side(after)
        self.dimensions: list[Dimension] = [
            self._of_words("action", [s.actions for s in self.statements], _ACTIONS),
            self._of_words("resource", [s.resources for s in self.statements],
                           resources or _RESOURCES),
            self._of_words("principal", [s.principals for s in self.statements], _PRINCIPALS),
            *self._of_keys(),
        ]  # fmt: skip
        for dimension in self.dimensions:
            dimension.is_named = dimension.name in named

    def _side(self, policies: Policies) -> Side:
        def allows(statements: Iterable[Statement]) -> int:
            return sum(1 << self._index[each] for each in statements if each.allow)

        return Side(
            allows(policies.statements),
            sum(1 << self._index[each] for each in policies.denials),
            None if policies.boundary is None else allows(policies.boundary),
        )

    # Cells.

    def _of_words(self, name: str, sets: Sequence[Words], domain: Iterable[str]) -> Dimension:
        groups: dict[Words, int] = defaultdict(int)
        for index, each in enumerate(sets):
            if not each.is_everything:
                groups[each] |= 1 << index
        patterns = sorted({pattern for each in groups for pattern in each.patterns})
        position = {pattern: 1 << i for i, pattern in enumerate(patterns)}
        concerns = sum(groups.values())
        masks = [
            (sum(position[each] for each in words.patterns), words.negated, statements)
            for words, statements in groups.items()
        ]
        partition = Partition(patterns, domain, self._focus(name))
        free = self._all & ~concerns
        found: dict[Match, Cell] = {}
        for word in partition.classes():
            match = _matched(masks, word.must, word.may, free)
            found.setdefault(match, Cell(word.text, match))

        def match_of(text: str) -> Match:
            must, may = partition.signature(text)
            return NOWHERE if must < 0 else _matched(masks, must, may, free)

        cells = sorted(found.values(), key=lambda cell: (len(cell.label), cell.label))
        return Dimension(name, cells, cells, concerns, match_of)

    def _focus(self, name: str) -> list[str]:
        """List patterns of which a request that makes a difference matches one; [] for any."""
        found: set[Pattern] = set()
        for statement in self._changed:
            words: Words = getattr(statement, f"{name}s")
            if words.negated or words.is_everything:
                return []
            found |= words.patterns
        return sorted(pattern.text for pattern in found)

    def _of_keys(self) -> Iterator[Dimension]:
        by_key: dict[str, list[Clause]] = defaultdict(list)
        for clause in sorted({each for s in self.statements for each in s.clauses}, key=repr):
            by_key[clause.key].append(clause)
        for key, clauses in sorted(by_key.items()):
            found = keys.cells(clauses)
            bits = {clause: 1 << i for i, clause in enumerate(clauses)}
            needed = [
                sum(bits[each] for each in statement.clauses if each in bits)
                for statement in self.statements
            ]
            concerns = sum(1 << i for i, mask in enumerate(needed) if mask)
            yield Dimension(
                min(clause.spelled for clause in clauses) or key,
                _of_statements(found.sure, needed),
                _of_statements(found.possible, needed),
                concerns,
            )

    # Search.

    def search(self, test: Surely | Possibly) -> Witness | None:
        """Find a request that passes the test; the most telling of a few."""
        steps = Search(self.dimensions, test)
        found: list[Request] = []
        for cell in self.dimensions[0].sure:
            rest = steps.descend(1, cell.match)
            if rest is not None:
                found.append(self._request([cell, *rest]))
                if len(found) == _MAX_WITNESSES:
                    break
        if not found:
            return None
        allowing = [each for i, each in enumerate(self.statements) if test.new.allows >> i & 1]
        return describe(found, Surroundings(self.atoms, allowing, self.region, self._match_of))

    def _request(self, cells: Sequence[Cell | None]) -> Request:
        pairs = [
            (dimension, cell)
            for dimension, cell in zip(self.dimensions, cells, strict=True)
            if cell is not None
        ]
        labels = {dimension.name: cell.label for dimension, cell in pairs}
        matches = {dimension.name: cell.match for dimension, cell in pairs if dimension.match_of}
        return Request(labels, matches)

    def _match_of(self, name: str, text: str) -> Match:
        found = next(each.match_of for each in self.dimensions if each.name == name)
        return found(text) if found else NOWHERE


def _changed(before: Policies, after: Policies) -> frozenset[Statement]:
    """List the statements of one side if all that changed are some that allow; else none."""
    if before.denials != after.denials or before.boundary != after.boundary:
        return frozenset()
    return before.statements ^ after.statements


def _order(statement: Statement) -> str:
    return repr(
        (
            statement.allow,
            [(sorted(words.patterns), words.negated) for words in
             (statement.actions, statement.resources, statement.principals)],
            sorted(map(repr, statement.clauses)),
        )
    )  # fmt: skip


def _matched(masks: Sequence[tuple[int, bool, int]], must: int, may: int, free: int) -> Match:
    """Turn matched patterns into matched statements; `free` ones match whatever comes."""
    plainly = surely = maybe = free
    for patterns, negated, statements in masks:
        # Taken plainly, a pattern matches what it surely does.
        if bool(must & patterns) is not negated:
            plainly |= statements
        if (not may & patterns) if negated else (must & patterns):
            surely |= statements
        if (not must & patterns) if negated else (may & patterns):
            maybe |= statements
    return Match(plainly, surely, maybe)


def _of_statements(found: Iterable[keys.Cell], needed: Sequence[int]) -> list[Cell]:
    """Turn clauses that hold into statements that match: all clauses of one have to."""

    def matched(clauses: int) -> int:
        return sum(1 << i for i, mask in enumerate(needed) if mask & clauses == mask)

    result: dict[Match, Cell] = {}
    for cell in found:
        match = Match(matched(cell.plain), matched(cell.must), matched(cell.may))
        result.setdefault(match, Cell(cell.label, match))
    return list(result.values())
