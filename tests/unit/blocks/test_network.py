"""A whole network, compiled for both regions: what it has, what it lacks, and what lint says."""

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from troposphere import Ref

from tap_templates.blocks.network import NatGateways, Network, network
from tap_templates.blocks.network_endpoints import gateway_endpoints, interface_endpoints
from tap_templates.blocks.network_parts import flat, named
from tap_templates.blocks.network_ranges import CidrPlan
from tap_templates.blocks.security_group import (
    POSTGRESQL,
    admit,
    group_id,
    https_to_anywhere,
    security_group,
)
from tap_templates.blocks.stack import StackTemplate
from tap_templates.compiler.build import build_stack
from tap_templates.compiler.lint import Linter, LintJob
from tap_templates.compiler.render import RenderedStack, render_stack, to_json
from tap_templates.errors import ModelError
from tap_templates.model.names import TAG_KEYS
from tap_templates.model.system import Objectives, Regions, Stack, System, Where
from tap_templates.rendered.view import StackSource, SystemView, resolve_system

REGIONS = ("us-east-1", "us-west-2")
LEDGER = Network("ledger", CidrPlan(primary="10.40.0.0/16", secondary="10.41.0.0/16"))


def declared() -> StackTemplate:
    stack = StackTemplate("ledger: the network")
    vpc = network(stack, "Ledger", LEDGER, nat_gateways=NatGateways.ONE_PER_AZ)
    functions = security_group("Function", "ledger-function", vpc.id, describes="Functions")
    database = security_group("Database", "ledger-database", vpc.id, describes="Database")
    stack.add(
        *vpc,
        functions,
        database,
        *admit("Database", functions, database, port=POSTGRESQL, why="Functions to their database"),
        https_to_anywhere("Function", functions, why="DynamoDB and S3"),
        *gateway_endpoints("Ledger", LEDGER, vpc),
        *interface_endpoints(
            "Ledger", LEDGER, vpc, callers=functions, services=("events", "sns", "sqs")
        ),
    )
    stack.output("VpcId", "The VPC", vpc.id)
    stack.output("VpcCidr", "Its range", vpc.cidr)
    stack.output("PrivateSubnetIds", "Private subnets, joined by commas", vpc.private.joined_ids)
    stack.output("FunctionGroupId", "Security group of functions", group_id(functions))
    return stack


@cache
def compiled() -> RenderedStack:
    stack = Stack(name="network", build=declared, where=Where.BOTH)
    system = System(
        name="ledger",
        application="Ledger",
        regions=Regions(primary=REGIONS[0], secondary=REGIONS[1]),
        objectives=Objectives(),
        stacks=(stack,),
    )
    return render_stack(build_stack(system, stack))


def resources() -> dict[str, Any]:
    return compiled().template["Resources"]


def of(kind: str) -> dict[str, Any]:
    return {
        name: each["Properties"]
        for name, each in resources().items()
        if each["Type"] == f"AWS::EC2::{kind}"
    }


def resolved(nat_gateways: str) -> SystemView:
    stack = compiled()
    given = {"PrimaryRegion": REGIONS[0], "NatGateways": nat_gateways}
    return resolve_system("ledger", [StackSource("network", stack.template, REGIONS, given)])


def linted(template: dict[str, Any]) -> set[str]:
    job = LintJob("ledger", "network", REGIONS, to_json(template))
    return {
        each.code for each in Linter(None).lint([job], lambda _: None)["ledger", "network"].findings
    }


def test_the_linter_has_nothing_to_say():
    assert linted(compiled().template) == set()


def swap(found: dict[str, Any]) -> None:
    arms = found["LedgerPrivateSubnetA"]["Properties"]["CidrBlock"]["Fn::If"]
    arms[1], arms[2] = arms[2], arms[1]


def same_range(found: dict[str, Any]) -> None:
    found["LedgerPrivateSubnetA"]["Properties"]["CidrBlock"] = copy.deepcopy(
        found["LedgerPublicSubnetA"]["Properties"]["CidrBlock"]
    )


