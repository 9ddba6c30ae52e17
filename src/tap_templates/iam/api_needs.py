"""What an HTTP API does with the functions and log groups behind it, derived from its routes.

API Gateway invokes a function under its own name, admitted by the function's policy: one route, one
permission. It sends its access logs under the name of log delivery, by a policy that it wrote
itself, with the rights of who deployed the stage: nothing in a template admits that.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tap_templates.iam.codes import Code
from tap_templates.iam.needs import Problem
from tap_templates.iam.service_use import SOURCE_ARN, Outcome, ServiceUse, unjudged
from tap_templates.iam.services import kind_of
from tap_templates.rendered.view import Located, SystemView

APIS = "apigateway.amazonaws.com"
_API, _STAGE = "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"
_INTEGRATION = "AWS::ApiGatewayV2::Integration"

# A route for all methods or for all paths has a pattern for its ARN that is not written down here.
_ROUTE = re.compile(
    r"(?P<method>DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) "
    r"(?P<path>/(?:[A-Za-z0-9._~/-]|\{[A-Za-z0-9._-]+\+?\})*)"
)
# What a path has in place of a variable, a policy has to cover as a whole: whether API Gateway
# sends the variable's name or its value is not documented for HTTP APIs.
_VARIABLE = re.compile(r"\{[^}]*\}")
_OPEN = "E9601"  # our lint rule against routes that anybody may take
_INVOCATION = re.compile(
    r"arn:[^:]+:apigateway:[^:]+:lambda:path/2015-03-31/functions/(?P<arn>.+)/invocations"
)
# Ways to define an API besides resources of their own, which are not read.
_UNREAD_OF_API = ("Body", "BodyS3Location", "CredentialsArn", "RouteKey", "Target")


def _of_region(view: SystemView, kind: str, near: Located) -> Iterator[Located]:
    for each in view.resources(kind):
        if each.stack.region == near.stack.region:
            yield each


def _find(view: SystemView, kind: str, near: Located, ref: object) -> Located | None:
    found = (each for each in _of_region(view, kind, near) if each.resource.ref == ref)
    return next(found, None)


def _api(_view: SystemView, api: Located) -> Iterator[Outcome]:
    properties = api.resource.properties
    if properties.get("ProtocolType") != "HTTP":
        yield unjudged(api, "/Properties/ProtocolType", "is no HTTP API")
    for name in _UNREAD_OF_API:
        if name in properties:
            yield unjudged(api, f"/Properties/{name}", f"has routes by its {name}")


def _authorizer(_view: SystemView, authorizer: Located) -> Iterator[Outcome]:
    if authorizer.resource.properties.get("AuthorizerType") != "JWT":  # checked by API Gateway
        yield unjudged(authorizer, "/Properties/AuthorizerType", "asks a function who may come in")


def _integration(_view: SystemView, integration: Located) -> Iterator[Outcome]:
    properties = integration.resource.properties
    for name in ("CredentialsArn", "IntegrationSubtype"):
        if name in properties:
            yield unjudged(integration, f"/Properties/{name}", f"calls AWS by its {name}")
    if properties.get("IntegrationType") != "AWS_PROXY":
        path = "/Properties/IntegrationType"
        yield unjudged(integration, path, f"is of type {properties.get('IntegrationType')}")


def _stage(view: SystemView, stage: Located) -> Iterator[Outcome]:
    settings = stage.resource.properties.get("AccessLogSettings")
    if settings is None:
        return
    arn = str(settings.get("DestinationArn"))
    group = view.find(arn)
    if group is None or group.resource.type != "AWS::Logs::LogGroup":
        path = "/Properties/AccessLogSettings/DestinationArn"
        yield unjudged(stage, path, f"logs to {arn}, which is no log group of this system")


def _route(view: SystemView, route: Located) -> Iterator[Outcome]:
    properties = route.resource.properties
    if properties.get("AuthorizationType", "NONE") == "NONE" and not says_why(route):
        yield Problem(
            Code.PRINCIPAL_UNEXPLAINED,
            route,
            "/Properties/AuthorizationType",
            f"admits anyone to {properties.get('RouteKey')}, and does not say why",
            "ask for a JWT or a signature of IAM, or say why not (blocks/http_api.py)",
        )
    key = _ROUTE.fullmatch(str(properties.get("RouteKey")))
    if key is None:
        what = f"is for {properties.get('RouteKey')}, which is no method and path"
        yield unjudged(route, "/Properties/RouteKey", what)
        return
    api = _find(view, _API, route, properties.get("ApiId"))
    if api is None:
        yield unjudged(route, "/Properties/ApiId", "is of no API of this system")
        return
    reference = str(properties.get("Target")).removeprefix("integrations/")
    integration = _find(view, _INTEGRATION, route, reference)
    if integration is None:
        yield unjudged(route, "/Properties/Target", "leads to no integration of this system")
        return
    path = _VARIABLE.sub("*", key["path"])
    yield from _invoke(view, route, api, integration, f"{key['method']}{path}")


def says_why(route: Located) -> bool:
    """Tell whether a reason stands beside a route that is open, as blocks/ignored.py writes it."""
    metadata = route.resource.raw.get("Metadata")
    reasons = metadata.get("tap.ignore_reasons") if isinstance(metadata, Mapping) else None
    reason = reasons.get(_OPEN) if isinstance(reasons, Mapping) else None
    return isinstance(reason, str) and bool(reason.strip())


def _invoke(
    view: SystemView, route: Located, api: Located, integration: Located, request: str
) -> Iterator[Outcome]:
    arn = _function(integration.resource.properties)
    function = view.find(arn)
    if function is None or kind_of(arn) != "lambda":
        path = "/Properties/IntegrationUri"
        yield unjudged(integration, path, f"calls {arn}, which is no function of this system")
        return
    region = route.stack.region
    start = f"arn:{view.partition}:execute-api:{region}:{view.account}:{api.resource.ref}"
    for stage in _of_region(view, _STAGE, route):
        if stage.resource.properties.get("ApiId") == api.resource.ref:
            yield ServiceUse(
                arn=arn,
                owner=function,
                principal=APIS,
                action="lambda:InvokeFunction",
                sends={SOURCE_ARN: f"{start}/{stage.resource.name}/{request}"},
                demands=frozenset({SOURCE_ARN}),
                why=f"{route.place} /Properties/RouteKey",
                patterns=frozenset(
                    f"{start}/{name}/{request}" for name in ("*", stage.resource.name)
                ),
            )


def _function(properties: Mapping[str, Any]) -> str:
    """Read the function off the URI of an integration, which has two spellings."""
    uri = str(properties.get("IntegrationUri"))
    spelled = _INVOCATION.fullmatch(uri)
    return spelled["arn"] if spelled else uri


USERS: Mapping[str, Callable[[SystemView, Located], Iterator[Outcome]]] = {
    _API: _api,
    "AWS::ApiGatewayV2::Authorizer": _authorizer,
    _INTEGRATION: _integration,
    "AWS::ApiGatewayV2::Route": _route,
    _STAGE: _stage,
}
