"""Plan: two states in, steps out. Pure and deterministic; touches nothing.

For each stack in rollout order: what stands in the way, what each region needs, and what would be
lost. Then the order of it all, and the steps. A plan with anything blocked has no steps: half a
rollout is worse than none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tap_templates.deploy import naming
from tap_templates.deploy.approvals import Deployed, approvals, losses
from tap_templates.deploy.decisions import (
    CHANGES,
    Decision,
    Kind,
    decide,
    obstacles,
    stack_set_differences,
)
from tap_templates.deploy.desired import Desired, DesiredStack
from tap_templates.deploy.emission import emit
from tap_templates.deploy.errors import DeployError
from tap_templates.deploy.observed import (
    Observed,
    ObservedStackSet,
    package_places,
    role_names,
)
from tap_templates.deploy.ordering import Node, order
from tap_templates.deploy.plan import Action, Approval, Change, Plan
from tap_templates.deploy.values import Known, Output, Value, outputs_in

_ACTIONS: Mapping[Kind, Action] = {
    Kind.CREATE: Action.CREATE,
    Kind.RECREATE: Action.CREATE,
    Kind.UPDATE: Action.UPDATE,
    Kind.OVERRIDE: Action.UPDATE,
    Kind.KEEP: Action.NO_OP,
    Kind.BLOCKED: Action.BLOCKED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    region: str | None = None  # None: both
    approved: frozenset[str] = frozenset()  # digests of approvals
    gate: bool = True  # between the standby and the primary of an update
    verb: str = "deploy"
    made: str = ""  # when, or whatever tells this plan from an equal one of another time


DEFAULTS = Options()


@dataclass(slots=True)
class _Draft:
    desired: Desired
    observed: Observed
    options: Options
    obstacle: str  # in the way of every stack
    changes: list[Change] = field(default_factory=list)
    approvals: list[Approval] = field(default_factory=list)
    outdated: list[tuple[str, str]] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    differing: set[str] = field(default_factory=set)  # stacks whose stack set is not as desired
    changing: set[tuple[str, str]] = field(default_factory=set)  # (stack, region)


def plan(desired: Desired, observed: Observed, options: Options = DEFAULTS) -> Plan:
    """Plan how `observed` becomes `desired`.

    Raises DeployError if the options name a region that is not of the pair.
    """
    check_region(desired, options)
    draft = _Draft(desired, observed, options, _missing_prerequisites(desired, observed))
    for stack in desired.stacks:
        _plan_stack(draft, stack)
    blocked = any(each.action is Action.BLOCKED for each in draft.changes)
    names = [stack.name for stack in desired.stacks]
    nodes = order(draft.nodes, names, desired.secondary)
    return Plan(
        verb=options.verb,
        made=options.made,
        system=desired.system,
        account=desired.target.account,
        suffix=desired.target.suffix,
        desired=desired.fingerprint,
        observed=observed.fingerprint,
        changes=tuple(draft.changes),
        approvals=tuple(draft.approvals),
        retained=(),
        outdated=tuple(draft.outdated),
        steps=()
        if blocked
        else emit(desired, observed, nodes, frozenset(draft.differing), gate=options.gate),
    )


def check_region(desired: Desired, options: Options) -> None:
    if options.region is not None and options.region not in desired.regions:
        raise DeployError(
            desired.system,
            f"has no region {options.region}",
            f"name one of {', '.join(desired.regions)}, or leave it out for both",
        )


def _missing_prerequisites(desired: Desired, observed: Observed) -> str:
    """Say what bootstrap has to make before anything can be rolled out; "" if all is there."""
    missing = [f"role {name}" for name in role_names(desired) if name not in observed.roles]
    missing += [
        f"bucket {desired.bucket(region)}"
        for region in desired.regions
        if region not in observed.buckets
    ]
    if missing:
        return f"{', '.join(missing)} missing in account {desired.target.account}: bootstrap first"
    for name, region, key in package_places(desired):
        found = observed.objects.get(f"{region} {key}")
        if found not in {None, desired.packages[name].sha256}:
            return f"{key} in {region} is not what its name says (SHA-256 {found}); look into it"
    return ""


def _plan_stack(draft: _Draft, stack: DesiredStack) -> None:
    desired, observed, options = draft.desired, draft.observed, draft.options
    seen = observed.stack_sets.get(stack.name)
    obstacle = draft.obstacle or (obstacles(desired, stack, seen) if seen else "")
    if obstacle:
        draft.changes += [
            Change(stack=stack.name, region=region, action=Action.BLOCKED, reason=obstacle)
            for region in stack.regions
        ]
        return
    differences = stack_set_differences(desired, stack, seen) if seen else ()
    decisions = [
        decide(stack, seen, region, differences, lambda o: _lookup(o, observed, draft.changing))
        for region in stack.regions
    ]
    chosen = [d for d in decisions if options.region in {None, d.region}]
    decisions = _refuse_half_updates(stack, seen, differences, decisions, chosen)
    chosen = [d for d in decisions if options.region in {None, d.region}]
    asked = _approvals(desired, stack, seen, chosen, options.approved)
    draft.approvals += asked
    touched = [d for d in chosen if d.kind in CHANGES]
    if differences and touched:
        draft.differing.add(stack.name)
        draft.outdated += [
            (d.stack, d.region) for d in decisions if d not in chosen and d.kind is Kind.UPDATE
        ]
    for decision in decisions:
        if decision in chosen:
            draft.changes.append(_change(decision, asked))
        else:
            draft.changes.append(_left(decision, options, draft.outdated))
    draft.changing |= {(d.stack, d.region) for d in touched}
    draft.nodes += _nodes(stack, seen, touched, everywhere=len(chosen) == len(decisions))


def _lookup(output: Output, observed: Observed, changing: set[tuple[str, str]]) -> Value | None:
    if (output.stack, output.region) in changing:
        return output
    seen = observed.stack_sets.get(output.stack)
    instance = seen.instances.get(output.region) if seen else None
    text = instance.outputs.get(output.name) if instance else None
    return None if text is None else Known(text)


def _refuse_half_updates(
    stack: DesiredStack,
    seen: ObservedStackSet | None,
    differences: tuple[str, ...],
    decisions: Sequence[Decision],
    chosen: Sequence[Decision],
) -> list[Decision]:
    """Block a new instance where the stack set needs an update that reaches no asked region.

    An update of the stack set without regions would go to all of them.
    """
    kinds = {d.kind for d in chosen}
    staying = [d for d in decisions if d.kind not in {Kind.CREATE, Kind.RECREATE}]
    if not (seen and differences and staying and kinds & {Kind.CREATE, Kind.RECREATE}):
        return list(decisions)
    if Kind.UPDATE in kinds:
        return list(decisions)
    reason = (
        f"the stack set needs an update ({'; '.join(differences)}) that has to reach "
        f"{', '.join(d.region for d in staying)} first; roll out all regions"
    )
    return [
        Decision(stack=stack.name, region=d.region, kind=Kind.BLOCKED, reason=reason)
        if d in chosen
        else d
        for d in decisions
    ]


def _approvals(
    desired: Desired,
    stack: DesiredStack,
    seen: ObservedStackSet | None,
    chosen: Sequence[Decision],
    approved: frozenset[str],
) -> tuple[Approval, ...]:
    if seen is None:
        return ()
    by_region = {}
    for decision in chosen:
        if decision.kind is not Kind.UPDATE:
            continue
        instance = seen.instances[decision.region]
        now = {**seen.facts.parameters, **instance.overrides}
        outputs = {name: now.get(name, "") for name in stack.outputs}
        by_region[decision.region] = losses(
            Deployed(template=instance.template, parameters=now),
            Deployed(template=stack.template, parameters={**stack.literals, **outputs}),
        )
    return approvals(
        naming.stack_set_name(desired.system, stack.name, desired.target.suffix),
        stack.name,
        by_region,
        approved,
    )


def _change(decision: Decision, asked: Sequence[Approval]) -> Change:
    action, reason = _ACTIONS[decision.kind], decision.reason
    waiting = [each for each in asked if decision.region in each.regions and not each.approved]
    if waiting and decision.kind is not Kind.BLOCKED:
        what = ", ".join(f"{a.logical_id} {a.what} (approve {a.digest})" for a in waiting)
        action, reason = Action.BLOCKED, what
    elif decision.kind is Kind.OVERRIDE and _may_stay(decision):
        action = Action.NO_OP
    return Change(stack=decision.stack, region=decision.region, action=action, reason=reason)


def _left(decision: Decision, options: Options, outdated: Sequence[tuple[str, str]]) -> Change:
    """Say what becomes of a region that was not asked for: it stays as it is."""
    reason = f"left as it is: only {options.region} was asked for"
    if (decision.stack, decision.region) in outdated:
        reason += "; it will be OUTDATED"
    elif decision.kind is not Kind.KEEP:
        reason += f"; open: {decision.reason}"
    return Change(stack=decision.stack, region=decision.region, action=Action.NO_OP, reason=reason)


def _may_stay(decision: Decision) -> bool:
    """Say whether all that could change is the value of outputs that are made again."""
    known = {name: v.text for name, v in decision.overrides.items() if isinstance(v, Known)}
    return set(decision.overrides) == set(decision.current) and all(
        decision.current[name] == text for name, text in known.items()
    )


def _nodes(
    stack: DesiredStack,
    seen: ObservedStackSet | None,
    touched: Sequence[Decision],
    *,
    everywhere: bool,
) -> list[Node]:
    declared = seen.facts.parameters if seen else {}
    is_new = any(name not in declared for name in stack.outputs)
    nodes = []
    for decision in touched:
        outputs = [*outputs_in(decision.overrides)]
        needs = frozenset((each.stack, each.region) for each in outputs)
        if decision.kind is not Kind.OVERRIDE:
            early = needs if decision.kind is not Kind.UPDATE or is_new else frozenset()
            nodes.append(Node(decision=decision, is_override=False, needs=early))
        if decision.overrides_change and not (is_new and not everywhere):
            nodes.append(
                Node(decision=decision, is_override=True, waits_for_all=is_new, needs=needs)
            )
    return nodes
