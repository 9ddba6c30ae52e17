"""REST APIs: who is let in, what is checked, what is served, and that nothing is left."""

import json
from types import SimpleNamespace

import pytest
from local.conftest import PRIMARY, ROOT, SECONDARY, Clients, eventually, make_roles
from local.reading import problems, spoiled
from local.rest_apis import LATER, NAME, ROUTES, ask, body, outputs, rolled_out, zone
from local.stack_sets import StackSet, parameters

from tap_templates.blocks.http_api import Throttle
from tap_templates.local import engine as engines
from tap_templates.local.api import local_url

ENGINE = "tests-rest-apis"
NAMED = ["CAPABILITY_NAMED_IAM"]
BOOK = b'{"title": "x"}'


@pytest.fixture(scope="module")
def engine():
    engines.stop(ROOT, name=ENGINE)
    yield engines.start(ROOT, name=ENGINE)
    engines.stop(ROOT, name=ENGINE)


@pytest.fixture(scope="module")
def clients(engine):
    made = Clients(engine)
    make_roles(made("iam"), engine.account)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shop(clients, engine):
    known = StackSet(clients, TemplateBody=zone()).create(SECONDARY)
    zone_id = outputs(known, SECONDARY)["Zone"]
    made, found = rolled_out(clients, zone_id)
    urls = {region: local_url(engine, each["Url"]) for region, each in found.items()}
    return SimpleNamespace(made=made, outputs=found, urls=urls, zone=zone_id)


def test_all_of_it_is_read_back(shop):
    for region in (PRIMARY, SECONDARY):
        assert problems(shop.made, region, body(), Zone=shop.zone) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("ShopApi", {"EndpointConfiguration": {"Types": ["EDGE"]}}),
        ("ShopApi", {"SecurityPolicy": "TLS_1_0"}),
        ("ShopApi", {"DisableExecuteApiEndpoint": True}),
        ("ShopBooksResource", {"PathPart": "else"}),
        ("ShopPostBooksMethod", {"AuthorizationType": "NONE"}),
        ("ShopPostBooksMethod", {"RequestModels": {"$default": "other"}}),
        ("ShopPostBooksMethod", {"RequestValidatorId": "other"}),
        ("ShopPostBooksMethod", {"Integration": {"Uri": "other"}}),
        ("ShopBookModel", {"Schema": "{}"}),
        ("ShopBodyValidator", {"ValidateRequestBody": False}),
        ("ShopBadRequestBodyResponse", {"StatusCode": "422"}),
        ("ShopStage", {"TracingEnabled": False}),
        ("ShopStage", {"MethodSettings": [{"ThrottlingRateLimit": 1}]}),
        ("ShopStage", {"AccessLogSetting": {"Format": "x"}}),
        ("ShopDomain", {"SecurityPolicy": "TLS_1_0"}),
        ("ShopMapping", {"Stage": "other"}),
        ("ApiAccount", {"CloudWatchRoleArn": "other"}),
    ],
)
def test_reading_back_notices_what_differs(shop, name, change):
    found = problems(shop.made, PRIMARY, spoiled(body(), name, change), Zone=shop.zone)
    assert any(f": {name} (" in each for each in found)


def test_a_signed_request_reaches_the_function_of_its_region(shop, engine):
    for region, url in shop.urls.items():
        status, said = ask(
            f"{url}/books", method="POST", said=BOOK, key=engine.account, region=region
        )
        assert (status, said["region"]) == (202, region)
        event = said["event"]
        assert (event["resource"], event["httpMethod"]) == ("/books", "POST")
        assert json.loads(event["body"]) == {"title": "x"}
        identity = event["requestContext"]["identity"]
        assert identity["userArn"] == f"arn:aws:iam::{engine.account}:root"
        assert event["requestContext"]["stage"] == "live"


def test_a_variable_of_the_path_reaches_the_function(shop, engine):
    status, said = ask(f"{shop.urls[PRIMARY]}/books/b-1", key=engine.account)
    assert (status, said["event"]["pathParameters"]) == (200, {"bookId": "b-1"})


