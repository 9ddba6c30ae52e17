"""Block: a REST API in front of a function, with its routes checked where they are written.

A route asks for a signature of IAM, or says why it does not; what has a body may have a schema,
which API Gateway checks before the function is paid for
(https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html).

There is no resource policy: with a signature of this account it could only admit, next to what the
callers' own policies say, and API Gateway takes no plain text that one could deny
(https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html).
The API's own host stays on, since Route 53 asks it for health. Access logs go out under a role that
the account has once for a region: see `rest_api_account`. Execution logs stay off: API Gateway
makes their group itself, with no key and no end.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from troposphere import AWSObject, Ref, apigateway, awslambda
from troposphere.logs import LogGroup

from tap_templates.blocks.alarm import Metric
from tap_templates.blocks.function import LIVE, LOG_RETENTION_DAYS, Function
from tap_templates.blocks.http_api import Throttle
from tap_templates.blocks.ignored import ignoring
from tap_templates.blocks.key import ServiceKey
from tap_templates.blocks.rest_api_parts import PathTree, deployed, refusals
from tap_templates.blocks.text import Text, arn_text, sub
from tap_templates.errors import ModelError
from tap_templates.model.names import Kind, Name

STAGE = "live"
TLS_POLICY = "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"
"""TLS 1.3, and 1.2 with forward secrecy, which Route 53's checkers need: they speak no 1.3.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-list.html
"""

_OPEN = "E9601"  # our lint rule against methods that anybody may call
_DRAFT_4 = "http://json-schema.org/draft-04/schema#"
_ANY_TYPE = "$default"  # else a body of another Content-Type is let through unchecked
_LONGEST_MILLISECONDS = 29_000
_VARIABLE = re.compile(r"\{[^}]*\}")
_PATH = re.compile(r"(/([A-Za-z0-9._-]+|\{[A-Za-z][A-Za-z0-9]*\}))+")
_READS = frozenset({"GET", "HEAD"})
_WRITES = frozenset({"DELETE", "PATCH", "POST", "PUT"})
_WITH_BODY = frozenset({"PATCH", "POST", "PUT"})
# What is said of a request: no body, no header, no caller. Names are API Gateway's.
_ACCESS = {
    "requestId": "$context.requestId",
    "extendedRequestId": "$context.extendedRequestId",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "route": "$context.resourcePath",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "latency": "$context.responseLatency",
    "integrationLatency": "$context.integrationLatency",
    "integrationStatus": "$context.integrationStatus",
    "error": "$context.error.responseType",
}


@dataclass(frozen=True, slots=True)
class RestApi:
    """The typed reference to a REST API. AWS generates its id, and with it its address."""

    purpose: str

    @property
    def name(self) -> str:
        return Name(Kind.API, self.purpose).text()

    @property
    def log_group(self) -> str:
        return f"/aws/vendedlogs/apis/{self.name}"

    def metric(self, name: str, statistic: str = "Sum") -> Metric:
        """Measure what is live, from whatever stack: metrics of REST APIs go by the name."""
        return Metric(
            namespace="AWS/ApiGateway",
            name=name,
            statistic=statistic,
            dimensions={"ApiName": sub(self.name), "Stage": STAGE},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonBody:
    """What a body must be: a JSON schema of draft 4, which is what API Gateway knows."""

    title: str  # of the model, such as `Order`
    describes: str
    schema: Mapping[str, Any]

    def __post_init__(self) -> None:
        draft = self.schema.get("$schema", _DRAFT_4)
        if draft != _DRAFT_4:
            raise ModelError(
                f"body {self.title}", f"is a schema of {draft}", "write it in draft 4, or leave out"
            )
        if self.schema.get("type") != "object" or "additionalProperties" not in self.schema:
            raise ModelError(
                f"body {self.title}",
                "does not say that it is an object, and of what other members",
                "give it type object and additionalProperties",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method on one path: for who signs with IAM, unless `open_because` says why not.

    Who opens one leaves the function on its own: it must tell nothing, and cost nothing, that
    anybody may not have. What changes something is never open.
    """

    method: str
    path: str
    body: JsonBody | None = None
    open_because: str | None = None

    def __post_init__(self) -> None:
        where = f"route {self.method} {self.path}"
        if self.method not in _READS | _WRITES or not _PATH.fullmatch(self.path):
            raise ModelError(where, "is no method and path", "write it like GET /orders/{orderId}")
        if self.open_because is not None and not self.open_because.strip():
            raise ModelError(where, "is open for no reason", "say why, or sign it")
        if self.open_because is not None and self.method in _WRITES:
            raise ModelError(where, "lets anybody change something", "sign it")
        if self.body is not None and self.method not in _WITH_BODY:
            raise ModelError(where, "has a body that no client sends", "take the body away")

    @property
    def asks_for(self) -> str:
        return "AWS_IAM" if self.open_because is None else "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRestApi:
    """A REST API and all that belongs to it alone; iterates over its resources."""

    api: apigateway.RestApi
    parts: tuple[AWSObject, ...]
    deployment: apigateway.Deployment
    stage: apigateway.Stage
    permissions: tuple[awslambda.Permission, ...]
    log: LogGroup

    def __iter__(self) -> Iterator[AWSObject]:
        yield self.api
        yield from self.parts
        yield from (self.deployment, self.stage, *self.permissions, self.log)

    @property
    def host(self) -> Text:
        """The API's own name in this region, which nothing fails over."""
        return sub(f"${{{self.api.title}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}")

    @property
    def url(self) -> Text:
        own = f"${{{self.api.title}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}"
        return sub(f"https://{own}/${{{self.stage.title}}}")


