"""AWS::DynamoDB::GlobalTable: the engine makes the table, this makes its replicas.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-dynamodb-globaltable.html
"""

from collections.abc import Mapping
from typing import Any

from ministack.core.responses import get_region

from tap_engine import loopback
from tap_engine.providers.provider import (
    Attributes,
    Made,
    Properties,
    Provider,
    engines_own,
    if_there,
    shaped,
)

_TYPE = "AWS::DynamoDB::GlobalTable"
_table = engines_own(_TYPE)


def _create(logical_id: str, properties: Properties, stack: str) -> Made:
    _check(properties)
    name, _ = _table.create(logical_id, _homely(properties), stack)
    try:
        strong = properties.get("MultiRegionConsistency") == "STRONG"
        added = [{"Create": {"RegionName": each}} for each in _others(properties)]
        watching = [{"Create": {"RegionName": each}} for each in _witnesses(properties)]
        if added:
            request: dict[str, Any] = {"TableName": name, "ReplicaUpdates": added}
            if strong:
                request |= {"MultiRegionConsistency": "STRONG"}
            if watching:
                request |= {"GlobalTableWitnessUpdates": watching}
            loopback.client("dynamodb").update_table(**request)
        _configure(name, properties, {})
        return name, _attributes(name)
    except BaseException:
        _delete(name, properties)
        raise


def _update(
    physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str
) -> Made:
    _check(new)
    fixed: tuple[str, ...] = (
        "MultiRegionConsistency",
        "GlobalTableWitnesses",
        "KeySchema",
        "TableName",
    )
    if _others(new):  # an index that comes or goes would do so in one replica alone
        fixed += ("GlobalSecondaryIndexes",)
    changed = [key for key in fixed if old.get(key) != new.get(key)]
    if changed:
        raise ValueError(f"{_TYPE}: the local engine does not simulate a change of {changed}")
    name, _ = _table.update(physical_id, _homely(old), _homely(new), stack, logical_id)
    dynamodb = loopback.client("dynamodb")
    for region in _others(old):
        if region not in _others(new):
            updates = [{"Delete": {"RegionName": region}}]
            dynamodb.update_table(TableName=name, ReplicaUpdates=updates)
    for region in _others(new):
        if region not in _others(old):
            updates = [{"Create": {"RegionName": region}}]
            dynamodb.update_table(TableName=name, ReplicaUpdates=updates)
    _configure(name, new, old)
    return name, _attributes(name)


def _delete(physical_id: str, properties: Properties) -> None:
    with if_there():
        described = loopback.client("dynamodb").describe_table(TableName=physical_id)["Table"]
        others = [each["RegionName"] for each in described.get("Replicas", [])]
        watching = [each["RegionName"] for each in described.get("GlobalTableWitnesses", [])]
        if others:
            request: dict[str, Any] = {
                "TableName": physical_id,
                "ReplicaUpdates": [{"Delete": {"RegionName": each}} for each in others],
            }
            if watching:
                request["GlobalTableWitnessUpdates"] = [
                    {"Delete": {"RegionName": each}} for each in watching
                ]
            loopback.client("dynamodb").update_table(**request)
        _table.delete(physical_id, properties)


def _check(properties: Properties) -> None:
    if get_region() not in _replicas(properties):
        raise ValueError(f"{_TYPE}: Replicas must contain the region of the stack, {get_region()}")


def _replicas(properties: Properties) -> dict[str, Mapping[str, Any]]:
    return {each["Region"]: each for each in properties.get("Replicas", [])}


def _others(properties: Properties) -> list[str]:
    return [region for region in _replicas(properties) if region != get_region()]


def _witnesses(properties: Properties) -> list[str]:
    return [each["Region"] for each in properties.get("GlobalTableWitnesses", [])]


def _homely(properties: Properties) -> dict[str, Any]:
    """Give the properties with what only the replica at home has beside them."""
    home = _replicas(properties)[get_region()]
    return {**properties, "Tags": home.get("Tags", [])}


def _configure(name: str, properties: Properties, old: Properties) -> None:
    """Set what each replica has of its own."""
    for region, replica in _replicas(properties).items():
        before = _replicas(old).get(region, {})
        dynamodb = loopback.client("dynamodb", region)
        protected = str(replica.get("DeletionProtectionEnabled", False)).lower() == "true"
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=protected)
        recovery = replica.get("PointInTimeRecoverySpecification")
        if recovery != before.get("PointInTimeRecoverySpecification"):
            request = {
                "TableName": name,
                "PointInTimeRecoverySpecification": recovery
                or {"PointInTimeRecoveryEnabled": False},
            }
            dynamodb.update_continuous_backups(
                **shaped(dynamodb, "update_continuous_backups", request)
            )
        tags = replica.get("Tags") or []
        if tags and tags != before.get("Tags"):
            arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
            dynamodb.tag_resource(ResourceArn=arn, Tags=tags)
    expiry = properties.get("TimeToLiveSpecification")
    if expiry and expiry != old.get("TimeToLiveSpecification"):
        dynamodb = loopback.client("dynamodb")
        current = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        if current["TimeToLiveStatus"] != "ENABLED":
            request = {"TableName": name, "TimeToLiveSpecification": expiry}
            dynamodb.update_time_to_live(**shaped(dynamodb, "update_time_to_live", request))


def _attributes(name: str) -> Attributes:
    table = loopback.client("dynamodb").describe_table(TableName=name)["Table"]
    found = {"Arn": table["TableArn"], "TableId": table["TableId"]}
    if "LatestStreamArn" in table:
        found["StreamArn"] = table["LatestStreamArn"]
    return found


PROVIDERS = (Provider(type=_TYPE, create=_create, update=_update, delete=_delete),)
