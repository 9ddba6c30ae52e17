"""AWS::Events::Endpoint and AWS::Events::Archive."""

import json
from typing import Any

from tap_engine import loopback
from tap_engine.providers.provider import (
    Attributes,
    Made,
    Properties,
    Provider,
    if_there,
    name_of,
    shaped,
    without,
)


def _create_endpoint(logical_id: str, properties: Properties, stack: str) -> Made:
    name = name_of(properties, "Name", stack, logical_id)
    buses = [each["EventBusArn"] for each in properties.get("EventBuses", [])]
    regions = {arn.split(":")[3] for arn in buses}
    if len(buses) != 2 or len(regions) != 2 or len({arn.split("/")[-1] for arn in buses}) != 1:
        raise ValueError("An endpoint needs two event buses of one name in two regions")
    for arn in buses:  # the API of the engine does not look
        loopback.client("events", arn.split(":")[3]).describe_event_bus(Name=arn.split("/")[-1])
    if properties["RoutingConfig"]["FailoverConfig"]["Secondary"]["Route"] not in regions:
        raise ValueError("The secondary route must be the region of one of the buses")
    events = loopback.client("events")
    events.create_endpoint(**shaped(events, "create_endpoint", {**properties, "Name": name}))
    return name, _endpoint(name)


def _update_endpoint(
    physical_id: str, _: Properties, new: Properties, stack: str, logical_id: str
) -> Made:
    if new.get("Name", physical_id) != physical_id:
        return _create_endpoint(logical_id, new, stack)
    events = loopback.client("events")
    events.update_endpoint(**shaped(events, "update_endpoint", {**new, "Name": physical_id}))
    return physical_id, _endpoint(physical_id)


def _delete_endpoint(physical_id: str, _: Properties) -> None:
    with if_there():
        loopback.client("events").delete_endpoint(Name=physical_id)


def _endpoint(name: str) -> Attributes:
    found = loopback.client("events").describe_endpoint(Name=name)
    return {key: found[key] for key in ("Arn", "EndpointId", "EndpointUrl", "State")}


def _archive_request(properties: Properties) -> dict[str, Any]:
    request = without(properties, "SourceArn")
    if isinstance(request.get("EventPattern"), dict):
        request["EventPattern"] = json.dumps(request["EventPattern"])
    return request


def _create_archive(logical_id: str, properties: Properties, stack: str) -> Made:
    name = name_of(properties, "ArchiveName", stack, logical_id)
    events = loopback.client("events")
    request = _archive_request(properties)
    request |= {"ArchiveName": name, "EventSourceArn": properties["SourceArn"]}
    made = events.create_archive(**shaped(events, "create_archive", request))
    return name, {"Arn": made["ArchiveArn"]}


def _update_archive(
    physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str
) -> Made:
    if new.get("ArchiveName", physical_id) != physical_id:
        return _create_archive(logical_id, new, stack)
    if new["SourceArn"] != old["SourceArn"]:
        raise ValueError(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing"
        )
    events = loopback.client("events")
    request = _archive_request(new) | {"ArchiveName": physical_id}
    made = events.update_archive(**shaped(events, "update_archive", request))
    return physical_id, {"Arn": made["ArchiveArn"]}


def _delete_archive(physical_id: str, _: Properties) -> None:
    with if_there():
        loopback.client("events").delete_archive(ArchiveName=physical_id)


PROVIDERS = (
    Provider(
        type="AWS::Events::Endpoint",
        create=_create_endpoint,
        update=_update_endpoint,
        delete=_delete_endpoint,
    ),
    Provider(
        type="AWS::Events::Archive",
        create=_create_archive,
        update=_update_archive,
        delete=_delete_archive,
    ),
)
