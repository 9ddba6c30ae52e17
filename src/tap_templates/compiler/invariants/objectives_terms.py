"""Terms of a failover's time, and the worst values that the parameters of a template allow."""

from collections.abc import Mapping
from dataclasses import dataclass

from tap_templates.compiler.invariants.invariant import CompiledSystem
from tap_templates.compiler.invariants.values import inside, number
from tap_templates.rendered.view import Located


@dataclass(frozen=True, slots=True)
class Term:
    """A part of the time a failover takes, at most. `seconds` is None if nothing bounds it."""

    name: str
    seconds: int | None
    source: str


def total(terms: tuple[Term, ...]) -> float:
    """Add terms that follow each other; infinite if one of them has no bound."""
    return sum(float("inf") if term.seconds is None else term.seconds for term in terms)


def worst(
    compiled: CompiledSystem, located: Located, *keys: str, left_out: float | None = None
) -> float | None:
    """Take the highest value that the template allows of a property; None if nothing bounds it.

    `left_out` is what AWS takes where the property is not there.
    """
    raw = inside(located.resource.raw["Properties"], *keys)
    if raw is None:
        return left_out
    if not isinstance(raw, Mapping):
        return number(raw)
    parameters = compiled.template(located.stack.stack).get("Parameters", {})
    declared = parameters.get(raw.get("Ref"))
    if declared is None:
        return None  # an expression that we do not follow
    bounds = [number(declared.get("MaxValue")), *map(number, declared.get("AllowedValues", []))]
    known = [bound for bound in bounds if bound is not None]
    return max(known, default=None)
