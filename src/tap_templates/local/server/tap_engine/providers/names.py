"""AWS::Route53: hosted zones and records, through the service's API."""

from collections.abc import Iterable, Mapping
from typing import Any

from ministack.services import route53 as service

from tap_engine import loopback
from tap_engine.providers.provider import (
    Made,
    Properties,
    Provider,
    engines_own,
    if_there,
    refuse_change,
    shaped,
    without,
)

_ZONE, _RECORD, _GROUP = (
    f"AWS::Route53::{each}" for each in ("HostedZone", "RecordSet", "RecordSetGroup")
)
_NOT_SENT = ("Comment", "HostedZoneId", "HostedZoneName")
_zone = engines_own(_ZONE)

Key = tuple[str, str, str]  # name, type and set: what tells records apart


def _create_zone(logical_id: str, properties: Properties, stack: str) -> Made:
    if properties.get("VPCs"):
        raise ValueError(f"{_ZONE}: the local engine does not simulate private zones")
    identity, _ = _zone.create(logical_id, properties, stack)
    return _configured(identity, properties, {})


def _update_zone(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
    in_place = ("HostedZoneConfig", "HostedZoneFeatures", "HostedZoneTags")
    if old["Name"] != new["Name"]:
        return _create_zone(lid, new, stack)
    refuse_change(_ZONE, old, new, *in_place)
    _zone.update(physical_id, old, new, stack, lid)
    return _configured(physical_id, new, old)


def _configured(identity: str, properties: Properties, old: Properties) -> Made:
    features = properties.get("HostedZoneFeatures") or {}
    wanted = str(features.get("EnableAcceleratedRecovery", False)).lower() == "true"
    service._zones[identity]["accelerated"] = wanted
    route53 = loopback.client("route53")
    tags = properties.get("HostedZoneTags") or []
    gone = {each["Key"] for each in old.get("HostedZoneTags") or []}
    gone -= {each["Key"] for each in tags}
    if tags or gone:
        request: dict[str, Any] = {"ResourceType": "hostedzone", "ResourceId": identity}
        request |= {"AddTags": tags} if tags else {}
        request |= {"RemoveTagKeys": sorted(gone)} if gone else {}
        route53.change_tags_for_resource(**request)
    found = route53.get_hosted_zone(Id=identity)
    return identity, {"Id": identity, "NameServers": found["DelegationSet"]["NameServers"]}


def _delete_zone(physical_id: str, _: Properties) -> None:
    with if_there():  # refused while it has records of others
        loopback.client("route53").delete_hosted_zone(Id=physical_id)


def _zone_of(properties: Properties) -> str:
    if properties.get("HostedZoneId"):
        return str(properties["HostedZoneId"]).rpartition("/")[2]
    wanted = str(properties.get("HostedZoneName", ""))
    for zone in loopback.client("route53").list_hosted_zones()["HostedZones"]:
        if zone["Name"] == wanted:
            return str(zone["Id"]).rpartition("/")[2]
    raise ValueError(f"{_RECORD}: there is no hosted zone {wanted!r} (it ends with a dot)")


def _key(record: Mapping[str, Any]) -> Key:
    name, kind = str(record["Name"]).rstrip("."), str(record["Type"])
    return name, kind, str(record.get("SetIdentifier", ""))


def _said(records: Iterable[Properties]) -> dict[Key, dict[str, Any]]:
    """Say records in the words of the API."""
    said = {}
    for each in records:
        record = without(each, *_NOT_SENT)
        if "ResourceRecords" in record:
            values = [{"Value": str(value)} for value in record["ResourceRecords"]]
            record["ResourceRecords"] = values
        if "AliasTarget" in record:
            record["AliasTarget"] = {"EvaluateTargetHealth": False, **record["AliasTarget"]}
        _check(record)
        said[_key(record)] = record
    return said


def _check(record: Mapping[str, Any]) -> None:
    """Refuse what Route 53 refuses, where the engine's API does not look."""
    route53 = loopback.client("route53")
    if record.get("HealthCheckId"):
        route53.get_health_check(HealthCheckId=record["HealthCheckId"])
    if "Failover" in record and not record.get("SetIdentifier"):
        raise ValueError(f"{record['Name']}: a record with Failover needs a SetIdentifier")
    if "ResourceRecords" in record and "TTL" not in record:
        raise ValueError(f"{record['Name']}: a record with values needs a TTL")


def _change(zone: str, changes: Iterable[tuple[str, dict[str, Any]]]) -> None:
    route53 = loopback.client("route53")
    batch = [{"Action": action, "ResourceRecordSet": record} for action, record in changes]
    if batch:
        request = {"HostedZoneId": zone, "ChangeBatch": {"Changes": batch}}
        route53.change_resource_record_sets(
            **shaped(route53, "change_resource_record_sets", request)
        )


def _records(kind: str) -> Provider:
    """Make the provider of one record, or of a group of them."""

    def listed(properties: Properties) -> list[Properties]:
        return list(properties["RecordSets"]) if kind == _GROUP else [properties]

    def create(logical_id: str, properties: Properties, stack: str) -> Made:
        records = _said(listed(properties)).values()
        _change(_zone_of(properties), [("CREATE", record) for record in records])
        name = f"{stack}-{logical_id}" if kind == _GROUP else str(properties["Name"])
        return name, {}

    def update(physical_id: str, old: Properties, new: Properties, _: str, __: str) -> Made:
        zone = _zone_of(new)
        if _zone_of(old) != zone:
            raise ValueError(f"{kind}: the local engine does not simulate a change of its zone")
        before, after = _said(listed(old)), _said(listed(new))
        gone = [("DELETE", before[key]) for key in before if key not in after]
        _change(zone, [*gone, *(("UPSERT", record) for record in after.values())])
        # The id stays even if the name changes: nothing old is left to be deleted afterwards.
        return physical_id, {}

    def delete(_: str, properties: Properties) -> None:
        with if_there():
            zone = _zone_of(properties)
            pages = loopback.client("route53").get_paginator("list_resource_record_sets")
            there = {
                _key(each): each
                for page in pages.paginate(HostedZoneId=zone)
                for each in page["ResourceRecordSets"]
            }
            wanted = [_key(each) for each in listed(properties)]
            _change(zone, [("DELETE", there[key]) for key in wanted if key in there])

    return Provider(type=kind, create=create, update=update, delete=delete)


PROVIDERS = (
    Provider(type=_ZONE, create=_create_zone, update=_update_zone, delete=_delete_zone),
    _records(_RECORD),
    _records(_GROUP),
)
