"""Block: an HTTP API in front of a function, never open.

With an issuer and an audience a route asks for their JWT; without, for a signature of IAM
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control.html).
"""

import json
from dataclasses import dataclass
from typing import NamedTuple

from troposphere import AWSHelperFn, GetAtt, If, NoValue, Ref, apigatewayv2, awslambda
from troposphere.logs import LogGroup

from tap_templates.blocks.alarm import Metric
from tap_templates.blocks.function import LOG_RETENTION_DAYS, Function
from tap_templates.blocks.key import ServiceKey
from tap_templates.blocks.text import Text, arn_text, sub
from tap_templates.errors import ModelError
from tap_templates.model.names import Kind, Name

_STAGE = "$default"  # served at the root of the address
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
        return Metric(
            namespace="AWS/ApiGateway",
            name=name,
            statistic=statistic,
            dimensions={"ApiId": Ref(self.api)},
        )


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
    method, _, path = route.partition(" ")
    if not method.isupper() or not path.startswith("/"):
        raise ModelError(
            f"route {route!r}", "is no method and path", "write it like `POST /ingest`"
        )
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
        Target=sub(f"integrations/${{{integration.title}}}"),
    )
    log = LogGroup(
        f"{title}ApiLog",
        LogGroupName=sub(reference.log_group),
        RetentionInDays=LOG_RETENTION_DAYS,
        KmsKeyId=log_key.arn,
    )
    stage = _stage(title, api, log, reference, throttle)
    permission = awslambda.Permission(
        f"{title}Permission",
        Action="lambda:InvokeFunction",
        FunctionName=function.live_arn,
        Principal="apigateway.amazonaws.com",
        SourceArn=_route_arn(api, method, path),
    )
    return FunctionApi(api, integration, authorizer, body, stage, permission, log)


def _route_arn(api: apigatewayv2.Api, method: str, path: str) -> AWSHelperFn | str:
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
