"""Failover paths: what moves a database away from a lost region works without that region.

A path is a state machine that moves the database, with all that it runs on (`failover_machines`).
What the code of its functions does is known by what their roles may do, which the proof of
privileges holds equal to it. The control planes of global services are in one region, which may be
the lost one; so is everything that the other region's endpoints answer.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tap_templates.compiler.invariants.failover_machines import (
    FAILOVER,
    SWITCHOVER,
    RecoveryPath,
    operation,
    recovery_paths,
    told_of,
)
from tap_templates.compiler.invariants.failover_triggers import moved_by_route_53
from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.values import as_list, number
from tap_templates.iam.effective import Grant, role_policies
from tap_templates.iam.patterns import is_pattern, overlaps
from tap_templates.rendered.machines import ALL_ERRORS, MachineState
from tap_templates.rendered.texts import texts
from tap_templates.rendered.view import Located, SystemView

_PLANES = "https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html"
_STABILITY = "https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/control-planes-and-data-planes.html"
_ERRORS = "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html"
_METRICS = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-health-checks.html"

# Actions that are answered by a control plane in one region, whatever region they are called in.
# Of Route 53 reading is, too, so the status of its health checks.
_CONTROL_PLANES: Final[Mapping[str, tuple[str, ...]]] = {
    "Route 53's control plane, which is in us-east-1": ("route53:*",),
    "IAM's control plane, which is in us-east-1": ("iam:*",),
    "CloudFront's control plane, which is in us-east-1": ("cloudfront:*",),
    "the configuration of buckets, which depends on us-east-1": (
        "s3:CreateBucket",
        "s3:DeleteBucket*",
        "s3:PutAccountPublicAccessBlock",
        "s3:PutBucket*",
        "s3:Put*Configuration",
    ),
    "CloudFormation, which changes what a failover should find as it is": tuple(
        f"cloudformation:{verb}*"
        for verb in (
            "Activate", "Cancel", "Continue", "Create", "Delete", "Execute", "Import", "Rollback",
            "Set", "Signal", "Stop", "Update",
        )
    ),
}  # fmt: skip
_NO_CALL: Final = "iam:PassRole"  # a permission, which nobody calls

# Both clusters are resources of the call, which the own region answers alone.
_MOVES: Final = frozenset({"rds:FailoverGlobalCluster", "rds:SwitchoverGlobalCluster"})
_MOVING: Final = frozenset({FAILOVER, SWITCHOVER})

_BEFOREHAND: Final = (
    "make it beforehand, and let data decide: a health check, a latch, an item of a table"
)


def _asks_control_planes(compiled: CompiledSystem) -> Iterator[Fault]:
    grants = _grants(compiled.view)
    for path in recovery_paths(compiled):
        for machine, task in _tasks(path):
            plane = _control_plane(_action(task))
            if plane:
                yield fault_at(
                    machine,
                    f"moves a database, and calls {_action(task)} in {task.name!r}: that asks "
                    f"{plane}",
                    _BEFOREHAND,
                    task.path,
                )
        starters = [
            function for machine in path.machines for function in told_of(compiled, machine)
        ]
        for user in (*_users(path), *starters):
            for grant in grants.get(_role_of(user), ()):
                plane = _control_plane(grant.permission.action)
                if plane:
                    yield fault_at(
                        grant.located,
                        f"lets {user.resource.logical_id} use {grant.permission.action}, on the "
                        f"path that moves the database: that asks {plane}",
                        _BEFOREHAND,
                        grant.path,
                    )


def _grants(view: SystemView) -> dict[str, list[Grant]]:
    """Map the ARN of each role to what it allows."""
    found: dict[str, list[Grant]] = {}
    for each in role_policies(view):
        allowed = [grant for grant in each.grants if grant.permission.effect == "Allow"]
        found.setdefault(str(each.role.resource.arn), []).extend(allowed)
    return found


def _users(path: RecoveryPath) -> tuple[Located, ...]:
    """List what runs with a role: the machines of a path, and their functions."""
    return (*(machine.located for machine in path.machines), *path.functions)


def _role_of(user: Located) -> str:
    properties = user.resource.properties
    return str(properties.get("RoleArn", properties.get("Role")))


def _tasks(path: RecoveryPath) -> Iterator[tuple[Located, MachineState]]:
    for machine in path.machines:
        for state in machine.states():
            if state.kind == "Task":
                yield machine.located, state


def _action(task: MachineState) -> str:
    """Spell what a task calls as IAM does: `aws-sdk:route53:getHostedZone` and so on."""
    called = operation(task)
    service = task.integration.removeprefix("aws-sdk:").partition(":")[0]
    return f"{service}:{called[0].upper()}{called[1:]}" if called else ""


def _control_plane(action: str) -> str:
    if not action or action == _NO_CALL:
        return ""
    for plane, patterns in _CONTROL_PLANES.items():
        if any(overlaps(action.lower(), pattern.lower()) for pattern in patterns):
            return plane
    return ""


def _asks_other_regions(compiled: CompiledSystem) -> Iterator[Fault]:
    grants = _grants(compiled.view)
    others = {compiled.system.regions.primary, compiled.system.regions.secondary}
    for path in recovery_paths(compiled):
        if not path.fails_over:
            continue
        own = path.region
        for machine, task in _tasks(path):
            for place, text in texts(task.given, f"{task.path}/Parameters"):
                elsewhere = _elsewhere(text, own, others)
                if elsewhere and operation(task) not in _MOVING:
                    yield fault_at(
                        machine,
                        f"names {text} in {task.name!r}: a failover from {own} has nobody to ask "
                        f"in {elsewhere}",
                        "call what this region has, such as its replica of the table",
                        place,
                    )
        for user in _users(path):
            for grant in grants.get(_role_of(user), ()):
                yield from _reaching(compiled.view, user, grant, own)


def _elsewhere(text: str, own: str, others: set[str]) -> str:
    """Name the region that a text leads to, if that is another."""
    region = _region_of(text)
    if region and region != own:
        return region
    hosts = {each for each in others - {own} if f".{each}." in text}
    return min(hosts, default="")


def _region_of(arn: str) -> str:
    parts = arn.split(":", 5)
    return parts[3] if len(parts) > 5 and parts[0] == "arn" else ""


def _reaching(view: SystemView, user: Located, grant: Grant, own: str) -> Iterator[Fault]:
    permission = grant.permission
    region = _region_of(permission.resource)
    target = view.find(permission.resource.partition("/")[0])
    if not region and target is not None and target.resource.type == "AWS::S3::Bucket":
        region = target.stack.region  # which the ARN of a bucket does not tell
    if permission.action in _MOVES or not region or region == own:
        return
    where = "any region" if is_pattern(region) else region
    yield fault_at(
        grant.located,
        f"lets {user.resource.logical_id} use {permission.action} on {permission.resource}: a "
        f"failover from {own} has nobody to ask in {where}",
        f"grant it on what is in {own} alone",
        grant.path,
    )


def _gives_up_early(compiled: CompiledSystem) -> Iterator[Fault]:
    for path in recovery_paths(compiled):
        for machine, task in _tasks(path):
            for what, remedy in _lacks(task):
                yield fault_at(
                    machine,
                    f"moves a database, and {what} {task.name!r}",
                    remedy,
                    task.path,
                )


def _lacks(task: MachineState) -> Iterator[tuple[str, str]]:
    if not any(key in task.body for key in ("TimeoutSeconds", "TimeoutSecondsPath")):
        yield "may wait for three years in", "set TimeoutSeconds on it"
    if not any(_backs_off(each) for _, each in task.handlers("Retry")):
        yield (
            "does not retry with back-off",
            "add a Retry with attempts, and a BackoffRate of more than 1",
        )
    if not _catches_all(task):
        yield (
            "does not catch all that can go wrong in",
            f"add a Catch of {ALL_ERRORS}, to it or to what is around it, and tell people there",
        )


def _backs_off(retrier: Mapping[str, Any]) -> bool:
    attempts, rate = number(retrier.get("MaxAttempts", 3)), number(retrier.get("BackoffRate", 2))
    return attempts != 0 and rate is not None and rate > 1


def _catches_all(state: MachineState | None) -> bool:
    return state is not None and (
        any(ALL_ERRORS in as_list(each.get("ErrorEquals")) for _, each in state.handlers("Catch"))
        or _catches_all(state.within)
    )


FAILOVER_PATHS = (
    Invariant(
        code="TAP-DRP-01",
        promise="What moves a database asks no control plane that is in another region.",
        source_url=_PLANES,
        check=_asks_control_planes,
    ),
    Invariant(
        code="TAP-DRP-02",
        promise="A failover calls nothing outside the region that survives.",
        source_url=_STABILITY,
        check=_asks_other_regions,
    ),
    Invariant(
        code="TAP-DRP-03",
        promise="Every task that moves a database is bounded, retried with back-off, and caught.",
        source_url=_ERRORS,
        check=_gives_up_early,
    ),
    Invariant(
        code="TAP-DRP-04",
        promise="No failover waits for metrics of Route 53, which are in us-east-1 and late.",
        source_url=_METRICS,
        check=moved_by_route_53,
    ),
)
