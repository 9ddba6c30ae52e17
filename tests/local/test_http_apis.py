"""HTTP APIs: who is let in, what the function hears, what the caller hears."""

import json

import pytest
from local.apis import UNIQUE, Issuer, body, encoded, post, rolled_out, signed
from local.conftest import PRIMARY, SECONDARY, eventually
from local.reading import problems, spoiled

from tap_templates.local.api import api_url, local_url
from tap_templates.local.engine import EngineError


class TestAddresses:
    def test_an_output_of_a_template_has_a_local_address(self, engine):
        url = f"https://abc123.execute-api.{PRIMARY}.amazonaws.com"
        here = f"{engine.endpoint_url}/_aws/execute-api/abc123"
        assert local_url(engine, url) == local_url(engine, f"{url}/") == here
        assert local_url(engine, f"{url}/ingest") == f"{here}/ingest"
        assert local_url(engine, f"{here}/") == api_url(engine, "abc123") == here
        assert api_url(engine, "abc123", "prod") == f"{here}/prod"

    @pytest.mark.parametrize("url", ["", "https://example.com/x", "http://a.execute-api.x.com"])
    def test_another_address_has_none(self, engine, url):
        with pytest.raises(EngineError, match="no address of an HTTP API"):
            local_url(engine, url)


@pytest.fixture(scope="module")
def apis(clients):
    made, outputs = rolled_out(clients)
    for region in outputs:
        assert problems(made, region, body()) == []
    yield outputs
    assert made.delete()["Status"] == "SUCCEEDED"