def test_an_unsigned_request_is_refused(shop):
    asked = f"{shop.urls[PRIMARY]}/books"
    refused = (403, {"message": "Missing Authentication Token"})
    assert ask(asked, method="POST", said=BOOK) == refused


@pytest.mark.parametrize(
    "wrong",
    [
        {"headers": {"Authorization": "Bearer abc"}},
        {"key": "AKIAXXXXXXXXXXXXXXXX"},
        {"key": "123456789012", "region": SECONDARY},
        {"key": "123456789012", "service": "lambda"},
    ],
    ids=["no signature", "nobody's key", "another region", "another service"],
)
def test_what_is_no_signature_for_it_is_refused(shop, wrong):
    assert ask(f"{shop.urls[PRIMARY]}/books/b-1", **wrong)[0] == 403


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x"])
@pytest.mark.parametrize("said", [b"{}", b'{"title": ""}', b'{"title": "x", "y": 1}', b"no", b"[]"])
def test_a_body_that_does_not_fit_is_refused_before_the_function(shop, engine, said, kind):
    asked = f"{shop.urls[PRIMARY]}/books"
    found = ask(asked, method="POST", said=said, kind=kind, key=engine.account)
    assert found == (400, {"error": "InvalidRequest"})


def test_health_is_open_under_the_own_host_and_under_the_name(shop, clients, engine):
    record = {
        "Name": NAME,
        "Type": "CNAME",
        "TTL": 10,
        "ResourceRecords": [{"Value": shop.outputs[SECONDARY]["Host"]}],
    }
    changes = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    clients("route53").change_resource_record_sets(HostedZoneId=shop.zone, ChangeBatch=changes)
    assert ask(f"{shop.urls[PRIMARY]}/health/deep")[0] == 200
    status, said = ask(f"{engine.endpoint_url}/health/deep", headers={"Host": NAME})
    assert (status, said["region"]) == (200, SECONDARY)


def test_a_health_check_asks_it_under_the_own_host(shop, clients):
    route53, api = clients("route53"), shop.outputs[PRIMARY]["Api"]
    config = {
        "Type": "HTTPS",
        "FullyQualifiedDomainName": f"{api}.execute-api.{PRIMARY}.amazonaws.com",
        "ResourcePath": "/live/health/deep",
        "RequestInterval": 10,
        "FailureThreshold": 1,
    }
    made = route53.create_health_check(CallerReference=api, HealthCheckConfig=config)
    known = made["HealthCheck"]["Id"]

    def reports():
        found = route53.get_health_check_status(HealthCheckId=known)
        return found["HealthCheckObservations"][0]["StatusReport"]["Status"]

    eventually(lambda: reports().startswith("Success"))
    route53.delete_health_check(HealthCheckId=known)


def test_a_failing_function_says_nothing_of_itself_and_rings(shop, clients):
    refused = (502, {"message": "Internal server error"})
    assert ask(f"{shop.urls[PRIMARY]}/fails") == refused
    cloudwatch = clients("cloudwatch")
    name = clients("apigateway").get_rest_api(restApiId=shop.outputs[PRIMARY]["Api"])["name"]
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/ApiGateway",
        MetricName="5XXError",
        Dimensions=[{"Name": "ApiName", "Value": name}, {"Name": "Stage", "Value": "live"}],
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


def test_without_lambdas_permission_nothing_is_invoked(shop, clients):
    functions, alias = clients("lambda", SECONDARY), shop.outputs[SECONDARY]["Alias"]
    known = {"FunctionName": alias.rpartition(":")[0], "Qualifier": "live"}
    statements = json.loads(functions.get_policy(**known)["Policy"])["Statement"]
    (statement,) = (
        each
        for each in statements
        if each["Condition"]["ArnLike"]["AWS:SourceArn"].endswith("/GET/health/deep")
    )
    functions.remove_permission(**known, StatementId=statement["Sid"])
    refused = (500, {"message": "Internal server error"})
    asked = f"{shop.urls[SECONDARY]}/health/deep"
    try:
        assert ask(asked) == refused
    finally:
        functions.add_permission(
            **known,
            StatementId=statement["Sid"],
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=statement["Condition"]["ArnLike"]["AWS:SourceArn"],
        )
    assert ask(asked)[0] == 200


