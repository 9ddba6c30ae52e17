"""Measures that are one property of their resource, in a table."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tap_templates.diff.security.choices import at
from tap_templates.diff.security.recovery.measures import FOREVER, Better, Measure, Measures

_MORE, _LESS = Better.MORE, Better.LESS


class Setting(NamedTuple):
    """Where a measure is, what it is called, and what AWS takes if it is left out."""

    path: str  # of properties, with dots
    label: str
    better: Better = _MORE
    default: float = 0
    unit: str = "on"


_CLUSTER: Final = (
    Setting("BackupRetentionPeriod", "backup retention", default=1, unit="days"),
    Setting("BacktrackWindow", "backtrack window", unit="seconds"),
    Setting("MultiAZ", "Multi-AZ"),
)
_ASYNCHRONOUS: Final = (
    Setting("MaximumRetryAttempts", "retry attempts", default=2, unit=""),
    Setting("MaximumEventAgeInSeconds", "maximum event age", default=21600, unit="seconds"),
)
SETTINGS: Final[Mapping[str, tuple[Setting, ...]]] = {
    "AWS::AutoScaling::AutoScalingGroup": (
        Setting("MinSize", "fewest instances", unit=""),
        Setting("DesiredCapacity", "desired instances", unit=""),
    ),
    "AWS::Backup::BackupVault": (
        Setting("LockConfiguration.MinRetentionDays", "vault lock's least retention", unit="days"),
    ),
    "AWS::CloudWatch::Alarm": (
        Setting("ActionsEnabled", "alarm actions", default=1),
        Setting("Period", "alarm period", _LESS, 0, "seconds"),
    ),
    "AWS::CloudWatch::CompositeAlarm": (
        Setting("ActionsEnabled", "alarm actions", default=1),
    ),
    "AWS::DocDB::DBCluster": _CLUSTER,
    "AWS::DynamoDB::Table": (
        Setting(
            "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled",
            "point-in-time recovery",
        ),
        Setting(
            "PointInTimeRecoverySpecification.RecoveryPeriodInDays",
            "point-in-time recovery window",
            default=35,
            unit="days",
        ),
    ),
    "AWS::ECS::Service": (Setting("DesiredCount", "desired tasks", default=1, unit=""),),
    "AWS::EFS::FileSystem": (Setting("BackupPolicy.Status", "automatic backups"),),
    "AWS::ElastiCache::ReplicationGroup": (
        Setting("AutomaticFailoverEnabled", "automatic failover"),
        Setting("MultiAZEnabled", "Multi-AZ"),
        Setting("NumCacheClusters", "cache clusters", unit=""),
        Setting("ReplicasPerNodeGroup", "replicas", unit=""),
        Setting("SnapshotRetentionLimit", "snapshot retention", unit="days"),
    ),
    "AWS::Events::Archive": (
        Setting("RetentionDays", "archive retention", default=FOREVER, unit="days"),
    ),
    "AWS::Events::Endpoint": (
        Setting("ReplicationConfig.State", "event replication", default=1),
    ),
    "AWS::FSx::FileSystem": (
        Setting("WindowsConfiguration.AutomaticBackupRetentionDays", "backup retention",
                default=30, unit="days"),
    ),
    "AWS::KMS::Key": (
        Setting("EnableKeyRotation", "key rotation"),
        Setting("Enabled", "key", default=1),
        Setting("PendingWindowInDays", "waiting time before deletion", default=30, unit="days"),
        Setting("RotationPeriodInDays", "rotation period", _LESS, 365, "days"),
    ),
    "AWS::Kinesis::Stream": (
        Setting("RetentionPeriodHours", "stream retention", default=24, unit="hours"),
    ),
    "AWS::Lambda::EventInvokeConfig": _ASYNCHRONOUS,
    "AWS::Lambda::EventSourceMapping": (
        Setting("Enabled", "event source mapping", default=1),
        Setting("BisectBatchOnFunctionError", "splitting of failed batches"),
    ),
    "AWS::Logs::LogGroup": (
        Setting("RetentionInDays", "log retention", default=FOREVER, unit="days"),
    ),
    "AWS::Neptune::DBCluster": _CLUSTER,
    "AWS::OpenSearchService::Domain": (
        Setting("ClusterConfig.ZoneAwarenessEnabled", "zone awareness"),
        Setting("ClusterConfig.InstanceCount", "instances", default=1, unit=""),
        Setting("ClusterConfig.MultiAZWithStandbyEnabled", "Multi-AZ with standby"),
    ),
    "AWS::RDS::DBCluster": _CLUSTER,
    "AWS::RDS::DBInstance": (
        Setting("BackupRetentionPeriod", "backup retention", default=1, unit="days"),
        Setting("DeleteAutomatedBackups", "deletion of backups with the instance", _LESS, 1),
        Setting("MultiAZ", "Multi-AZ"),
    ),
    "AWS::Redshift::Cluster": (
        Setting("AutomatedSnapshotRetentionPeriod", "snapshot retention", default=1, unit="days"),
        Setting("MultiAZ", "Multi-AZ"),
    ),
    "AWS::Route53::HealthCheck": (
        Setting("HealthCheckConfig.RequestInterval", "health check interval", _LESS, 30,
                "seconds"),
        Setting("HealthCheckConfig.FailureThreshold", "health check failure threshold", _LESS, 3,
                ""),
        Setting("HealthCheckConfig.Disabled", "disabling of the health check", _LESS),
    ),
    "AWS::SQS::Queue": (
        Setting("MessageRetentionPeriod", "message retention", default=345600, unit="seconds"),
    ),
}  # fmt: skip
# In any type: what keeps a resource from being deleted by mistake.
_PROTECTIONS: Final = ("DeletionProtection", "DeletionProtectionEnabled")


def simple(resource_type: str, properties: Mapping[str, Any]) -> Measures:
    """Iterate over the measures of a resource that are one property each."""
    for setting in SETTINGS.get(resource_type, ()):
        value = at(properties, *setting.path.split("."))
        if setting.path == "RetentionDays" and value in (0, "0"):
            value = None  # an archive without end says 0
        yield (
            setting.path,
            Measure(setting.label, setting.better, value, setting.default, setting.unit),
        )
    for name in _PROTECTIONS:
        yield name, Measure("deletion protection", Better.MORE, properties.get(name), unit="on")
