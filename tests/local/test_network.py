"""A network in two regions: made, read back, changed and taken away; nothing goes through it."""

import json
from uuid import uuid4

import pytest
from local.conftest import PRIMARY, SECONDARY
from local.reading import problems, spoiled
from local.stack_sets import StackSet

from tap_templates.local.readback_compare import Missing, Place
from tap_templates.local.readback_types import CHECKS

UNIQUE = uuid4().hex[:8]
BOTH = (PRIMARY, SECONDARY)
BLOCK = "10.20.0.0/16"


def ref(name):
    return {"Ref": name}


def get(name, attribute):
    return {"Fn::GetAtt": [name, attribute]}


def of(kind, properties=None, **more):
    return {"Type": f"AWS::EC2::{kind}", "Properties": properties or {}, **more}


def zone(index):
    return {"Fn::Select": [index, {"Fn::GetAZs": ""}]}


def block(index):
    return {"Fn::Select": [index, {"Fn::Cidr": [get("Vpc", "CidrBlock"), 4, 8]}]}


def body(owner="a", port=443):
    """A network with one public subnet and two private ones, and a function in it."""
    tags = {"Tags": [{"Key": "Owner", "Value": owner}]}
    in_vpc = {"VpcId": ref("Vpc")}
    private = ["PrivateA", "PrivateB"]
    resources = {
        "Vpc": of("VPC", {"CidrBlock": BLOCK, "EnableDnsHostnames": "true", **tags}),
        "Public": of(
            "Subnet", {**in_vpc, "AvailabilityZone": zone(0), "CidrBlock": block(0), **tags}
        ),
        "PrivateA": of("Subnet", {**in_vpc, "AvailabilityZone": zone(0), "CidrBlock": block(1)}),
        "PrivateB": of("Subnet", {**in_vpc, "AvailabilityZone": zone(1), "CidrBlock": block(2)}),
        "Gateway": of("InternetGateway"),
        "Attachment": of("VPCGatewayAttachment", {**in_vpc, "InternetGatewayId": ref("Gateway")}),
        "Address": of("EIP", {"Domain": "vpc", **tags}, DependsOn="Attachment"),
        "Nat": of(
            "NatGateway",
            {"AllocationId": get("Address", "AllocationId"), "SubnetId": ref("Public"), **tags},
        ),
        "PublicTable": of("RouteTable", in_vpc),
        "PrivateTable": of("RouteTable", in_vpc),
        "Out": of(
            "Route",
            {
                "RouteTableId": ref("PublicTable"),
                "DestinationCidrBlock": "0.0.0.0/0",
                "GatewayId": ref("Gateway"),
            },
        ),
        "OutByNat": of(
            "Route",
            {
                "RouteTableId": ref("PrivateTable"),
                "DestinationCidrBlock": "0.0.0.0/0",
                "NatGatewayId": ref("Nat"),
            },
        ),
        **{
            f"{name}Route": of(
                "SubnetRouteTableAssociation",
                {
                    "SubnetId": ref(name),
                    "RouteTableId": ref("PublicTable" if name == "Public" else "PrivateTable"),
                },
            )
            for name in ("Public", *private)
        },
        "Functions": of(
            "SecurityGroup",
            {
                **in_vpc,
                "GroupDescription": "functions",
                "SecurityGroupEgress": [
                    {"IpProtocol": "tcp", "FromPort": "53", "ToPort": "53", "CidrIp": BLOCK}
                ],
            },
        ),
        "Endpoints": of("SecurityGroup", {**in_vpc, "GroupDescription": "endpoints"}),
        "FromFunctions": of(
            "SecurityGroupIngress",
            {
                "GroupId": get("Endpoints", "GroupId"),
                "IpProtocol": "tcp",
                "FromPort": str(port),
                "ToPort": str(port),
                "SourceSecurityGroupId": get("Functions", "GroupId"),
                "Description": "from functions",
            },
        ),
        "ToEndpoints": of(
            "SecurityGroupEgress",
            {
                "GroupId": get("Functions", "GroupId"),
                "IpProtocol": "tcp",
                "FromPort": port,
                "ToPort": port,
                "DestinationSecurityGroupId": get("Endpoints", "GroupId"),
            },
        ),
        "ToTables": of(
            "VPCEndpoint",
            {
                **in_vpc,
                "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.dynamodb"},
                "VpcEndpointType": "Gateway",
                "RouteTableIds": [ref("PrivateTable")],
            },
        ),
        "ToEvents": of(
            "VPCEndpoint",
            {
                **in_vpc,
                "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.events"},
                "VpcEndpointType": "Interface",
                "SubnetIds": [ref(name) for name in private],
                "SecurityGroupIds": [get("Endpoints", "GroupId")],
                "PrivateDnsEnabled": True,
            },
        ),
        "FlowGroup": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 30}},
        "Flow": of(
            "FlowLog",
            {
                "ResourceId": ref("Vpc"),
                "ResourceType": "VPC",
                "TrafficType": "ALL",
                "LogDestinationType": "cloud-watch-logs",
                "LogDestination": get("FlowGroup", "Arn"),
                "DeliverLogsPermissionArn": "arn:aws:iam::123456789012:role/any",
                "MaxAggregationInterval": "60",
                **tags,
            },
        ),
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": f"in-vpc-{UNIQUE}",
                "Code": {"ZipFile": "def handler(event, context): return event"},
                "Handler": "index.handler",
                "Runtime": "python3.14",
                "Role": "arn:aws:iam::123456789012:role/any",
                "VpcConfig": {
                    "SubnetIds": [ref(name) for name in private],
                    "SecurityGroupIds": [get("Functions", "GroupId")],
                },
            },
        },
    }
    return json.dumps({"Resources": resources})