def rest_api(
    title: str,
    reference: RestApi,
    *,
    routes: tuple[Route, ...],
    function: Function,
    throttle: Throttle,
    log_key: ServiceKey,
    describes: str,
    log_kept_days: int = LOG_RETENTION_DAYS,
    after: tuple[str, ...] = (),
) -> FunctionRestApi:
    """Send `routes` to what is live of `function`, as proxy requests, and log each.

    Only these routes of this stage may invoke the function, once `after` are there: its alias.
    """
    _once(reference, routes)
    api = apigateway.RestApi(
        f"{title}Api",
        Name=sub(reference.name),
        Description=describes,
        DisableExecuteApiEndpoint=False,
        # Not STRICT, as its domain is: who comes by the domain names that, and not this host.
        EndpointAccessMode="BASIC",
        EndpointConfiguration=apigateway.EndpointConfiguration(Types=["REGIONAL"]),
        SecurityPolicy=TLS_POLICY,
    )
    parts = (*_methods(title, api, routes, function), *refusals(title, api))
    deployment = deployed(title, api, parts)
    log = LogGroup(
        f"{title}ApiLog",
        LogGroupName=sub(reference.log_group),
        RetentionInDays=log_kept_days,
        KmsKeyId=log_key.arn,
    )
    return FunctionRestApi(
        api=api,
        parts=parts,
        deployment=deployment,
        stage=_stage(title, reference, deployment, throttle, log),
        permissions=tuple(_permission(title, api, each, function, after) for each in routes),
        log=log,
    )


def _once(reference: RestApi, routes: tuple[Route, ...]) -> None:
    told: set[tuple[str, str]] = set()
    for route in routes:
        if (route.method, route.path) in told:
            raise ModelError(
                f"api {reference.purpose}", f"has {route.method} {route.path} twice", "keep one"
            )
        told.add((route.method, route.path))
    if not routes:
        raise ModelError(f"api {reference.purpose}", "has no route", "give it one")


