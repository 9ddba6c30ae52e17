"""Block part: what both clusters of an Aurora pair are made from, and what they are called."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from awacs import aws
from awacs import rds_db as actions
from troposphere import AWSObject, GetAtt, Ref, Sub, cloudwatch, rds
from troposphere.logs import LogGroup

from tap_templates.blocks.alarm import Metric
from tap_templates.blocks.aurora_alarms import Watched
from tap_templates.blocks.aurora_choices import ENGINE, DatabaseChoices
from tap_templates.blocks.function import LOG_RETENTION_DAYS
from tap_templates.blocks.key import ServiceKey, service_key, use_by_databases
from tap_templates.blocks.network_parts import flat
from tap_templates.blocks.policy import allow
from tap_templates.blocks.secret import Secret
from tap_templates.blocks.security_group import POSTGRESQL
from tap_templates.blocks.text import Text, arn_text, sub
from tap_templates.blocks.topic import Topic
from tap_templates.errors import ModelError
from tap_templates.model.names import OWN_REGION, Kind, Name

_LOG = "postgresql"
_FREE_INSIGHT_DAYS = 7
# Statements that take longer are logged: their text, never their parameters (those are bound).
_SLOW_MS = 1000
_NO_OTHERS: Mapping[str, Text] = {}
_PARAMETERS = {
    "log_connections": "1",
    "log_disconnections": "1",
    "log_lock_waits": "1",
    "log_min_duration_statement": str(_SLOW_MS),
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "rds.force_ssl": "1",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """The typed reference to the cluster of a region, and to the global database it is in."""

    purpose: str

    @property
    def name(self) -> str:
        return self.name_in(OWN_REGION)

    def name_in(self, region: str) -> str:
        return Name(Kind.CLUSTER, self.purpose).text(region)

    @property
    def global_name(self) -> str:
        return Name(Kind.GLOBAL_CLUSTER, self.purpose).text()

    @property
    def log_group(self) -> str:
        return f"/aws/rds/cluster/{self.name}/{_LOG}"

    @property
    def arn(self) -> Text:
        return sub(arn_text("rds", f"cluster:{self.name}"))

    def metric(self, name: str, statistic: str = "Maximum") -> Metric:
        return Metric(
            namespace="AWS/RDS",
            name=name,
            statistic=statistic,
            dimensions={"DBClusterIdentifier": sub(self.name)},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuroraSettings:
    """What the clusters of a pair have in common, and where in its region each is."""

    database: str
    master: Secret
    subnets: Sequence[Text]  # isolated ones, of at least two zones
    security_groups: Sequence[Text]
    log_key: ServiceKey  # admits the cluster's log group
    tell: Topic
    readers: int = 1
    log_kept_days: int = LOG_RETENTION_DAYS
    backups_kept: timedelta = timedelta(days=7)
    most_connections: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class AuroraCluster:
    """A cluster and all that belongs to it alone; iterates over its resources."""

    cluster: rds.DBCluster
    instances: tuple[rds.DBInstance, ...]
    subnet_group: rds.DBSubnetGroup
    parameters: rds.DBClusterParameterGroup
    key: ServiceKey
    log: LogGroup
    global_cluster: rds.GlobalCluster | None = None  # the primary has it
    alarms: tuple[cloudwatch.Alarm, ...] = ()

    def __iter__(self) -> Iterator[AWSObject]:
        joined = (self.global_cluster,) if self.global_cluster else ()
        yield from flat(
            self.key,
            self.log,
            self.subnet_group,
            self.parameters,
            self.cluster,
            self.instances,
            joined,
            self.alarms,
        )

    @property
    def host(self) -> Text:
        """Where this region's cluster is written to; a copy's name leads nowhere until promoted."""
        return GetAtt(self.cluster, "Endpoint.Address")

    @property
    def reader_host(self) -> Text:
        """Where it is read, a copy too."""
        return GetAtt(self.cluster, "ReadEndpoint.Address")

    @property
    def port(self) -> Text:
        return GetAtt(self.cluster, "Endpoint.Port")

    @property
    def resource_id(self) -> Text:
        return GetAtt(self.cluster, "DBClusterResourceId")

    def connect_as(self, user: str) -> aws.Statement:
        """Grant logging in to this cluster as `user` by IAM, instead of by a password."""
        return connect_as(user, self.resource_id)


def connect_as(
    user: str, resource_id: Text, *, others: Mapping[str, Text] = _NO_OTHERS
) -> aws.Statement:
    """Grant logging in as `user` by IAM to the cluster of one's own region with this resource id.

    `others` are the resource ids of clusters in other regions, by region.
    """
    if not user.isidentifier():
        raise ModelError(f"database user {user!r}", "is no name", "write it like `payments_app`")
    clusters = {OWN_REGION: resource_id, **others}
    return allow(
        "ConnectToDatabase" if not others else "ConnectToDatabases",
        [actions.connect],
        [
            Sub(arn_text("rds-db", f"dbuser:${{Database}}/{user}", region=region), Database=each)
            for region, each in clusters.items()
        ],
    )


@dataclass(frozen=True, slots=True)
class ClusterMaking:
    """The parts of one cluster, whatever its role."""

    title: str
    reference: Cluster
    choices: DatabaseChoices
    settings: AuroraSettings

    @property
    def watched(self) -> Watched:
        return Watched(
            title=self.title,
            purpose=self.reference.purpose,
            identifier=sub(self.reference.name),
            most_connections=self.settings.most_connections,
            tell=self.settings.tell,
        )

    def make(self, role: Mapping[str, Any], *, after: Sequence[str] = ()) -> AuroraCluster:
        """Make the cluster with the properties of its role, `after` resources of these titles."""
        purpose = self.reference.purpose
        key = service_key(
            f"{self.title}Database", f"{purpose}-database", "Encrypts the database",
            *use_by_databases(),
        )  # fmt: skip
        log = LogGroup(
            f"{self.title}DatabaseLog",
            LogGroupName=sub(self.reference.log_group),
            RetentionInDays=self.settings.log_kept_days,
            KmsKeyId=self.settings.log_key.arn,
        )
        subnet_group, parameters = self._groups()
        cluster = rds.DBCluster(
            f"{self.title}Cluster",
            # RDS would make a log group of its own, without key and for ever.
            DependsOn=[log.title, *after],
            DBClusterParameterGroupName=Ref(parameters),
            DBSubnetGroupName=Ref(subnet_group),
            KmsKeyId=key.arn,
            **self._common(),
            **role,
        )
        return AuroraCluster(
            cluster=cluster,
            instances=tuple(
                self._instance(cluster, key, number)
                for number in range(1, self.settings.readers + 2)
            ),
            subnet_group=subnet_group,
            parameters=parameters,
            key=key,
            log=log,
        )

    def _common(self) -> dict[str, Any]:
        """List what is the same in both roles, and whatever the parts are."""
        return {
            "BackupRetentionPeriod": self.settings.backups_kept.days,
            "CopyTagsToSnapshot": True,
            "DBClusterIdentifier": sub(self.reference.name),
            "DeleteAutomatedBackups": True,  # of a cluster that is gone nothing is left behind
            "EnableCloudwatchLogsExports": [_LOG],
            "EnableIAMDatabaseAuthentication": True,
            "Engine": ENGINE,
            "EngineVersion": self.choices.version,
            "Port": POSTGRESQL,
            "StorageEncrypted": True,
            "VpcSecurityGroupIds": list(self.settings.security_groups),
        }

    def _groups(self) -> tuple[rds.DBSubnetGroup, rds.DBClusterParameterGroup]:
        purpose = self.reference.purpose
        subnet_group = rds.DBSubnetGroup(
            f"{self.title}SubnetGroup",
            DBSubnetGroupName=sub(Name(Kind.SUBNET_GROUP, purpose).text()),
            DBSubnetGroupDescription=f"Isolated subnets of the cluster {purpose}",
            SubnetIds=list(self.settings.subnets),
        )
        parameters = rds.DBClusterParameterGroup(
            f"{self.title}Parameters",
            DBClusterParameterGroupName=self.choices.parameters_name(purpose),
            Description=f"TLS only, and what the log of {purpose} says",
            Family=self.choices.family,
            Parameters=_PARAMETERS,
        )
        return subnet_group, parameters

    def _instance(self, cluster: rds.DBCluster, key: ServiceKey, number: int) -> rds.DBInstance:
        purpose = f"{self.reference.purpose}-{number}"
        return rds.DBInstance(
            f"{self.title}Instance{number}",
            AutoMinorVersionUpgrade=False,  # members of a global database must be of one version
            DBClusterIdentifier=Ref(cluster),
            DBInstanceClass=self.choices.instance_class,
            DBInstanceIdentifier=sub(Name(Kind.INSTANCE, purpose).text()),
            EnablePerformanceInsights=True,
            Engine=ENGINE,
            PerformanceInsightsKMSKeyId=key.arn,
            PerformanceInsightsRetentionPeriod=_FREE_INSIGHT_DAYS,
            PromotionTier=number - 1,
            PubliclyAccessible=False,
        )
