"""How networks are read back: what EC2 says of each part, in the words of the template."""

from collections.abc import Callable, Mapping
from typing import Any

from tap_templates.local.readback_compare import (
    Check,
    Missing,
    Place,
    Properties,
    differences,
    only,
)

Found = Mapping[str, Any]


def _described(place: Place, action: str, **asked: object) -> Found:
    """Ask EC2 for one thing, and give it."""
    answer = getattr(place.client("ec2"), f"describe_{action}")(**asked)
    for key, value in answer.items():
        if key not in ("ResponseMetadata", "NextToken"):
            if len(value) == 1:
                return dict(value[0])
            raise Missing(f"{place.id}: {len(value)} {key}")
    raise Missing(place.id)


def _by_id(action: str, asked: str, *names: str) -> Check:
    """Make the check of a part that EC2 describes by its id, with what the template says of it."""

    def check(place: Place, properties: Properties) -> list[str]:
        found = _described(place, action, **{asked: [place.id]})
        return differences(only(properties, *names), found)

    return check


def _vpc(place: Place, properties: Properties) -> list[str]:
    found = dict(_described(place, "vpcs", VpcIds=[place.id]))
    for name in ("EnableDnsHostnames", "EnableDnsSupport"):
        attribute = f"{name[:1].lower()}{name[1:]}"
        asked = {"VpcId": place.id, "Attribute": attribute}
        found[name] = place.client("ec2").describe_vpc_attribute(**asked)[name]["Value"]
    return differences(
        only(properties, "CidrBlock", "EnableDnsHostnames", "EnableDnsSupport"), found
    )


def _attachment(place: Place, properties: Properties) -> list[str]:
    gateway = properties["InternetGatewayId"]
    found = _described(place, "internet_gateways", InternetGatewayIds=[gateway])
    attached = [each["VpcId"] for each in found["Attachments"]]
    return differences({"VpcId": properties["VpcId"]}, {"VpcId": attached[0] if attached else None})


def _address(place: Place, _: Properties) -> list[str]:
    known = place.client("ec2").describe_addresses()["Addresses"]
    if place.id not in {each["PublicIp"] for each in known}:
        raise Missing(place.id)
    return []


def _nat_gateway(place: Place, properties: Properties) -> list[str]:
    found = _described(place, "nat_gateways", NatGatewayIds=[place.id])
    wanted = only(properties, "ConnectivityType", "SubnetId") | {"State": "available"}
    return differences(wanted, found)


def _route(place: Place, properties: Properties) -> list[str]:
    table = _described(place, "route_tables", RouteTableIds=[properties["RouteTableId"]])
    names = ("DestinationCidrBlock", "GatewayId", "NatGatewayId", "VpcPeeringConnectionId")
    wanted = only(properties, *names)
    if any(differences(wanted, each) == [] for each in table["Routes"]):
        return []
    return [f"{dict(wanted)} is none of {table['Routes']}"]


def _peering(place: Place, properties: Properties) -> list[str]:
    asked = {"VpcPeeringConnectionIds": [place.id]}
    found = _described(place, "vpc_peering_connections", **asked)
    said = {
        "VpcId": found["RequesterVpcInfo"]["VpcId"],
        "PeerVpcId": found["AccepterVpcInfo"]["VpcId"],
        "PeerRegion": found["AccepterVpcInfo"]["Region"],
        "Status": found["Status"]["Code"],
    }
    wanted = only(properties, "VpcId", "PeerVpcId", "PeerRegion") | {"Status": "active"}
    return differences(wanted, said)


def _association(place: Place, properties: Properties) -> list[str]:
    table = _described(place, "route_tables", RouteTableIds=[properties["RouteTableId"]])
    found = {each.get("SubnetId") for each in table["Associations"]}
    subnet = properties["SubnetId"]
    return [] if subnet in found else [f"{subnet} is not associated with the table"]


def _security_group(place: Place, properties: Properties) -> list[str]:
    found = _described(place, "security_groups", GroupIds=[place.id])
    wanted = only(properties, "GroupName", "VpcId")
    if "GroupDescription" in properties:
        wanted["Description"] = properties["GroupDescription"]
    problems = differences(wanted, found)
    for name, key in (
        ("SecurityGroupIngress", "IpPermissions"),
        ("SecurityGroupEgress", "IpPermissionsEgress"),
    ):
        for rule in properties.get(name, []):
            wanted = only(rule, "IpProtocol", "FromPort", "ToPort")
            if not any(differences(wanted, each) == [] for each in found[key]):
                problems.append(f"{name} lacks {dict(wanted)}")
    return problems


def _rule(peer: str) -> Callable[[Place, Properties], list[str]]:
    def check(place: Place, properties: Properties) -> list[str]:
        found = dict(_described(place, "security_group_rules", SecurityGroupRuleIds=[place.id]))
        wanted = only(properties, "IpProtocol", "FromPort", "ToPort", "Description")
        for name, key in (("CidrIp", "CidrIpv4"), ("CidrIpv6", "CidrIpv6")):
            if name in properties:
                wanted[key] = properties[name]
        if peer in properties:
            wanted["peer"] = properties[peer]
            found["peer"] = found.get("ReferencedGroupInfo", {}).get("GroupId")
        return differences(wanted, found)

    return check


def _flow_log(place: Place, properties: Properties) -> list[str]:
    found = _described(place, "flow_logs", FlowLogIds=[place.id])
    names = ("ResourceId", "TrafficType", "LogDestination", "LogDestinationType")
    return differences(only(properties, *names), found)


CHECKS: Mapping[str, Check] = {
    "AWS::EC2::EIP": _address,
    "AWS::EC2::FlowLog": _flow_log,
    "AWS::EC2::InternetGateway": _by_id("internet_gateways", "InternetGatewayIds"),
    "AWS::EC2::NatGateway": _nat_gateway,
    "AWS::EC2::Route": _route,
    "AWS::EC2::RouteTable": _by_id("route_tables", "RouteTableIds", "VpcId"),
    "AWS::EC2::SecurityGroup": _security_group,
    "AWS::EC2::SecurityGroupEgress": _rule("DestinationSecurityGroupId"),
    "AWS::EC2::SecurityGroupIngress": _rule("SourceSecurityGroupId"),
    "AWS::EC2::Subnet": _by_id(
        "subnets", "SubnetIds", "VpcId", "CidrBlock", "AvailabilityZone", "MapPublicIpOnLaunch"
    ),
    "AWS::EC2::SubnetRouteTableAssociation": _association,
    "AWS::EC2::VPC": _vpc,
    "AWS::EC2::VPCEndpoint": _by_id(
        "vpc_endpoints",
        "VpcEndpointIds",
        *("VpcId", "ServiceName", "VpcEndpointType", "RouteTableIds", "SubnetIds"),
    ),
    "AWS::EC2::VPCGatewayAttachment": _attachment,
    "AWS::EC2::VPCPeeringConnection": _peering,
}
