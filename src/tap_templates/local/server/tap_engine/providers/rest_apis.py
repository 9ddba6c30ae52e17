"""AWS::ApiGateway: REST APIs, what they are made of, deployments, stages, the account's role.

The engine's own providers make most of it; ours put in what those lose, and refuse what AWS
refuses: an empty deployment, one that is still served, a stage or mapping of what is not there.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ministack.services import apigateway_v1

from tap_engine import loopback, rest_apis
from tap_engine.providers.provider import (
    Attributes,
    Made,
    Properties,
    Provider,
    engines_own,
    if_there,
    name_of,
    refuse_change,
)

_FAMILY = "AWS::ApiGateway::"
_KINDS = ("Account", "BasePathMapping", "Deployment", "Method", "Resource", "RestApi", "Stage")
_own = {kind: engines_own(f"{_FAMILY}{kind}") for kind in _KINDS}


def _true(value: object) -> bool:
    return str(value).lower() == "true"


def _refuse(kind: str, what: str) -> None:
    raise ValueError(f"{_FAMILY}{kind}: {what}")


def _nothing(_: Properties) -> None:
    """Neither check nor complete."""


def _engines(
    kind: str,
    *,
    check: Callable[[Properties], None] = _nothing,
    complete: Callable[[Properties], None] = _nothing,
) -> Provider:
    """Use the engine's own: check what is asked for before, put in what it loses after."""
    own = _own[kind]

    def create(logical_id: str, properties: Properties, stack: str) -> Made:
        check(properties)
        made = own.create(logical_id, properties, stack)
        complete(properties)
        return made

    def update(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
        check(new)
        made = own.update(physical_id, old, new, stack, lid)
        complete(new)
        return made

    return replace(own, create=create, update=update)


# --- RestApi ------------------------------------------------------------------------------------


def _create_api(logical_id: str, properties: Properties, stack: str) -> Made:
    made = _own["RestApi"].create(logical_id, _in_words_of_the_api(properties), stack)
    return _kept(made, properties)


def _update_api(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
    before, after = _in_words_of_the_api(old), _in_words_of_the_api(new)
    return _kept(_own["RestApi"].update(physical_id, before, after, stack, lid), new)


def _in_words_of_the_api(properties: Properties) -> dict[str, Any]:
    endpoint = properties.get("EndpointConfiguration") or {"Types": ["EDGE"]}
    return {**properties, "EndpointConfiguration": {"types": list(endpoint.get("Types") or [])}}


def _kept(made: Made, properties: Properties) -> Made:
    record = apigateway_v1._rest_apis[made[0]]
    record["disableExecuteApiEndpoint"] = _true(properties.get("DisableExecuteApiEndpoint"))
    for name, word in (
        ("EndpointAccessMode", "endpointAccessMode"),
        ("SecurityPolicy", "securityPolicy"),
    ):
        record[word] = properties.get(name)
    return made


# --- What an API is made of ---------------------------------------------------------------------


def _create_resource(logical_id: str, properties: Properties, stack: str) -> Made:
    made = _own["Resource"].create(logical_id, properties, stack)
    if not made[0]:
        _refuse("Resource", f"{properties.get('PathPart')} cannot be made there")
    return made


def _complete_method(properties: Properties) -> None:
    resources = apigateway_v1._resources.get(properties["RestApiId"], {})
    resource = resources.get(properties["ResourceId"])
    if resource is None:
        _refuse("Method", f"there is no resource {properties['ResourceId']}")
    else:
        method = resource["resourceMethods"][properties["HttpMethod"]]
        method["apiKeyRequired"] = _true(properties.get("ApiKeyRequired"))
        method["requestValidatorId"] = properties.get("RequestValidatorId")


def _create_validator(logical_id: str, properties: Properties, stack: str) -> Made:
    made = loopback.client("apigateway").create_request_validator(
        restApiId=properties["RestApiId"],
        name=name_of(properties, "Name", stack, logical_id),
        validateRequestBody=_true(properties.get("ValidateRequestBody")),
        validateRequestParameters=_true(properties.get("ValidateRequestParameters")),
    )
    return made["id"], _validator(made["id"])


def _update_validator(
    physical_id: str, old: Properties, new: Properties, stack: str, lid: str
) -> Made:
    if any(old.get(key) != new.get(key) for key in ("Name", "RestApiId")):
        return _create_validator(lid, new, stack)
    words = {
        "ValidateRequestBody": "/validateRequestBody",
        "ValidateRequestParameters": "/validateRequestParameters",
    }
    operations = [
        {"op": "replace", "path": path, "value": str(_true(new.get(name))).lower()}
        for name, path in words.items()
    ]
    loopback.client("apigateway").update_request_validator(
        restApiId=new["RestApiId"], requestValidatorId=physical_id, patchOperations=operations
    )
    return physical_id, _validator(physical_id)


def _validator(physical_id: str) -> Attributes:
    return {"RequestValidatorId": physical_id}


def _delete_validator(physical_id: str, properties: Properties) -> None:
    with if_there():
        loopback.client("apigateway").delete_request_validator(
            restApiId=properties["RestApiId"], requestValidatorId=physical_id
        )


# --- What is served -----------------------------------------------------------------------------


def _create_deployment(logical_id: str, properties: Properties, stack: str) -> Made:
    api = properties["RestApiId"]
    resources = apigateway_v1._resources.get(api, {}).values()
    if not any(each["resourceMethods"] for each in resources):
        _refuse("Deployment", "the REST API doesn't contain any methods")
    made = _own["Deployment"].create(logical_id, properties, stack)
    rest_apis.deploy(api, made[0])
    return made


def _update_deployment(
    physical_id: str, old: Properties, new: Properties, stack: str, lid: str
) -> Made:
    if old["RestApiId"] != new["RestApiId"]:
        return _create_deployment(lid, new, stack)
    return _own["Deployment"].update(physical_id, old, new, stack, lid)  # another description


def _delete_deployment(physical_id: str, properties: Properties) -> None:
    api = properties["RestApiId"]
    for name, stage in apigateway_v1._stages_v1.get(api, {}).items():
        if stage["deploymentId"] == physical_id:
            _refuse("Deployment", f"stage {name} serves it: active stages must be moved first")
    _own["Deployment"].delete(physical_id, properties)
    rest_apis.forget(api, physical_id)


def _check_deployment(properties: Properties) -> None:
    known = apigateway_v1._deployments_v1.get(properties["RestApiId"], {})
    if properties.get("DeploymentId") not in known:
        _refuse("Stage", f"there is no deployment {properties.get('DeploymentId')}")


def _complete_stage(properties: Properties) -> None:
    stage = apigateway_v1._stages_v1[properties["RestApiId"]][properties["StageName"]]
    logs = properties.get("AccessLogSetting") or {}
    words = (("DestinationArn", "destinationArn"), ("Format", "format"))
    stage["accessLogSettings"] = {word: logs[name] for name, word in words if name in logs}
    stage["tracingEnabled"] = _true(properties.get("TracingEnabled"))


def _check_stage(properties: Properties) -> None:
    if properties.get("Stage") not in apigateway_v1._stages_v1.get(properties["RestApiId"], {}):
        _refuse("BasePathMapping", f"there is no stage {properties.get('Stage')}")


# --- Account ------------------------------------------------------------------------------------


def _update_account(
    physical_id: str, old: Properties, new: Properties, stack: str, lid: str
) -> Made:
    refuse_change(f"{_FAMILY}Account", old, new, "CloudWatchRoleArn")
    return _own["Account"].update(physical_id, old, new, stack, lid)


def _keep_account(physical_id: str, properties: Properties) -> None:
    """Leave the setting as it is, as AWS does when the resource is deleted."""


PROVIDERS = (
    replace(_own["Account"], update=_update_account, delete=_keep_account),
    _engines("BasePathMapping", check=_check_stage),
    replace(
        _own["Deployment"],
        create=_create_deployment,
        update=_update_deployment,
        delete=_delete_deployment,
    ),
    _engines("Method", complete=_complete_method),
    Provider(
        type=f"{_FAMILY}RequestValidator",
        create=_create_validator,
        update=_update_validator,
        delete=_delete_validator,
    ),
    replace(_own["Resource"], create=_create_resource),
    replace(_own["RestApi"], create=_create_api, update=_update_api),
    _engines("Stage", check=_check_deployment, complete=_complete_stage),
)
