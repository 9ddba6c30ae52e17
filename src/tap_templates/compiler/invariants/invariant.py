"""What an invariant is: a promise about a whole system, and the check that holds it to it.

A check is a pure function from the compiled system to faults. What concerns the resources of a
region is asked of the resolved view; what a template says whatever region it is in (retention,
parameters, literals) is asked of the template itself, so that no condition can hide it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_templates.compiler.invariants.mentions import Mention, mentions
from tap_templates.model.system import System
from tap_templates.rendered.view import Located, SystemView

if TYPE_CHECKING:  # its module imports troposphere, which no check needs
    from tap_templates.compiler.render import RenderedStack


@dataclass(frozen=True, slots=True)
class CompiledSystem:
    """A system as declared, as rendered, and as AWS will see it in each region.

    `view` is `resolve_system` over the same stacks, with the parameters of the manifest.
    """

    system: System
    stacks: "tuple[RenderedStack, ...]"
    view: SystemView
    mentions: tuple[Mention, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Several checks ask for the ARNs; finding them is the dearest walk there is.
        object.__setattr__(self, "mentions", tuple(mentions(self.view)))

    def template(self, stack: str) -> Mapping[str, Any]:
        return next(each.template for each in self.stacks if each.name == stack)

    def raw_resources(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Iterate over stack, logical id and body of every resource, conditional ones too."""
        for stack in self.stacks:
            for logical_id, body in stack.template["Resources"].items():
                yield stack.name, logical_id, body


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Where a promise does not hold. The region is "" if it holds in no region."""

    stack: str
    what: str
    remedy: str
    region: str = ""
    logical_id: str = ""
    path: str = ""  # JSON pointer below the resource, or into the template if there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """A promise with its code, which is typed here and nowhere else."""

    code: str
    promise: str
    source_url: str
    check: Callable[[CompiledSystem], Iterable[Fault]]


@dataclass(frozen=True, slots=True)
class AcrossFault:
    """A fault between two systems, reported at one of them."""

    system: str
    fault: Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class AcrossInvariant:
    """A promise about systems that share an account."""

    code: str
    promise: str
    source_url: str
    check: Callable[[Sequence[CompiledSystem]], Iterable[AcrossFault]]


def fault_at(located: Located, what: str, remedy: str, path: str = "") -> Fault:
    """Report a fault of a resource in the region it is in."""
    return Fault(
        stack=located.stack.stack,
        region=located.stack.region,
        logical_id=located.resource.logical_id,
        path=path,
        what=what,
        remedy=remedy,
    )
