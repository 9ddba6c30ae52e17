"""The words of the proof: a need, a use of a role, a problem.  Values only."""

from collections.abc import Iterable
from dataclasses import dataclass

from tap_templates.iam.codes import Code
from tap_templates.rendered.view import Located


@dataclass(frozen=True, slots=True, order=True)
class Clause:
    """One operator on one key; of `values`, any one has to match."""

    operator: str
    key: str
    values: tuple[str, ...]  # sorted

    def __str__(self) -> str:
        return f"{self.operator}({self.key} = {', '.join(self.values)})"


Condition = tuple[Clause, ...]  # sorted; all have to hold


def condition(*clauses: tuple[str, str, Iterable[str]]) -> Condition:
    """Bring clauses into their one order."""
    return tuple(sorted(Clause(operator, key, tuple(sorted(v))) for operator, key, v in clauses))


def spell(condition: Condition) -> str:
    """Spell a condition for a person."""
    return " and ".join(map(str, condition)) or "no condition"


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One action on one resource pattern under one condition: the unit both sides are made of."""

    action: str  # as IAM spells it
    resource: str
    condition: Condition = ()
    effect: str = "Allow"

    def __str__(self) -> str:
        text = f"{self.action} on {self.resource}"
        if self.effect == "Deny":
            text = f"Deny of {text}"
        return f"{text} if {spell(self.condition)}" if self.condition else text


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """A permission that is used, and by what: a template path, or a line of a handler."""

    permission: Permission
    why: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to tell, at a place in the view."""

    code: Code
    located: Located
    path: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class RoleUse:
    """A resource that runs with a role: who assumes it and what for."""

    role_arn: str
    user: Located
    path: str  # of the property that names the role
    principal: str  # the service that assumes it
    # What the service sends as aws:SourceArn; a pattern if AWS makes the name after the role. None:
    # nothing we can rely on. A service that sends no source keys at all has `sends_source` False.
    source_arn: str | None = None
    sends_source: bool = True
    needs: tuple[Need, ...] = ()


def allow(action: str, resource: str, why: str, condition: Condition = ()) -> Need:
    """Say that `action` on `resource` is needed."""
    return Need(Permission(action, resource, condition), why)


UseOfRole = RoleUse | Problem


def not_written_down(located: Located, path: str, what: str, where: str) -> Problem:
    """Say that a role is used in a way that has no entry in the module `where`."""
    return Problem(
        Code.UNJUDGED,
        located,
        path,
        f"{what}; nobody wrote down what that takes",
        f"write it down in {where}, with its source",
    )
