"""A name with a latch: two health checks are counted, and the name moves with either of them."""

import json
from contextlib import contextmanager

import pytest
from local.conftest import PRIMARY, ROOT, SECONDARY, Clients, eventually, make_roles
from local.names import BOTH, NAME, ZONE, api, calculated, check, dns, zone
from local.stack_sets import StackSet, parameters

from tap_templates.local import engine as engines

ENGINE = "tests-latch"
HOST = "execute-api.{region}.amazonaws.com"
LATCHED = "latched"


@contextmanager
def running():
    engines.stop(ROOT, name=ENGINE)
    clients = Clients(engines.start(ROOT, name=ENGINE))
    make_roles(clients("iam"), clients.engine.account)
    yield clients
    clients.close()
    engines.stop(ROOT, name=ENGINE)


def outputs(stack, region):
    return {each["OutputKey"]: each["OutputValue"] for each in stack.stack(region)["Outputs"]}


def latched_dns(**more):
    """The records, of which the primary follows its endpoint and the latch of the secondary."""
    host = {"Fn::Sub": "${SecondaryApi}." + HOST.format(region=SECONDARY)}
    extra = {
        "Latch": check(
            FullyQualifiedDomainName=host, SearchString=f'"state": "{LATCHED}"', Inverted=True
        ),
        "Both": calculated("Check", "Latch"),
        **more,
    }
    body = json.loads(dns(extra=extra))
    body["Parameters"]["SecondaryApi"] = {"Type": "String"}
    body["Resources"]["Primary"]["Properties"]["HealthCheckId"] = {"Ref": "Both"}
    return body


class Pair:
    """Both regions' APIs, what they are like, and what the name leads to."""

    def __init__(self, clients, zone_id, apis):
        self.clients = clients
        self.apis = {region: outputs(apis, region) for region in BOTH}
        self.given = {
            "Zone": zone_id,
            "PrimaryApi": self.apis[PRIMARY]["Api"],
            "PrimaryHost": self.apis[PRIMARY]["Host"],
            "SecondaryApi": self.apis[SECONDARY]["Api"],
            "SecondaryHost": self.apis[SECONDARY]["Host"],
        }

    def become(self, region, **variables):
        self.clients("lambda", region).update_function_configuration(
            FunctionName=self.apis[region]["Function"], Environment={"Variables": variables}
        )

    def control(self, command, **query):
        return engines.control(self.clients.engine, command, **query)

    @property
    def answered(self):
        return self.control("dns", name=NAME)["values"][0].split(".")[2]

    def seen(self, check_id):
        return self.control("dns", name=NAME)["checks"][check_id]

    def stack(self, body):
        given = parameters(**self.given)
        return StackSet(self.clients, TemplateBody=json.dumps(body), Parameters=given)


@pytest.fixture(scope="module")
def pair():
    with running() as clients:
        known = StackSet(clients, TemplateBody=zone()).create(SECONDARY)
        zone_id = outputs(known, SECONDARY)["Zone"]
        apis = StackSet(clients, TemplateBody=api(), Parameters=parameters(Zone=zone_id)).create()
        yield Pair(clients, zone_id, apis)


@pytest.fixture(scope="module")
def made(pair):
    return outputs(pair.stack(latched_dns()).create(SECONDARY), SECONDARY)


@pytest.fixture
def well(pair, made):
    """Both regions well and the latch off, before and after."""
    eventually(lambda: pair.answered == PRIMARY)
    yield made
    for region in BOTH:
        pair.control("heal", region=region)
        pair.become(region)
    eventually(lambda: pair.answered == PRIMARY)


def test_a_primary_that_fails_is_left_and_returned_to(pair, well):
    pair.become(PRIMARY, ILL="yes")
    eventually(lambda: pair.answered == SECONDARY)
    assert pair.seen(well["Both"])["healthy"] is False
    assert pair.seen(well["Check"])["report"].startswith("Failure: HTTP Status Code 503")
    assert pair.seen(well["Latch"])["healthy"] is True
    pair.become(PRIMARY)
    eventually(lambda: pair.answered == PRIMARY)


def test_the_latch_leaves_a_primary_that_is_healthy_until_it_is_taken_off(pair, well):
    pair.become(SECONDARY, STATE=LATCHED)
    eventually(lambda: pair.answered == SECONDARY)
    assert pair.seen(well["Check"])["healthy"] is True
    assert pair.seen(well["Latch"]) == {
        "healthy": False, "report": "Success: HTTP Status Code 200, OK"}  # fmt: skip
    pair.become(SECONDARY)
    eventually(lambda: pair.answered == PRIMARY)


