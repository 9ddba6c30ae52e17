"""Settings that open a resource, by its type."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from tap_templates.diff.model import Resource
from tap_templates.diff.security.choices import at, holds
from tap_templates.diff.security.exposure.found import Exposure, Exposures
from tap_templates.diff.values import scalar_text

_BLOCKS: Final = (
    "BlockPublicAcls",
    "BlockPublicPolicy",
    "IgnorePublicAcls",
    "RestrictPublicBuckets",
)
_METHODS: Final = frozenset(
    {"get", "put", "post", "delete", "patch", "head", "x-amazon-apigateway-any-method"}
)
# What many a new resource has on purpose; telling is only that an old one gets it.
USUAL_IF_NEW: Final = frozenset({"Endpoint", "MapPublicIpOnLaunch", "VPCOptions"})
Found = Iterator[tuple[str, Exposure]]


def exposures(resource: Resource, *, blocks_by_default: bool) -> Exposures:
    """Find what the settings of a resource open.

    `blocks_by_default`: whether public access that a bucket does not speak of is blocked.
    """
    read = _BY_TYPE.get(resource.type)
    found = dict(read(resource.properties)) if read else {}
    if resource.type in ("AWS::S3::Bucket", "AWS::S3::AccessPoint"):
        found |= dict(_public_access(resource.properties, blocks_by_default=blocks_by_default))
    found |= dict(_publicly_accessible(resource.properties))
    return found


def _when(key: str, because: str, witness: str, *, is_open: bool | None) -> Found:
    """Give the exposure if it holds, or may hold."""
    if is_open is not False:
        yield key, Exposure(because, witness, certain=is_open is True)


def _is(*texts: str | None) -> Callable[[Any], bool]:
    return lambda value: (None if value is None else (scalar_text(value) or "").upper()) in texts


def _function_url(properties: Mapping[str, Any]) -> Found:
    is_open = holds(properties.get("AuthType"), _is("NONE"))
    because = "the function URL can be called by anyone on the internet, without authorization"
    yield from _when("AuthType", because, "HTTPS request without a signature", is_open=is_open)


def _route(properties: Mapping[str, Any]) -> Found:
    key = scalar_text(properties.get("RouteKey")) or "the route"
    is_open = holds(properties.get("AuthorizationType"), _is(None, "NONE"))
    because = f"route {key} can be called by anyone, without authorization"
    yield from _when("AuthorizationType", because, f"{key} without authorization", is_open=is_open)


def _method(properties: Mapping[str, Any]) -> Found:
    verb = (scalar_text(properties.get("HttpMethod")) or "ANY").upper()
    if verb == "OPTIONS" or holds(properties.get("ApiKeyRequired"), _is("TRUE")) is True:
        return
    is_open = holds(properties.get("AuthorizationType"), _is(None, "NONE"))
    because = f"method {verb} can be called by anyone, without authorization"
    yield from _when("AuthorizationType", because, f"{verb} without authorization", is_open=is_open)


def _quick_api(properties: Mapping[str, Any]) -> Found:
    if "Target" in properties:  # API Gateway makes a route of it, which has no authorizer
        because = "the API's default route can be called by anyone, without authorization"
        yield "Target", Exposure(because, "any request without authorization")
    yield from _operations(properties)


def _operations(properties: Mapping[str, Any]) -> Found:
    """Look at the operations of an API that is given as OpenAPI."""
    body = properties.get("Body")
    paths = at(body, "paths")
    if not isinstance(body, Mapping) or not isinstance(paths, Mapping):
        return
    for path, verbs in sorted(paths.items()):
        for verb, operation in sorted(verbs.items()) if isinstance(verbs, Mapping) else ():
            if verb.lower() not in _METHODS or not isinstance(operation, Mapping):
                continue
            security = operation.get("security", body.get("security"))
            if not security and "x-amazon-apigateway-auth" not in operation:
                name = f"{verb.upper()} {path}"
                because = f"{name} can be called by anyone, without authorization"
                yield f"Body {name}", Exposure(because, f"{name} without authorization")


def _rest_api(properties: Mapping[str, Any]) -> Found:
    yield from _operations(properties)
    kinds = at(properties, "EndpointConfiguration", "Types")
    is_private = isinstance(kinds, list) and [scalar_text(each) for each in kinds] == ["PRIVATE"]
    if not is_private:
        because = "the API can be reached from the internet"
        yield "Endpoint", Exposure(because, "a request from outside the VPC")


def _public_access(properties: Mapping[str, Any], *, blocks_by_default: bool) -> Found:
    given = properties.get("PublicAccessBlockConfiguration")
    if given is None and blocks_by_default:
        return
    for name in _BLOCKS:
        is_open = holds(at(given, name), _is(None, "FALSE"))
        because = f"{name} no longer keeps the public out of the bucket"
        yield from _when(name, because, f"{name} is off", is_open=is_open)


def _bucket(properties: Mapping[str, Any]) -> Found:
    acl = properties.get("AccessControl")
    is_open = holds(acl, _is("PUBLICREAD", "PUBLICREADWRITE", "AUTHENTICATEDREAD"))
    yield from _when("AccessControl", f"the bucket's ACL is {acl}", f"ACL {acl}", is_open=is_open)


def _publicly_accessible(properties: Mapping[str, Any]) -> Found:
    if "PubliclyAccessible" in properties:
        is_open = holds(properties["PubliclyAccessible"], _is("TRUE"))
        because = "it gets an address on the internet: PubliclyAccessible is true"
        yield from _when("PubliclyAccessible", because, "PubliclyAccessible: true", is_open=is_open)


def _snapshots(properties: Mapping[str, Any]) -> Found:
    is_open = holds(properties.get("State"), _is("UNBLOCKED"))
    because = "snapshots may be shared with the public"
    yield from _when("State", because, "State: unblocked", is_open=is_open)


def _identity_pool(properties: Mapping[str, Any]) -> Found:
    key = "AllowUnauthenticatedIdentities"
    is_open = holds(properties.get(key), lambda each: scalar_text(each) == "true")
    because = "anybody gets AWS credentials from it without a login"
    yield from _when(key, because, f"{key}: true", is_open=is_open)


def _load_balancer(properties: Mapping[str, Any]) -> Found:
    is_open = holds(properties.get("Scheme"), _is(None, "INTERNET-FACING"))
    because = "the load balancer can be reached from the internet"
    yield from _when("Scheme", because, "Scheme: internet-facing", is_open=is_open)


def _subnet(properties: Mapping[str, Any]) -> Found:
    is_open = holds(properties.get("MapPublicIpOnLaunch"), _is("TRUE"))
    because = "what is launched in the subnet gets an address on the internet"
    yield from _when("MapPublicIpOnLaunch", because, "MapPublicIpOnLaunch: true", is_open=is_open)


def _graph(properties: Mapping[str, Any]) -> Found:
    is_open = holds(properties.get("AuthenticationType"), _is("API_KEY"))
    because = "whoever has its key, which is no secret in a client, can call the API"
    yield from _when("AuthenticationType", because, "AuthenticationType: API_KEY", is_open=is_open)


def _domain(properties: Mapping[str, Any]) -> Found:
    if "VPCOptions" not in properties:
        because = "the domain can be reached from the internet: it is in no VPC"
        yield "VPCOptions", Exposure(because, "a request from outside a VPC")


_BY_TYPE: Final[Mapping[str, Callable[[Mapping[str, Any]], Found]]] = {
    "AWS::ApiGateway::Method": _method,
    "AWS::ApiGateway::RestApi": _rest_api,
    "AWS::ApiGatewayV2::Api": _quick_api,
    "AWS::ApiGatewayV2::Route": _route,
    "AWS::AppSync::GraphQLApi": _graph,
    "AWS::Cognito::IdentityPool": _identity_pool,
    "AWS::EC2::SnapshotBlockPublicAccess": _snapshots,
    "AWS::EC2::Subnet": _subnet,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _load_balancer,
    "AWS::Lambda::Url": _function_url,
    "AWS::OpenSearchService::Domain": _domain,
    "AWS::S3::Bucket": _bucket,
}
