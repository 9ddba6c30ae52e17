"""What has to happen to one stack in each of its regions, and why. Pure.

A decision looks at one stack set and its instances; what comes first is `ordering`'s business.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from tap_templates.deploy import naming
from tap_templates.deploy.desired import Desired, DesiredStack
from tap_templates.deploy.observed import ObservedInstance, ObservedStackSet
from tap_templates.deploy.values import Known, Output, Value, Values


class Kind(Enum):
    CREATE = "create"
    RECREATE = "recreate"  # its stack was never made, or failed to be: remove the instance first
    UPDATE = "update"
    OVERRIDE = "override"  # only values of parameters
    KEEP = "keep"
    BLOCKED = "blocked"


CHANGES = frozenset({Kind.CREATE, Kind.RECREATE, Kind.UPDATE, Kind.OVERRIDE})

_UPDATABLE = frozenset(
    {
        "CREATE_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
    }
)
_NEVER_MADE = frozenset({"", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"})

Lookup = Callable[[Output], Value | None]
"""The value of an output: known, itself if this rollout may change it, None if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    stack: str
    region: str
    kind: Kind
    reason: str
    overrides: Values = field(default_factory=dict)
    current: Mapping[str, str] = field(default_factory=dict)  # overrides of the instance now
    overrides_change: bool = False  # they differ, or may: an UpdateInstances has to follow


def stack_set_differences(
    desired: Desired, stack: DesiredStack, seen: ObservedStackSet
) -> tuple[str, ...]:
    """Say how the stack set itself differs; a difference makes all its instances OUTDATED."""
    facts, target = seen.facts, desired.target
    found = []
    if seen.content_sha256 != stack.content_sha256:
        found.append("the template changed")
    changed = [name for name, v in stack.literals.items() if facts.parameters.get(name) != v]
    missing = [name for name in stack.outputs if name not in facts.parameters]
    if changed or missing:
        found.append(f"parameters changed: {', '.join(sorted([*changed, *missing]))}")
    if sorted(facts.capabilities) != sorted(stack.capabilities):
        found.append("its capabilities changed")
    roles = (target.administration_role_arn, target.execution_role_name)
    if (facts.administration_role_arn, facts.execution_role_name) != roles:
        found.append("its roles changed")
    own = naming.tags(desired.system, stack.name, target.suffix)
    if any(facts.tags.get(key) != value for key, value in own.items()):
        found.append("its tags changed")
    return tuple(found)


def obstacles(desired: Desired, stack: DesiredStack, seen: ObservedStackSet) -> str:
    """Say what forbids touching this stack set at all; "" if nothing does."""
    if seen.running:
        whose = "ours" if naming.is_ours(seen.running.operation_id) else "not ours"
        return (
            f"operation {seen.running.operation_id} ({seen.running.action}, {whose}) is "
            f"{seen.running.status}; wait for it"
        )
    if seen.facts.tags.get("System") != desired.system:
        return f"a stack set {seen.name} exists that tap did not make; rename or remove it"
    if seen.others:
        return f"it has instances elsewhere ({', '.join(seen.others)}); remove them by hand"
    if gone := sorted(set(seen.instances) - set(stack.regions)):
        return (
            f"it has an instance in {', '.join(gone)}, which the manifest no longer names; "
            "no rollout takes a region away: use `tap destroy`"
        )
    return ""


def decide(
    stack: DesiredStack,
    seen: ObservedStackSet | None,
    region: str,
    differences: tuple[str, ...],
    lookup: Lookup,
) -> Decision:
    """Decide for one region, as if all regions were asked for."""
    instance = seen.instances.get(region) if seen else None
    wanted, missing = _outputs(stack, region, lookup)
    if missing:
        reason = f"it needs {missing}, which is not deployed; deploy that stack and region first"
        return Decision(stack=stack.name, region=region, kind=Kind.BLOCKED, reason=reason)
    if instance is None:
        kind, reason = Kind.CREATE, "there is no instance" if seen else "there is no stack set"
        return Decision(stack=stack.name, region=region, kind=kind, reason=reason, overrides=wanted)
    kind, reason = _kind(stack, instance, differences)
    overrides = wanted if kind is Kind.RECREATE else _complete(stack, instance, wanted)
    wrong = {
        name
        for name, value in overrides.items()
        if value != Known(instance.overrides.get(name, "")) or name not in instance.overrides
    }
    if kind is Kind.KEEP and wrong:
        kind, reason = Kind.OVERRIDE, _why(overrides, wrong)
    return Decision(
        stack=stack.name,
        region=region,
        kind=kind,
        reason=reason,
        overrides=overrides,
        current=instance.overrides,
        overrides_change=bool(wrong) and kind in {Kind.UPDATE, Kind.OVERRIDE},
    )


def _kind(
    stack: DesiredStack, instance: ObservedInstance, differences: tuple[str, ...]
) -> tuple[Kind, str]:
    if unusable := _unusable(instance):
        return unusable
    if differences:
        return Kind.UPDATE, "; ".join(differences)
    if instance.status != "CURRENT":
        return Kind.UPDATE, (
            f"the instance is {instance.status} ({instance.detailed_status}){_because(instance)}"
        )
    if instance.content_sha256 != stack.content_sha256:
        return Kind.UPDATE, "its stack has another template: it was changed past the stack set"
    return Kind.KEEP, "as desired"


def _unusable(instance: ObservedInstance) -> tuple[Kind, str] | None:
    status = instance.stack_status
    if instance.status == "INOPERABLE":
        return Kind.BLOCKED, (
            "the instance is INOPERABLE: delete it with its stack retained, mend the stack, "
            "then import it"
        )
    if status in _NEVER_MADE:
        what = f"is {status}" if status else "does not exist"
        return Kind.RECREATE, f"its stack {what}{_because(instance)}"
    if status not in _UPDATABLE:
        return Kind.BLOCKED, f"its stack is {status}, which needs a person{_because(instance)}"
    return None


def _because(instance: ObservedInstance) -> str:
    return f": {instance.reason}" if instance.reason else ""


def _outputs(
    stack: DesiredStack, region: str, lookup: Lookup
) -> tuple[dict[str, Value], Output | None]:
    found: dict[str, Value] = {}
    for name, declared in stack.outputs.items():
        output = declared.taken_in(region)
        value = lookup(output)
        if value is None:
            return {}, output
        found[name] = value
    return found, None


def _complete(
    stack: DesiredStack, instance: ObservedInstance, wanted: Mapping[str, Value]
) -> dict[str, Value]:
    """List all overrides: an update that leaves one out of a list resets it.

    A parameter that somebody overrode by hand stays in the list, with the desired value: AWS
    has no clear way to send an empty list.
    """
    literals = stack.literals
    by_hand = {name: Known(literals[name]) for name in instance.overrides if name in literals}
    return {**by_hand, **wanted}


def _why(overrides: Values, wrong: set[str]) -> str:
    reasons = []
    for name in sorted(wrong):
        value = overrides[name]
        match value:
            case Output():
                reasons.append(f"{name} follows {value}, which may change")
            case _:
                reasons.append(f"the value of {name} differs")
    return "; ".join(reasons)
