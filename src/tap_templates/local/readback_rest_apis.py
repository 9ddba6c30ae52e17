"""How REST APIs are read back: through API Gateway's own API, in whose words keys begin small."""

from collections.abc import Mapping
from typing import Any

from tap_templates.local.readback_compare import (
    Check,
    Missing,
    Place,
    Properties,
    differences,
    only,
)


def _client(place: Place) -> Any:
    return place.client("apigateway")


def _small(value: Any) -> Any:
    """Say settings in the words of the API."""
    if isinstance(value, Mapping):
        return {f"{key[:1].lower()}{key[1:]}": _small(each) for key, each in value.items()}
    return [_small(each) for each in value] if isinstance(value, list) else value


def _part(operation: str, identity: str, *compared: str) -> Check:
    """Check a part of an API that is found by the API and one id."""

    def check(place: Place, properties: Properties) -> list[str]:
        found = getattr(_client(place), operation)(
            restApiId=properties["RestApiId"], **{identity: place.id}
        )
        return differences(_small(only(properties, *compared)), found)

    return check


def _rest_api(place: Place, properties: Properties) -> list[str]:
    found = _client(place).get_rest_api(restApiId=place.id)
    compared = (
        *("Name", "Description", "DisableExecuteApiEndpoint", "EndpointAccessMode"),
        *("EndpointConfiguration", "SecurityPolicy"),
    )
    return differences(_small(only(properties, *compared)), found)


def _method(place: Place, properties: Properties) -> list[str]:
    found = _client(place).get_method(
        restApiId=properties["RestApiId"],
        resourceId=properties["ResourceId"],
        httpMethod=properties["HttpMethod"],
    )
    compared = ("ApiKeyRequired", "AuthorizationType", "HttpMethod", "RequestValidatorId")
    wanted = _small(only(properties, *compared))
    if "RequestModels" in properties:  # whose keys are types of content
        wanted["requestModels"] = properties["RequestModels"]
    integration = properties.get("Integration") or {}
    words = {"IntegrationHttpMethod": "httpMethod", "TimeoutInMillis": "timeoutInMillis"}
    wanted["methodIntegration"] = {
        words.get(name, name.lower()): integration[name]
        for name in ("IntegrationHttpMethod", "TimeoutInMillis", "Type", "Uri")
        if name in integration
    }
    return differences(wanted, found)


def _response(place: Place, properties: Properties) -> list[str]:
    found = _client(place).get_gateway_response(
        restApiId=properties["RestApiId"], responseType=properties["ResponseType"]
    )
    wanted = _small(only(properties, "ResponseType", "StatusCode"))
    if "ResponseTemplates" in properties:
        wanted["responseTemplates"] = properties["ResponseTemplates"]
    return differences(wanted, found)


def _stage(place: Place, properties: Properties) -> list[str]:
    found = _client(place).get_stage(
        restApiId=properties["RestApiId"], stageName=properties["StageName"]
    )
    wanted = _small(only(properties, "DeploymentId", "StageName", "TracingEnabled"))
    if "AccessLogSetting" in properties:
        wanted["accessLogSettings"] = _small(properties["AccessLogSetting"])
    for setting in properties.get("MethodSettings") or []:
        path, method = setting.get("ResourcePath", "/*"), setting.get("HttpMethod", "*")
        key = "*/*" if (path, method) == ("/*", "*") else f"{path}/{method}"
        rest = {k: v for k, v in setting.items() if k not in ("HttpMethod", "ResourcePath")}
        wanted.setdefault("methodSettings", {})[key] = _small(rest)
    return differences(wanted, found)


def _domain(place: Place, properties: Properties) -> list[str]:
    found = _client(place).get_domain_name(domainName=place.id)
    compared = (
        *("DomainName", "EndpointAccessMode", "EndpointConfiguration"),
        *("RegionalCertificateArn", "SecurityPolicy"),
    )
    return differences(_small(only(properties, *compared)), found)


def _mapping(place: Place, properties: Properties) -> list[str]:
    found = _client(place).get_base_path_mapping(
        domainName=properties["DomainName"], basePath=properties.get("BasePath", "(none)")
    )
    return differences(_small(only(properties, "RestApiId", "Stage")), found)


def _account(place: Place, properties: Properties) -> list[str]:
    found = _client(place).get_account()
    role = {"cloudwatchRoleArn": properties.get("CloudWatchRoleArn")}
    return differences({key: value for key, value in role.items() if value}, found)


def _model(place: Place, properties: Properties) -> list[str]:
    listed = _client(place).get_models(restApiId=properties["RestApiId"], limit=500)["items"]
    found = next((each for each in listed if each["name"] == place.id), None)
    if found is None:
        raise Missing(place.id)
    return differences(_small(only(properties, "ContentType", "Description", "Schema")), found)


_CHECKS: Mapping[str, Check] = {
    "Account": _account,
    "BasePathMapping": _mapping,
    "Deployment": _part("get_deployment", "deploymentId", "Description"),
    "DomainName": _domain,
    "GatewayResponse": _response,
    "Method": _method,
    "Model": _model,
    "RequestValidator": _part(
        "get_request_validator",
        "requestValidatorId",
        *("Name", "ValidateRequestBody", "ValidateRequestParameters"),
    ),
    "Resource": _part("get_resource", "resourceId", "ParentId", "PathPart"),
    "RestApi": _rest_api,
    "Stage": _stage,
}
CHECKS: Mapping[str, Check] = {f"AWS::ApiGateway::{kind}": each for kind, each in _CHECKS.items()}
