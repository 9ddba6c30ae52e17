"""Suffixes of names: no environment's name for one thing is another environment's for another."""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.names import NAMED
from tap_templates.compiler.invariants.parameter_values import refusal
from tap_templates.compiler.invariants.values import inside
from tap_templates.model.names import Scope
from tap_templates.rendered.view import Located

_NAMES = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html"
_SUFFIX = "EnvironmentSuffix"


def _ambiguous(compiled: CompiledSystem) -> Iterator[Fault]:
    if compiled.system.once_per_account:
        return  # its names have no suffix
    purposes: dict[tuple[str, str], dict[str, Located]] = {}
    for located in compiled.view.resources(*NAMED):
        purpose = _purpose(compiled, located)
        if purpose is not None:
            word = NAMED[located.resource.type].kind.word
            purposes.setdefault((located.stack.region, word), {})[purpose] = located
    for (_, word), named in purposes.items():
        for purpose, longer in named.items():
            for shorter in _beginnings(purpose):
                other = named.get(shorter)
                suffix = other and _mistaken(compiled, other, purpose[len(shorter) + 1 :])
                if suffix:
                    own = suffix.rpartition("-")[2]
                    yield fault_at(
                        longer,
                        f"is called {word}-{purpose}-{own} in the environment {own!r}, which "
                        f"{word}-{shorter} is called too, in the environment {suffix!r}",
                        f"let AllowedPattern of {_SUFFIX} admit no dash, or give them purposes of "
                        "which none begins with the other",
                        f"/Properties/{NAMED[longer.resource.type].property}",
                    )


def _purpose(compiled: CompiledSystem, located: Located) -> str | None:
    """Take the purpose out of a name; None where it is not by the rule, which TAP-NAME-01 tells."""
    naming, name = NAMED[located.resource.type], located.resource.name
    suffix = located.stack.parameters.get(_SUFFIX)
    if name is None or not isinstance(suffix, str):
        return None
    ending = f"-{suffix}"
    if naming.kind.scope is not Scope.REGION:
        ending += f"-{located.stack.region}"
    if naming.kind.scope is Scope.WORLD:
        ending += f"-{compiled.view.account}"
    beginning = f"{naming.before}{naming.kind.word}-"
    if not name.startswith(beginning) or not name.endswith(ending):
        return None
    return name[len(beginning) : -len(ending)] or None


def _beginnings(purpose: str) -> Iterator[str]:
    words = purpose.split("-")
    for count in range(1, len(words)):
        yield "-".join(words[:count])


def _mistaken(compiled: CompiledSystem, located: Located, rest: str) -> str | None:
    """Find a suffix that the template takes and that begins with `rest`, the other's last words."""
    template = compiled.template(located.stack.stack)
    declared: Mapping[str, Any] | None = inside(template, "Parameters", _SUFFIX)
    current = located.stack.parameters.get(_SUFFIX)
    if declared is None:
        return None
    # A short suffix, since the shortest is what a limit of length lets pass.
    for own in (str(current), "d", "1"):
        if refusal(f"{rest}-{own}", declared) is None:
            return f"{rest}-{own}"
    return None


NAME_SUFFIXES = (
    Invariant(
        code="TAP-NAME-06",
        promise="With another environment suffix, no name becomes that of another resource.",
        source_url=_NAMES,
        check=_ambiguous,
    ),
)
