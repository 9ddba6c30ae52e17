"""Patches: REST APIs serve what was deployed, let in whom AWS lets in, check bodies, and count.

The engine serves methods as they are now, deployed or not, and takes any Authorization header for a
signature. Here a stage serves the methods of its deployment; a signature must be one for this API
(`signatures`); and the function's policy has to admit the method.
"""

import contextvars
import copy
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import apigateway_v1, cloudwatch

from tap_engine import invocation, signatures
from tap_engine.originals import patch

Answer = tuple[int, dict[str, str], bytes]
Handle = Callable[..., Awaitable[Answer]]
Resources = dict[str, Any]

_ANY_TYPE = "$default"
_JSON = "application/json"
# The resources and methods of a deployment, by account, region, API and deployment.
_DEPLOYED: dict[tuple[str, str, str, str], Resources] = {}
# Those of the request that is being answered; None: as they are now.
_SERVED: contextvars.ContextVar[Resources | None] = contextvars.ContextVar("served", default=None)


def install() -> None:
    """Make the patches."""
    patch(
        apigateway_v1,
        "_handle_execute_in_scope",
        "60ed5805557f",
        _guarded,
        why="AWS_IAM takes any header, Lambda's permission is not asked, nothing is counted",
    )
    patch(
        apigateway_v1,
        "_match_resource_tree",
        "f07f88e8b49c",
        _deployed,
        why="a method is served before it is deployed",
    )
    patch(
        apigateway_v1,
        "_check_request_validation",
        "9605a07a083f",
        _for_its_type,
        why="the model for $default is unknown, that for application/json is taken for all types",
    )


def deploy(api: str, deployment: str) -> None:
    """Remember what an API is made of now, as what the deployment serves."""
    known = _DEPLOYED[(get_account_id(), get_region(), api, deployment)] = {}
    known.update(copy.deepcopy(dict(apigateway_v1._resources.get(api, {}))))


def forget(api: str, deployment: str) -> None:
    """Forget a deployment that is gone."""
    _DEPLOYED.pop((get_account_id(), get_region(), api, deployment), None)


def _deployed(original: Callable[..., Any]) -> Callable[..., Any]:
    def match(api_id: str, segments: list[str]) -> Any:
        served = _SERVED.get()
        if served is None:
            return original(api_id, segments)
        root = next((each for each in served.values() if each.get("path") == "/"), None)
        if root is None or not segments:
            return root, {}
        return apigateway_v1._match_recursive(served, root["id"], segments, {})

    return match


def _guarded(original: Handle) -> Handle:
    async def handle(  # noqa: PLR0917 - the engine's own
        api_id: str,
        stage: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Any,
        account: str,
        region: str,
    ) -> Answer:
        began = time.monotonic()
        record = apigateway_v1._stages_v1.get(api_id, {}).get(stage) or {}
        deployment = (account, region, api_id, str(record.get("deploymentId")))
        before = _SERVED.set(_DEPLOYED.get(deployment))
        try:
            answer = _refusal(api_id, stage, method, path, headers)
            if answer is None:
                arguments = (api_id, stage, method, path, headers, body, query, account, region)
                answer = _as_aws_says(await original(*arguments))
        finally:
            _SERVED.reset(before)
        _count(api_id, stage, answer[0], (time.monotonic() - began) * 1000)
        return answer

    return handle


def _refusal(
    api_id: str, stage: str, method: str, path: str, headers: Mapping[str, str]
) -> Answer | None:
    """Say what AWS answers before it comes to the integration; None if it comes to it."""
    segments = [each for each in path.split("/") if each]
    resource, _ = apigateway_v1._match_resource_tree(api_id, segments)
    known = (resource or {}).get("resourceMethods", {}).get(method)
    if not known:
        return None  # the engine refuses what is not there
    given = any(name.lower() == "authorization" for name in headers)
    by_iam = known.get("authorizationType") == "AWS_IAM"
    if by_iam and not given:
        return None  # as it does what is not signed
    if by_iam and not signatures.is_signed(headers, "execute-api", get_region()):
        return _say(403, "The security token included in the request is invalid.")
    integration = known.get("methodIntegration") or {}
    function = apigateway_v1._extract_lambda_ref_from_integration_uri(integration.get("uri", ""))
    where = f"arn:aws:execute-api:{get_region()}:{get_account_id()}:{api_id}/{stage}/{method}"
    if integration.get("type") == "AWS_PROXY" and not invocation.may_be_invoked_by(
        function, f"{where}/{'/'.join(segments)}", service="apigateway.amazonaws.com"
    ):
        return _say(500, "Internal server error")
    return None


def _for_its_type(original: Callable[..., Any]) -> Callable[..., Any]:
    def check(  # noqa: PLR0917 - the engine's own
        method: Mapping[str, Any],
        api_id: str,
        request: Any,
        headers: Mapping[str, str],
        body: bytes,
        query: Any,
    ) -> Any:
        models = dict(method.get("requestModels") or {})
        kind = (apigateway_v1._header_ci(headers, "content-type") or _JSON).partition(";")[0]
        model = models.get(kind.strip(), models.get(_ANY_TYPE))
        meant = {**method, "requestModels": {_JSON: model} if model else {}}
        return original(meant, api_id, request, headers, body, query)

    return check


def _as_aws_says(answer: Answer) -> Answer:
    """Hide from the caller what went wrong in the function, as AWS does."""
    status, headers, _ = answer
    return (status, headers, _message("Internal server error")) if status == 502 else answer


def _say(status: int, message: str) -> Answer:
    return status, {"Content-Type": _JSON}, _message(message)


def _message(text: str) -> bytes:
    return json.dumps({"message": text}).encode()


def _count(api_id: str, stage: str, status: int, milliseconds: float) -> None:
    name = str((apigateway_v1._rest_apis.get(api_id) or {}).get("name"))
    values = {
        "Count": (1, "Count"),
        "4XXError": (int(400 <= status < 500), "Count"),
        "5XXError": (int(status >= 500), "Count"),
        "Latency": (milliseconds, "Milliseconds"),
    }
    for dimensions in ({"ApiName": name}, {"ApiName": name, "Stage": stage}):
        for metric, (value, unit) in values.items():
            cloudwatch.record_metric("AWS/ApiGateway", metric, value, unit, dimensions)
