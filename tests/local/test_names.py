"""A name that fails over: health checks ask an API, records follow them, requests follow these."""

import json
import urllib.error
import urllib.request

import pytest
from local.conftest import PRIMARY, SECONDARY, eventually
from local.names import BOTH, NAME, UNIQUE, ZONE, api, calculated, check, dns, record, zone
from local.reading import problems, spoiled
from local.stack_sets import StackSet, parameters, previous, refusal

from tap_templates.local.engine import EngineError

ELSEWHERE = "x.example.org"


def proof(name, zone_id):
    return {"DomainName": name, "HostedZoneId": zone_id}


def outputs(stack, region):
    return {each["OutputKey"]: each["OutputValue"] for each in stack.stack(region)["Outputs"]}


@pytest.fixture(scope="module")
def pair(clients):
    """The zone, and the API in both regions; everything is gone afterwards."""
    known = StackSet(clients, TemplateBody=zone()).create(SECONDARY)
    given = {"Zone": outputs(known, SECONDARY)["Zone"]}
    apis = StackSet(clients, TemplateBody=api(), Parameters=parameters(**given)).create()
    for region in BOTH:
        assert problems(apis, region, api(), **given) == []
    yield {
        "zone": known,
        "apis": apis,
        "Zone": given["Zone"],
        **{region: outputs(apis, region) for region in BOTH},
    }
    assert apis.delete()["Status"] == "SUCCEEDED"
    assert known.delete(SECONDARY)["Status"] == "SUCCEEDED"
    for region in BOTH:
        assert clients("apigatewayv2", region).get_domain_names()["Items"] == []
        certificates = clients("acm", region).list_certificates()["CertificateSummaryList"]
        assert NAME not in {each["DomainName"] for each in certificates}
    zones = clients("route53").list_hosted_zones()["HostedZones"]
    assert f"{ZONE}." not in {each["Name"] for each in zones}


def given_to(pair):
    return {
        "Zone": pair["Zone"],
        "PrimaryApi": pair[PRIMARY]["Api"],
        "PrimaryHost": pair[PRIMARY]["Host"],
        "SecondaryHost": pair[SECONDARY]["Host"],
    }


@pytest.fixture(scope="module")
def made(pair, clients):
    """The records, in a stack of the secondary region."""
    stack = StackSet(clients, TemplateBody=dns(), Parameters=parameters(**given_to(pair)))
    stack.create(SECONDARY)
    yield stack
    assert stack.delete(SECONDARY)["Status"] == "SUCCEEDED"
    found = clients("route53").list_resource_record_sets(HostedZoneId=pair["Zone"])
    assert {each["Type"] for each in found["ResourceRecordSets"]} == {"NS", "SOA"}
    checks = clients("route53").list_health_checks()["HealthChecks"]
    assert "HTTPS_STR_MATCH" not in {each["HealthCheckConfig"]["Type"] for each in checks}


@pytest.fixture(autouse=True)
def well(pair, clients, control, request):
    """Let a test make the primary ill; each begins with both regions well, and that known."""

    def become(ill):
        clients("lambda", PRIMARY).update_function_configuration(
            FunctionName=pair[PRIMARY]["Function"], Environment={"Variables": {"ILL": ill}}
        )

    if "made" in request.fixturenames:
        request.getfixturevalue("made")
        eventually(lambda: answered(control) == PRIMARY)
    yield become
    for region in BOTH:
        control("heal", region=region)
    become("no")


def answered(control, name=NAME):
    """The region whose host Route 53 answers for the name."""
    return control("dns", name=name)["values"][0].split(".")[2]


