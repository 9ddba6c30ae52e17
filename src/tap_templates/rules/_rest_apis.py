"""E9604-E9608: REST APIs that anybody writes to, that let all through, that serve what was."""

from collections.abc import Iterator
from typing import ClassVar, Final

from ._apis import exempt_method
from ._index import Index, Resource
from ._rule import Fault, TapRule
from ._values import Node

_METHOD: Final = "AWS::ApiGateway::Method"
_ROUTE: Final = "AWS::ApiGatewayV2::Route"
_STAGE: Final = "AWS::ApiGateway::Stage"
_GUIDE: Final = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"
_WRITES: Final = frozenset({"ANY", "DELETE", "PATCH", "POST", "PUT"})
_ANY_TYPE: Final = "$default"


class _RestRule(TapRule):
    tags: ClassVar[list[str]] = ["resources", "apigateway"]  # type: ignore[misc]  # an instance variable upstream


class OpenWrite(_RestRule):
    """Demand that who changes something says who it is; a reason does not help, as it does E9601.

    Looks at methods of REST APIs and routes of HTTP APIs, in every branch of Fn::If. Silent about
    an API with a resource policy.
    """

    id = "E9604"
    shortdesc = "What changes something must not be open to anybody"
    description = (
        "A health check may be asked by anybody for a reason; through an open POST or PUT anybody "
        "on the internet writes into the system."
    )
    source_url = f"{_GUIDE}apigateway-control-access-to-api.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for method in index.typed(_METHOD):
            words = {node.text or "" for node in method.get("HttpMethod")}
            if words & _WRITES and not exempt_method(index, method):
                yield from _open(method, min(words & _WRITES))
        for route in index.typed(_ROUTE):
            words = {(node.text or "").partition(" ")[0] for node in route.get("RouteKey")}
            if words & _WRITES:
                yield from _open(route, min(words & _WRITES))


def _open(resource: Resource, word: str) -> Iterator[Fault]:
    for node in resource.get("AuthorizationType"):
        if node.absent or node.text == "NONE":
            yield Fault(
                node.path,
                f"{resource.logical_id} lets anybody {word}: set AuthorizationType to AWS_IAM, or "
                "ask an authorizer",
            )


class UncheckedBody(_RestRule):
    """Demand that a model of a body is used, and for whatever Content-Type comes.

    Silent about a validator of another template.
    """

    id = "E9605"
    shortdesc = "A method with a model must validate the body"
    description = (
        "A model without a validator of bodies checks nothing, and one for application/json alone "
        "lets a body of another Content-Type through unchecked."
    )
    source_url = f"{_GUIDE}api-gateway-method-request-validation.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for method in index.typed(_METHOD):
            for models in method.get("RequestModels"):
                if not models.known_object or not models.value:
                    continue
                if _ANY_TYPE not in models.value:
                    known = ", ".join(sorted(map(str, models.value)))
                    yield Fault(
                        models.path,
                        f"{method.logical_id} checks bodies of {known} alone: give the model for "
                        f"{_ANY_TYPE}",
                    )
                yield from _unvalidated(index, method, models)


def _unvalidated(index: Index, method: Resource, models: Node) -> Iterator[Fault]:
    for validator in method.get("RequestValidatorId"):
        if validator.excludes(models):
            continue
        if validator.absent:
            yield Fault(
                validator.path,
                f"{method.logical_id} has a model that nothing validates: give it a "
                "RequestValidatorId",
            )
            continue
        found = index.resource_of(validator.value)
        for node in found[0].get("ValidateRequestBody") if found else ():
            if node.absent or node.truth is False:
                yield Fault(
                    validator.path,
                    f"{method.logical_id} has a model, but {found[0].logical_id if found else ''} "
                    "validates no bodies: set its ValidateRequestBody",
                )


class UnlimitedStage(_RestRule):
    """Demand a limit of its own for all methods of a stage. Silent where settings are computed."""

    id = "E9606"
    shortdesc = "A stage of a REST API needs a rate and a burst of its own"
    description = (
        "Without them one API may take all that the account lets through in the region, and what "
        "is behind it gets it all at once."
    )
    source_url = f"{_GUIDE}api-gateway-request-throttling.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for stage in index.typed(_STAGE):
            for settings in stage.get("MethodSettings"):
                for _, each in settings.lists():
                    if each is not None and not any(_limits(setting) for setting in each):
                        yield Fault(
                            settings.path,
                            f"{stage.logical_id} limits nothing of its own: give MethodSettings "
                            "for /* and * ThrottlingRateLimit and ThrottlingBurstLimit",
                        )


def _limits(setting: Node) -> bool:
    if not setting.known_object:
        return True
    everything = (("ResourcePath", "/*"), ("HttpMethod", "*"))
    return all(
        node.text in (None, wanted) and node.present
        for name, wanted in everything
        for node in setting.get(name)
    ) and all(
        node.present
        for name in ("ThrottlingBurstLimit", "ThrottlingRateLimit")
        for node in setting.get(name)
    )


class UnloggedStage(_RestRule):
    """Demand an access log of each stage of a REST API."""

    id = "E9607"
    shortdesc = "A stage of a REST API needs an access log"
    description = (
        "What API Gateway refuses by itself, a signature or a body, no function ever sees: without "
        "an access log nobody knows of it."
    )
    source_url = f"{_GUIDE}set-up-logging.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for stage in index.typed(_STAGE):
            for node in stage.get("AccessLogSetting", "DestinationArn"):
                if node.absent:
                    yield Fault(
                        node.path,
                        f"{stage.logical_id} logs no requests: give AccessLogSetting a "
                        "DestinationArn and a Format",
                    )


class EarlyDeployment(_RestRule):
    """Demand that a deployment is made after the methods of its API.

    Through DependsOn and references, at any distance. Silent about an API of another template.
    """

    id = "E9608"
    shortdesc = "A deployment must come after the methods of its API"
    description = (
        "A deployment is a snapshot, and nothing in it refers to methods: CloudFormation makes it "
        "as soon as there is the API, with the methods that happen to be there."
    )
    source_url = f"{_GUIDE}how-to-deploy-api.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for deployment in index.typed("AWS::ApiGateway::Deployment"):
            before = _before(index, deployment.logical_id)
            apis = _apis(index, deployment)
            late = [
                method.logical_id
                for method in index.typed(_METHOD)
                if _apis(index, method) & apis and method.logical_id not in before
            ]
            if late:
                yield Fault(
                    deployment.path,
                    f"{deployment.logical_id} may be made before {', '.join(sorted(late))}: name "
                    "them in its DependsOn",
                )


def _apis(index: Index, resource: Resource) -> set[str]:
    found = (index.resource_of(node.value) for node in resource.get("RestApiId") if node.present)
    return {each[0].logical_id for each in found if each}


def _before(index: Index, logical_id: str) -> set[str]:
    """Name all that is made before a resource."""
    found: set[str] = set()
    left = [logical_id]
    while left:
        resource = index.resources.get(left.pop())
        if resource is not None:
            new = (resource.depends_on | index.references[resource.logical_id]) - found
            found |= new
            left += new
    return found


RULES = (OpenWrite, UncheckedBody, UnlimitedStage, UnloggedStage, EarlyDeployment)
