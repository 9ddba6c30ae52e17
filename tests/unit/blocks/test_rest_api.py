"""The REST API block: who may come in, what is checked, and when it is deployed anew."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from unit.blocks import rest_api_stack
from unit.blocks.rest_api_stack import API, BOOK_BODY, DEEP, GET, HEALTH, POST, ROUTES

from tap_templates.blocks.rest_api import JsonBody, Route
from tap_templates.blocks.rest_api_account import access_logs
from tap_templates.blocks.stack import StackTemplate
from tap_templates.compiler.lint import Linter, LintJob
from tap_templates.errors import BuildError, ModelError


@cache
def resources(routes: tuple[str, ...] = (), describes: str = "x") -> dict[str, Any]:
    named = {f"{each.method} {each.path}": each for each in ROUTES}
    chosen = tuple(named[each] for each in routes) or ROUTES

    def block(stack: StackTemplate) -> None:
        rest_api_stack.door(stack, chosen, describes)

    return rest_api_stack.compiled(block).template["Resources"]


def deployment(found: dict[str, Any]) -> str:
    (title,) = (
        title for title, each in found.items() if each["Type"] == "AWS::ApiGateway::Deployment"
    )
    return title


def properties(title: str) -> dict[str, Any]:
    return resources()[title]["Properties"]


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    full = f"AWS::ApiGateway::{kind}"
    return {title: each for title, each in resources().items() if each["Type"] == full}


def test_the_linter_has_nothing_to_say():
    stack = rest_api_stack.compiled()
    regions = ("us-east-1", "us-east-2")
    found = Linter(None).lint([LintJob("books", "block", regions, stack.body)], lambda _: None)
    assert found["books", "block"].findings == ()


def test_each_route_asks_for_a_signature_or_says_why_not():
    asked = {
        title: (each["Properties"]["AuthorizationType"], each.get("Metadata", {}))
        for title, each in of_type("Method").items()
    }
    assert {title: kind for title, (kind, _) in asked.items()} == {
        "BooksPostBooksMethod": "AWS_IAM",
        "BooksGetBooksBookIdMethod": "AWS_IAM",
        "BooksGetHealthMethod": "NONE",
        "BooksGetHealthDeepMethod": "NONE",
    }
    reasons = asked["BooksGetHealthMethod"][1]["tap.ignore_reasons"]
    assert reasons == {"E9601": HEALTH.open_because}


def test_paths_share_what_they_have_in_common():
    made = of_type("Resource").items()
    assert {title: each["Properties"]["PathPart"] for title, each in made} == {
        "BooksBooksResource": "books",
        "BooksBooksBookIdResource": "{bookId}",
        "BooksHealthResource": "health",
        "BooksHealthDeepResource": "deep",
    }  # fmt: skip
    assert properties("BooksHealthDeepResource")["ParentId"] == {"Ref": "BooksHealthResource"}


def test_one_route_of_the_live_stage_may_invoke_the_function():
    permission = resources()["BooksGetBooksBookIdPermission"]
    source = permission["Properties"]["SourceArn"]["Fn::Sub"]
    assert source.endswith(":${BooksApi}/live/GET/books/*")
    assert permission["DependsOn"] == ["BookAlias"]
    permissions = [e for e in resources().values() if e["Type"] == "AWS::Lambda::Permission"]
    assert len(permissions) == len(ROUTES)


def test_a_body_is_checked_whatever_type_it_says_it_is():
    method = properties("BooksPostBooksMethod")
    assert method["RequestModels"] == {"$default": {"Ref": "BooksBookModel"}}
    assert method["RequestValidatorId"] == {"Ref": "BooksBodyValidator"}
    assert properties("BooksBodyValidator")["ValidateRequestBody"] is True
    schema = json.loads(properties("BooksBookModel")["Schema"])
    assert schema["$schema"] == "http://json-schema.org/draft-04/schema#"
    assert "RequestValidatorId" not in properties("BooksGetBooksBookIdMethod")


def test_a_refusal_is_json_and_says_nothing_of_the_request():
    answers = {
        each["Properties"]["ResponseType"]: each["Properties"]["ResponseTemplates"]
        for each in of_type("GatewayResponse").values()
    }
    assert answers["BAD_REQUEST_BODY"] == {"application/json": '{"error": "InvalidRequest"}'}


def test_the_stage_is_limited_measured_traced_and_logged_without_payload():
    stage = properties("BooksStage")
    (every,) = stage["MethodSettings"]
    assert (every["ResourcePath"], every["HttpMethod"]) == ("/*", "*")
    assert (every["ThrottlingRateLimit"], every["ThrottlingBurstLimit"]) == (10, 5)
    assert (every["MetricsEnabled"], every["LoggingLevel"]) == (True, "OFF")
    assert every["DataTraceEnabled"] is False
    assert stage["TracingEnabled"] is True
    assert "body" not in stage["AccessLogSetting"]["Format"]
    assert resources()["BooksStage"]["DependsOn"] == ["BooksApiLog"]
    assert "KmsKeyId" in properties("BooksApiLog")


def test_the_own_host_answers_and_both_names_take_tls_1_2():
    api, domain = properties("BooksApi"), properties("BooksDomain")
    assert api["DisableExecuteApiEndpoint"] is False
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert "Policy" not in api
    assert api["SecurityPolicy"] == domain["SecurityPolicy"]
    assert "_1_2_PFS_" in domain["SecurityPolicy"]
    mapping = properties("BooksMapping")
    assert mapping["RestApiId"] == {"Ref": "BooksApi"}
    assert "BasePath" not in mapping


def test_a_deployment_comes_after_all_that_is_in_it():
    (made,) = of_type("Deployment").values()
    parts = {"Method", "Resource", "Model", "RequestValidator", "GatewayResponse"}
    expected = {title for kind in parts for title in of_type(kind)}
    assert set(made["DependsOn"]) == expected
    assert properties("BooksStage")["DeploymentId"] == {"Ref": deployment(resources())}


def test_the_same_api_keeps_its_deployment():
    again = rest_api_stack.compiled().template["Resources"]
    assert deployment(again) == deployment(resources())


@pytest.mark.parametrize(
    "other",
    [resources(("GET /health", "POST /books")), resources(describes="another")],
    ids=["fewer routes", "another description"],
)
def test_a_changed_api_is_deployed_anew(other):
    assert deployment(other) != deployment(resources())


def test_a_changed_schema_is_deployed_anew():
    looser = replace(BOOK_BODY, schema={**BOOK_BODY.schema, "required": []})

    def block(stack: StackTemplate) -> None:
        rest_api_stack.door(stack, (replace(POST, body=looser), GET, HEALTH, DEEP))

    changed = rest_api_stack.compiled(block).template["Resources"]
    assert deployment(changed) != deployment(resources())


def test_what_is_live_is_measured_by_name_from_anywhere():
    metric = API.metric("5XXError")
    assert metric.dimensions["Stage"] == "live"
    assert metric.dimensions["ApiName"].to_dict() == {"Fn::Sub": "api-books-${EnvironmentSuffix}"}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"method": "get"}, "is no method and path"),
        ({"method": "ANY"}, "is no method and path"),
        ({"path": "books"}, "is no method and path"),
        ({"path": "/"}, "is no method and path"),
        ({"path": "/{proxy+}"}, "is no method and path"),
        ({"open_because": " "}, "is open for no reason"),
        ({"method": "POST", "open_because": "all may"}, "lets anybody change something"),
        ({"method": "PUT", "open_because": "all may"}, "lets anybody change something"),
        ({"body": BOOK_BODY}, "has a body that no client sends"),
    ],
)
def test_a_route_that_cannot_be_meant_is_refused(wrong, says):
    with pytest.raises(ModelError, match=says):
        Route(**{"method": "GET", "path": "/books", **wrong})


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"$schema": "https://json-schema.org/draft/2020-12/schema"}, "is a schema of"),
        ({"type": "array"}, "does not say that it is an object"),
        ({"type": "object"}, "and of what other members"),
    ],
)
def test_a_schema_that_checks_little_is_refused(schema, says):
    with pytest.raises(ModelError, match=says):
        JsonBody(title="Book", describes="x", schema=schema)


@pytest.mark.parametrize(
    ("routes", "says"),
    [
        ((), "has no route"),
        ((GET, GET), "has GET /books/{bookId} twice"),
        ((GET, Route(method="GET", path="/books/{name}/pages")), "has a variable where"),
        ((GET, Route(method="GET", path="/books/bookId")), "is spelled like"),
        (
            (POST, Route(method="PUT", path="/b", body=replace(BOOK_BODY, describes="y"))),
            "is two different schemas",
        ),
    ],
)
def test_routes_that_do_not_go_together_are_refused(routes, says):
    with pytest.raises(BuildError, match=says):
        rest_api_stack.compiled(lambda stack: rest_api_stack.door(stack, routes))


def test_the_role_of_access_logs_writes_to_logs_of_apis_alone():
    made = access_logs()
    role, account = made.role.to_dict(), made.account.to_dict()
    assert account["Properties"]["CloudWatchRoleArn"] == {"Fn::GetAtt": ["AccessLogRole", "Arn"]}
    (policy,) = role["Properties"]["Policies"]
    statements = {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}
    written = [each["Fn::Sub"] for each in statements["WriteLogs"]["Resource"]]
    assert [each.partition(":log-group:")[2] for each in written] == [
        "/aws/apigateway/welcome:*",
        "/aws/vendedlogs/apis/api-*:*",
    ]
