"""REST APIs: what is served is what the template says, and what is measured is one API.

How an API is called into being leaves room for silence: a deployment made before a method lacks
it, a stage that names no deployment of its API serves another, and metrics go by a label that AWS
gives to any number of APIs.
"""

from collections.abc import Iterator

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.values import as_list
from tap_templates.rendered.rest_apis import REST_API, STAGE
from tap_templates.rendered.view import Located

_DEPLOYING = "https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html"
_METRICS = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html"

_DEPLOYMENT = "AWS::ApiGateway::Deployment"
_SNAPSHOT = (
    "AWS::ApiGateway::GatewayResponse",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Model",
    "AWS::ApiGateway::RequestValidator",
    "AWS::ApiGateway::Resource",
)
_REMEDY = "declare the API with rest_api() in blocks/rest_api.py"


def _of_api(compiled: CompiledSystem, api: object, near: Located, *types: str) -> list[Located]:
    return [
        each
        for each in compiled.view.resources(*types)
        if each.stack.region == near.stack.region
        and each.resource.properties.get("RestApiId") == api
    ]


def _whole(compiled: CompiledSystem) -> Iterator[Fault]:
    for deployment in compiled.view.resources(_DEPLOYMENT):
        after = as_list(deployment.resource.raw.get("DependsOn"))
        api = deployment.resource.properties.get("RestApiId")
        missing = sorted(
            part.resource.logical_id
            for part in _of_api(compiled, api, deployment, *_SNAPSHOT)
            if part.stack.stack != deployment.stack.stack or part.resource.logical_id not in after
        )
        if missing:
            yield fault_at(
                deployment,
                f"is a snapshot that may be taken before {', '.join(missing)} "
                f"{'are' if len(missing) > 1 else 'is'} there",
                "name in DependsOn all that the API is made of: " + _REMEDY,
                "/DependsOn",
            )


def _served(compiled: CompiledSystem) -> Iterator[Fault]:
    for api in compiled.view.resources(REST_API):
        stages = _of_api(compiled, api.resource.ref, api, STAGE)
        deployments = {
            each.resource.ref for each in _of_api(compiled, api.resource.ref, api, _DEPLOYMENT)
        }
        if not stages:
            yield fault_at(api, "has no stage: it serves nobody", _REMEDY)
        for stage in stages:
            if stage.resource.properties.get("DeploymentId") not in deployments:
                yield fault_at(
                    stage,
                    "serves no deployment of its API that the system makes",
                    _REMEDY,
                    "/Properties/DeploymentId",
                )


def _one_label(compiled: CompiledSystem) -> Iterator[Fault]:
    labels: dict[tuple[str, str], Located] = {}
    for api in compiled.view.resources(REST_API):
        label = (api.stack.region, str(api.resource.properties.get("Name")))
        first = labels.setdefault(label, api)
        if first is not api:
            yield fault_at(
                api,
                f"is called {label[1]} as {first.place} is: their metrics are one",
                "give each a purpose of its own",
                "/Properties/Name",
            )


REST_APIS = (
    Invariant(
        code="TAP-API-01",
        promise="A deployment of a REST API is made after all that it is a snapshot of.",
        source_url=_DEPLOYING,
        check=_whole,
    ),
    Invariant(
        code="TAP-API-02",
        promise="Every REST API is served by a stage, from a deployment of its own.",
        source_url=_DEPLOYING,
        check=_served,
    ),
    Invariant(
        code="TAP-API-03",
        promise="No two REST APIs of a region are measured as one.",
        source_url=_METRICS,
        check=_one_label,
    ),
)
