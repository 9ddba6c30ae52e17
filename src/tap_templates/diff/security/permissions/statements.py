"""What a policy says, as sets: which actions on which resources by whom under which conditions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tap_templates.diff.security.permissions.languages import Pattern
from tap_templates.diff.security.texts import STAR

# What a witness says of a key that does not come with the request.
ABSENT: Final = "absent"
# The operators whose values are globs. ArnEquals behaves as ArnLike:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
GLOB_OPERATORS: Final = frozenset(
    {"stringlike", "stringnotlike", "arnequals", "arnlike", "arnnotequals", "arnnotlike"}
)
# No operator of IAM: a condition of the template, under which the statement is there at all.
TEMPLATE: Final = "template"
# Another: what some managed policy allows that is not in the template.
MANAGED: Final = "managed"
_ALL: Final = Pattern(STAR)


@dataclass(frozen=True, slots=True)
class Words:
    """The texts that one of `patterns` matches or, if negated, those that none matches."""

    patterns: frozenset[Pattern]
    negated: bool = False

    @property
    def is_everything(self) -> bool:
        return not self.negated and _ALL in self.patterns


EVERYTHING: Final = Words(frozenset({_ALL}))


@dataclass(frozen=True, slots=True)
class Clause:
    """One key of a condition; it holds if the request's value agrees with one of `values`."""

    operator: str  # lower case, without quantifier and `IfExists`, as `stringlike`
    key: str  # lower case
    values: frozenset[str]  # as symbols; `*` and `?` are letters if the operator takes no globs
    quantifier: str = ""  # forallvalues, foranyvalue, or none
    if_exists: bool = False
    spelled: str = field(default="", compare=False)  # the key as a policy writes it


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; what it does not restrict is EVERYTHING."""

    allow: bool
    actions: Words
    resources: Words = EVERYTHING
    principals: Words = EVERYTHING
    clauses: frozenset[Clause] = frozenset()


@dataclass(frozen=True, slots=True)
class Policies:
    """All that says what one subject may do, or who may use it.

    What is allowed is what a statement allows and, if there is a boundary, the boundary allows
    too, and neither denies.
    """

    statements: frozenset[Statement] = frozenset()
    boundary: frozenset[Statement] | None = None
    unread: frozenset[str] = frozenset()  # what of it we cannot read, spelled out

    @property
    def denials(self) -> frozenset[Statement]:
        everything = self.statements | (self.boundary or frozenset())
        return frozenset(each for each in everything if not each.allow)


NOTHING: Final = Policies()


@dataclass(frozen=True, slots=True)
class Witness:
    """A request that proves a difference, spelled for a person."""

    action: str
    resource: str = ""
    principal: str = ""
    conditions: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def __str__(self) -> str:
        parts = [self.action]
        if self.note:
            parts.append(f"({self.note})")
        if self.resource:
            parts.append(f"on {self.resource}")
        if self.principal:
            parts.append(f"by {self.principal}")
        given = [f"{k} {v}" for k, v in sorted(self.conditions.items()) if v != ABSENT]
        if given:
            parts.append(f"with {' and '.join(given)}")
        missing = [key for key, value in sorted(self.conditions.items()) if value == ABSENT]
        if missing:
            parts.append(f"without {' or '.join(missing)}")
        return " ".join(parts)


def words(patterns: Iterable[str], *, negated: bool = False) -> Words:
    return Words(frozenset(map(Pattern, patterns)), negated)
