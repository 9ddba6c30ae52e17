"""REST APIs as templates declare them: which path a method is at, and under which stages."""

from collections.abc import Iterator
from dataclasses import dataclass

from tap_templates.rendered.tokens import token
from tap_templates.rendered.view import Located, SystemView

REST_API = "AWS::ApiGateway::RestApi"
METHOD = "AWS::ApiGateway::Method"
STAGE = "AWS::ApiGateway::Stage"
_RESOURCE = "AWS::ApiGateway::Resource"


@dataclass(frozen=True, slots=True)
class MethodPlace:
    """Where a method is: its API, the path with its variables, and who serves it."""

    api: Located
    path: str
    stages: tuple[Located, ...]


def place_of(view: SystemView, method: Located) -> MethodPlace | None:
    """Find the place of a method; None if its API or a part of its path is not in the system."""
    properties = method.resource.properties
    api = _find(view, REST_API, method.stack.region, properties.get("RestApiId"))
    path = _path(view, api, str(properties.get("ResourceId"))) if api else None
    if api is None or path is None:
        return None
    return MethodPlace(api, path, tuple(stages_of(view, api)))


def stages_of(view: SystemView, api: Located) -> Iterator[Located]:
    """Find the stages of an API."""
    for stage in view.resources(STAGE):
        its_api = stage.resource.properties.get("RestApiId")
        if stage.stack.region == api.stack.region and its_api == api.resource.ref:
            yield stage


def _find(view: SystemView, kind: str, region: str, ref: object) -> Located | None:
    for each in view.resources(kind):
        if each.stack.region == region and each.resource.ref == ref:
            return each
    return None


def _path(view: SystemView, api: Located, resource_id: str) -> str | None:
    place = f"{api.stack.stack}.{api.resource.logical_id}"
    region = api.stack.region
    root = token(f"{place}.RootResourceId", region)
    parts: list[str] = []
    while resource_id != root:
        resource = _find(view, _RESOURCE, region, resource_id)
        if resource is None or resource_id in parts[::2]:
            return None
        parts += [resource_id, str(resource.resource.properties.get("PathPart"))]
        resource_id = str(resource.resource.properties.get("ParentId"))
    return "/" + "/".join(reversed(parts[1::2]))
