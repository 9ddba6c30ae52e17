"""Faults of REST APIs, of their names and of what measures them: see `unit.blocks.rest_pair`."""

from typing import Any

from unit.blocks import rest_pair
from unit.invariants.planted import Planted, add, drop, put

_CONFIG = "HealthCheckConfig"
_CHECK, _RECORD = "BooksHealthCheck", "BooksPrimaryRecord"
(_DEPLOYMENT,) = (
    title
    for title, body in rest_pair.rendered()["api"].template["Resources"].items()
    if body["Type"] == "AWS::ApiGateway::Deployment"
)
_NO_ROUTE = "which is no open GET route of an API in us-east-1 alone"


def _after(*but: str) -> Any:
    def edit(template):
        resource = template["Resources"][_DEPLOYMENT]
        resource["DependsOn"] = [each for each in resource["DependsOn"] if each not in but]

    return edit


def _twin(template):
    resources = template["Resources"]
    resources["Twin"] = resources["BooksApi"]


PLANTED = (
    Planted(
        "TAP-API-01", "api", _after("BooksGetHealthMethod"), logical_id=_DEPLOYMENT,
        says="may be taken before BooksGetHealthMethod is there", remedy="DependsOn",
    ),
    Planted(
        "TAP-API-01", "api", _after("BooksBadRequestBodyResponse", "BooksBookModel"),
        logical_id=_DEPLOYMENT, says="before BooksBadRequestBodyResponse, BooksBookModel are there",
    ),
    Planted(
        "TAP-API-02", "api", put("BooksStage", "DeploymentId", "abc"), logical_id="BooksStage",
        says="serves no deployment of its API", remedy="rest_api()",
    ),
    Planted(
        "TAP-API-02", "api", put("BooksStage", "RestApiId", "other"), logical_id="BooksApi",
        says="has no stage",
    ),
    Planted(
        "TAP-API-03", "api", _twin, logical_id="Twin",
        says="as api BooksApi in ${AWS::Region} is: their metrics are one", remedy="a purpose",
    ),
    *(
        Planted("TAP-DIM-01", "api", edit, logical_id="ApiFailsAlarm", says=says)
        for edit, says in (
            (put("ApiFailsAlarm", "Dimensions.0.Value", "api-else"), "measures ApiName=api-else"),
            (put("ApiFailsAlarm", "Dimensions.1.Value", "v1"), "measures Stage=api-books-dev|v1"),
        )
    ),
    *(
        Planted("TAP-OBJ-04", "dns", edit, logical_id=_CHECK, says=_NO_ROUTE)
        for edit in (
            put(_CHECK, f"{_CONFIG}.ResourcePath", "/health/deep"),
            put(_CHECK, f"{_CONFIG}.ResourcePath", "/live/books/1"),
            put(_CHECK, f"{_CONFIG}.ResourcePath", "/other/health/deep"),
        )
    ),
    *(
        Planted("TAP-OBJ-04", "api", edit, at="dns", logical_id=_CHECK, says=_NO_ROUTE)
        for edit in (
            put("BooksGetHealthDeepMethod", "AuthorizationType", "AWS_IAM"),
            put("BooksGetHealthDeepMethod", "ApiKeyRequired", value=True),
            put("BooksGetHealthDeepMethod", "HttpMethod", "POST"),
            put("BooksApi", "DisableExecuteApiEndpoint", value=True),
        )
    ),
    Planted(
        "TAP-OBJ-04", "api", put("BooksDomain", "DomainName", "else.example.com"), at="dns",
        logical_id=_RECORD, says="which is no custom domain of its name in us-east-1",
        remedy="rest_api_domain()",
    ),
    Planted(
        "TAP-NAME-01", "api", put("BooksApi", "Name", "books"), logical_id="BooksApi",
        says="does not end with the parameter EnvironmentSuffix",
    ),
    Planted("TAP-TAG-01", "api", drop("BooksStage", "Tags"), logical_id="BooksStage", says="lacks"),
    *(
        Planted(code, "api", add("Other", "AWS::ApiGateway::UsagePlan"), logical_id="Other")
        for code in ("TAP-NAME-02", "TAP-TAG-02")
    ),
    Planted(
        "TAP-ENC-01", "api", drop("BooksApiLog", "KmsKeyId"), logical_id="BooksApiLog",
        says="is not encrypted with a key of the system",
    ),
    Planted(
        "TAP-FN-08", "api", put("BookFunction", "Timeout", 60), logical_id="BookFunction",
        says="API Gateway waits 29 s",
    ),
)  # fmt: skip
