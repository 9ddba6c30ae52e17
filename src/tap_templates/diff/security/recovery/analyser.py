"""The analyser of recovery: flags what is copied, kept, retried or told less than before."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tap_templates.diff.model import Context, Flag, FlagName, Resource
from tap_templates.diff.security.recovery import alarms, machines, structures
from tap_templates.diff.security.recovery.measures import Better, Measure, regressions
from tap_templates.diff.security.recovery.settings import simple

# What recovery is without: removing one is a regression by itself.
_NEEDED: Final[Mapping[str, str]] = {
    "AWS::ARCRegionSwitch::Plan": "region switch plan",
    "AWS::Backup::BackupPlan": "backup plan",
    "AWS::Backup::BackupSelection": "backup selection",
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::CloudWatch::CompositeAlarm": "alarm",
    "AWS::Events::Archive": "archive",
    "AWS::Events::Endpoint": "global endpoint",
    "AWS::KMS::ReplicaKey": "replica of a key",
    "AWS::RDS::DBInstance": "database instance",
    "AWS::RDS::GlobalCluster": "global cluster",
    "AWS::Route53::HealthCheck": "health check",
}
_INVOKE_CONFIG: Final = "AWS::Lambda::EventInvokeConfig"
_OBJECTIVES: Final = {"rto_seconds": "recovery time objective",
                      "database_rto_seconds": "recovery time objective of the database",
                      "rpo_seconds": "recovery point objective"}  # fmt: skip


def judge_recovery(
    before: Resource | None, after: Resource | None, context: Context
) -> Iterator[Flag]:
    """Compare all that a resource says about recovery."""
    if before is None:
        return
    if after is None or after.type != before.type:
        after = _renamed(before, context)
    if after is None:
        yield from _removed(before)
        return
    for found in regressions(measures(before), measures(after)):
        yield Flag(FlagName.RECOVERY_REGRESSION, found.because, found.witness, found.certain)


def _renamed(before: Resource, context: Context) -> Resource | None:
    """Find what does the same under another logical id: of the same name, or alike."""
    if context.after is None or before.type not in _NEEDED:
        return None
    name = _physical_name(before)
    for each in context.after.of_type(before.type):
        was_there = context.before is not None and context.before.resource(each.logical_id)
        is_same = name is not None and _physical_name(each) == name
        if not was_there and (is_same or each.properties == before.properties):
            return each
    return None


def _physical_name(resource: Resource) -> Any:
    return resource.properties.get(resource.type.rpartition(":")[2] + "Name")


def measures(resource: Resource) -> dict[str, Measure]:
    """Give all measures of a resource by their keys."""
    properties = resource.properties
    found = dict(simple(resource.type, properties))
    found |= dict(structures.measures(resource.type, properties))
    if resource.type == "AWS::CloudWatch::Alarm":
        found |= dict(alarms.measures(properties))
    elif resource.type == "AWS::StepFunctions::StateMachine":
        found |= dict(machines.measures(properties))
    return found


def _removed(before: Resource) -> Iterator[Flag]:
    what = _NEEDED.get(before.type)
    if what is not None:
        because = f"{what} {before.logical_id}: there → removed"
        yield Flag(FlagName.RECOVERY_REGRESSION, because, before.logical_id)
        return
    if before.type == _INVOKE_CONFIG:
        for measure in measures(before).values():
            if measure.better is Better.KEPT:
                because = f"{measure.label}: there → removed with {before.logical_id}"
                yield Flag(FlagName.RECOVERY_REGRESSION, because, measure.witness)


def judge_objectives(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Flag]:
    """Compare the objectives of two manifests: a budget that grows promises less."""
    old, new = before.get("objectives"), after.get("objectives")
    if not isinstance(old, Mapping):
        return
    for name, label in _OBJECTIVES.items():
        was = old.get(name)
        now = new.get(name) if isinstance(new, Mapping) else None
        if was is None or now == was:
            continue
        if now is None or not isinstance(was, int | float) or not isinstance(now, int | float):
            because = f"{label}: {was} s → {'none' if now is None else now}"
            yield Flag(FlagName.RECOVERY_REGRESSION, because, f"{was} → {now}")
        elif now > was:
            because = f"{label}: {was} s → {now} s"
            yield Flag(FlagName.RECOVERY_REGRESSION, because, f"{was} s → {now} s")
