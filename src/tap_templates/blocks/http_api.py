"""Block: an HTTP API in front of a function, never open by accident.

`function_api` is one route: with an issuer and an audience it asks for their JWT; without, for a
signature of IAM. `signed_api` has any number of routes, of which each asks for a signature, or says
why it does not: `signed_route`, `open_route`
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control.html).
"""

import json
import re
from dataclasses import dataclass
from typing import NamedTuple

from troposphere import AWSHelperFn, GetAtt, If, NoValue, Ref, apigatewayv2, awslambda
from troposphere.logs import LogGroup

from tap_templates.blocks.alarm import Metric
from tap_templates.blocks.function import LOG_RETENTION_DAYS, Function
from tap_templates.blocks.ignored import ignoring
from tap_templates.blocks.key import ServiceKey
from tap_templates.blocks.text import Text, arn_text, sub
from tap_templates.errors import ModelError
from tap_templates.model.names import Kind, Name

_STAGE = "$default"  # served at the root of the address
_OPEN = "E9601"  # our lint rule against routes that anybody may take
_VARIABLE = re.compile(r"\{[^}]*\}")
# What is said of a request: no body, no header, no claim. Names are API Gateway's.
_ACCESS = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "route": "$context.routeKey",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "latency": "$context.responseLatency",
    "integrationLatency": "$context.integrationLatency",
    "integrationStatus": "$context.integrationStatus",
    "error": "$context.error.responseType",
}


@dataclass(frozen=True, slots=True)
class HttpApi:
    """The typed reference to an HTTP API. AWS generates its id, and with it its address."""

    purpose: str

    @property
    def name(self) -> str:
        return Name(Kind.API, self.purpose).text()

    @property
    def log_group(self) -> str:
        return f"/aws/vendedlogs/apis/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Jwt:
    """Whose tokens a route takes, under which condition of the template; otherwise IAM decides."""

    when: str
    issuer: Text
    audience: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """What the stage lets through before it answers 429."""

    rate: Text | int  # requests a second, on average
    burst: Text | int


class FunctionApi(NamedTuple):
    api: apigatewayv2.Api
    integration: apigatewayv2.Integration
    authorizer: apigatewayv2.Authorizer
    route: apigatewayv2.Route
    stage: apigatewayv2.Stage
    permission: awslambda.Permission
    log: LogGroup

    @property
    def url(self) -> Text:
        return GetAtt(self.api, "ApiEndpoint")

    def metric(self, name: str, statistic: str = "Sum") -> Metric:
        """Measure the API; its dimension is the id, which only this stack knows."""
        return _metric(self.api, name, statistic)


class SignedApi(NamedTuple):
    """An API whose callers sign with IAM. Its routes are added to it."""

    api: apigatewayv2.Api
    integration: apigatewayv2.Integration
    stage: apigatewayv2.Stage
    log: LogGroup

    @property
    def url(self) -> Text:
        return GetAtt(self.api, "ApiEndpoint")

    def metric(self, name: str, statistic: str = "Sum") -> Metric:
        """Measure the API; its dimension is the id, which only this stack knows."""
        return _metric(self.api, name, statistic)


class Door(NamedTuple):
    route: apigatewayv2.Route
    permission: awslambda.Permission


def function_api(
    title: str,
    reference: HttpApi,
    *,
    route: str,
    function: Function,
    jwt: Jwt,
    throttle: Throttle,
    log_key: ServiceKey,
    describes: str,
) -> FunctionApi:
    """Send `route`, such as `POST /ingest`, to what is live of `function`, and log each request.

    The function gets payload format 2.0; only this route of this API may invoke it.
    """
    method, path = _method_and_path(route)
    api, integration = _api(title, reference, function, describes)
    authorizer = apigatewayv2.Authorizer(
        f"{title}Authorizer",
        Condition=jwt.when,
        ApiId=Ref(api),
        Name=sub(reference.name),
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration=apigatewayv2.JWTConfiguration(Audience=[jwt.audience], Issuer=jwt.issuer),
    )
    body = apigatewayv2.Route(
        f"{title}Route",
        ApiId=Ref(api),
        RouteKey=route,
        AuthorizationType=If(jwt.when, "JWT", "AWS_IAM"),
        AuthorizerId=If(jwt.when, Ref(authorizer), NoValue),
        Target=_to(integration),
    )
    log = _log(title, reference, log_key)
    stage = _stage(title, api, log, reference, throttle)
    permission = _permission(title, api, function, method, path)
    return FunctionApi(api, integration, authorizer, body, stage, permission, log)


