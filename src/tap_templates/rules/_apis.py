"""E9601: ways in that anybody may take."""

from collections.abc import Iterator
from typing import ClassVar, Final

from ._index import Index, Resource
from ._parameters import accepts
from ._rule import Fault, TapRule
from ._values import Node, Token, expression

_NONE: Final = "NONE"
_BEFORE_ACCESS: Final = "OPTIONS"  # a browser asks for permission without credentials
# Of a WebSocket API only the first route can ask who is there.
_FIRST_OF_A_CONNECTION: Final = "$connect"
_ADVICE: Final = "set it to JWT, AWS_IAM or CUSTOM"


class OpenRoute(TapRule):
    """Demand that each way in asks who is there.

    Looks at routes of HTTP and WebSocket APIs, methods of REST APIs and URLs of functions, in
    every branch of Fn::If, and at parameters that accept NONE. Silent about OPTIONS, about
    methods of an API with a resource policy, and about routes in an OpenAPI document. To leave a
    route open, name this rule in the resource's `Metadata: cfn-lint: config: ignore_checks`.
    """

    id = "E9601"
    shortdesc = "A route, method or function URL must not be open to anybody"
    description = (
        "Without an authorizer anybody on the internet may send to what is behind the route; "
        "AuthorizationType is NONE where it is left out, and where a condition chooses it so."
    )
    source_url = (
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control.html"
    )
    tags: ClassVar[list[str]] = ["resources", "apigateway", "security"]  # type: ignore[misc]  # an instance variable upstream

    def check(self, index: Index) -> Iterator[Fault]:
        for route in index.typed("AWS::ApiGatewayV2::Route"):
            if not _exempt_route(index, route):
                yield from _open(index, route, "AuthorizationType", "is a route", _ADVICE)
        for method in index.typed("AWS::ApiGateway::Method"):
            if not exempt_method(index, method):
                advice = "set it to AWS_IAM, CUSTOM or COGNITO_USER_POOLS"
                yield from _open(index, method, "AuthorizationType", "is a method", advice)
        for url in index.typed("AWS::Lambda::Url"):
            yield from _open(index, url, "AuthType", "is a URL", "set it to AWS_IAM")
        for api in index.typed("AWS::ApiGatewayV2::Api"):
            for target in api.get("Target"):
                if target.present:
                    yield Fault(
                        target.path,
                        f"{api.logical_id} makes a route by Target, which is always open: take it "
                        "away and declare an integration and a route with AuthorizationType",
                    )


def _open(index: Index, resource: Resource, key: str, what: str, advice: str) -> Iterator[Fault]:
    for node in resource.get(key):
        if node.absent:
            said = f"without {key}, which is NONE then"
        elif node.text == _NONE:
            said = f"whose {key} is NONE"
        elif name := _parameter(index, node):
            said = f"whose {key} is NONE if the parameter {name} says so"
        else:
            continue
        yield Fault(node.path, f"{resource.logical_id} {what} {said}: {advice}")


def _parameter(index: Index, node: Node) -> str | None:
    """Name the parameter that a value is a plain Ref of, if NONE may be given for it."""
    parts = expression(node.value)
    if len(parts) != 1 or not isinstance(parts[0], Token) or parts[0].attribute:
        return None
    declared = index.parameter(parts[0].logical_id)
    return parts[0].logical_id if declared is not None and accepts(declared, _NONE) else None


def _exempt_route(index: Index, route: Resource) -> bool:
    keys = {node.text or "" for node in route.get("RouteKey")}
    if all(key.startswith(f"{_BEFORE_ACCESS} ") for key in keys):
        return True
    return _FIRST_OF_A_CONNECTION not in keys and any(
        protocol.text == "WEBSOCKET"
        for api in _apis(index, route, "ApiId")
        for protocol in api.get("ProtocolType")
    )


def exempt_method(index: Index, method: Resource) -> bool:
    if all(node.text == _BEFORE_ACCESS for node in method.get("HttpMethod")):
        return True
    return any(
        policy.present for api in _apis(index, method, "RestApiId") for policy in api.get("Policy")
    )


def _apis(index: Index, resource: Resource, key: str) -> Iterator[Resource]:
    for node in resource.get(key):
        found = index.resource_of(node.value) if node.present else None
        if found:
            yield found[0]


RULES = (OpenRoute,)
