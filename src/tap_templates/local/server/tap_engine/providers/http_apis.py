"""AWS::ApiGatewayV2: APIs, integrations, routes, stages, authorizers, through the service's API.

The engine's own providers keep nested settings in the words of templates, which no client reads,
and numbers as text.
"""

from typing import Any

from tap_engine import http_apis, loopback
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

_PARTS = {  # what an API is made of → how the API calls its id
    "Integration": "IntegrationId",
    "Route": "RouteId",
    "Authorizer": "AuthorizerId",
    "Stage": "StageName",
}


def _create_api(logical_id: str, properties: Properties, stack: str) -> Made:
    client = loopback.client("apigatewayv2")
    name = name_of(properties, "Name", stack, logical_id)
    request = shaped(client, "create_api", {**properties, "Name": name})
    made = client.create_api(**request)
    return made["ApiId"], _api(made)


def _update_api(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
    if old.get("ProtocolType") != new.get("ProtocolType"):
        return _create_api(lid, new, stack)
    client = loopback.client("apigatewayv2")
    _refuse_loss("Api", without(old, "Tags"), new)
    request = without(new, "ProtocolType", "Tags") | {"ApiId": physical_id}
    made = client.update_api(**shaped(client, "update_api", request))
    _tag(physical_id, old, new)
    return physical_id, _api(made)


def _delete_api(physical_id: str, _: Properties) -> None:
    with if_there():
        loopback.client("apigatewayv2").delete_api(ApiId=physical_id)


def _api(made: Any) -> Attributes:
    # What an output says is then an address that answers, on any machine.
    return {"ApiId": made["ApiId"], "ApiEndpoint": http_apis.address_of(made["ApiId"])}


def _tag(api: str, old: Properties, new: Properties) -> None:
    client = loopback.client("apigatewayv2")
    arn = f"arn:aws:apigateway:{client.meta.region_name}::/apis/{api}"
    wanted, before = new.get("Tags") or {}, old.get("Tags") or {}
    gone = sorted(before.keys() - wanted.keys())
    if gone:
        client.untag_resource(ResourceArn=arn, TagKeys=gone)
    if wanted and wanted != before:
        client.tag_resource(ResourceArn=arn, Tags=dict(wanted))


def _refuse_loss(kind: str, old: Properties, new: Properties) -> None:
    """Refuse to take a property away: the API's updates have no word for it."""
    gone = sorted(old.keys() - new.keys())
    if gone:
        said = ", ".join(gone)
        raise ValueError(
            f"AWS::ApiGatewayV2::{kind}: the local engine does not simulate taking away {said}"
        )


def _part(kind: str, identity: str) -> Provider:
    """Make the provider of a part of an API."""
    verb = kind.lower()

    def create(_: str, properties: Properties, __: str) -> Made:
        client = loopback.client("apigatewayv2")
        operation = f"create_{verb}"
        made = getattr(client, operation)(**shaped(client, operation, properties))
        return made[identity], {identity: made[identity]}

    def update(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
        if old["ApiId"] != new["ApiId"] or old.get("StageName") != new.get("StageName"):
            return create(lid, new, stack)
        client = loopback.client("apigatewayv2")
        operation = f"update_{verb}"
        _refuse_loss(kind, without(old, "Tags"), new)
        request = without(new, "Tags") | {identity: physical_id}
        getattr(client, operation)(**shaped(client, operation, request))
        return physical_id, {identity: physical_id}

    def delete(physical_id: str, properties: Properties) -> None:
        with if_there():
            getattr(loopback.client("apigatewayv2"), f"delete_{verb}")(
                **{"ApiId": properties["ApiId"], identity: physical_id}
            )

    type_name = f"AWS::ApiGatewayV2::{kind}"
    return Provider(type=type_name, create=create, update=update, delete=delete)


PROVIDERS = (
    Provider(
        type="AWS::ApiGatewayV2::Api", create=_create_api, update=_update_api, delete=_delete_api
    ),
    *(_part(kind, identity) for kind, identity in _PARTS.items()),
)