@pytest.fixture(scope="module")
def made(clients):
    """The network in both regions, changed once."""
    made = StackSet(clients, TemplateBody=body()).create()
    before = {region: listed(clients, made, region) for region in BOTH}
    assert made.run("update_stack_set", TemplateBody=body("b", 8443))["Status"] == "SUCCEEDED"
    yield made, before
    assert made.delete()["Status"] == "SUCCEEDED"
    for region in BOTH:
        ec2 = clients("ec2", region)
        mine = [{"Name": "tag:Owner", "Values": ["b"]}]
        assert ec2.describe_vpcs(Filters=mine)["Vpcs"] == []
        assert ec2.describe_addresses()["Addresses"] == []
        assert ec2.describe_flow_logs()["FlowLogs"] == []
        gateways = ec2.describe_nat_gateways()["NatGateways"]
        assert {each["State"] for each in gateways} <= {"deleted"}


def listed(clients, made, region):
    """What there is of the stack: logical id → physical id."""
    pages = clients("cloudformation", region).get_paginator("list_stack_resources")
    return {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for page in pages.paginate(StackName=made.instance(region)["StackId"])
        for each in page["StackResourceSummaries"]
    }


def test_all_of_it_is_read_back(made):
    for region in BOTH:
        assert problems(made[0], region, body("b", 8443)) == []


def test_zones_and_blocks_are_those_of_the_region(made, clients):
    for region in BOTH:
        ids = listed(clients, made[0], region)
        subnets = clients("ec2", region).describe_subnets(
            SubnetIds=[ids["Public"], ids["PrivateA"], ids["PrivateB"]]
        )["Subnets"]
        assert {(each["AvailabilityZone"], each["CidrBlock"]) for each in subnets} == {
            (f"{region}a", "10.20.0.0/24"),
            (f"{region}a", "10.20.1.0/24"),
            (f"{region}b", "10.20.2.0/24"),
        }


def test_an_update_replaces_what_must_be_and_nothing_else(made, clients):
    for region in BOTH:
        before, after = made[1][region], listed(clients, made[0], region)
        changed = {name for name in before if before[name] != after[name]}
        assert changed == {"FromFunctions", "ToEndpoints"}
        groups = clients("ec2", region).describe_security_groups(
            GroupIds=[after["Endpoints"], after["Functions"]]
        )["SecurityGroups"]
        ports = {
            (each["GroupId"], rule["FromPort"])
            for each in groups
            for rule in each["IpPermissions"] + each["IpPermissionsEgress"]
            if "FromPort" in rule
        }
        assert ports == {
            (after["Endpoints"], 8443),
            (after["Functions"], 8443),
            (after["Functions"], 53),
        }


def test_a_function_in_it_runs_and_keeps_its_place(made, clients):
    for region in BOTH:
        ids, functions = listed(clients, made[0], region), clients("lambda", region)
        name = {"FunctionName": f"in-vpc-{UNIQUE}"}
        found = functions.get_function_configuration(**name)["VpcConfig"]
        assert found["SubnetIds"] == [ids["PrivateA"], ids["PrivateB"]]
        assert found["SecurityGroupIds"] == [ids["Functions"]]
        assert found["VpcId"] == ids["Vpc"]
        answer = functions.invoke(**name, Payload=b'{"n": 1}')
        assert json.load(answer["Payload"]) == {"n": 1}


SPOILED = {
    "Vpc": {"CidrBlock": "10.99.0.0/16"},
    "Public": {"CidrBlock": "10.99.0.0/24"},
    "Attachment": {"VpcId": "vpc-of-somebody"},
    "Nat": {"ConnectivityType": "private"},
    "Out": {"DestinationCidrBlock": "10.0.0.0/8"},
    "PublicRoute": {"SubnetId": "subnet-of-somebody"},
    "Functions": {"GroupDescription": "another"},
    "FromFunctions": {"FromPort": 1},
    "ToEndpoints": {"IpProtocol": "udp"},
    "ToTables": {"VpcEndpointType": "Interface"},
    "Flow": {"TrafficType": "REJECT"},
    "Function": {"VpcConfig": {"SubnetIds": ["subnet-of-somebody"], "SecurityGroupIds": []}},
}


@pytest.mark.parametrize("name", SPOILED)
def test_reading_back_notices_what_differs(made, name):
    found = problems(made[0], PRIMARY, spoiled(body("b", 8443), name, SPOILED[name]))
    assert any(f": {name} (" in each for each in found), found


@pytest.mark.parametrize("name", ["Address", "Gateway", "PrivateTable"])
def test_reading_back_notices_what_is_gone(clients, name):
    """What the stack lists is not what the service has."""
    template = json.loads(body("b", 8443))["Resources"][name]
    gone = Place(clients, PRIMARY, "nothing-1", {})
    with pytest.raises((Missing, clients("ec2").exceptions.ClientError)):
        CHECKS[template["Type"]](gone, template["Properties"])
