"""What a route asks for that a health check asks: routes of HTTP APIs, methods of REST APIs."""

from collections.abc import Iterator

from tap_templates.rendered.rest_apis import METHOD, REST_API, place_of
from tap_templates.rendered.view import Located, SystemView

_HTTP_API, _ROUTE = "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Route"
OPEN = "NONE"


def auth_of(view: SystemView, host: str, path: str, region: str) -> str | None:
    """Say what GET of a path asks for at an API's own host; None if no API of the region has it.

    The path begins with the stage where the API is a REST API. A method that wants a key is not
    open either.
    """
    path = path.partition("?")[0]
    found = [*_of_http(view, host, path, region), *_of_rest(view, host, path, region)]
    return found[0] if found else None


def _asked(view: SystemView, kind: str, host: str, region: str) -> list[Located]:
    return [
        api
        for api in view.resources(kind)
        if api.stack.region == region
        and host.startswith(f"{api.resource.ref}.execute-api.{region}.")
    ]


def _of_http(view: SystemView, host: str, path: str, region: str) -> Iterator[str]:
    apis = {api.resource.ref for api in _asked(view, _HTTP_API, host, region)}
    for route in view.resources(_ROUTE):
        properties = route.resource.properties
        key = properties.get("RouteKey")
        if properties.get("ApiId") in apis and key in (f"GET {path}", f"ANY {path}"):
            yield str(properties.get("AuthorizationType", OPEN))


def _of_rest(view: SystemView, host: str, path: str, region: str) -> Iterator[str]:
    # An API that is switched off at its own host answers nobody there.
    apis = {
        api.resource.ref
        for api in _asked(view, REST_API, host, region)
        if str(api.resource.properties.get("DisableExecuteApiEndpoint", False)).lower() == "false"
    }
    for method in view.resources(METHOD):
        properties = method.resource.properties
        if properties.get("RestApiId") not in apis:
            continue
        place = place_of(view, method)
        if place is None or properties.get("HttpMethod") not in ("GET", "ANY"):
            continue
        served = {f"/{stage.resource.name}{place.path}" for stage in place.stages}
        if path in served:
            key = str(properties.get("ApiKeyRequired", False)).lower() != "false"
            yield "API_KEY" if key else str(properties.get("AuthorizationType", OPEN))