def to_internet(found: dict[str, Any]) -> None:
    route = found["LedgerPrivateDefaultB"]["Properties"]
    del route["NatGatewayId"]
    route["GatewayId"] = {"Ref": "LedgerInternetGateway"}


def let_anybody_in(found: dict[str, Any]) -> None:
    rule = found["LedgerEndpointsIngress"]["Properties"]
    del rule["SourceSecurityGroupId"]
    rule["CidrIp"] = "0.0.0.0/0"


def let_the_vpc_at_the_database(found: dict[str, Any]) -> None:
    rule = found["DatabaseIngress"]["Properties"]
    del rule["SourceSecurityGroupId"]
    rule["CidrIp"] = "10.40.0.0/15"


def let_everything_out(found: dict[str, Any]) -> None:
    del found["DatabaseSecurityGroup"]["Properties"]["SecurityGroupEgress"]


def without_dns(found: dict[str, Any]) -> None:
    del found["LedgerSnsEndpoint"]["Properties"]["PrivateDnsEnabled"]


def without_log(found: dict[str, Any]) -> None:
    del found["LedgerFlowLog"]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (let_anybody_in, "E9501"),
        (let_everything_out, "E9502"),
        (let_the_vpc_at_the_database, "E9503"),
        (swap, "E9504"),
        (same_range, "E9504"),
        (to_internet, "E9505"),
        (without_dns, "E9506"),
        (without_log, "E9507"),
    ],
)
def test_the_linter_sees_each_fault_in_a_spoiled_network(
    spoil: Callable[[dict[str, Any]], None], code
):
    template = copy.deepcopy(compiled().template)
    spoil(template["Resources"])
    assert code in linted(template)


def test_nothing_gets_a_public_address_by_itself():
    assert [each["MapPublicIpOnLaunch"] for each in of("Subnet").values()] == [False] * 9


def test_a_subnet_of_each_tier_is_in_each_of_three_zones():
    zones = {name: each["AvailabilityZone"]["Fn::Select"][0] for name, each in of("Subnet").items()}
    assert zones == {
        f"Ledger{tier}Subnet{letter}": zone
        for tier in ("Public", "Private", "Isolated")
        for zone, letter in enumerate("ABC")
    }


def test_every_subnet_is_associated_with_the_table_of_its_tier_and_zone():
    found = {
        each["SubnetId"]["Ref"]: each["RouteTableId"]["Ref"]
        for each in of("SubnetRouteTableAssociation").values()
    }
    assert found == {
        f"Ledger{tier}Subnet{letter}": f"Ledger{tier}Routes{letter if tier == 'Private' else ''}"
        for tier in ("Public", "Private", "Isolated")
        for letter in "ABC"
    }


def test_isolated_subnets_have_no_route_and_public_ones_the_gateway_once_it_is_attached():
    routes = of("Route")
    tables = {each["RouteTableId"]["Ref"] for each in routes.values()}
    assert tables == {"LedgerPublicRoutes", *(f"LedgerPrivateRoutes{each}" for each in "ABC")}
    assert routes["LedgerPublicDefault"]["GatewayId"] == {"Ref": "LedgerInternetGateway"}
    assert resources()["LedgerPublicDefault"]["DependsOn"] == ["LedgerInternetAttachment"]


@pytest.mark.parametrize(
    ("chosen", "letters"), [("one-per-az", "ABC"), ("one", "AAA")], ids=["each", "one"]
)
def test_private_subnets_reach_out_through_as_many_gateways_as_the_parameter_says(chosen, letters):
    view = resolved(chosen)
    for kind in ("NatGateway", "EIP"):
        made = list(view.resources(f"AWS::EC2::{kind}"))
        assert len(made) == len(set(letters)) * len(REGIONS)
    routes = {
        (each.stack.region, each.resource.logical_id): each.resource.properties
        for each in view.resources("AWS::EC2::Route")
    }
    for region in REGIONS:
        for zone, letter in zip("ABC", letters, strict=True):
            route = routes[region, f"LedgerPrivateDefault{zone}"]
            assert f"LedgerNatGateway{letter}" in route["NatGatewayId"]


