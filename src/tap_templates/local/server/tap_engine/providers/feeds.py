"""AWS::Lambda::EventSourceMapping, made by the API: the engine's own forgets whether it is on.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html
"""

from typing import Any

from tap_engine import loopback
from tap_engine.providers.provider import (
    Attributes,
    Made,
    Properties,
    Provider,
    if_there,
    shaped,
    tags_changed,
    without,
)


def _create(_: str, properties: Properties, __: str) -> Made:
    client = loopback.client("lambda")
    tags = {each["Key"]: each["Value"] for each in properties.get("Tags") or []}
    request: dict[str, Any] = {**properties, "Tags": tags}
    made = client.create_event_source_mapping(
        **shaped(client, "create_event_source_mapping", request)
    )
    return made["UUID"], _attributes(made["UUID"])


def _update(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
    if old["EventSourceArn"] != new["EventSourceArn"]:
        return _create(lid, new, stack)
    client, attributes = loopback.client("lambda"), _attributes(physical_id)
    request = {**without(new, "EventSourceArn", "Tags"), "UUID": physical_id}
    client.update_event_source_mapping(**shaped(client, "update_event_source_mapping", request))
    changed, gone = tags_changed(old, new)
    arn = attributes["EventSourceMappingArn"]
    if changed:
        client.tag_resource(Resource=arn, Tags={each["Key"]: each["Value"] for each in changed})
    if gone:
        client.untag_resource(Resource=arn, TagKeys=gone)
    return physical_id, attributes


def _delete(physical_id: str, _: Properties) -> None:
    with if_there():
        loopback.client("lambda").delete_event_source_mapping(UUID=physical_id)


def _attributes(identity: str) -> Attributes:
    found = loopback.client("lambda").get_event_source_mapping(UUID=identity)
    return {"Id": identity, "EventSourceMappingArn": found["EventSourceMappingArn"]}


PROVIDERS = (
    Provider(
        type="AWS::Lambda::EventSourceMapping", create=_create, update=_update, delete=_delete
    ),
)
