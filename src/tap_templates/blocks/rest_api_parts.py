"""Parts of a REST API block: its tree of paths, its refusals, and the deployment of them all."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping

from troposphere import AWSObject, GetAtt, Ref, apigateway, encode_to_dict

from tap_templates.blocks.text import Text, references
from tap_templates.errors import ModelError
from tap_templates.model.names import SUFFIX

_DIGITS = 10  # of a digest in a logical id: enough for one API never to meet two alike
_WORD = re.compile(r"[A-Za-z0-9]+")
# What API Gateway refuses by itself → the error, as the functions behind our APIs name theirs.
# What was wrong with a request is not said: API Gateway puts the text into JSON as it is, quotes of
# the caller included.
_REFUSALS = {
    "BAD_REQUEST_BODY": ("400", "InvalidRequest"),
    "BAD_REQUEST_PARAMETERS": ("400", "InvalidRequest"),
    "THROTTLED": ("429", "TooManyRequests"),
}


class PathTree:
    """The resources of an API, one for each beginning of a path, made as they are asked for."""

    def __init__(self, title: str, api: apigateway.RestApi) -> None:
        self._title = title
        self._api = api
        self._made: dict[str, apigateway.Resource] = {}

    @property
    def resources(self) -> tuple[apigateway.Resource, ...]:
        return tuple(self._made.values())

    @staticmethod
    def spelled(path: str) -> str:
        """Spell a path for a logical id: `/orders/{orderId}` is `OrdersOrderId`."""
        return "".join(word[0].upper() + word[1:] for word in _WORD.findall(path))

    def at(self, path: str) -> Text:
        """Name the resource of a path, and make it and those above it if need be.

        Raises ModelError for a second variable in one place, which API Gateway refuses.
        """
        above, _, part = path.rpartition("/")
        if not part:
            return GetAtt(self._api, "RootResourceId")
        if path not in self._made:
            parent = self.at(above)
            self._refuse_second(above, part, path)
            self._made[path] = apigateway.Resource(
                f"{self._title}{self.spelled(path)}Resource",
                RestApiId=Ref(self._api),
                ParentId=parent,
                PathPart=part,
            )
        return Ref(self._made[path])

    def _refuse_second(self, above: str, part: str, path: str) -> None:
        for other in self._made:
            its, _, name = other.rpartition("/")
            if its == above and part.startswith("{") and name.startswith("{"):
                raise ModelError(
                    f"path {path}", f"has a variable where {other} has another", "name them alike"
                )
            if self.spelled(other) == self.spelled(path):
                raise ModelError(f"path {path}", f"is spelled like {other}", "rename one of them")


def refusals(title: str, api: apigateway.RestApi) -> Iterator[apigateway.GatewayResponse]:
    """Answer what API Gateway refuses by itself in the form that the function's errors have."""
    for kind, (status, error) in _REFUSALS.items():
        spelled = "".join(word.capitalize() for word in kind.split("_"))
        yield apigateway.GatewayResponse(
            f"{title}{spelled}Response",
            RestApiId=Ref(api),
            ResponseType=kind,
            ResponseTemplates={"application/json": json.dumps({"error": error})},
            StatusCode=status,
        )


def deployed(
    title: str, api: apigateway.RestApi, parts: Iterable[AWSObject]
) -> apigateway.Deployment:
    """Deploy the API as it is when `parts` are there.

    A deployment is a snapshot: what is changed behind it is not served until there is another, and
    CloudFormation makes another only for another logical id (its one property that changes is the
    description, which is changed in place). So the id ends with a digest of all that is in the
    snapshot: the same API has the same id wherever it is compiled, a changed one a new id. The
    stage moves to it, then the old snapshot goes.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-deployment.html
    """
    its = {str(each.title): each for each in parts}
    known = {title: encode_to_dict(each.properties) for title, each in its.items()}
    known[str(api.title)] = encode_to_dict(api.properties)
    _refuse_parameters(str(api.title), known)
    digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
    return apigateway.Deployment(
        f"{title}Deployment{digest[:_DIGITS]}",
        RestApiId=Ref(api),
        Description=f"The API whose digest begins with {digest[:_DIGITS]}",
        DependsOn=sorted(its),  # nothing else tells CloudFormation that it comes after them
    )


def _refuse_parameters(api: str, known: Mapping[str, object]) -> None:
    """Refuse what may change without a change of the template, and so of the digest."""
    fixed = {*known, *references({"Fn::Sub": SUFFIX})}
    for name in references(dict(known)):
        if name not in fixed and not name.startswith("AWS::"):
            raise ModelError(
                f"REST API {api}",
                f"depends on {name}, whose value may change and be served by nobody",
                "write the value down, or put it into the stage",
            )