def test_nat_is_said_by_a_parameter_whose_default_the_caller_gives():
    parameter = compiled().template["Parameters"]["NatGateways"]
    assert parameter["Default"] == "one-per-az"
    assert parameter["AllowedValues"] == ["one-per-az", "one"]
    stack = StackTemplate("x")
    network(stack, "Ledger", LEDGER, nat_gateways=NatGateways.ONE)
    assert stack.parameters["NatGateways"].default == "one"


def test_a_stack_has_one_network():
    stack = StackTemplate("x")
    network(stack, "One", LEDGER, nat_gateways=NatGateways.ONE)
    with pytest.raises(ModelError, match="NatGateways"):
        network(stack, "Two", LEDGER, nat_gateways=NatGateways.ONE)


def test_names_are_tags_beside_those_that_all_resources_have():
    for name, purpose in (
        ("LedgerVpc", "vpc-ledger"),
        ("LedgerPrivateSubnetA", "subnet-ledger-private-a"),
        ("LedgerIsolatedRoutes", "route-table-ledger-isolated"),
        ("LedgerNatGatewayB", "nat-gateway-ledger-b"),
        ("FunctionSecurityGroup", "security-group-ledger-function"),
        ("LedgerS3Endpoint", "vpc-endpoint-ledger-s3"),
    ):
        tags = {each["Key"]: each["Value"] for each in resources()[name]["Properties"]["Tags"]}
        assert set(tags) == {"Name", *TAG_KEYS}
        assert tags["Name"] == {"Fn::Sub": f"{purpose}-${{EnvironmentSuffix}}"}


def test_what_has_no_name_is_told_apart_by_its_tag():
    tagged = [
        {tag["Key"]: tag["Value"] for tag in each["Properties"]["Tags"]}
        for each in resources().values()
        if each["Type"].startswith("AWS::EC2::") and "Tags" in each["Properties"]
    ]
    names = {str(tags["Name"]) for tags in tagged}
    assert len(names) == len(tagged) > len(of("Subnet"))


def test_a_name_that_is_none_is_refused():
    with pytest.raises(ModelError, match="is no purpose"):
        named("subnet", "Ledger!")


def test_every_flow_is_recorded_in_an_encrypted_log_that_expires():
    log = of("FlowLog")["LedgerFlowLog"]
    assert log["ResourceId"] == {"Ref": "LedgerVpc"}
    assert (log["ResourceType"], log["TrafficType"]) == ("VPC", "ALL")
    assert log["MaxAggregationInterval"] == 60
    group = resources()[log["LogGroupName"]["Ref"]]["Properties"]
    assert group["LogGroupName"] == {"Fn::Sub": "/aws/vpc/vpc-ledger-${EnvironmentSuffix}"}
    assert group["KmsKeyId"] == {"Fn::GetAtt": ["LedgerFlowLogKey", "Arn"]}
    assert group["RetentionInDays"] == 30


def test_the_role_of_the_flow_log_is_for_our_flow_logs_and_writes_this_log_alone():
    role = resources()["LedgerFlowLogRole"]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert trust["Condition"]["ArnLike"] == {
        "aws:SourceArn": {
            "Fn::Sub": "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:vpc-flow-log/*"
        }
    }
    (grant,) = role["Policies"][0]["PolicyDocument"]["Statement"]
    actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    assert grant["Action"] == actions
    (resource,) = grant["Resource"]
    assert resource["Fn::Sub"].endswith(":log-group:/aws/vpc/vpc-ledger-${EnvironmentSuffix}:*")


def test_ids_leave_as_one_text():
    value = compiled().template["Outputs"]["PrivateSubnetIds"]["Value"]
    assert value == {"Fn::Join": [",", [{"Ref": f"LedgerPrivateSubnet{each}"} for each in "ABC"]]}


def test_a_part_that_is_no_resource_is_refused():
    with pytest.raises(ModelError, match="holds a str"):
        list(flat(Ref("x").data["Ref"]))
