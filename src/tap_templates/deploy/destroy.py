"""Take a system down: the plan for it (pure), and what is left afterwards (reads AWS).

In the reverse of the rollout order, in each stack the standby first. Resources with a retaining
policy stay and are listed. Apply the plan with `executor.apply`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tap_templates.deploy import naming
from tap_templates.deploy.desired import Desired, DesiredStack
from tap_templates.deploy.errors import CloudError
from tap_templates.deploy.observed import Observed, ObservedInstance, ObservedStackSet, observe
from tap_templates.deploy.plan import Action, Change, Plan, Retained
from tap_templates.deploy.planner import DEFAULTS, Options, check_region
from tap_templates.deploy.ports import Reader
from tap_templates.deploy.steps import DeleteInstances, DeleteStackSet, EmptyBucket, Step

_RETAINING = frozenset({"Retain", "RetainExceptOnCreate"})
_BUCKET = "AWS::S3::Bucket"


def plan_destroy(desired: Desired, reader: Reader, options: Options = DEFAULTS) -> Plan:
    """Read what is deployed and plan how to remove it."""
    return destruction(desired, observe(reader, desired, with_resources=True), options)


def destruction(desired: Desired, observed: Observed, options: Options = DEFAULTS) -> Plan:
    """Plan the removal of all that was observed, or of one region of it. Pure."""
    check_region(desired, options)
    changes: list[Change] = []
    retained: list[Retained] = []
    steps: list[Step] = []
    for stack in reversed(desired.stacks):
        seen = observed.stack_sets.get(stack.name)
        if seen is None:
            continue
        regions = tuple(
            region
            for region in reversed(desired.regions)
            if region in seen.instances and options.region in {None, region}
        )
        obstacle = _obstacle(desired, seen)
        action = Action.BLOCKED if obstacle else Action.DELETE
        changes += [
            Change(
                stack=stack.name,
                region=region,
                action=action,
                reason=obstacle or "it is to be destroyed",
            )
            for region in regions or ((desired.home,) if obstacle else ())
        ]
        for region in regions:
            retained += _retained(stack, seen.instances[region])
        steps += _steps(stack, seen, regions)
    return Plan(
        verb="destroy",
        made=options.made,
        system=desired.system,
        account=desired.target.account,
        suffix=desired.target.suffix,
        desired=desired.fingerprint,
        observed=observed.fingerprint,
        changes=tuple(changes),
        approvals=(),
        retained=tuple(retained),
        outdated=(),
        steps=() if any(each.action is Action.BLOCKED for each in changes) else tuple(steps),
    )


def _obstacle(desired: Desired, seen: ObservedStackSet) -> str:
    if seen.running:
        return f"operation {seen.running.operation_id} is {seen.running.status}; wait for it"
    if seen.facts.tags.get("System") != desired.system:
        return f"tap did not make stack set {seen.name}; remove it by hand"
    if seen.others:
        return f"it has instances elsewhere ({', '.join(seen.others)}); remove them by hand"
    # INOPERABLE is no obstacle here: it is what a deletion that failed leaves, to be tried again.
    return ""


def _steps(stack: DesiredStack, seen: ObservedStackSet, regions: tuple[str, ...]) -> Iterable[Step]:
    for region in regions:
        kept = {each.logical_id for each in _retained(stack, seen.instances[region])}
        for resource in seen.instances[region].resources:
            if resource.resource_type == _BUCKET and resource.logical_id not in kept:
                yield EmptyBucket(stack=stack.name, region=region, bucket=resource.physical_id)
    if regions:
        yield DeleteInstances(stack=stack.name, regions=regions)
    if set(regions) == set(seen.instances):
        yield DeleteStackSet(stack=stack.name)


def _retained(stack: DesiredStack, instance: ObservedInstance) -> list[Retained]:
    template = json.loads(instance.template) if instance.template else {}
    keeping = {
        logical_id
        for logical_id, resource in template.get("Resources", {}).items()
        if resource.get("DeletionPolicy") in _RETAINING
    }
    return [
        Retained(
            stack=stack.name,
            region=instance.region,
            logical_id=each.logical_id,
            physical_id=each.physical_id,
            resource_type=each.resource_type,
        )
        for each in instance.resources
        if each.logical_id in keeping and each.physical_id
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """What is still there. Clean only if everything could be checked."""

    stack_sets: tuple[str, ...]
    stacks: tuple[str, ...]  # "region name"
    tagged: tuple[str, ...]  # ARNs
    expiring: tuple[str, ...]  # KMS keys in their waiting period: going, and nothing to do
    unchecked: tuple[str, ...]  # "region: why"

    @property
    def is_clean(self) -> bool:
        return not (self.stack_sets or self.stacks or self.tagged or self.unchecked)


def leftovers(desired: Desired, reader: Reader) -> Leftovers:
    """List what the system left behind: by name and by tag, in both regions."""
    names = tuple(stack.stack_set for stack in desired.stacks)
    wanted = naming.system_tags(desired.system, desired.target.suffix)
    stack_sets = [
        name
        for name in reader.stack_set_names()
        if name in names or _is_of(desired, reader, name, wanted)
    ]
    stacks: list[str] = []
    tagged: list[str] = []
    expiring: list[str] = []
    unchecked: list[str] = []
    for region in desired.regions:
        for name in sorted({*names, *stack_sets}):
            stacks += [f"{region} {each}" for each in reader.stack_names(region, _stacks_of(name))]
        try:
            for arn in reader.tagged(region, wanted):
                is_key = arn.startswith("arn:") and arn.split(":")[2] == "kms"
                going = is_key and reader.pending_deletion(region, arn)
                (expiring if going else tagged).append(arn)
        except CloudError as error:
            unchecked.append(f"{region}: {error}")
    return Leftovers(
        stack_sets=tuple(sorted(stack_sets)),
        stacks=tuple(stacks),
        tagged=tuple(sorted(set(tagged))),
        expiring=tuple(sorted(set(expiring))),
        unchecked=tuple(unchecked),
    )


def _is_of(desired: Desired, reader: Reader, name: str, wanted: Mapping[str, str]) -> bool:
    """Say whether a stack set is of this system though the manifest no longer names it."""
    if not (name.startswith(f"{desired.system}-") and name.endswith(desired.target.suffix)):
        return False
    found = reader.stack_set(name)
    return found is not None and wanted.items() <= found.tags.items()


def _stacks_of(stack_set: str) -> str:
    """How StackSets begins the names of the stacks it makes."""
    return f"StackSet-{stack_set}-"
