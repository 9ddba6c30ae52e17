"""How names are read back: hosted zones, records, health checks, certificates, custom domains."""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_templates.local.readback_compare import (
    Check,
    Missing,
    Place,
    Properties,
    differences,
    only,
)


def _health_check(place: Place, properties: Properties) -> list[str]:
    found = place.client("route53").get_health_check(HealthCheckId=place.id)["HealthCheck"]
    return differences(properties["HealthCheckConfig"], found["HealthCheckConfig"])


def _zone(place: Place, properties: Properties) -> list[str]:
    found = place.client("route53").get_hosted_zone(Id=place.id)["HostedZone"]
    wanted: dict[str, Any] = {"Name": str(properties["Name"]).rstrip(".") + "."}
    if "HostedZoneConfig" in properties:
        wanted["Config"] = only(properties["HostedZoneConfig"], "Comment")
    features = properties.get("HostedZoneFeatures", {})
    if str(features.get("EnableAcceleratedRecovery")).lower() == "true":
        wanted["Features"] = {"AcceleratedRecoveryStatus": "ENABLED"}
    return differences(wanted, found)


def _record(place: Place, properties: Properties) -> list[str]:
    return list(_records(place, properties, [properties]))


def _record_group(place: Place, properties: Properties) -> list[str]:
    return list(_records(place, properties, properties["RecordSets"]))


def _records(place: Place, group: Properties, wanted: list[Properties]) -> Iterator[str]:
    route53 = place.client("route53")
    pages = route53.get_paginator("list_resource_record_sets")
    known = {
        (each["Name"].rstrip("."), each["Type"], each.get("SetIdentifier")): each
        for page in pages.paginate(HostedZoneId=_zone_id(route53, group))
        for each in page["ResourceRecordSets"]
    }
    for record in wanted:
        key = (str(record["Name"]).rstrip("."), record["Type"], record.get("SetIdentifier"))
        found = known.get(key)
        if found is None:
            raise Missing(" ".join(str(each) for each in key if each))
        found |= {"ResourceRecords": [each["Value"] for each in found.get("ResourceRecords", [])]}
        names = ("AliasTarget", "Failover", "HealthCheckId", "ResourceRecords", "TTL")
        yield from differences(only(record, *names), found)


def _zone_id(route53: Any, group: Properties) -> str:
    if "HostedZoneId" in group:
        return str(group["HostedZoneId"])
    for zone in route53.list_hosted_zones()["HostedZones"]:
        if zone["Name"] == group["HostedZoneName"]:
            return str(zone["Id"])
    raise Missing(str(group["HostedZoneName"]))


def _certificate(place: Place, properties: Properties) -> list[str]:
    found = place.client("acm").describe_certificate(CertificateArn=place.id)["Certificate"]
    return differences(only(properties, "DomainName") | {"Status": "ISSUED"}, found)


def _domain(place: Place, properties: Properties) -> list[str]:
    found = place.client("apigatewayv2").get_domain_name(DomainName=place.id)
    return differences(only(properties, "DomainName", "DomainNameConfigurations"), found)


def _mapping(place: Place, properties: Properties) -> list[str]:
    known = {"DomainName": properties["DomainName"], "ApiMappingId": place.id}
    found = place.client("apigatewayv2").get_api_mapping(**known)
    return differences(only(properties, "ApiId", "ApiMappingKey", "Stage"), found)


CHECKS: Mapping[str, Check] = {
    "AWS::ApiGatewayV2::ApiMapping": _mapping,
    "AWS::ApiGatewayV2::DomainName": _domain,
    "AWS::CertificateManager::Certificate": _certificate,
    "AWS::Route53::HealthCheck": _health_check,
    "AWS::Route53::HostedZone": _zone,
    "AWS::Route53::RecordSet": _record,
    "AWS::Route53::RecordSetGroup": _record_group,
}
