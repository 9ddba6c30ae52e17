"""Steps from ordered nodes. Pure.

Uploads come first, so that a missing permission shows before anything changed. Before the first
node of a stack comes what its stack set needs: to be made, or broken instances removed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from tap_templates.deploy import naming
from tap_templates.deploy.decisions import Kind
from tap_templates.deploy.desired import Desired, DesiredStack
from tap_templates.deploy.naming import Record
from tap_templates.deploy.observed import Observed, ObservedStackSet, package_places
from tap_templates.deploy.ordering import Node
from tap_templates.deploy.steps import (
    CreateInstances,
    CreateStackSet,
    DeleteInstances,
    Gate,
    Step,
    StoreRelease,
    UpdateInstances,
    UpdateStackSet,
    UploadPackage,
)
from tap_templates.deploy.values import Kept, Known, Value

_MADE = frozenset({Kind.CREATE, Kind.RECREATE})


@dataclass(slots=True)
class _Emission:
    steps: list[Step] = field(default_factory=list)
    begun: set[str] = field(default_factory=set)  # stacks
    ungated: list[str] = field(default_factory=list)  # stacks updated in the standby since a gate


def emit(
    desired: Desired,
    observed: Observed,
    nodes: Sequence[Node],
    differing: frozenset[str],
    *,
    gate: bool,
) -> tuple[Step, ...]:
    """Write out the steps; `differing` are the stacks whose stack set is not as desired."""
    out = _Emission(steps=[*_uploads(desired, observed, nodes, differing)])
    for node in nodes:
        stack = desired.stack(node.stack)
        if stack.name not in out.begun:
            out.begun.add(stack.name)
            own = [each for each in nodes if each.stack == stack.name]
            out.steps += _prelude(desired, observed, stack, own, differs=stack.name in differing)
        if gate and out.ungated and node.is_update and node.region == desired.primary:
            stacks = tuple(dict.fromkeys(out.ungated))
            out.steps.append(Gate(region=desired.secondary, stacks=stacks))
            out.ungated.clear()
        _append(out.steps, _step(desired, observed, stack, node))
        if node.is_update and node.region == desired.secondary:
            out.ungated.append(stack.name)
    return tuple(out.steps)


def _uploads(
    desired: Desired, observed: Observed, nodes: Sequence[Node], differing: frozenset[str]
) -> Iterable[Step]:
    written = {
        (name, node.region)
        for node in nodes
        if not node.is_override
        for name in desired.stack(node.stack).packages
    }
    for package, region, key in package_places(desired):
        if (package, region) in written and f"{region} {key}" not in observed.objects:
            sha256 = desired.packages[package].sha256
            yield UploadPackage(package=package, region=region, key=key, sha256=sha256)
    stored = {
        node.stack
        for node in nodes
        if node.stack in differing
        or node.stack not in observed.stack_sets
        or node.decision.kind is Kind.UPDATE
    }
    for stack in desired.stacks:
        if stack.name in stored:
            yield StoreRelease(
                stack=stack.name,
                template_sha256=stack.template_sha256,
                release_sha256=stack.release.sha256,
            )


def _prelude(
    desired: Desired,
    observed: Observed,
    stack: DesiredStack,
    nodes: Sequence[Node],
    *,
    differs: bool,
) -> Iterable[Step]:
    seen = observed.stack_sets.get(stack.name)
    if seen is None:
        yield CreateStackSet(
            stack=stack.name,
            parameters=_parameters(stack, seen, nodes),
            description=_description(desired, observed, stack),
        )
        return
    again = [n.region for n in nodes if n.decision.kind is Kind.RECREATE and not n.is_override]
    if again:
        reverse = tuple(r for r in reversed(desired.regions) if r in again)
        yield DeleteInstances(stack=stack.name, regions=reverse)
    if differs and not any(n.decision.kind is Kind.UPDATE for n in nodes):
        yield UpdateStackSet(
            stack=stack.name,
            regions=(),
            parameters=_parameters(stack, seen, nodes),
            description=_description(desired, observed, stack),
        )


def _step(desired: Desired, observed: Observed, stack: DesiredStack, node: Node) -> Step:
    decision, regions = node.decision, (node.region,)
    seen = observed.stack_sets.get(stack.name)
    if node.is_override:
        return UpdateInstances(
            stack=stack.name,
            regions=regions,
            overrides=decision.overrides,
            current=decision.current,
        )
    if decision.kind in _MADE:
        return CreateInstances(stack=stack.name, regions=regions, overrides=decision.overrides)
    return UpdateStackSet(
        stack=stack.name,
        regions=regions,
        parameters=_parameters(stack, seen, [node]),
        description=_description(desired, observed, stack),
    )


def _append(steps: list[Step], step: Step) -> None:
    """Make instances of one stack in one operation, whose region order is the steps' order."""
    match steps[-1] if steps else None, step:
        case CreateInstances() as last, CreateInstances() as new if (
            last.stack == new.stack and last.overrides == new.overrides
        ):
            steps[-1] = CreateInstances(
                stack=last.stack,
                regions=(*last.regions, *new.regions),
                overrides=last.overrides,
            )
        case _:
            steps.append(step)


def _parameters(
    stack: DesiredStack, seen: ObservedStackSet | None, nodes: Sequence[Node]
) -> dict[str, Value]:
    """Answer all parameters for the stack set itself.

    It needs a value for what its instances override too, or AWS refuses it; the first value stays.
    """
    values: dict[str, Value] = {name: Known(text) for name, text in stack.literals.items()}
    for name in stack.outputs:
        kept = seen is not None and name in seen.facts.parameters
        values[name] = Kept() if kept else nodes[0].decision.overrides[name]
    return {name: values[name] for name in sorted(values)}


def _description(desired: Desired, observed: Observed, stack: DesiredStack) -> str:
    release, record = stack.release.sha256, observed.records.get(stack.name)
    build = desired.undoes or naming.name_build(observed.records.values(), desired.fingerprint)
    now = record.followed_by(release, build) if record else Record(release, build)
    return replace(now, is_undone=bool(desired.undoes)).text()