def signed_api(
    title: str,
    reference: HttpApi,
    *,
    function: Function,
    throttle: Throttle,
    log_key: ServiceKey,
    log_kept_days: int = LOG_RETENTION_DAYS,
    describes: str,
) -> SignedApi:
    """Declare an API in front of what is live of `function`, without a route yet.

    The function gets payload format 2.0; each request is logged.
    """
    api, integration = _api(title, reference, function, describes)
    log = _log(title, reference, log_key, log_kept_days)
    return SignedApi(api, integration, _stage(title, api, log, reference, throttle), log)


def signed_route(title: str, made: SignedApi, *, route: str, function: Function) -> Door:
    """Let who signs with IAM, and may call it, send `route` to the function of the API."""
    return _door(title, made, route, function, asks_for="AWS_IAM")


def open_route(title: str, made: SignedApi, *, route: str, function: Function, why: str) -> Door:
    """Let anybody send `route` to the function of the API; `why` is kept beside it.

    The function is then on its own: it must tell nothing, and cost nothing, that anybody may not
    have. Raises ModelError without a reason.
    """
    if not why.strip():
        raise ModelError(f"route {route!r}", "is open for no reason", "say why, or sign it")
    door = _door(title, made, route, function, asks_for="NONE")
    door.route.Metadata = ignoring({_OPEN: why})
    return door


def _door(title: str, made: SignedApi, route: str, function: Function, *, asks_for: str) -> Door:
    method, path = _method_and_path(route)
    body = apigatewayv2.Route(
        f"{title}Route",
        ApiId=Ref(made.api),
        RouteKey=route,
        AuthorizationType=asks_for,
        Target=_to(made.integration),
    )
    return Door(body, _permission(title, made.api, function, method, path))


def _method_and_path(route: str) -> tuple[str, str]:
    method, _, path = route.partition(" ")
    if not method.isupper() or not path.startswith("/"):
        raise ModelError(
            f"route {route!r}", "is no method and path", "write it like `POST /ingest`"
        )
    return method, path


def _api(
    title: str, reference: HttpApi, function: Function, describes: str
) -> tuple[apigatewayv2.Api, apigatewayv2.Integration]:
    api = apigatewayv2.Api(
        f"{title}Api", Name=sub(reference.name), Description=describes, ProtocolType="HTTP"
    )
    integration = apigatewayv2.Integration(
        f"{title}Integration",
        ApiId=Ref(api),
        IntegrationType="AWS_PROXY",
        IntegrationUri=function.live_arn,
        PayloadFormatVersion="2.0",
    )
    return api, integration


def _to(integration: apigatewayv2.Integration) -> Text:
    return sub(f"integrations/${{{integration.title}}}")


def _log(
    title: str, reference: HttpApi, key: ServiceKey, kept_days: int = LOG_RETENTION_DAYS
) -> LogGroup:
    return LogGroup(
        f"{title}ApiLog",
        LogGroupName=sub(reference.log_group),
        RetentionInDays=kept_days,
        KmsKeyId=key.arn,
    )


def _permission(
    title: str, api: apigatewayv2.Api, function: Function, method: str, path: str
) -> awslambda.Permission:
    return awslambda.Permission(
        f"{title}Permission",
        Action="lambda:InvokeFunction",
        FunctionName=function.live_arn,
        Principal="apigateway.amazonaws.com",
        SourceArn=_route_arn(api, method, path),
    )


def _metric(api: apigatewayv2.Api, name: str, statistic: str) -> Metric:
    return Metric(
        namespace="AWS/ApiGateway",
        name=name,
        statistic=statistic,
        dimensions={"ApiId": Ref(api)},
    )


def _route_arn(api: apigatewayv2.Api, method: str, path: str) -> AWSHelperFn | str:
    path = _VARIABLE.sub("*", path)  # API Gateway calls with the path that was asked for
    return sub(arn_text("execute-api", f"${{{api.title}}}/*/{method}{path}"))


def _stage(
    title: str, api: apigatewayv2.Api, log: LogGroup, reference: HttpApi, throttle: Throttle
) -> apigatewayv2.Stage:
    return apigatewayv2.Stage(
        f"{title}Stage",
        ApiId=Ref(api),
        StageName=_STAGE,
        AutoDeploy=True,
        DependsOn=[log.title],  # named by its ARN without the streams that GetAtt adds
        AccessLogSettings=apigatewayv2.AccessLogSettings(
            DestinationArn=sub(arn_text("logs", f"log-group:{reference.log_group}")),
            Format=json.dumps(_ACCESS, separators=(",", ":")),
        ),
        DefaultRouteSettings=apigatewayv2.RouteSettings(
            DetailedMetricsEnabled=True,
            ThrottlingBurstLimit=throttle.burst,
            ThrottlingRateLimit=throttle.rate,
        ),
    )
