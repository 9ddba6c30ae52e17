"""AWS::RDS: clusters, their instances, and global databases of them, through the service's API.

There is no database behind them unless a driver has one (`servers`): nothing answers at an
endpoint. What is real is who is a member of what, who writes, and what RDS refuses.
"""

from typing import Any

from ministack.services import rds as service

from tap_engine import loopback
from tap_engine.providers.provider import (
    Attributes,
    Made,
    Properties,
    Provider,
    engines_own,
    if_there,
    name_of,
    refuse_change,
    shaped,
    tags_changed,
    without,
)

_GLOBAL, _CLUSTER, _INSTANCE = (
    f"AWS::RDS::{each}" for each in ("GlobalCluster", "DBCluster", "DBInstance")
)
# For CloudFormation itself, or what the engine has nothing for.
_NOT_SENT = ("DeleteAutomatedBackups", "SourceRegion")
_CHANGED_BY_CLUSTER = (
    *("BackupRetentionPeriod", "CopyTagsToSnapshot", "DBClusterParameterGroupName"),
    *("DeletionProtection", "EnableIAMDatabaseAuthentication", "EngineVersion"),
    *("MasterUserPassword", "Port", "PreferredBackupWindow", "PreferredMaintenanceWindow"),
    "VpcSecurityGroupIds",
)
_CHANGED_BY_INSTANCE = (
    *("CACertificateIdentifier", "CopyTagsToSnapshot", "DBInstanceClass", "DeletionProtection"),
    *("MonitoringInterval", "MonitoringRoleArn", "PreferredMaintenanceWindow"),
    "PubliclyAccessible",
)
_cluster = engines_own(_CLUSTER)


def _create_global(logical_id: str, properties: Properties, stack: str) -> Made:
    if not properties.get("SourceDBClusterIdentifier"):
        raise ValueError(
            f"{_GLOBAL}: the local engine simulates one that is made from a cluster alone; give "
            "SourceDBClusterIdentifier"
        )
    name = name_of(properties, "GlobalClusterIdentifier", stack, logical_id).lower()
    rds = loopback.client("rds")
    request = {**properties, "GlobalClusterIdentifier": name}
    rds.create_global_cluster(**shaped(rds, "create_global_cluster", request))
    return name, {}


def _update_global(physical_id: str, old: Properties, new: Properties, _: str, __: str) -> Made:
    refuse_change(_GLOBAL, old, new, "Tags")
    _tag(f"arn:aws:rds::{service.get_account_id()}:global-cluster:{physical_id}", old, new)
    return physical_id, {}


def _delete_global(physical_id: str, _: Properties) -> None:
    """Take the last member out, as CloudFormation does, and delete; with two it is refused."""
    rds, known = loopback.client("rds"), {"GlobalClusterIdentifier": physical_id}
    with if_there():
        members = rds.describe_global_clusters(**known)["GlobalClusters"][0]["GlobalClusterMembers"]
        if len(members) == 1:
            rds.remove_from_global_cluster(**known, DbClusterIdentifier=members[0]["DBClusterArn"])
        rds.delete_global_cluster(**known)


def _create_cluster(logical_id: str, properties: Properties, stack: str) -> Made:
    name = name_of(properties, "DBClusterIdentifier", stack, logical_id).lower()
    rds = loopback.client("rds")
    if "DBSubnetGroupName" in properties:  # the API of the engine does not look
        rds.describe_db_subnet_groups(DBSubnetGroupName=properties["DBSubnetGroupName"])
    if properties.get("GlobalClusterIdentifier"):
        _check_copy(properties)
    request = without(properties, *_NOT_SENT) | {"DBClusterIdentifier": name}
    rds.create_db_cluster(**shaped(rds, "create_db_cluster", request))
    _keep_endpoints(name)
    return name, _cluster_attributes(name)


def _check_copy(properties: Properties) -> None:
    """Refuse what RDS refuses of a cluster that joins a global database as a copy."""
    own = [key for key in ("DatabaseName", "MasterUsername", "MasterUserPassword")
           if properties.get(key)]  # fmt: skip
    if own:
        raise ValueError(
            f"{_CLUSTER}: {', '.join(own)} cannot be given to a secondary cluster of a global "
            "database, which has those of the primary"
        )
    if str(properties.get("StorageEncrypted", False)).lower() == "true":
        missing = [key for key in ("KmsKeyId", "SourceRegion") if not properties.get(key)]
        if missing:
            raise ValueError(
                f"{_CLUSTER}: an encrypted secondary cluster needs {' and '.join(missing)}"
            )


def _keep_endpoints(name: str) -> None:
    """Keep the cluster's addresses; the engine makes them its own when there is an instance."""
    cluster = service._clusters[name]
    where = {key: cluster[key] for key in ("Port", "HostedZoneId")}
    cluster["_shared_endpoint"] = {"Address": cluster["Endpoint"], **where}
    cluster["_shared_reader_alias"] = cluster["ReaderEndpoint"]