def ask(url, host=None):
    """GET; give the status and the region that answers."""
    request = urllib.request.Request(url, headers={"Host": host} if host else {})  # noqa: S310 - our own loopback address
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - as above
            return answer.status, json.load(answer)["region"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, None


def test_all_of_it_is_read_back(pair, made):
    assert problems(pair["zone"], SECONDARY, zone()) == []
    assert problems(made, SECONDARY, dns(), **given_to(pair)) == []


def test_the_primary_answers_while_it_is_healthy(made, control, engine):
    found = control("dns", name=NAME)
    assert (found["type"], found["ttl"]) == ("CNAME", 10)
    assert found["because"] == "PRIMARY is healthy"
    assert answered(control) == PRIMARY
    assert ask(f"{found['address']}/health") == (200, PRIMARY)
    assert ask(f"{engine.endpoint_url}/health", host=NAME) == (200, PRIMARY)
    # A name that leads to it leads where it does.
    assert answered(control, f"www.{ZONE}") == PRIMARY


def status(clients, made):
    check_id = outputs(made, SECONDARY)["Check"]
    found = clients("route53").get_health_check_status(HealthCheckId=check_id)
    assert {each["Region"] for each in found["HealthCheckObservations"]} == {
        "us-west-1", "us-west-2", "eu-west-1"}  # fmt: skip
    return {each["StatusReport"]["Status"] for each in found["HealthCheckObservations"]}


def test_an_unhealthy_api_hands_over_and_takes_back(  # noqa: PLR0917 - what it touches
    pair, made, control, clients, engine, well
):
    eventually(lambda: status(clients, made) == {"Success: HTTP Status Code 200, OK"})
    well("yes")
    eventually(lambda: answered(control) == SECONDARY)
    assert control("dns", name=NAME)["because"] == "SECONDARY is left"
    (said,) = status(clients, made)
    assert said.startswith("Failure: HTTP Status Code 503")
    known = {"HostedZoneId": pair["Zone"], "RecordName": NAME, "RecordType": "CNAME"}
    found = clients("route53").test_dns_answer(**known)
    assert found["RecordData"] == [pair[SECONDARY]["Host"]]
    assert found["ResponseCode"] == "NOERROR"
    assert ask(f"{engine.endpoint_url}/health", host=NAME) == (200, SECONDARY)
    well("no")
    eventually(lambda: answered(control) == PRIMARY)
    assert ask(f"{engine.endpoint_url}/health", host=NAME) == (200, PRIMARY)


def test_an_answer_without_the_text_is_none(made, control, well):
    well("quietly")
    eventually(lambda: answered(control) == SECONDARY)
    (found,) = control("dns", name=NAME)["checks"].values()
    assert found == {
        "healthy": False, "report": "Failure: the search string is not in the answer"}  # fmt: skip
    well("no")
    eventually(lambda: answered(control) == PRIMARY)


def test_a_killed_region_hands_over_though_it_is_that_of_the_control_plane(
    pair, made, control, clients, engine
):
    control("kill", region=PRIMARY)
    assert ask(f"{pair[PRIMARY]['Url']}/health")[0] == 503
    assert refusal(clients("route53").list_hosted_zones) == "ServiceUnavailable"
    eventually(lambda: answered(control) == SECONDARY)
    address = control("dns", name=NAME)["address"]
    assert ask(f"{address}/health") == (200, SECONDARY)
    assert ask(f"{engine.endpoint_url}/health", host=NAME) == (200, SECONDARY)
    control("heal", region=PRIMARY)
    eventually(lambda: answered(control) == PRIMARY)


def test_with_both_dead_the_secondary_is_answered_and_fails(made, control, engine):
    for region in BOTH:
        control("kill", region=region)
    eventually(lambda: answered(control) == SECONDARY)
    assert ask(f"{engine.endpoint_url}/health", host=NAME)[0] == 503


def test_one_failure_is_not_enough(pair, made, control, clients, well):
    """With a threshold of four, what a checker sees once changes nothing."""
    body = dns(FailureThreshold="4")
    operation = made.run(
        "update_stack_set", TemplateBody=body, Parameters=previous(*given_to(pair))
    )
    assert operation["Status"] == "SUCCEEDED", made.results(operation)
    eventually(lambda: answered(control) == PRIMARY)
    well("yes")
    eventually(lambda: status(clients, made) != {"Success: HTTP Status Code 200, OK"})
    assert answered(control) == PRIMARY
    operation = made.run(
        "update_stack_set", TemplateBody=dns(), Parameters=previous(*given_to(pair))
    )
    assert operation["Status"] == "SUCCEEDED", made.results(operation)
    eventually(lambda: answered(control) == SECONDARY)
    well("no")
    eventually(lambda: answered(control) == PRIMARY)


def test_records_change_in_place(pair, made, control):
    before = outputs(made, SECONDARY)
    body = dns(ttl="20")
    operation = made.run(
        "update_stack_set", TemplateBody=body, Parameters=previous(*given_to(pair))
    )
    assert operation["Status"] == "SUCCEEDED", made.results(operation)
    assert problems(made, SECONDARY, body, **given_to(pair)) == []
    assert outputs(made, SECONDARY) == before
    assert control("dns", name=NAME)["ttl"] == 20
    operation = made.run(
        "update_stack_set", TemplateBody=dns(), Parameters=previous(*given_to(pair))
    )
    assert operation["Status"] == "SUCCEEDED"


def test_a_zone_changes_in_place(pair, clients):
    body = zone("changed", "false", "y")
    operation = pair["zone"].run("update_stack_set", TemplateBody=body)
    assert operation["Status"] == "SUCCEEDED"
    assert outputs(pair["zone"], SECONDARY)["Zone"] == pair["Zone"]
    assert problems(pair["zone"], SECONDARY, body) == []
    (problem,) = problems(pair["zone"], SECONDARY, zone("changed"))
    assert "Features" in problem
    found = clients("route53").list_tags_for_resource(
        ResourceType="hostedzone", ResourceId=pair["Zone"]
    )
    assert found["ResourceTagSet"]["Tags"] == [{"Key": "Owner", "Value": "y"}]
    assert pair["zone"].run("update_stack_set", TemplateBody=zone())["Status"] == "SUCCEEDED"


def test_checks_add_up_and_turn_around(pair, clients, control, well):
    """Of a calculated check, an inverted one, and one of a host that leads nowhere."""
    nowhere = check(FullyQualifiedDomainName="nowhere.example.com", FailureThreshold=1)
    flag = check(FullyQualifiedDomainName="nowhere.example.com", FailureThreshold=1, Inverted=True)
    names = {
        f"{each.lower()}.{ZONE}": each for each in ("Nowhere", "Flag", "Both", "Any", "Disabled")
    }
    extra = {
        "Nowhere": nowhere,
        "Flag": flag,
        "Both": calculated("Nowhere", "Flag"),
        "Any": calculated("Nowhere", "Flag", HealthThreshold=1),
        "Disabled": check(FullyQualifiedDomainName="nowhere.example.com", Disabled=True),
        **{
            f"{each}{role}": {
                "Type": "AWS::Route53::RecordSet",
                "Properties": {
                    "HostedZoneId": {"Ref": "Zone"},
                    **record(
                        role, f"{role.title()}Host", name,
                        **({"HealthCheckId": {"Ref": each}} if role == "PRIMARY" else {}),
                    ),
                },
            }
            for name, each in names.items()
            for role in ("PRIMARY", "SECONDARY")
        },
    }  # fmt: skip
    body = json.loads(dns(extra=extra))
    for name in ("Primary", "Secondary", "Group"):
        del body["Resources"][name], body["Outputs"][name]
    stack = StackSet(
        clients, TemplateBody=json.dumps(body), Parameters=parameters(**given_to(pair))
    ).create(SECONDARY)
    eventually(lambda: answered(control, f"nowhere.{ZONE}") == SECONDARY)
    expected = {"Nowhere": SECONDARY, "Flag": PRIMARY, "Both": SECONDARY, "Any": PRIMARY}
    for name, each in names.items():
        assert answered(control, name) == expected.get(each, PRIMARY), each
    stack.delete(SECONDARY)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"Type": "TCP"}, "does not simulate TCP"),
        ({"Regions": ["us-west-1", "us-west-2"]}, "at least three"),
        ({"SearchString": {"Ref": "AWS::NoValue"}}, "needs a SearchString"),
        ({"FullyQualifiedDomainName": {"Ref": "AWS::NoValue"}}, "FullyQualifiedDomainName alone"),
    ],
)
def test_a_check_that_nobody_judges_is_refused(pair, clients, change, says):
    body = json.loads(dns(**change))
    for name in ("Primary", "Secondary", "Group"):
        del body["Resources"][name], body["Outputs"][name]
    stack = StackSet(
        clients, TemplateBody=json.dumps(body), Parameters=parameters(**given_to(pair))
    )
    operation = stack.run("create_stack_instances", SECONDARY)
    assert says in stack.results(operation)[SECONDARY]["StatusReason"]
    stack.delete(SECONDARY)