def test_a_killed_regions_api_does_not_answer(shop, engine):
    engines.control(engine, "kill", region=PRIMARY)
    try:
        assert ask(f"{shop.urls[PRIMARY]}/health/deep")[0] == 503
        assert ask(f"{shop.urls[SECONDARY]}/health/deep")[0] == 200
    finally:
        engines.control(engine, "heal", region=PRIMARY)


def test_a_changed_api_is_deployed_anew_and_leaves_nothing(shop, clients, engine):
    """What is put behind a deployment is not served; another API is, and is limited anew."""
    name = f"second.{NAME.partition('.')[2]}"

    def changed(**changes):
        return body(name=name, **changes)

    made, found = rolled_out(clients, shop.zone, suffix="second", template=changed())
    client, api = clients("apigateway"), found[PRIMARY]["Api"]
    url = local_url(engine, found[PRIMARY]["Url"])
    root = client.get_rest_api(restApiId=api)["rootResourceId"]
    behind = client.create_resource(restApiId=api, parentId=root, pathPart="later")["id"]
    client.put_method(restApiId=api, resourceId=behind, httpMethod="GET", authorizationType="NONE")
    assert ask(f"{url}/later")[0] == 403
    client.delete_resource(restApiId=api, resourceId=behind)
    for template in (
        changed(routes=(*ROUTES, LATER)),
        changed(routes=(*ROUTES, LATER), throttle=Throttle(rate=1, burst=1)),
    ):
        given = parameters(Zone=shop.zone, EnvironmentSuffix="second")
        operation = made.run(
            "update_stack_set", TemplateBody=template, Parameters=given, Capabilities=NAMED
        )
        assert operation["Status"] == "SUCCEEDED", made.results(operation)
        assert ask(f"{url}/later")[0] == 200
        assert len(client.get_deployments(restApiId=api)["items"]) == 1
    answers = [ask(f"{url}/later") for _ in range(5)]
    assert (429, {"error": "TooManyRequests"}) in answers
    _delete(made, clients, name)


def _delete(made, clients, name):
    assert made.delete()["Status"] == "SUCCEEDED"
    for region in (PRIMARY, SECONDARY):
        client = clients("apigateway", region)
        apis = [each["name"] for each in client.get_rest_apis()["items"]]
        assert "api-shop-second" not in apis
        assert name not in [each["domainName"] for each in client.get_domain_names()["items"]]
        certificates = clients("acm", region).list_certificates()["CertificateSummaryList"]
        assert name not in [each["DomainName"] for each in certificates]
        groups = clients("logs", region).describe_log_groups()["logGroups"]
        # Lambda makes one itself for what no template names, here as on AWS.
        names = [each["logGroupName"] for each in groups]
        assert "/aws/vendedlogs/apis/api-shop-second" not in names
        functions = clients("lambda", region).list_functions()["Functions"]
        assert not any("second" in each["FunctionName"] for each in functions)


def _alone(**properties):
    kind = {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "Api"}}}
    api = {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "alone"}}
    return {"Api": api, "Deployment": kind, **properties}


@pytest.mark.parametrize(
    ("resources", "says"),
    [
        (_alone(), "doesn't contain any methods"),
        (
            {
                **_alone(
                    Stage={
                        "Type": "AWS::ApiGateway::Stage",
                        "Properties": {
                            "RestApiId": {"Ref": "Api"},
                            "StageName": "live",
                            "DeploymentId": "none",
                        },
                    }
                ),
                "Deployment": {"Type": "AWS::SNS::Topic"},
            },
            "there is no deployment none",
        ),
    ],
)
def test_what_aws_refuses_fails_the_stack(clients, resources, says):
    made = StackSet(clients, TemplateBody=json.dumps({"Resources": resources}))
    operation = made.run("create_stack_instances", PRIMARY)
    assert operation["Status"] == "FAILED"
    assert says in made.results(operation)[PRIMARY]["StatusReason"]
