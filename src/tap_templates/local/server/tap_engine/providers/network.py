"""AWS::EC2: elastic addresses, NAT gateways, rules of security groups, flow logs; a VPC's block.

They are kept and given back, and that is all: nothing here goes through a network of theirs.
"""

from collections.abc import Callable, Iterator
from typing import Any

from tap_engine import loopback
from tap_engine.providers.provider import (
    Attributes,
    Made,
    Properties,
    Provider,
    engines_own,
    if_there,
    shaped,
    without,
)

_vpc = engines_own("AWS::EC2::VPC")

Create = Callable[[str, Properties, str], Made]
Update = Callable[[str, Properties, Properties, str, str], Made]

_PEERS = {  # how a rule of a template names its other side → how the API does
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}


def _replacing(create: Create, identity: str, attributes: Callable[[str], Attributes]) -> Update:
    """Give an update that changes tags in place and makes a new resource for anything else.

    `identity` is the attribute by which the API knows the resource.
    """

    def update(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
        if without(old, "Tags") != without(new, "Tags"):
            return create(lid, new, stack)
        found = attributes(physical_id)
        ec2 = loopback.client("ec2")
        wanted = {each["Key"] for each in new.get("Tags") or []}
        gone = [each for each in old.get("Tags") or [] if each["Key"] not in wanted]
        if gone:
            ec2.delete_tags(Resources=[found[identity]], Tags=[{"Key": e["Key"]} for e in gone])
        if wanted:
            ec2.create_tags(Resources=[found[identity]], Tags=list(new["Tags"]))
        return physical_id, found

    return update


def _tags(kind: str, properties: Properties) -> dict[str, Any]:
    tags = properties.get("Tags")
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags}]} if tags else {}


def _create_vpc(logical_id: str, properties: Properties, stack: str) -> Made:
    identity, attributes = _vpc.create(logical_id, properties, stack)
    return identity, attributes | {"CidrBlock": properties.get("CidrBlock")}


