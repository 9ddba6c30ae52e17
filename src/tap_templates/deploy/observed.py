"""What is deployed, read once through a `Reader`: zero writes, no region but the pair's.

Touches AWS for reading. What is not of the pair (instances of other accounts or regions) is
noted and not looked into.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tap_templates.deploy import naming
from tap_templates.deploy.desired import Desired, DesiredStack
from tap_templates.deploy.errors import DeployError
from tap_templates.deploy.ports import OperationFacts, Reader, ResourceFacts, StackSetFacts
from tap_templates.model.names import package_key

DETECT_DRIFT = "DETECT_DRIFT"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedInstance:
    region: str
    status: str
    detailed_status: str
    reason: str
    overrides: Mapping[str, str]
    last_operation: str
    stack_id: str = ""
    stack_status: str = ""  # "" if there is no stack
    drift: str = ""  # as it was when somebody last asked
    template: str = ""  # what the stack was made from; "" if there is no stack
    outputs: Mapping[str, str] = field(default_factory=dict)
    resources: tuple[ResourceFacts, ...] = ()  # read only when asked for

    @property
    def content_sha256(self) -> str:
        return naming.content_sha256(self.template) if self.template else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedStackSet:
    name: str
    facts: StackSetFacts
    instances: Mapping[str, ObservedInstance]  # by region, of the pair and our account only
    others: tuple[str, ...]  # "region of account" of instances that are not ours to touch
    running: OperationFacts | None
    last_operation: OperationFacts | None

    @property
    def content_sha256(self) -> str:
        return naming.content_sha256(self.facts.template)

    @property
    def record(self) -> naming.Record | None:
        return naming.read_record(self.facts.description)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    stack_sets: Mapping[str, ObservedStackSet]  # by the stack's name in the manifest
    roles: frozenset[str]  # of the two that StackSets needs, those that exist
    buckets: frozenset[str]  # regions that have their artifact bucket
    objects: Mapping[str, str]  # "region key" of a package to its SHA-256; absent if not there

    @property
    def fingerprint(self) -> str:
        """Digest of all a plan rests on. Any operation on a stack set changes it."""
        return naming.digest(_plain(self))

    @property
    def records(self) -> dict[str, naming.Record]:
        """What each of our stack sets says of itself, by stack."""
        return {
            name: each.record for name, each in self.stack_sets.items() if each.record is not None
        }

    def running(self) -> tuple[ObservedStackSet, ...]:
        return tuple(each for each in self.stack_sets.values() if each.running)


def observe(reader: Reader, desired: Desired, *, with_resources: bool = False) -> Observed:
    """Read everything a plan rests on.

    Raises DeployError if the credentials belong to another account than the target's: what is
    read there would be the state of something else.
    """
    check_account(reader, desired)
    buckets = frozenset(
        region for region in desired.regions if reader.bucket_exists(region, desired.bucket(region))
    )
    return Observed(
        stack_sets={
            stack.name: found
            for stack in desired.stacks
            if (found := _stack_set(reader, desired, stack, with_resources=with_resources))
        },
        roles=frozenset(role for role in role_names(desired) if reader.role_exists(role)),
        buckets=buckets,
        objects=_objects(reader, desired, buckets),
    )


def role_names(desired: Desired) -> tuple[str, str]:
    """Name the administration and the execution role."""
    target = desired.target
    return (target.administration_role_arn.rpartition("/")[2], target.execution_role_name)


def check_account(reader: Reader, desired: Desired) -> None:
    """Refuse to act anywhere but in the target's account."""
    identity = reader.identity()
    if identity.account != desired.target.account:
        raise DeployError(
            f"{desired.system} in account {desired.target.account}",
            f"the credentials are of {identity.arn} in account {identity.account}",
            "use credentials of the account that the target names",
        )


def package_places(desired: Desired) -> tuple[tuple[str, str, str], ...]:
    """List (package, region, key) for every zip that some stack loads."""
    places = {
        (name, region, package_key(name, desired.packages[name].sha256))
        for stack in desired.stacks
        for name in stack.packages
        for region in stack.regions
    }
    return tuple(sorted(places))


def _objects(reader: Reader, desired: Desired, buckets: frozenset[str]) -> dict[str, str]:
    found = {}
    for _, region, key in package_places(desired):
        if region in buckets:
            sha256 = reader.object_sha256(region, desired.bucket(region), key)
            if sha256 is not None:
                found[f"{region} {key}"] = sha256
    return found


def _stack_set(
    reader: Reader, desired: Desired, stack: DesiredStack, *, with_resources: bool
) -> ObservedStackSet | None:
    facts = reader.stack_set(stack.stack_set)
    if facts is None:
        return None
    operations = reader.operations(stack.stack_set)
    ours, others = {}, []
    for each in reader.instances(stack.stack_set):
        if each.account != desired.target.account or each.region not in desired.regions:
            others.append(f"{each.region} of {each.account}")
            continue
        instance = ObservedInstance(
            region=each.region,
            status=each.status,
            detailed_status=each.detailed_status,
            reason=each.reason,
            overrides=each.overrides,
            last_operation=each.last_operation,
            stack_id=each.stack_id,
            **_stack(reader, each.region, each.stack_id, with_resources=with_resources),
        )
        ours[each.region] = instance
    return ObservedStackSet(
        name=stack.stack_set,
        facts=facts,
        instances={region: ours[region] for region in sorted(ours)},
        others=tuple(sorted(others)),
        running=next((each for each in operations if each.is_running), None),
        last_operation=next((each for each in operations if each.action != DETECT_DRIFT), None),
    )


def _stack(reader: Reader, region: str, stack_id: str, *, with_resources: bool) -> dict[str, Any]:
    found = reader.stack(region, stack_id) if stack_id else None
    if found is None or found.status == "DELETE_COMPLETE":
        return {}
    return {
        "stack_status": found.status,
        "drift": found.drift,
        "template": reader.stack_template(region, stack_id),
        "outputs": found.outputs,
        "resources": reader.resources(region, stack_id) if with_resources else (),
    }


def _plain(observed: Observed) -> dict[str, Any]:
    """Reduce to what matters for a plan, so that time and prose do not count as a change."""
    return {
        "roles": sorted(observed.roles),
        "buckets": sorted(observed.buckets),
        "objects": dict(observed.objects),
        "stack_sets": {
            name: {
                "template": each.content_sha256,
                "parameters": dict(each.facts.parameters),
                "capabilities": sorted(each.facts.capabilities),
                "tags": dict(each.facts.tags),
                "description": each.facts.description,
                "others": each.others,
                "roles": [each.facts.administration_role_arn, each.facts.execution_role_name],
                "operation": _operation(each.last_operation),
                "instances": {
                    region: {
                        **{
                            key: value
                            for key, value in asdict(instance).items()
                            if key not in {"template", "resources", "reason"}
                        },
                        "template": instance.content_sha256,
                    }
                    for region, instance in each.instances.items()
                },
            }
            for name, each in observed.stack_sets.items()
        },
    }


def _operation(operation: OperationFacts | None) -> list[str]:
    return [operation.operation_id, operation.status] if operation else []