class TestSignatures:
    def test_it_is_kept_as_the_template_says(self, apis, clients):
        for region, outputs in apis.items():
            client, known = clients("apigatewayv2", region), {"ApiId": outputs["Api"]}
            assert client.get_api(**known)["Tags"]["Owner"] == "x"
            (stage,) = client.get_stages(**known)["Items"]
            assert stage["StageName"] == "$default"
            assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 20
            assert region in stage["AccessLogSettings"]["DestinationArn"]
            (integration,) = client.get_integrations(**known)["Items"]
            assert integration["IntegrationUri"] == outputs["Alias"]
            assert integration["TimeoutInMillis"] == 10000
            listed = client.get_routes(**known)["Items"]
            assert {each["AuthorizationType"] for each in listed} == {"AWS_IAM"}
            assert client.get_authorizers(**known)["Items"] == []

    def test_a_signed_request_reaches_the_function_of_its_region(self, apis, engine):
        for region, outputs in apis.items():
            assert outputs["Endpoint"] == local_url(engine, outputs["ApiUrl"])
            url = outputs["Endpoint"] + "/ingest"
            status, event = signed(url, engine.account, region=region)
            assert status == 202, event
            assert (event["version"], event["routeKey"]) == ("2.0", "POST /ingest")
            assert (event["rawPath"], event["body"]) == ("/ingest", '{"n": 1}')
            assert event["isBase64Encoded"] is False
            context = event["requestContext"]
            assert context["apiId"] == outputs["Api"]
            assert context["stage"] == "$default"
            iam = context["authorizer"]["iam"]
            assert iam["accountId"] == iam["accessKey"] == engine.account
            assert iam["userArn"] == f"arn:aws:iam::{engine.account}:root"

    def test_an_unsigned_request_is_refused(self, apis, engine):
        url = local_url(engine, apis[PRIMARY]["ApiUrl"]) + "/ingest"
        assert post(url) == (403, {"message": "Forbidden"})

    @pytest.mark.parametrize(
        "headers", [{"Authorization": "Bearer abc"}, {"Authorization": "AWS4-HMAC-SHA256 x"}]
    )
    def test_a_header_that_is_no_signature_is_refused(self, apis, engine, headers):
        url = local_url(engine, apis[PRIMARY]["ApiUrl"]) + "/ingest"
        assert post(url, headers)[0] == 403

    @pytest.mark.parametrize(
        "wrong", [{"region": SECONDARY}, {"service": "lambda"}], ids=["region", "service"]
    )
    def test_a_signature_for_something_else_is_refused(self, apis, engine, wrong):
        url = local_url(engine, apis[PRIMARY]["ApiUrl"]) + "/ingest"
        assert signed(url, engine.account, **wrong)[0] == 403

    def test_a_key_that_nobody_has_is_refused(self, apis, engine):
        url = local_url(engine, apis[PRIMARY]["ApiUrl"]) + "/ingest"
        assert signed(url, "AKIAXXXXXXXXXXXXXXXX")[0] == 403

    def test_a_route_that_is_not_there_is_not_found(self, apis, engine):
        url = local_url(engine, apis[PRIMARY]["ApiUrl"])
        assert signed(f"{url}/nothing", engine.account)[0] == 404

    def test_a_failing_function_says_nothing_of_itself_and_rings(self, apis, engine, clients):
        url = local_url(engine, apis[PRIMARY]["ApiUrl"]) + "/fail"
        assert signed(url, engine.account) == (500, {"message": "Internal Server Error"})
        cloudwatch, name = clients("cloudwatch"), f"api-{UNIQUE}"
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="AWS/ApiGateway",
            MetricName="5xx",
            Dimensions=[{"Name": "ApiId", "Value": apis[PRIMARY]["Api"]}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
        )
        eventually(
            lambda: (
                cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]
                == "ALARM"
            )
        )

    def test_without_lambdas_permission_nothing_is_invoked(self, apis, engine, clients):
        functions, alias = clients("lambda", SECONDARY), apis[SECONDARY]["Alias"]
        known = {"FunctionName": alias.rpartition(":")[0], "Qualifier": "live"}
        (statement,) = json.loads(functions.get_policy(**known)["Policy"])["Statement"]
        functions.remove_permission(**known, StatementId=statement["Sid"])
        url = local_url(engine, apis[SECONDARY]["ApiUrl"]) + "/ingest"
        try:
            status, said = signed(url, engine.account, region=SECONDARY)
        finally:
            functions.add_permission(
                **known,
                StatementId=statement["Sid"],
                Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
                SourceArn=statement["Condition"]["ArnLike"]["AWS:SourceArn"],
            )
        assert (status, said) == (500, {"message": "Internal Server Error"})
        assert signed(url, engine.account, region=SECONDARY)[0] == 202

    def test_a_killed_regions_api_does_not_answer(self, apis, engine, control):
        urls = {region: local_url(engine, each["ApiUrl"]) for region, each in apis.items()}
        control("kill", region=PRIMARY)
        assert post(f"{urls[PRIMARY]}/ingest")[0] == 503
        assert signed(f"{urls[SECONDARY]}/ingest", engine.account, region=SECONDARY)[0] == 202


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def urls(clients, issuer):
    """The route in both regions, where it wants a token."""
    made, outputs = rolled_out(clients, Issuer=issuer.url)
    for region in outputs:
        assert problems(made, region, body(), Issuer=issuer.url) == []
    return [local_url(clients.engine, each["ApiUrl"]) + "/ingest" for each in outputs.values()]