def _update_vpc(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
    identity, attributes = _vpc.update(physical_id, old, new, stack, lid)
    return identity, attributes | {"CidrBlock": new.get("CidrBlock")}


def _create_address(_: str, properties: Properties, __: str) -> Made:
    request = {"Domain": properties.get("Domain", "vpc"), **_tags("elastic-ip", properties)}
    made = loopback.client("ec2").allocate_address(**request)
    return made["PublicIp"], _address(made["PublicIp"])


def _address(public_ip: str) -> Attributes:
    for each in loopback.client("ec2").describe_addresses()["Addresses"]:
        if each["PublicIp"] == public_ip:
            return {"AllocationId": each["AllocationId"], "PublicIp": public_ip}
    return {}


def _delete_address(physical_id: str, _: Properties) -> None:
    found = _address(physical_id)
    if found:
        loopback.client("ec2").release_address(AllocationId=found["AllocationId"])


def _create_gateway(_: str, properties: Properties, __: str) -> Made:
    ec2 = loopback.client("ec2")
    request = without(properties, "Tags", "MaxDrainDurationSeconds") | _tags(
        "natgateway", properties
    )
    made = ec2.create_nat_gateway(**shaped(ec2, "create_nat_gateway", request))
    identity: str = made["NatGateway"]["NatGatewayId"]
    return identity, _gateway(identity)


def _gateway(identity: str) -> Attributes:
    return {"NatGatewayId": identity}


def _delete_gateway(physical_id: str, _: Properties) -> None:
    with if_there():
        loopback.client("ec2").delete_nat_gateway(NatGatewayId=physical_id)


def _rules(direction: str) -> Provider:
    """Make the provider of AWS::EC2::SecurityGroupIngress or …Egress."""

    def create(_: str, properties: Properties, __: str) -> Made:
        ec2 = loopback.client("ec2")
        operation = f"authorize_security_group_{direction.lower()}"
        request = {"GroupId": properties["GroupId"], "IpPermissions": [_permission(properties)]}
        made = getattr(ec2, operation)(**shaped(ec2, operation, request))
        identity: str = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        return identity, {"Id": identity}

    def update(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
        # A rule is known by what it allows: with the same rule there, none can be made.
        delete(physical_id, old)
        return create(lid, new, stack)

    def delete(physical_id: str, properties: Properties) -> None:
        revoke = f"revoke_security_group_{direction.lower()}"
        with if_there():
            getattr(loopback.client("ec2"), revoke)(
                GroupId=properties["GroupId"], SecurityGroupRuleIds=[physical_id]
            )

    kind = f"AWS::EC2::SecurityGroup{direction}"
    return Provider(type=kind, create=create, update=update, delete=delete)


def _permission(rule: Properties) -> dict[str, Any]:
    said = {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in rule}
    described = {"Description": rule["Description"]} if "Description" in rule else {}
    for name, (kind, key) in _PEERS.items():
        if name in rule:
            said[kind] = [{key: rule[name]} | described]
    return said


def _create_flow_log(_: str, properties: Properties, __: str) -> Made:
    ec2 = loopback.client("ec2")
    request = dict(_flow_log_request(properties))
    made = ec2.create_flow_logs(**shaped(ec2, "create_flow_logs", request))
    identity: str = made["FlowLogIds"][0]
    return identity, _flow_log(identity)


def _flow_log_request(properties: Properties) -> Iterator[tuple[str, Any]]:
    for key, value in properties.items():
        if key == "ResourceId":
            yield "ResourceIds", [value]
        elif key != "Tags":
            yield key, value
    yield from _tags("vpc-flow-log", properties).items()


def _flow_log(identity: str) -> Attributes:
    return {"Id": identity}


def _delete_flow_log(physical_id: str, _: Properties) -> None:
    with if_there():
        loopback.client("ec2").delete_flow_logs(FlowLogIds=[physical_id])


def _create_peering(_: str, properties: Properties, __: str) -> Made:
    ec2 = loopback.client("ec2")
    request = without(properties, "Tags") | _tags("vpc-peering-connection", properties)
    made = ec2.create_vpc_peering_connection(**request)["VpcPeeringConnection"]
    identity: str = made["VpcPeeringConnectionId"]
    there = loopback.client("ec2", made["AccepterVpcInfo"]["Region"])
    if not there.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": [properties["PeerVpcId"]]}])[
        "Vpcs"
    ]:
        ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=identity)
        raise ValueError(f"The vpc ID '{properties['PeerVpcId']}' does not exist")
    # CloudFormation accepts in the name of the account, if both VPCs are its own.
    there.accept_vpc_peering_connection(VpcPeeringConnectionId=identity)
    return identity, _peering(identity)


def _peering(identity: str) -> Attributes:
    return {"Id": identity}


def _delete_peering(physical_id: str, _: Properties) -> None:
    with if_there():
        loopback.client("ec2").delete_vpc_peering_connection(VpcPeeringConnectionId=physical_id)


PROVIDERS = (
    Provider(type="AWS::EC2::VPC", create=_create_vpc, update=_update_vpc, delete=_vpc.delete),
    Provider(
        type="AWS::EC2::EIP",
        create=_create_address,
        update=_replacing(_create_address, "AllocationId", _address),
        delete=_delete_address,
    ),
    Provider(
        type="AWS::EC2::NatGateway",
        create=_create_gateway,
        update=_replacing(_create_gateway, "NatGatewayId", _gateway),
        delete=_delete_gateway,
    ),
    Provider(
        type="AWS::EC2::VPCPeeringConnection",
        create=_create_peering,
        update=_replacing(_create_peering, "Id", _peering),
        delete=_delete_peering,
    ),
    _rules("Ingress"),
    _rules("Egress"),
    Provider(
        type="AWS::EC2::FlowLog",
        create=_create_flow_log,
        update=_replacing(_create_flow_log, "Id", _flow_log),
        delete=_delete_flow_log,
    ),
)
