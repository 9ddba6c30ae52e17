"""How databases, secrets and backups are read back: through their own services.

A dynamic reference is a value that no template holds, and is not compared.
"""

import json
from collections.abc import Mapping
from typing import Any

from tap_templates.local.readback_compare import (
    Check,
    Missing,
    Place,
    Properties,
    differences,
    only,
)

_REFERENCE = "{{resolve:"


def _plain(properties: Properties, *names: str) -> dict[str, Any]:
    """Give the properties of these names that are no dynamic references."""
    return {
        name: value
        for name, value in only(properties, *names).items()
        if _REFERENCE not in str(value)
    }


def _cluster(place: Place, properties: Properties) -> list[str]:
    rds = place.client("rds")
    found = rds.describe_db_clusters(DBClusterIdentifier=place.id)["DBClusters"][0]
    wanted = _plain(
        properties,
        *("BackupRetentionPeriod", "CopyTagsToSnapshot", "DatabaseName", "DeletionProtection"),
        *("Engine", "EngineVersion", "GlobalClusterIdentifier", "MasterUsername", "Port"),
        "StorageEncrypted",
    )
    for name, key in (
        ("DBClusterParameterGroupName", "DBClusterParameterGroup"),
        ("DBSubnetGroupName", "DBSubnetGroup"),
        ("EnableIAMDatabaseAuthentication", "IAMDatabaseAuthenticationEnabled"),
        ("KmsKeyId", "KmsKeyId"),
    ):
        if name in properties:
            wanted[key] = properties[name]
    if "VpcSecurityGroupIds" in properties:
        groups = [each["VpcSecurityGroupId"] for each in found["VpcSecurityGroups"]]
        wanted |= only(properties, "VpcSecurityGroupIds")
        found |= {"VpcSecurityGroupIds": groups}
    problems = differences(wanted, found)
    if any(_REFERENCE in str(found[key]) for key in ("MasterUsername", "DBClusterArn")):
        problems.append("MasterUsername is a dynamic reference that was not resolved")
    return problems


def _instance(place: Place, properties: Properties) -> list[str]:
    rds = place.client("rds")
    found = rds.describe_db_instances(DBInstanceIdentifier=place.id)["DBInstances"][0]
    names = ("DBClusterIdentifier", "DBInstanceClass", "Engine", "PromotionTier")
    return differences(only(properties, *names, "PubliclyAccessible"), found)


def _subnet_group(place: Place, properties: Properties) -> list[str]:
    rds = place.client("rds")
    found = rds.describe_db_subnet_groups(DBSubnetGroupName=place.id)["DBSubnetGroups"][0]
    subnets = sorted(each["SubnetIdentifier"] for each in found["Subnets"])
    wanted = only(properties, "DBSubnetGroupDescription")
    if "SubnetIds" in properties:
        wanted["SubnetIds"] = sorted(properties["SubnetIds"])
    return differences(wanted, found | {"SubnetIds": subnets})


def _parameter_group(place: Place, properties: Properties) -> list[str]:
    rds, known = place.client("rds"), {"DBClusterParameterGroupName": place.id}
    found = rds.describe_db_cluster_parameter_groups(**known)["DBClusterParameterGroups"][0]
    pages = rds.get_paginator("describe_db_cluster_parameters").paginate(**known, Source="user")
    values = {
        each["ParameterName"]: each.get("ParameterValue")
        for page in pages
        for each in page["Parameters"]
    }
    wanted = only(properties, "Description", "Parameters")
    wanted["DBParameterGroupFamily"] = properties["Family"]
    return differences(wanted, found | {"Parameters": values})


def _global_cluster(place: Place, properties: Properties) -> list[str]:
    """Look for the source among the members: who of them writes may have changed since."""
    rds = place.client("rds")
    found = rds.describe_global_clusters(GlobalClusterIdentifier=place.id)["GlobalClusters"][0]
    members = [each["DBClusterArn"] for each in found["GlobalClusterMembers"]]
    wanted = str(properties["SourceDBClusterIdentifier"])
    name = wanted.rpartition(":")[2]
    if any(each.rpartition(":")[2] == name for each in members):
        return []
    return [f"{wanted} is none of its members {members}"]


def _secret(place: Place, properties: Properties) -> list[str]:
    client = place.client("secretsmanager")
    found = client.describe_secret(SecretId=place.id)
    problems = differences(only(properties, "Description", "KmsKeyId", "Name"), found)
    for region in (each["Region"] for each in properties.get("ReplicaRegions", [])):
        replica = place.client("secretsmanager", region)
        values = [
            each.get_secret_value(SecretId=found["Name"])["SecretString"]
            for each in (client, replica)
        ]
        if values[0] != values[1]:
            problems.append(f"the copy in {region} has another value")
    generated = properties.get("GenerateSecretString", {})
    if "SecretStringTemplate" in generated:
        said = json.loads(client.get_secret_value(SecretId=place.id)["SecretString"])
        wanted = json.loads(generated["SecretStringTemplate"])
        problems += [f"its value has no {each}" for each in wanted.keys() - said.keys()]
        if not said.get(generated["GenerateStringKey"]):
            problems.append("nothing was generated")
    return sorted(problems)


def _vault(place: Place, properties: Properties) -> list[str]:
    found = place.client("backup").describe_backup_vault(BackupVaultName=place.id)
    return differences(only(properties, "BackupVaultName", "EncryptionKeyArn"), found)


def _plan(place: Place, properties: Properties) -> list[str]:
    wanted = dict(properties["BackupPlan"])
    wanted["Rules"] = [
        {("TargetBackupVaultName" if key == "TargetBackupVault" else key): value
         for key, value in rule.items()}
        for rule in wanted.pop("BackupPlanRule")
    ]  # fmt: skip
    found = place.client("backup").get_backup_plan(BackupPlanId=place.id)
    return differences(wanted, found["BackupPlan"])


def _selection(place: Place, properties: Properties) -> list[str]:
    plan, _, selection = place.id.partition("_")
    if not selection:
        raise Missing(place.id)
    known = {"BackupPlanId": plan, "SelectionId": selection}
    found = place.client("backup").get_backup_selection(**known)["BackupSelection"]
    names = ("SelectionName", "IamRoleArn", "Resources")
    return differences(only(properties["BackupSelection"], *names), found)


CHECKS: Mapping[str, Check] = {
    "AWS::Backup::BackupPlan": _plan,
    "AWS::Backup::BackupSelection": _selection,
    "AWS::Backup::BackupVault": _vault,
    "AWS::RDS::DBCluster": _cluster,
    "AWS::RDS::DBClusterParameterGroup": _parameter_group,
    "AWS::RDS::DBInstance": _instance,
    "AWS::RDS::DBSubnetGroup": _subnet_group,
    "AWS::RDS::GlobalCluster": _global_cluster,
    "AWS::SecretsManager::Secret": _secret,
}
