"""Endpoints and security groups: who comes through, and who does not."""

from typing import Any

import pytest
from troposphere import Ref, ec2, encode_to_dict

from tap_templates.blocks.network import NatGateways, Network, network
from tap_templates.blocks.network_endpoints import (
    WITH_POLICY,
    gateway_endpoints,
    interface_endpoints,
)
from tap_templates.blocks.network_ranges import CidrPlan
from tap_templates.blocks.security_group import admit, group_id, https_to_anywhere, security_group
from tap_templates.blocks.stack import StackTemplate
from tap_templates.errors import ModelError

LEDGER = Network("ledger", CidrPlan(primary="10.40.0.0/16", secondary="10.41.0.0/16"))
CALLERS = security_group("Callers", "ledger-callers", Ref("Vpc"), describes="Callers")
SERVED = security_group("Served", "ledger-served", Ref("Vpc"), describes="Served")


@pytest.fixture(scope="module")
def vpc():
    return network(StackTemplate("x"), "Ledger", LEDGER, nat_gateways=NatGateways.ONE)


def properties(resource) -> dict[str, Any]:
    return encode_to_dict(resource)["Properties"]


def only_own_account(endpoint) -> bool:
    (statement,) = properties(endpoint)["PolicyDocument"]["Statement"]
    own = {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}
    return statement["Condition"] == own and statement["Principal"] == "*"


def test_gateway_endpoints_serve_private_and_isolated_subnets(vpc):
    for endpoint in gateway_endpoints("Ledger", LEDGER, vpc):
        found = properties(endpoint)
        assert found["VpcEndpointType"] == "Gateway"
        assert [each["Ref"] for each in found["RouteTableIds"]] == [
            *(f"LedgerPrivateRoutes{each}" for each in "ABC"),
            "LedgerIsolatedRoutes",
        ]
        assert only_own_account(endpoint)


def test_interface_endpoints_answer_to_the_usual_name_and_to_the_callers_alone(vpc):
    found = interface_endpoints("Ledger", LEDGER, vpc, callers=CALLERS, services=("sns", "sqs"))
    for endpoint, service in zip(found.endpoints, ("sns", "sqs"), strict=True):
        body = properties(endpoint)
        assert body["ServiceName"] == {"Fn::Sub": f"com.amazonaws.${{AWS::Region}}.{service}"}
        assert body["PrivateDnsEnabled"] is True
        assert [each["Ref"] for each in body["SubnetIds"]] == [
            f"LedgerPrivateSubnet{each}" for each in "ABC"
        ]
        assert body["SecurityGroupIds"] == [encode_to_dict(group_id(found.group))]
        assert only_own_account(endpoint)
    ingress = properties(found.admission.ingress)
    assert ingress["SourceSecurityGroupId"] == encode_to_dict(group_id(CALLERS))
    assert (ingress["FromPort"], ingress["ToPort"]) == (443, 443)
    assert len(list(found)) == 5


@pytest.mark.parametrize(
    ("services", "problem"),
    [
        (("sns", "evnts"), "are for evnts, not known"),
        (("dynamodb",), "are for dynamodb, not known"),
        (("sns", "sns"), "one twice"),
        ((), "no service"),
    ],
)
def test_endpoints_that_make_no_sense_are_refused(vpc, services, problem):
    with pytest.raises(ModelError, match=problem):
        interface_endpoints("Ledger", LEDGER, vpc, callers=CALLERS, services=services)


def test_each_service_known_gives_a_logical_id(vpc):
    found = interface_endpoints(
        "Ledger", LEDGER, vpc, callers=CALLERS, services=sorted(WITH_POLICY)
    )
    titles = [str(each.title) for each in found]
    assert len(titles) == len(set(titles))
    assert all(each.isalnum() for each in titles)


def test_a_group_admits_nothing_and_lets_nothing_out():
    found = properties(CALLERS)
    assert "SecurityGroupIngress" not in found
    (rule,) = found["SecurityGroupEgress"]
    assert (rule["IpProtocol"], rule["CidrIp"]) == ("-1", "127.0.0.1/32")


def test_traffic_is_admitted_on_both_sides_and_the_groups_do_not_refer_to_each_other():
    there = admit("There", CALLERS, SERVED, port=5432, why="Queries")
    back = admit("Back", SERVED, CALLERS, port=8080, why="Notices")
    ingress, egress = (properties(each) for each in there)
    assert ingress["GroupId"] == egress["DestinationSecurityGroupId"]
    assert egress["GroupId"] == ingress["SourceSecurityGroupId"]
    assert {ingress["FromPort"], ingress["ToPort"], egress["FromPort"]} == {5432}
    assert {type(each) for each in (*there, *back)} == {
        ec2.SecurityGroupIngress,
        ec2.SecurityGroupEgress,
    }
    for group in (CALLERS, SERVED):
        assert "Fn::GetAtt" not in str(encode_to_dict(group))


def test_a_group_of_another_stack_is_known_by_its_id():
    found = admit("There", Ref("CallersId"), SERVED, port=5432, why="Queries")
    assert properties(found.ingress)["SourceSecurityGroupId"] == {"Ref": "CallersId"}
    assert properties(found.egress)["GroupId"] == {"Ref": "CallersId"}


def test_https_leads_anywhere_and_nothing_else_does():
    found = properties(https_to_anywhere("Callers", CALLERS, why="DynamoDB and S3"))
    assert (found["CidrIp"], found["FromPort"], found["ToPort"]) == ("0.0.0.0/0", 443, 443)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(ModelError, match=f"is to port {port}"):
        admit("There", CALLERS, SERVED, port=port, why="Queries")


@pytest.mark.parametrize("why", ["", "the bank's", "x" * 256, "für"])
def test_a_description_that_ec2_refuses_is_refused(why):
    with pytest.raises(ModelError, match="which EC2 refuses"):
        admit("There", CALLERS, SERVED, port=443, why=why)
    with pytest.raises(ModelError, match="which EC2 refuses"):
        security_group("Group", "ledger", Ref("Vpc"), describes=why)
