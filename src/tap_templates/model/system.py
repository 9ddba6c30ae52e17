"""A system: its pair of regions, what it promises, and its stacks in rollout order.

Everything here is frozen and checked on construction. A stack names what it takes from another
as a typed reference (`OutputOf`) and only where AWS generates the value; everything else both
sides compute from the naming rule (`names`), so that a stack can be updated while the region of
the other is dark.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

from tap_templates.errors import ModelError
from tap_templates.model.package import Package

if TYPE_CHECKING:
    from tap_templates.blocks.stack import StackTemplate


class Where(Enum):
    """The regions a stack's stack set has instances in."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    BOTH = "both"
    WITNESS = "witness"  # for what an account needs there: no system runs in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
    """The pair, and the region that only witnesses strongly consistent writes, if there is one."""

    primary: str
    secondary: str
    witness: str | None = None

    def __post_init__(self) -> None:
        named = [self.primary, self.secondary, *([self.witness] if self.witness else [])]
        if len(set(named)) != len(named):
            raise ModelError(
                "regions", f"{', '.join(named)} are not distinct", "name a region for each role"
            )

    def of(self, where: Where) -> tuple[str, ...]:
        """List the regions in rollout order of a create: the primary first."""
        match where:
            case Where.PRIMARY:
                return (self.primary,)
            case Where.SECONDARY:
                return (self.secondary,)
            case Where.BOTH:
                return (self.primary, self.secondary)
            case Where.WITNESS:
                if self.witness is None:
                    raise ModelError(
                        "regions", "have no witness, where a stack is to be", "name a third region"
                    )
                return (self.witness,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """What the system promises for the loss of one region; None is no promise."""

    rto: timedelta | None = None  # until it works again
    database_rto: timedelta | None = None  # until its database can be written, if that is apart
    rpo: timedelta | None = None  # how much acknowledged work may be lost
    # Purposes of tables that an rpo of 0 does not speak of, and why that is no loss of work.
    apart: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutputOf:
    """The value of an output of another stack, in one region, that AWS generates."""

    stack: str
    output: str
    region: Where  # PRIMARY or SECONDARY

    def __post_init__(self) -> None:
        if self.region is Where.BOTH:
            raise ModelError(
                f"output {self.stack}.{self.output}",
                "is taken from both regions, but a parameter has one value",
                "say Where.PRIMARY or Where.SECONDARY",
            )


@dataclass(frozen=True, slots=True)
class OutputHere:
    """The value of an output of another stack that AWS generates, in the instance's own region."""

    stack: str
    output: str


@dataclass(frozen=True, slots=True)
class PackageKey:
    """Where the deployer put a package: its key in the region's artifact bucket."""

    package: str


@dataclass(frozen=True, slots=True)
class PackageSha256:
    """The digest of a package as Lambda spells it: base64 of the SHA-256."""

    package: str


ParameterValue = str | OutputOf | OutputHere | PackageKey | PackageSha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One template, one stack set."""

    name: str
    build: "Callable[[], StackTemplate]"
    where: Where
    depends_on: tuple[str, ...] = ()
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)

    def packages(self) -> set[str]:
        """Name the packages its functions run."""
        values = self.parameters.values()
        return {value.package for value in values if isinstance(value, PackageKey | PackageSha256)}


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One disaster-recovery system; the checks hold its templates to what is said here."""

    name: str
    application: str  # the default of the Application tag
    regions: Regions
    objectives: Objectives
    stacks: tuple[Stack, ...]  # in rollout order
    packages: tuple[Package, ...] = ()
    retain: frozenset[str] = frozenset()  # resource types that outlive their stack
    once_per_account: bool = False  # serves all environments: names carry no suffix
    # Roles that something outside the templates runs with: name, and what that is.
    operated_roles: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._check_names()
        for stack in self.stacks:
            self._check_dependencies(stack)
            self._check_parameters(stack)

    def stack(self, name: str) -> Stack | None:
        return next((stack for stack in self.stacks if stack.name == name), None)

    def _check_names(self) -> None:
        for kind, names in (
            ("stack", [stack.name for stack in self.stacks]),
            ("package", [package.name for package in self.packages]),
        ):
            for name in names:
                if names.count(name) > 1:
                    raise ModelError(
                        self.name, f"has two {kind}s called {name!r}", "rename one of them"
                    )

    def _check_dependencies(self, stack: Stack) -> None:
        where = f"{self.name}/{stack.name}"
        order = [each.name for each in self.stacks]
        for name in stack.depends_on:
            if name not in order:
                raise ModelError(
                    where,
                    f"depends on stack {name!r}, which does not exist",
                    f"the stacks are {', '.join(order)}",
                )
        if cycle := self._cycle_through(stack.name):
            raise ModelError(
                where,
                f"depends on itself: {' → '.join(cycle)}",
                "take one of these dependencies out, or move what both need into a stack below",
            )
        for name in stack.depends_on:
            if order.index(name) > order.index(stack.name):
                raise ModelError(
                    where,
                    f"is rolled out before {name!r}, on which it depends",
                    f"list {name!r} before {stack.name!r}",
                )

    def _cycle_through(self, start: str) -> list[str]:
        paths = [[start]]
        seen: set[str] = set()
        while paths:
            path = paths.pop()
            stack = self.stack(path[-1])
            for name in stack.depends_on if stack else ():
                if name == start:
                    return [*path, start]
                if name not in seen:
                    seen.add(name)
                    paths.append([*path, name])
        return []

    def _check_parameters(self, stack: Stack) -> None:
        where = f"{self.name}/{stack.name}"
        packages = {package.name for package in self.packages}
        for missing in sorted(stack.packages() - packages):
            raise ModelError(
                where,
                f"runs package {missing!r}, which the system does not declare",
                f"add it to packages; they are {', '.join(sorted(packages)) or 'none'}",
            )
        for parameter, value in sorted(stack.parameters.items()):
            if isinstance(value, OutputOf | OutputHere):
                self._check_output(f"{where} parameter {parameter}", stack, value)

    def _check_output(self, where: str, stack: Stack, value: OutputOf | OutputHere) -> None:
        region = value.region if isinstance(value, OutputOf) else stack.where
        producer = self.stack(value.stack)
        if producer is None or value.stack not in self._upstream(stack.name):
            raise ModelError(
                where,
                f"takes output {value.output!r} of {value.stack!r}, on which it does not depend",
                f"add {value.stack!r} to depends_on of {stack.name!r}",
            )
        if producer.where not in (region, Where.BOTH):
            wanted = "both regions" if region is Where.BOTH else f"the {region.value} region"
            raise ModelError(
                where,
                f"takes output {value.output!r} of {value.stack!r} in {wanted}, "
                f"but that stack is only in the {producer.where.value} one",
                f"take it from the {producer.where.value} region, "
                f"or deploy {value.stack!r} in both",
            )

    def _upstream(self, name: str) -> set[str]:
        found: set[str] = set()
        todo = [name]
        while todo:
            stack = self.stack(todo.pop())
            for upstream in stack.depends_on if stack else ():
                if upstream not in found:
                    found.add(upstream)
                    todo.append(upstream)
        return found
