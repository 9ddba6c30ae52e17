"""Go back to the release before the last: read from the stack sets and the home bucket.

What was deployed before is named in each stack set's description and lies by digest in the
bucket, so any machine can roll back, without a checkout of what was deployed. The way back is an
ordinary rollout to an older desired state: standby first, gate, primary, approvals.
"""

import hashlib
import json
import re
from collections.abc import Collection
from dataclasses import replace

from tap_templates.deploy import naming
from tap_templates.deploy.desired import Desired, DesiredStack, Release
from tap_templates.deploy.errors import DeployError
from tap_templates.deploy.observed import observe
from tap_templates.deploy.plan import Plan
from tap_templates.deploy.planner import DEFAULTS, Options, plan
from tap_templates.deploy.ports import Reader

_PACKAGE = re.compile(r"packages/.+-(?P<sha256>[0-9a-f]{16})\.zip")


def plan_rollback(
    desired: Desired,
    reader: Reader,
    options: Options = DEFAULTS,
    *,
    stacks: Collection[str] = (),
    further: bool = False,
) -> tuple[Plan, Desired]:
    """Plan the way back for `stacks`; by default for all that the last build changed.

    Apply the plan with the desired state that comes with it. Asked again after an interruption it
    plans what is left, and nothing once all is back: to go another release back, say `further`.
    Of `desired` only the target and the stacks' names and regions are used. Raises DeployError if
    there is nothing to go back to, or what it would need is no longer in the bucket or not what
    its name says.
    """
    observed = observe(reader, desired)
    records = observed.records
    build = max(records.values(), key=lambda record: record.number).build if records else ""
    chosen = {*stacks} or {name for name, record in records.items() if record.build == build}
    undone = {name for name in chosen & {*records} if records[name].is_undone and not further}
    possible = {name for name in chosen & {*records} if records[name].before} - undone
    if lacking := sorted({*stacks} - possible - undone):
        raise DeployError(
            f"{desired.system}/{lacking[0]}",
            "has no earlier release",
            "deploy the build you want instead",
        )
    if not possible and not undone:
        raise DeployError(
            desired.system,
            "has no earlier release of anything the last build changed",
            "deploy the build you want, or name stacks to roll back",
        )
    back = replace(
        desired,
        stacks=tuple(
            _released(desired, reader, stack, records[stack.name], go_back=stack.name in possible)
            for stack in desired.stacks
            if stack.name in records
        ),
        packages={},
        undoes=build,
    )
    return plan(back, observe(reader, back), replace(options, verb="rollback")), back


def _released(
    desired: Desired,
    reader: Reader,
    stack: DesiredStack,
    record: naming.Record,
    *,
    go_back: bool,
) -> DesiredStack:
    """Put a stack together as it was released: before the last time, or the last time."""
    wanted = record.before[0] if go_back else record.release
    data = _stored(desired, reader, naming.release_key(desired.system, stack.name, wanted), wanted)
    release = Release.from_json(json.loads(data))
    key = naming.template_key(desired.system, stack.name, release.template_sha256)
    template = _stored(desired, reader, key, release.template_sha256).decode()
    older = replace(
        stack,
        template=template,
        template_sha256=release.template_sha256,
        capabilities=release.capabilities,
        parameters=release.parameters,
        packages=(),  # they are in the buckets, or this fails
    )
    if go_back:
        _check_packages(desired, reader, older)
    return older


def _stored(desired: Desired, reader: Reader, key: str, sha256: str) -> bytes:
    bucket = desired.bucket(desired.home)
    data = reader.read_object(desired.home, bucket, key)
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise DeployError(
            f"s3://{bucket}/{key}",
            f"is not what its name says (SHA-256 {found})",
            "find out who writes to that bucket; deploy the build you want instead",
        )
    return data


def _check_packages(desired: Desired, reader: Reader, stack: DesiredStack) -> None:
    for text in stack.literals.values():
        if named := _PACKAGE.fullmatch(text):
            for region in stack.regions:
                bucket = desired.bucket(region)
                found = reader.object_sha256(region, bucket, text)
                if not (found or "").startswith(named["sha256"]):
                    raise DeployError(
                        f"s3://{bucket}/{text}",
                        "is not there" if found is None else "is not what its name says",
                        "deploy the build you want instead, which uploads its packages",
                    )