class TestTokens:
    def test_a_valid_token_gives_the_function_its_claims(self, urls, issuer):
        for url in urls:
            token = issuer.token(scope="write read")
            status, event = post(url, {"Authorization": f"Bearer {token}"})
            assert status == 202, event
            given = event["requestContext"]["authorizer"]["jwt"]
            assert given["claims"]["iss"] == issuer.url
            assert given["claims"]["sub"] == "somebody"
            assert given["claims"]["exp"].isdigit()
            assert given["scopes"] == ["read", "write"]

    def test_without_a_token_it_is_refused(self, urls, engine):
        assert post(urls[0]) == (401, {"message": "Unauthorized"})
        assert signed(urls[0], engine.account)[0] == 401

    @pytest.mark.parametrize(
        "changes",
        [{"aud": "others"}, {"iss": "https://else"}, {"exp": 1}, {"nbf": 2**40}],
        ids=["audience", "issuer", "expired", "not-yet"],
    )
    def test_a_token_for_another_use_is_refused(self, urls, issuer, changes):
        headers = {"Authorization": f"Bearer {issuer.token(**changes)}"}
        assert post(urls[0], headers)[0] == 401

    def test_a_token_with_another_signature_is_refused(self, urls, issuer):
        said, _, proof = issuer.token().rpartition(".")
        for forged in (proof[:-4] + "AAAA", "", encoded(b"\x01")):
            assert post(urls[0], {"Authorization": f"Bearer {said}.{forged}"})[0] == 401

    def test_a_token_that_was_changed_is_refused(self, urls, issuer):
        header, _, proof = issuer.token().split(".")
        _, other, _ = issuer.token(sub="somebody else").split(".")
        assert post(urls[0], {"Authorization": f"Bearer {header}.{other}.{proof}"})[0] == 401


def test_an_issuer_that_is_nowhere_is_trusted_if_asked_to(clients, issuer, control):
    """So that a template that allows https issuers alone can be tried."""
    url = f"https://tokens-{UNIQUE}.example"
    control("trust", issuer=url, keys=json.dumps({"keys": [issuer.key()]}))
    _, outputs = rolled_out(clients, Issuer=url)
    route = local_url(clients.engine, outputs[PRIMARY]["ApiUrl"]) + "/ingest"
    status, event = post(route, {"Authorization": f"Bearer {issuer.token(iss=url)}"})
    assert status == 202
    assert event["requestContext"]["authorizer"]["jwt"]["claims"]["iss"] == url
    assert post(route, {"Authorization": f"Bearer {issuer.token()}"})[0] == 401


def test_keys_that_are_no_json_are_refused(control):
    with pytest.raises(EngineError, match="cannot read"):
        control("trust", issuer="https://x", keys="no")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("Api", {"Name": "another"}),
        ("Integration", {"TimeoutInMillis": 1}),
        ("Ingest", {"RouteKey": "POST /another"}),
        ("Ingest", {"AuthorizationType": "NONE"}),
        ("Ingest", {"Target": "integrations/another"}),
        ("Stage", {"DefaultRouteSettings": {"ThrottlingBurstLimit": 1}}),
        ("Authorizer", {"JwtConfiguration": {"Issuer": "https://x", "Audience": ["y"]}}),
        ("Authorizer", {"ApiId": "of-somebody"}),
    ],
)
def test_reading_back_notices_what_differs(reading, name, change):
    (problem,) = problems(reading, PRIMARY, spoiled(body(), name, change), Issuer="https://x")
    assert f": {name} (" in problem


@pytest.fixture(scope="module")
def reading(clients):
    return rolled_out(clients, Issuer="https://x")[0]


def test_an_api_changes_in_place_and_takes_nothing_away(clients):
    made, outputs = rolled_out(clients)
    changed = json.loads(body())
    changed["Resources"]["Integration"]["Properties"]["TimeoutInMillis"] = 5000
    changed["Resources"]["Api"]["Properties"]["Tags"] = {"Owner": "y"}
    operation = made.run("update_stack_set", TemplateBody=json.dumps(changed))
    assert operation["Status"] == "SUCCEEDED", made.results(operation)
    client, known = clients("apigatewayv2"), {"ApiId": outputs[PRIMARY]["Api"]}
    (integration,) = client.get_integrations(**known)["Items"]
    assert integration["TimeoutInMillis"] == 5000
    arn = f"arn:aws:apigateway:{PRIMARY}::/apis/{outputs[PRIMARY]['Api']}"
    assert client.get_tags(ResourceArn=arn)["Tags"]["Owner"] == "y"
    del changed["Resources"]["Stage"]["Properties"]["AccessLogSettings"]
    operation = made.run("update_stack_set", TemplateBody=json.dumps(changed))
    assert "does not simulate taking away" in made.results(operation)[PRIMARY]["StatusReason"]
