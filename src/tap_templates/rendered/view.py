"""All stacks of a system in all their regions, as one thing to ask.

Built from what the manifest says: templates, regions, and parameter values in its three forms: a
literal, a package, an output of another stack. Pure; the first thing we cannot resolve raises.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from tap_templates.rendered.evaluator import ResolveError
from tap_templates.rendered.resolve import ACCOUNT, ResolvedResource, ResolvedStack, resolve_stack
from tap_templates.rendered.texts import texts
from tap_templates.rendered.tokens import package_token

__all__ = [
    "Located",
    "Reference",
    "RenderedStack",
    "ResolveError",
    "StackSource",
    "SystemView",
    "resolve_system",
    "texts",
]


class RenderedStack(Protocol):
    """What is needed of a compiled stack."""

    @property
    def name(self) -> str: ...
    @property
    def template(self) -> Mapping[str, Any]: ...
    @property
    def regions(self) -> Sequence[str]:
        """In rollout order."""
        ...

    @property
    def parameters(self) -> Mapping[str, Any]:
        """As in the manifest."""
        ...


@dataclass(frozen=True, slots=True)
class StackSource:
    """A RenderedStack, for who has none yet."""

    name: str
    template: Mapping[str, Any]
    regions: Sequence[str]
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Located:
    """A resource and the stack it is in."""

    stack: ResolvedStack
    resource: ResolvedResource

    @property
    def place(self) -> str:
        """Say where, for a person."""
        return f"{self.stack.stack} {self.resource.logical_id} in {self.stack.region}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A text in a resource's properties that is an ARN."""

    source: Located
    path: str  # JSON pointer below the resource, e.g. /Properties/Role
    arn: str
    target: Located | None  # None: no resource of this system


@dataclass(frozen=True, slots=True)
class SystemView:
    """The stacks in rollout order, a stack's regions in theirs."""

    system: str
    stacks: tuple[ResolvedStack, ...]
    account: str
    partition: str
    _by_arn: Mapping[str, tuple[Located, ...]]

    def stack(self, name: str, region: str) -> ResolvedStack | None:
        return next((s for s in self.stacks if (s.stack, s.region) == (name, region)), None)

    def regions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(stack.region for stack in self.stacks))

    def in_region(self, region: str) -> tuple[ResolvedStack, ...]:
        return tuple(stack for stack in self.stacks if stack.region == region)

    def resources(self, *types: str) -> Iterator[Located]:
        """Iterate over the resources of these types, or over all."""
        for stack in self.stacks:
            for resource in stack.resources.values():
                if not types or resource.type in types:
                    yield Located(stack, resource)

    def find(self, arn: str) -> Located | None:
        """Find the resource an ARN names; a replica of a global table is that table.

        The ARN of a log group may end with `:*`. If two resources claim it, the first counts;
        `collisions` tells.
        """
        located = self._by_arn.get(arn) or self._by_arn.get(arn.removesuffix(":*"))
        return located[0] if located else None

    def with_properties(self, located: Located, properties: Mapping[str, Any]) -> "SystemView":
        """Make a view in which one resource has other properties, under its old name and ARN."""
        resource = replace(located.resource, properties=properties)
        stack = replace(
            located.stack, resources={**located.stack.resources, resource.logical_id: resource}
        )
        stacks = tuple(stack if each is located.stack else each for each in self.stacks)
        return replace(self, stacks=stacks, _by_arn=_index(stacks))

    def collisions(self) -> Iterator[tuple[str, tuple[Located, ...]]]:
        """Iterate over ARNs that more than one resource would have: AWS refuses the second."""
        for arn, located in self._by_arn.items():
            if len(located) > 1:
                yield arn, located

    def references(self) -> Iterator[Reference]:
        """Iterate over all ARNs in all properties, also those within a longer list."""
        for located in self.resources():
            for path, text in located.resource.texts:
                if text.startswith("arn:"):
                    yield Reference(located, path, text, self.find(text))


def resolve_system(
    system: str,
    stacks: Iterable[RenderedStack],
    *,
    account: str = ACCOUNT,
    partition: str = "aws",
    overrides: Mapping[str, str] | None = None,
) -> SystemView:
    """Resolve all stacks, given in rollout order, so that outputs are there when they are needed.

    `overrides` are parameter values an operator gives, as the environment suffix; they go to each
    stack that declares the parameter and win over the manifest. Raises ResolveError.
    """
    resolved: list[ResolvedStack] = []
    for stack in stacks:
        declared = stack.template.get("Parameters", {})
        given = {key: value for key, value in (overrides or {}).items() if key in declared}
        for region in stack.regions:
            parameters = {
                name: _parameter(
                    _of(value, region), f"{system}/{stack.name} parameter {name}", resolved
                )
                for name, value in stack.parameters.items()
            }
            resolved.append(
                resolve_stack(
                    stack.template,
                    stack=stack.name,
                    region=region,
                    parameters=parameters | given,
                    account=account,
                    partition=partition,
                )
            )
    return SystemView(system, tuple(resolved), account, partition, _index(resolved))


def _of(value: Any, region: str) -> Any:
    """Say which region `own` is, for the instance in `region`."""
    match value:
        case {"output": {"region": "own", **rest}}:
            return {"output": {**rest, "region": region}}
    return value


def _parameter(value: Any, where: str, resolved: Sequence[ResolvedStack]) -> str:
    match value:
        case str():
            return value
        case {"package": str(package)} if len(value) == 1:
            return package_token(package)
        case {"package": str(package), **rest} if len(rest) == 1:
            # Another aspect of the package, as its digest: {"package": …, "value": "sha256"}.
            return package_token(package, str(next(iter(rest.values()))).lower())
        case {"package_sha256": str(package)}:
            return package_token(package, "sha256")
        case {"output": {"stack": stack, "region": region, "name": name}}:
            for each in resolved:
                if (each.stack, each.region) == (stack, region) and name in each.outputs:
                    return str(each.outputs[name])
            raise ResolveError(
                where,
                f"takes output {name!r} of {stack!r} in {region}, which is not there before it",
                "roll that stack out earlier, or correct the name or region",
            )
    raise ResolveError(
        where, f"has the value {value!r}", "give a text, a package, or an output of another stack"
    )


def _index(stacks: Iterable[ResolvedStack]) -> dict[str, tuple[Located, ...]]:
    index: dict[str, tuple[Located, ...]] = {}
    for stack in stacks:
        for resource in stack.resources.values():
            located = Located(stack, resource)
            for arn in _arns(located):
                index[arn] = (*index.get(arn, ()), located)
    return index


def _arns(located: Located) -> set[str]:
    arn = located.resource.arn
    if arn is None:
        return set()
    if located.resource.type != "AWS::DynamoDB::GlobalTable":
        return {arn}
    head, _, tail = arn.partition(f":{located.stack.region}:")
    replicas = located.resource.properties.get("Replicas", [])
    return {arn} | {f"{head}:{replica['Region']}:{tail}" for replica in replicas}