def _methods(
    title: str, api: apigateway.RestApi, routes: tuple[Route, ...], function: Function
) -> tuple[AWSObject, ...]:
    tree = PathTree(title, api)
    bodies = {route.body.title: route.body for route in routes if route.body}
    models = {name: _model(title, api, body) for name, body in bodies.items()}
    validator = apigateway.RequestValidator(
        f"{title}BodyValidator",
        RestApiId=Ref(api),
        ValidateRequestBody=True,
        ValidateRequestParameters=False,
    )
    methods = tuple(_method(title, api, tree, route, function) for route in routes)
    for method, route in zip(methods, routes, strict=True):
        if route.body is not None:
            if bodies[route.body.title] != route.body:
                raise ModelError(
                    f"body {route.body.title}", "is two different schemas", "rename one of them"
                )
            method.RequestModels = {_ANY_TYPE: Ref(models[route.body.title])}
            method.RequestValidatorId = Ref(validator)
    checks: tuple[AWSObject, ...] = (validator, *models.values()) if models else ()
    return tuple(chain(checks, tree.resources, methods))


def _model(title: str, api: apigateway.RestApi, body: JsonBody) -> apigateway.Model:
    return apigateway.Model(
        f"{title}{body.title}Model",
        RestApiId=Ref(api),
        ContentType="application/json",
        Description=body.describes,
        Schema=json.dumps({"$schema": _DRAFT_4, **body.schema}, sort_keys=True),
    )


def _method(
    title: str, api: apigateway.RestApi, tree: PathTree, route: Route, function: Function
) -> apigateway.Method:
    made = apigateway.Method(
        f"{title}{_spelled(route)}Method",
        RestApiId=Ref(api),
        ResourceId=tree.at(route.path),
        HttpMethod=route.method,
        AuthorizationType=route.asks_for,
        Integration=apigateway.Integration(
            Type="AWS_PROXY",
            IntegrationHttpMethod="POST",  # as Lambda is invoked, whatever is asked
            TimeoutInMillis=_LONGEST_MILLISECONDS,
            Uri=sub(
                "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
                + arn_text("lambda", f"function:{function.name}:{LIVE}")
                + "/invocations"
            ),
        ),
    )
    if route.open_because is not None:
        made.Metadata = ignoring({_OPEN: route.open_because})
    return made


def _permission(
    title: str, api: apigateway.RestApi, route: Route, function: Function, after: tuple[str, ...]
) -> awslambda.Permission:
    path = _VARIABLE.sub("*", route.path)  # API Gateway calls with the path that was asked for
    where = f"${{{api.title}}}/{STAGE}/{route.method}{path}"
    made = awslambda.Permission(
        f"{title}{_spelled(route)}Permission",
        Action="lambda:InvokeFunction",
        FunctionName=function.live_arn,
        Principal="apigateway.amazonaws.com",
        SourceArn=sub(arn_text("execute-api", where)),
    )
    if after:
        made.DependsOn = list(after)
    return made


def _spelled(route: Route) -> str:
    return route.method.capitalize() + PathTree.spelled(route.path)


def _stage(
    title: str,
    reference: RestApi,
    deployment: apigateway.Deployment,
    throttle: Throttle,
    log: LogGroup,
) -> apigateway.Stage:
    every = apigateway.MethodSetting(
        HttpMethod="*",
        ResourcePath="/*",
        DataTraceEnabled=False,
        LoggingLevel="OFF",
        MetricsEnabled=True,
        ThrottlingBurstLimit=throttle.burst,
        ThrottlingRateLimit=throttle.rate,
    )
    return apigateway.Stage(
        f"{title}Stage",
        RestApiId=deployment.RestApiId,
        DeploymentId=Ref(deployment),
        StageName=STAGE,
        DependsOn=[log.title],  # named by its ARN without the streams that GetAtt adds
        AccessLogSetting=apigateway.AccessLogSetting(
            DestinationArn=sub(arn_text("logs", f"log-group:{reference.log_group}")),
            Format=json.dumps(_ACCESS, separators=(",", ":")),
        ),
        MethodSettings=[every],
        TracingEnabled=True,
    )