def test_a_policy_that_is_not_simulated_has_no_answer(pair, clients, control):
    name = f"weighted.{ZONE}"
    change = {
        "Name": name, "Type": "CNAME", "TTL": 10, "SetIdentifier": "a", "Weight": 1,
        "ResourceRecords": [{"Value": "x.example.com"}],
    }  # fmt: skip
    route53, known = clients("route53"), {"HostedZoneId": pair["Zone"]}
    for action in ("CREATE", "DELETE"):
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": change}]}
        route53.change_resource_record_sets(**known, ChangeBatch=batch)
        if action == "CREATE":
            with pytest.raises(EngineError, match="Weight are not simulated"):
                control("dns", name=name)
            asked = {**known, "RecordName": name, "RecordType": "CNAME"}
            assert refusal(route53.test_dns_answer, **asked) == "InvalidInput"


def test_a_name_that_nobody_knows_has_no_values(control):
    assert control("dns", name="nobody.example.org")["values"] == []


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("Certificate", {"DomainValidationOptions": [proof(NAME, "Z0000000000000")]}, "Z00000"),
        ("Certificate", {"DomainName": ELSEWHERE, "DomainValidationOptions": [
            proof(ELSEWHERE, {"Ref": "Zone"})]}, "not in the hosted zone"),
        ("Certificate", {"ValidationMethod": "EMAIL"}, "DNS alone"),
        ("Domain", {"DomainName": ELSEWHERE}, f"not for {ELSEWHERE}"),
        ("Mapping", {"Stage": "nowhere"}, "stage"),
    ],
)  # fmt: skip
def test_what_aws_looks_at_is_looked_at(pair, clients, name, change, says):
    body = spoiled(api(f"other.{ZONE}"), name, change)
    stack = StackSet(clients, TemplateBody=body, Parameters=parameters(Zone=pair["Zone"]))
    operation = stack.run("create_stack_instances", PRIMARY)
    assert says in stack.results(operation)[PRIMARY]["StatusReason"]
    stack.delete(PRIMARY)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("Certificate", {"DomainName": "x.example.org"}),
        ("Domain", {"DomainNameConfigurations": [{"SecurityPolicy": "TLS_1_0"}]}),
        ("Mapping", {"Stage": "another"}),
        ("Mapping", {"ApiId": "another"}),
    ],
)
def test_reading_back_notices_another_domain(pair, name, change):
    body = spoiled(api(), name, change)
    found = problems(pair["apis"], PRIMARY, body, Zone=pair["Zone"])
    assert any(f": {name} (" in each for each in found), found


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("Check", {"HealthCheckConfig": {"FailureThreshold": 9}}),
        ("Primary", {"TTL": 99}),
        ("Primary", {"ResourceRecords": ["x.example.org"]}),
        ("Secondary", {"Failover": "PRIMARY"}),
        ("Secondary", {"SetIdentifier": "another"}),
        ("Group", {"RecordSets": [{"Name": f"none.{ZONE}", "Type": "CNAME"}]}),
        ("Group", {"HostedZoneName": "another."}),
    ],
)
def test_reading_back_notices_other_records(pair, made, name, change):
    found = problems(made, SECONDARY, spoiled(dns(), name, change), **given_to(pair))
    assert any(f": {name} (" in each for each in found), found


def test_a_zone_with_records_of_others_stays(clients):
    body = zone().replace(ZONE, f"full-{UNIQUE}.example.com")
    stack = StackSet(clients, TemplateBody=body).create(SECONDARY)
    known = {"HostedZoneId": outputs(stack, SECONDARY)["Zone"]}
    change = {
        "Name": f"x.full-{UNIQUE}.example.com", "Type": "TXT", "TTL": 10,
        "ResourceRecords": [{"Value": '"y"'}],
    }  # fmt: skip
    for action, ends in (("CREATE", "FAILED"), ("DELETE", "SUCCEEDED")):
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": change}]}
        clients("route53").change_resource_record_sets(**known, ChangeBatch=batch)
        assert stack.delete(SECONDARY)["Status"] == ends
