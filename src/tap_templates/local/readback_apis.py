"""How HTTP APIs are read back: through API Gateway's own API, which uses the templates' words."""

from collections.abc import Mapping

from tap_templates.local.readback_compare import Check, Place, Properties, differences

_PARTS = {  # what an API is made of → how the service calls its id
    "Integration": "IntegrationId",
    "Route": "RouteId",
    "Authorizer": "AuthorizerId",
    "Stage": "StageName",
}
_ELSEWHERE = ("ApiId", "Tags")  # the id is how it is found; tags are read by another action


def _api(place: Place, properties: Properties) -> list[str]:
    found = place.client("apigatewayv2").get_api(ApiId=place.id)
    wanted = {key: value for key, value in properties.items() if key not in _ELSEWHERE}
    return differences(wanted, found)


def _part(kind: str, identity: str) -> Check:
    def check(place: Place, properties: Properties) -> list[str]:
        client = place.client("apigatewayv2")
        request = {"ApiId": properties["ApiId"], identity: place.id}
        found = getattr(client, f"get_{kind.lower()}")(**request)
        wanted = {key: value for key, value in properties.items() if key not in _ELSEWHERE}
        return differences(wanted, found)

    return check


CHECKS: Mapping[str, Check] = {
    "AWS::ApiGatewayV2::Api": _api,
    **{f"AWS::ApiGatewayV2::{kind}": _part(kind, identity) for kind, identity in _PARTS.items()},
}
