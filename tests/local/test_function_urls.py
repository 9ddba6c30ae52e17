"""A function's own address: who is let in, what the function hears, what it says if it fails."""

import json
from uuid import uuid4

import pytest
from local.apis import post, signed
from local.conftest import PRIMARY, SECONDARY
from local.lambdas import live_function
from local.reading import problems, spoiled
from local.stack_sets import StackSet, refusal

from tap_templates.local.api import local_url
from tap_templates.local.engine import EngineError

UNIQUE = uuid4().hex[:8]
BOTH = (PRIMARY, SECONDARY)
CODE = """
import json

def handler(event, context):
    if event["rawPath"] == "/fail":
        raise RuntimeError("a secret of the function")
    return {"statusCode": 201, "body": json.dumps(event)}
"""


def body(auth="AWS_IAM", origins=None):
    """A function with an address for who signs, by its alias, and the two permissions for it."""

    def permission(action, **more):
        return {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": f"lambda:{action}",
                "FunctionName": {"Ref": "Alias"},
                "Principal": {"Ref": "AWS::AccountId"},
                **more,
            },
        }

    cors = {"Cors": {"AllowOrigins": origins}} if origins else {}
    return json.dumps(
        {
            "Resources": {
                **live_function(f"door-{UNIQUE}", CODE),
                "Url": {
                    "Type": "AWS::Lambda::Url",
                    "DependsOn": ["Alias"],
                    "Properties": {
                        "AuthType": auth,
                        "Qualifier": "live",
                        "TargetFunctionArn": {"Ref": "Function"},
                        **cors,
                    },
                },
                "Call": permission("InvokeFunctionUrl", FunctionUrlAuthType="AWS_IAM"),
                "Through": permission("InvokeFunction", InvokedViaFunctionUrl=True),
            },
            "Outputs": {"Url": {"Value": {"Fn::GetAtt": ["Url", "FunctionUrl"]}}},
        }
    )


@pytest.fixture(scope="module")
def made(clients):
    made = StackSet(clients, TemplateBody=body()).create()
    yield made
    assert made.delete()["Status"] == "SUCCEEDED"
    for region in BOTH:
        known = {"FunctionName": f"door-{UNIQUE}"}
        functions = clients("lambda", region)
        assert refusal(functions.get_function, **known) == "ResourceNotFoundException"


@pytest.fixture(scope="module")
def urls(made):
    return {region: made.stack(region)["Outputs"][0]["OutputValue"] for region in BOTH}


def call(url, key, region, **more):
    return signed(url, key, region=region, **{"service": "lambda", **more})


def test_it_is_kept_as_the_template_says(made, clients):
    for region in BOTH:
        assert problems(made, region, body()) == []
        known = {"FunctionName": f"door-{UNIQUE}", "Qualifier": "live"}
        policy = clients("lambda", region).get_policy(**known)["Policy"]
        found = {each["Action"]: each["Condition"] for each in json.loads(policy)["Statement"]}
        assert found == {
            "lambda:InvokeFunctionUrl": {
                "StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
            "lambda:InvokeFunction": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
        }  # fmt: skip


def test_the_address_of_aws_has_one_here(urls, clients, engine):
    for region, url in urls.items():
        known = {"FunctionName": f"door-{UNIQUE}", "Qualifier": "live"}
        there = clients("lambda", region).get_function_url_config(**known)["FunctionUrl"]
        assert there.endswith(f".lambda-url.{region}.on.aws/")
        assert local_url(engine, there) + "/" == url
        assert local_url(engine, url) + "/" == url
    with pytest.raises(EngineError, match="no address"):
        local_url(engine, "https://x.lambda-url.example.com/")


def test_a_signed_request_reaches_the_function_of_its_region(urls, engine):
    for region, url in urls.items():
        status, event = call(f"{url}payments?a=1", engine.account, region)
        assert status == 201, event
        assert (event["version"], event["routeKey"]) == ("2.0", "$default")
        assert (event["rawPath"], event["rawQueryString"]) == ("/payments", "a=1")
        assert (event["body"], event["isBase64Encoded"]) == ('{"n": 1}', False)
        context = event["requestContext"]
        assert context["http"]["method"] == "POST"
        assert context["domainName"].endswith(f".lambda-url.{region}.on.aws")
        iam = context["authorizer"]["iam"]
        assert iam["accountId"] == iam["accessKey"] == engine.account
        assert iam["userArn"] == f"arn:aws:iam::{engine.account}:root"
        assert iam["cognitoIdentity"] is None


def test_an_unsigned_request_is_refused(urls):
    assert post(urls[PRIMARY]) == (403, {"Message": "Forbidden"})


@pytest.mark.parametrize(
    "headers", [{"Authorization": "Bearer abc"}, {"Authorization": "AWS4-HMAC-SHA256 x"}]
)
def test_a_header_that_is_no_signature_is_refused(urls, headers):
    assert post(urls[PRIMARY], headers)[0] == 403


def test_a_signature_in_the_query_is_refused(urls):
    assert post(f"{urls[PRIMARY]}?X-Amz-Signature=x")[0] == 403


@pytest.mark.parametrize(
    "wrong", [{"region": SECONDARY}, {"service": "execute-api"}], ids=["region", "service"]
)
def test_a_signature_for_something_else_is_refused(urls, engine, wrong):
    known = {"region": PRIMARY, **wrong}
    assert call(urls[PRIMARY], engine.account, **known)[0] == 403


def test_a_key_that_nobody_has_is_refused(urls):
    assert call(urls[PRIMARY], "AKIAXXXXXXXXXXXXXXXX", PRIMARY)[0] == 403


def test_an_address_that_nobody_has_is_refused_alike(engine):
    assert post(f"{engine.endpoint_url}/_aws/lambda-url/{'a' * 32}/")[0] == 403


def test_a_failing_function_says_nothing_of_itself(urls, engine):
    found = call(f"{urls[PRIMARY]}fail", engine.account, PRIMARY)
    assert found == (502, {"Message": "Internal Server Error"})


def test_a_killed_region_does_not_answer_signed_or_not(urls, engine, control):
    control("kill", region=PRIMARY)
    assert post(urls[PRIMARY])[0] == 503
    assert call(urls[PRIMARY], engine.account, PRIMARY)[0] == 503
    assert call(urls[SECONDARY], engine.account, SECONDARY)[0] == 201
    control("heal", region=PRIMARY)
    assert call(urls[PRIMARY], engine.account, PRIMARY)[0] == 201


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("Url", {"AuthType": "NONE"}),
        ("Call", {"FunctionUrlAuthType": "NONE"}),
        ("Call", {"Principal": "210987654321"}),
        ("Through", {"Action": "lambda:GetFunction"}),
        ("Through", {"InvokedViaFunctionUrl": False}),
    ],
)
def test_reading_back_notices_what_differs(made, name, change):
    (problem,) = problems(made, PRIMARY, spoiled(body(), name, change))
    assert f": {name} (" in problem


def test_it_changes_in_place_and_may_be_open(made, urls, engine):
    operation = made.run("update_stack_set", TemplateBody=body("NONE", ["https://x"]))
    assert operation["Status"] == "SUCCEEDED", made.results(operation)
    assert made.stack(PRIMARY)["Outputs"][0]["OutputValue"] == urls[PRIMARY]
    status, event = post(urls[PRIMARY])
    assert status == 201
    assert "authorizer" not in event["requestContext"]
    assert made.run("update_stack_set", TemplateBody=body())["Status"] == "SUCCEEDED"
    assert post(urls[PRIMARY])[0] == 403
