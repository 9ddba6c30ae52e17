"""Measures that are in lists and documents: replicas, rules, targets, plans, records."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tap_templates.diff.security.choices import at, branches, holds, stated
from tap_templates.diff.security.recovery.measures import FOREVER, Better, Measure, Measures
from tap_templates.diff.security.texts import spell
from tap_templates.diff.values import scalar_text

_KEPT, _MORE, _LESS = Better.KEPT, Better.MORE, Better.LESS
Properties = Mapping[str, Any]


def measures(resource_type: str, properties: Properties) -> Measures:
    """Iterate over what the lists and documents of a resource say about recovery."""
    read = _BY_TYPE.get(resource_type)
    if read is not None:
        yield from read(properties)
    for name, label in _LETTERS.items():
        value = properties.get(name)
        if value is not None:
            yield name, Measure(label, _KEPT, value, certain=holds(value, _is_stated) is True)


def _is_stated(value: Any) -> bool:
    return value is not None


def _kept_each(values: Any, key: str, label: str) -> Measures:
    """Iterate over the elements of a list, each of which has to stay."""
    options = list(branches(values))
    for option in options:
        for each in option if isinstance(option, list) else ():
            parts = list(branches(each))
            certain = len(parts) == len(options) == 1
            for name in (spell(part) for part in parts if part is not None):
                yield (
                    f"{key} {name}",
                    Measure(f"{label} {name}", _KEPT, witness=name, certain=certain),
                )


def _global_table(properties: Properties) -> Measures:
    consistency = properties.get("MultiRegionConsistency")
    strong = holds(consistency, lambda value: value == "STRONG")
    if strong is not False:
        label = "multi-region strong consistency (recovery point of zero)"
        yield "Consistency", Measure(label, _KEPT, certain=strong is True, witness="STRONG")
    for replica, certain in stated(properties.get("Replicas")):
        region = spell(replica.get("Region"))
        yield region, Measure(f"replica in {region}", _KEPT, witness=region, certain=certain)
        recovery = replica.get("PointInTimeRecoverySpecification")
        yield (
            f"{region} recovery",
            Measure(
                f"point-in-time recovery in {region}",
                _MORE,
                at(recovery, "PointInTimeRecoveryEnabled"),
                unit="on",
            ),
        )
        yield (
            f"{region} window",
            Measure(
                f"point-in-time recovery window in {region}",
                _MORE,
                at(recovery, "RecoveryPeriodInDays"),
                35,
                "days",
            ),
        )
        protection = replica.get("DeletionProtectionEnabled")
        label = f"deletion protection in {region}"
        yield f"{region} protection", Measure(label, _MORE, protection, unit="on")
    for witness, certain in stated(properties.get("GlobalTableWitnesses")):
        region = spell(witness.get("Region"))
        label = f"witness in {region}"
        yield f"witness {region}", Measure(label, _KEPT, witness=region, certain=certain)


def _bucket(properties: Properties) -> Measures:
    versioning = at(properties, "VersioningConfiguration", "Status")
    yield "Versioning", Measure("versioning", _MORE, versioning, unit="on")
    for rule, certain in stated(at(properties, "ReplicationConfiguration", "Rules")):
        if holds(rule.get("Status"), lambda value: value == "Disabled") is True:
            continue
        target = spell(at(rule, "Destination", "Bucket"))
        name = f"replication {target} {spell(at(rule, 'Filter', 'Prefix') or '')}"
        label = f"replication to {target}"
        yield name, Measure(label, _KEPT, witness=target, certain=certain)
        limit = at(rule, "Destination", "ReplicationTime", "Status")
        yield f"{name} time", Measure(f"time limit of {label}", _MORE, limit, unit="on")
        deletes = at(rule, "DeleteMarkerReplication", "Status")
        yield f"{name} deletes", Measure(f"{label}, of deletions", _MORE, deletes, unit="on")
    days: Any = None
    for rule, _ in stated(at(properties, "LifecycleConfiguration", "Rules")):
        old = at(rule, "NoncurrentVersionExpiration", "NoncurrentDays")
        if old is not None and rule.get("Status") == "Enabled":
            days = old if days is None else min(days, old, key=_as_number)
    yield "Noncurrent", Measure("retention of old versions", _MORE, days, FOREVER, "days")
    retention = at(properties, "ObjectLockConfiguration", "Rule", "DefaultRetention")
    yield "Lock", Measure("object lock", _MORE, at(retention, "Days"), 0, "days")


def _as_number(value: Any) -> float:
    text = scalar_text(value) or ""
    return float(text) if text.isdecimal() else -1


def _backup_plan(properties: Properties) -> Measures:
    plan = properties.get("BackupPlan")
    for rule, certain in stated(at(plan, "BackupPlanRule")):
        name = spell(rule.get("RuleName"))
        yield name, Measure(f"backup rule {name}", _KEPT, witness=name, certain=certain)
        days = at(rule, "Lifecycle", "DeleteAfterDays")
        label = f"retention of backup rule {name}"
        yield f"{name} days", Measure(label, _MORE, days, FOREVER, "days")
        continuous = rule.get("EnableContinuousBackup")
        label = f"continuous backup of rule {name}"
        yield f"{name} continuous", Measure(label, _MORE, continuous, unit="on")
        for copy, is_there in stated(rule.get("CopyActions")):
            vault = spell(copy.get("DestinationBackupVaultArn"))
            label = f"copy of rule {name} to {vault}"
            yield f"{name} {vault}", Measure(label, _KEPT, witness=vault, certain=is_there)
            days = at(copy, "Lifecycle", "DeleteAfterDays")
            label = f"retention of the {label}"
            yield f"{name} {vault} days", Measure(label, _MORE, days, FOREVER, "days")


def _backup_selection(properties: Properties) -> Measures:
    resources = at(properties, "BackupSelection", "Resources")
    yield from _kept_each(resources, "selection", "backup of")


def _record(properties: Properties, name: str = "") -> Measures:
    label = f"record {spell(properties.get('Name'))}"
    if "TTL" in properties:
        yield f"{name}TTL", Measure(f"TTL of {label}", _LESS, properties["TTL"], 0, "seconds")
    for key, what in (("HealthCheckId", "health check"), ("Failover", "failover role")):
        if key in properties:
            yield f"{name}{key}", Measure(f"{what} of {label}", _KEPT, properties[key])
    alias = properties.get("AliasTarget")
    if alias is not None:
        health = at(alias, "EvaluateTargetHealth")
        what = f"evaluation of target health of {label}"
        yield f"{name}Health", Measure(what, _MORE, health, unit="on")


def _records(properties: Properties) -> Measures:
    for record, _ in stated(properties.get("RecordSets")):
        parts = (spell(record.get(key)) for key in ("Name", "Type", "SetIdentifier"))
        yield from _record(record, f"{' '.join(parts)} ")


def _health_check(properties: Properties) -> Measures:
    config = properties.get("HealthCheckConfig")
    yield from _kept_each(at(config, "ChildHealthChecks"), "child", "counted health check")
    if at(config, "Type") == "CALCULATED":
        needed = at(config, "HealthThreshold")
        yield "HealthThreshold", Measure("health checks that must be well", _MORE, needed)
    inverted = holds(at(config, "Inverted"), lambda value: value in (True, "true"))
    if inverted is not False:
        label = "inversion of the health check, which makes it a latch"
        yield "Inverted", Measure(label, _KEPT, certain=inverted is True)
    if at(config, "SearchString") is not None:
        yield "SearchString", Measure("text that the health check searches for", _KEPT)


def _queue(properties: Properties) -> Measures:
    received = at(properties, "RedrivePolicy", "maxReceiveCount")
    if received is not None:
        yield "Received", Measure("receive attempts before dead-lettering", _MORE, received)


def _targets(properties: Properties) -> Measures:
    for target, _ in stated(properties.get("Targets")):
        yield from _target(target, f"target {spell(target.get('Id'))}")


def _target(target: Any, label: str) -> Measures:
    if at(target, "DeadLetterConfig", "Arn") is not None:
        yield f"{label} queue", Measure(f"dead-letter queue of {label}", _KEPT)
    retry = at(target, "RetryPolicy")
    attempts = at(retry, "MaximumRetryAttempts")
    yield f"{label} retries", Measure(f"retry attempts of {label}", _MORE, attempts, 185)
    age = at(retry, "MaximumEventAgeInSeconds")
    what = f"maximum event age of {label}"
    yield f"{label} age", Measure(what, _MORE, age, 86400, "seconds")


def _schedule(properties: Properties) -> Measures:
    yield from _target(properties.get("Target"), "the schedule")


def _destination(properties: Properties) -> Measures:
    found = at(properties, "DestinationConfig", "OnFailure", "Destination")
    if found is not None:
        yield "OnFailure", Measure("on-failure destination", _KEPT, witness=spell(found))


def _mapping(properties: Properties) -> Measures:
    yield from _destination(properties)
    for name, label in (
        ("MaximumRetryAttempts", "retry attempts"),
        ("MaximumRecordAgeInSeconds", "maximum record age"),
    ):
        value = properties.get(name)
        yield name, Measure(label, _MORE, None if value == -1 else value, FOREVER)
    yield from _kept_each(properties.get("FunctionResponseTypes"), "response", "response type")


def _secret(properties: Properties) -> Measures:
    for replica, certain in stated(properties.get("ReplicaRegions")):
        region = spell(replica.get("Region"))
        yield region, Measure(f"replica in {region}", _KEPT, witness=region, certain=certain)


def _cluster(properties: Properties) -> Measures:
    if "GlobalClusterIdentifier" in properties:
        yield "Global", Measure("membership in the global cluster", _KEPT)


def _instance(properties: Properties) -> Measures:
    region = properties.get("AutomaticBackupReplicationRegion")
    if region is not None:
        label = f"replication of backups to {spell(region)}"
        yield "Replication", Measure(label, _KEPT, witness=spell(region))


def _file_system(properties: Properties) -> Measures:
    for target, certain in stated(at(properties, "ReplicationConfiguration", "Destinations")):
        name = spell(target.get("Region") or target.get("FileSystemId"))
        yield name, Measure(f"replication to {name}", _KEPT, witness=name, certain=certain)


def _endpoint(properties: Properties) -> Measures:
    check = at(properties, "RoutingConfig", "FailoverConfig", "Primary", "HealthCheck")
    if check is not None:
        yield "HealthCheck", Measure("health check of the endpoint", _KEPT)
    for bus, certain in stated(properties.get("EventBuses")):
        name = spell(bus.get("EventBusArn"))
        yield name, Measure(f"event bus {name}", _KEPT, witness=name, certain=certain)


def alarm_actions(properties: Properties) -> Measures:
    """Iterate over whom an alarm calls."""
    yield from _kept_each(properties.get("AlarmActions"), "action", "alarm action")


_BY_TYPE: Final[Mapping[str, Callable[[Properties], Measures]]] = {
    "AWS::Backup::BackupPlan": _backup_plan,
    "AWS::Backup::BackupSelection": _backup_selection,
    "AWS::CloudWatch::CompositeAlarm": alarm_actions,
    "AWS::DynamoDB::GlobalTable": _global_table,
    "AWS::EFS::FileSystem": _file_system,
    "AWS::Events::Endpoint": _endpoint,
    "AWS::Events::Rule": _targets,
    "AWS::Lambda::EventInvokeConfig": _destination,
    "AWS::Lambda::EventSourceMapping": _mapping,
    "AWS::RDS::DBCluster": _cluster,
    "AWS::RDS::DBInstance": _instance,
    "AWS::Route53::HealthCheck": _health_check,
    "AWS::Route53::RecordSet": _record,
    "AWS::Route53::RecordSetGroup": _records,
    "AWS::S3::Bucket": _bucket,
    "AWS::SQS::Queue": _queue,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::SecretsManager::Secret": _secret,
}
# In any type: where goes what could not be delivered.
_LETTERS: Final[Mapping[str, str]] = {
    "DeadLetterConfig": "dead-letter queue",
    "RedrivePolicy": "dead-letter queue",
}