def test_with_the_latch_on_a_primary_that_comes_back_is_not_returned_to(pair, well):
    pair.become(PRIMARY, ILL="yes")
    pair.become(SECONDARY, STATE=LATCHED)
    eventually(lambda: pair.seen(well["Latch"])["healthy"] is False)
    pair.become(PRIMARY)
    eventually(lambda: pair.seen(well["Check"])["healthy"] is True)
    assert pair.answered == SECONDARY


def test_a_dead_secondary_sets_no_latch(pair, well):
    pair.control("kill", region=SECONDARY)
    eventually(lambda: pair.seen(well["Latch"])["report"].startswith("Failure"))
    assert pair.seen(well["Latch"])["healthy"] is True
    assert pair.answered == PRIMARY


def test_a_latch_that_dies_with_its_region_is_off(pair, well):
    pair.become(SECONDARY, STATE=LATCHED)
    eventually(lambda: pair.answered == SECONDARY)
    pair.control("kill", region=SECONDARY)
    eventually(lambda: pair.answered == PRIMARY)


def test_a_killed_primary_is_left_though_the_latch_is_off(pair, well):
    pair.control("kill", region=PRIMARY)
    eventually(lambda: pair.answered == SECONDARY)
    assert pair.seen(well["Latch"])["healthy"] is True


@pytest.mark.parametrize(
    ("children", "says"),
    [
        ([{"Ref": "Both"}], "which is calculated"),
        (["00000000-0000-0000-0000-000000000000"], "which does not exist"),
    ],
)
def test_what_route_53_does_not_count_is_refused(pair, children, says):
    nested = calculated()
    nested["Properties"]["HealthCheckConfig"]["ChildHealthChecks"] = children
    body = latched_dns(Nested=nested)
    for name in ("Primary", "Secondary", "Group"):
        del body["Resources"][name], body["Outputs"][name]
    stack = pair.stack(body)
    operation = stack.run("create_stack_instances", SECONDARY)
    assert says in stack.results(operation)[SECONDARY]["StatusReason"]
    stack.delete(SECONDARY)


def rest_api(clients, region, says):
    """Make a REST API whose one route says something, by hand: where the checkers ask."""
    made = clients("apigateway", region)
    known = {"restApiId": made.create_rest_api(name="latch")["id"]}
    (root,) = made.get_resources(**known)["items"]
    flag = made.create_resource(**known, parentId=root["id"], pathPart="dr-flag")["id"]
    method = {**known, "resourceId": flag, "httpMethod": "GET"}
    made.put_method(**method, authorizationType="NONE")
    made.put_method_response(**method, statusCode="200")
    templates = {"application/json": '{"statusCode": 200}'}
    made.put_integration(**method, type="MOCK", requestTemplates=templates)
    answers = {"application/json": json.dumps({"flag": says})}
    made.put_integration_response(**method, statusCode="200", responseTemplates=answers)
    made.create_deployment(**known, stageName="live")
    return known["restApiId"]


def test_a_rest_api_is_asked_below_its_stage(pair, well):
    found = rest_api(pair.clients, SECONDARY, LATCHED)
    host = f"{found}.{HOST.format(region=SECONDARY)}"
    flag = {
        "FullyQualifiedDomainName": host, "SearchString": f'"{LATCHED}"', "FailureThreshold": 1,
        "Inverted": True,
    }  # fmt: skip
    body = latched_dns(
        Set=check(**flag, ResourcePath="/live/dr-flag"),
        Unset=check(**flag, ResourcePath="/live/nothing"),
        All=calculated("Set", "Unset"),
    )
    for name in ("Secondary", "Group", "Both", "Latch", "Check"):
        del body["Resources"][name], body["Outputs"][name]
    record = body["Resources"]["Primary"]["Properties"]
    record["Name"], record["HealthCheckId"] = f"rest.{ZONE}", {"Ref": "All"}
    stack = pair.stack(body).create(SECONDARY)
    made = outputs(stack, SECONDARY)

    def told(check_id):
        return pair.control("dns", name=f"rest.{ZONE}")["checks"][check_id]

    eventually(lambda: told(made["Set"])["report"] == "Success: HTTP Status Code 200, OK")
    eventually(lambda: told(made["Unset"])["healthy"] is True)
    assert told(made["Set"])["healthy"] is False
    stack.delete(SECONDARY)
    pair.clients("apigateway", SECONDARY).delete_rest_api(restApiId=found)