def _update_cluster(
    physical_id: str, old: Properties, new: Properties, stack: str, lid: str
) -> Made:
    if new.get("DBClusterIdentifier", physical_id).lower() != physical_id:
        return _create_cluster(lid, new, stack)
    left = old.get("GlobalClusterIdentifier") and not new.get("GlobalClusterIdentifier")
    changeable = (*_CHANGED_BY_CLUSTER, *_NOT_SENT, "EnableCloudwatchLogsExports", "Tags")
    refuse_change(_CLUSTER, old, new, *changeable, *(["GlobalClusterIdentifier"] if left else []))
    rds, known = loopback.client("rds"), {"DBClusterIdentifier": physical_id}
    arn = _cluster_attributes(physical_id)["DBClusterArn"]
    if left:  # as CloudFormation detaches a cluster
        rds.remove_from_global_cluster(
            GlobalClusterIdentifier=old["GlobalClusterIdentifier"], DbClusterIdentifier=arn
        )
    changes = _changes(old, new, _CHANGED_BY_CLUSTER)
    if changes:
        request = {**changes, **known, "ApplyImmediately": True}
        rds.modify_db_cluster(**shaped(rds, "modify_db_cluster", request))
    _tag(arn, old, new)
    return physical_id, _cluster_attributes(physical_id)


def _delete_cluster(physical_id: str, properties: Properties) -> None:
    rds, known = loopback.client("rds"), {"DBClusterIdentifier": physical_id}
    with if_there():
        found = rds.describe_db_clusters(**known)["DBClusters"][0]
        joined = properties.get("GlobalClusterIdentifier")
        if joined and found.get("GlobalClusterIdentifier"):
            rds.remove_from_global_cluster(
                GlobalClusterIdentifier=joined, DbClusterIdentifier=found["DBClusterArn"]
            )
        rds.delete_db_cluster(**known, SkipFinalSnapshot=True)


def _cluster_attributes(name: str) -> Attributes:
    rds = loopback.client("rds")
    found = rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
    return {
        "DBClusterArn": found["DBClusterArn"],
        "DBClusterResourceId": found["DbClusterResourceId"],
        "Endpoint.Address": found["Endpoint"],
        "Endpoint.Port": str(found["Port"]),
        "ReadEndpoint.Address": found["ReaderEndpoint"],
    }


def _create_instance(logical_id: str, properties: Properties, stack: str) -> Made:
    name = name_of(properties, "DBInstanceIdentifier", stack, logical_id).lower()
    rds = loopback.client("rds")
    cluster = properties.get("DBClusterIdentifier")
    if not cluster:
        raise ValueError(f"{_INSTANCE}: the local engine simulates members of clusters alone")
    rds.describe_db_clusters(DBClusterIdentifier=cluster)
    request = without(properties, *_NOT_SENT) | {"DBInstanceIdentifier": name}
    rds.create_db_instance(**shaped(rds, "create_db_instance", request))
    return name, _instance_attributes(name)


def _update_instance(
    physical_id: str, old: Properties, new: Properties, stack: str, lid: str
) -> Made:
    if new.get("DBInstanceIdentifier", physical_id).lower() != physical_id:
        return _create_instance(lid, new, stack)
    # Whether it is upgraded by itself, and watched closely, has no effect here.
    ignored = ("AutoMinorVersionUpgrade", "EnablePerformanceInsights", "EngineVersion",
               "PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod")  # fmt: skip
    refuse_change(_INSTANCE, old, new, *_CHANGED_BY_INSTANCE, *ignored, "PromotionTier", "Tags")
    changes = _changes(old, new, _CHANGED_BY_INSTANCE)
    rds = loopback.client("rds")
    if changes:
        known: dict[str, Any] = {"DBInstanceIdentifier": physical_id, "ApplyImmediately": True}
        rds.modify_db_instance(**shaped(rds, "modify_db_instance", {**changes, **known}))
    if "PromotionTier" in new:  # the engine's API does not know it
        service._instances[physical_id]["PromotionTier"] = int(new["PromotionTier"])
    _tag(_instance_attributes(physical_id)["DBInstanceArn"], old, new)
    return physical_id, _instance_attributes(physical_id)


def _delete_instance(physical_id: str, _: Properties) -> None:
    with if_there():
        loopback.client("rds").delete_db_instance(
            DBInstanceIdentifier=physical_id, SkipFinalSnapshot=True
        )


def _instance_attributes(name: str) -> Attributes:
    rds = loopback.client("rds")
    found = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    return {
        "DBInstanceArn": found["DBInstanceArn"],
        "DbiResourceId": found["DbiResourceId"],
        "Endpoint.Address": found["Endpoint"]["Address"],
        "Endpoint.Port": str(found["Endpoint"]["Port"]),
    }


def _changes(old: Properties, new: Properties, names: tuple[str, ...]) -> dict[str, Any]:
    """Give what is new of these; refuse to take one away, for which RDS has no word."""
    gone = [key for key in names if key in old and key not in new]
    if gone:
        raise ValueError(f"The local engine does not simulate taking away {', '.join(gone)}")
    return {key: new[key] for key in names if key in new and old.get(key) != new[key]}


def _tag(arn: str, old: Properties, new: Properties) -> None:
    changed, gone = tags_changed(old, new)
    rds = loopback.client("rds")
    if changed:
        rds.add_tags_to_resource(ResourceName=arn, Tags=changed)
    if gone:
        rds.remove_tags_from_resource(ResourceName=arn, TagKeys=gone)


PROVIDERS = (
    Provider(type=_GLOBAL, create=_create_global, update=_update_global, delete=_delete_global),
    Provider(
        type=_CLUSTER,
        create=_create_cluster,
        update=_update_cluster,
        delete=_delete_cluster,
        snapshot=_cluster.snapshot,
    ),
    Provider(
        type=_INSTANCE, create=_create_instance, update=_update_instance, delete=_delete_instance
    ),
)
