"""What a REST API does with the functions and log groups behind it, derived from its methods.

API Gateway invokes a function under its own name, admitted by the function's policy: one method,
one permission. It logs requests under a role that the account has for the region, which need not be
of this system: whoever makes that setting is judged here too.
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tap_templates.iam.api_needs import APIS, says_why
from tap_templates.iam.codes import Code
from tap_templates.iam.needs import Need, Problem, RoleUse, UseOfRole, allow
from tap_templates.iam.service_use import SOURCE_ARN, Outcome, ServiceUse, unjudged
from tap_templates.iam.services import kind_of
from tap_templates.rendered.rest_apis import METHOD, REST_API, STAGE, MethodPlace, place_of
from tap_templates.rendered.view import Located, SystemView

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = _READS | {"DELETE", "PATCH", "POST", "PUT"}
_PATH = re.compile(r"(/([A-Za-z0-9._~-]+|\{[A-Za-z0-9._-]+\+?\}))*/?")
# API Gateway sends the path that was asked for, which a policy has to cover as a whole.
_VARIABLE = re.compile(r"\{[^}]*\}")
_INVOCATION = re.compile(
    r"arn:[^:]+:apigateway:[^:]+:lambda:path/2015-03-31/functions/(?P<arn>.+)/invocations"
)
# Ways to define an API, or to let somebody in, besides resources of their own: they are not read.
_UNREAD: Mapping[str, tuple[str, ...]] = {
    REST_API: ("Body", "BodyS3Location", "CloneFrom", "Policy"),
    STAGE: ("CanarySetting",),
    "AWS::ApiGateway::Authorizer": ("Type",),
    "AWS::ApiGateway::Deployment": ("DeploymentCanarySettings", "StageName"),
    "AWS::ApiGateway::DomainName": ("MutualTlsAuthentication",),
}
# Which log groups a role of the account writes to, in what is one setting for all APIs of a region:
# ours by our rule for names, and the one that API Gateway greets in when the role is set.
_GROUPS = ("/aws/apigateway/welcome", "/aws/vendedlogs/apis/api-*")
_WRITE = ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")


def account_uses(view: SystemView, account: Located) -> Iterator[UseOfRole]:
    """Say what API Gateway does with the role that the account has for its logs."""
    path = "/Properties/CloudWatchRoleArn"
    role = account.resource.properties.get("CloudWatchRoleArn")
    if role is None:
        return
    why = f"{account.place} {path}"
    start = f"arn:{view.partition}:logs:{account.stack.region}:{view.account}:log-group:"
    needs: list[Need] = [
        allow("logs:CreateLogGroup", f"{start}{_GROUPS[0]}:*", why),
        allow("logs:DescribeLogGroups", f"{start}*", why),
    ]
    needs += [allow(action, f"{start}{each}:*", why) for action in _WRITE for each in _GROUPS]
    yield RoleUse(role_arn=str(role), user=account, path=path, principal=APIS, needs=tuple(needs))


def _unread(_view: SystemView, located: Located) -> Iterator[Outcome]:
    for name in _UNREAD[located.resource.type]:
        if name in located.resource.properties:
            kind = located.resource.type
            yield unjudged(located, f"/Properties/{name}", f"has {name}, of {kind}")


def _stage(view: SystemView, stage: Located) -> Iterator[Outcome]:
    yield from _unread(view, stage)
    settings = stage.resource.properties.get("AccessLogSetting")
    if settings is None:
        return
    arn = str(settings.get("DestinationArn"))
    group = view.find(arn)
    if group is None or group.resource.type != "AWS::Logs::LogGroup":
        path = "/Properties/AccessLogSetting/DestinationArn"
        yield unjudged(stage, path, f"logs to {arn}, which is no log group of this system")


def _method(view: SystemView, method: Located) -> Iterator[Outcome]:
    properties = method.resource.properties
    yield from _admits(method)
    name = str(properties.get("HttpMethod"))
    place = place_of(view, method)
    if place is None:
        yield unjudged(method, "/Properties/ResourceId", "is at no path of an API of this system")
        return
    if name not in _METHODS or not _PATH.fullmatch(place.path):
        what = f"is for {name} {place.path}, which is no method and path"
        yield unjudged(method, "/Properties/HttpMethod", what)
        return
    if not place.stages:
        yield unjudged(method, "/Properties/RestApiId", "is of an API without a stage")
    integration = properties.get("Integration") or {}
    for key in ("ConnectionId", "Credentials"):
        if key in integration:
            path = f"/Properties/Integration/{key}"
            yield unjudged(method, path, f"calls what is behind it by its {key}")
    if integration.get("Type") != "AWS_PROXY":
        path = "/Properties/Integration/Type"
        yield unjudged(method, path, f"has an integration of type {integration.get('Type')}")
        return
    yield from _invoke(view, method, place, integration)


def _admits(method: Located) -> Iterator[Outcome]:
    """Judge who may call a method: a signature of IAM, or anybody for a reason, to read."""
    properties = method.resource.properties
    asks_for = properties.get("AuthorizationType", "NONE")
    path = "/Properties/AuthorizationType"
    if asks_for not in ("AWS_IAM", "NONE"):
        yield unjudged(method, path, f"asks {asks_for} who may come in")
    name = properties.get("HttpMethod")
    if asks_for == "NONE" and (name not in _READS or not says_why(method)):
        what = "and does not say why" if name in _READS else "to change something"
        yield Problem(
            Code.PRINCIPAL_UNEXPLAINED,
            method,
            path,
            f"admits anyone to {name}, {what}",
            "ask for a signature of IAM, or say why one may read without (blocks/rest_api.py)",
        )


def _invoke(
    view: SystemView, method: Located, place: MethodPlace, integration: Mapping[str, Any]
) -> Iterator[Outcome]:
    spelled = _INVOCATION.fullmatch(str(integration.get("Uri")))
    arn = spelled["arn"] if spelled else str(integration.get("Uri"))
    function = view.find(arn)
    if function is None or kind_of(arn) != "lambda":
        path = "/Properties/Integration/Uri"
        yield unjudged(method, path, f"calls {arn}, which is no function of this system")
        return
    request = f"{method.resource.properties['HttpMethod']}{_VARIABLE.sub('*', place.path)}"
    region = method.stack.region
    start = f"arn:{view.partition}:execute-api:{region}:{view.account}:{place.api.resource.ref}"
    for stage in place.stages:
        source = f"{start}/{stage.resource.name}/{request}"
        yield ServiceUse(
            arn=arn,
            owner=function,
            principal=APIS,
            action="lambda:InvokeFunction",
            sends={SOURCE_ARN: source},
            demands=frozenset({SOURCE_ARN}),
            why=f"{method.place} /Properties/HttpMethod",
            patterns=frozenset({source, f"{start}/*/{request}"}),
        )


USERS: Mapping[str, Callable[[SystemView, Located], Iterator[Outcome]]] = {
    **dict.fromkeys(_UNREAD, _unread),
    METHOD: _method,
    STAGE: _stage,
}
