"""Faults in the ranges of networks, and in what is named by a label or a tag."""

from functools import partial

from unit.invariants.planted import Planted, add, both, drop, put, remove, sub

_In = partial(Planted, stack="network", system="market-pipeline")


def _by_region(primary, secondary):
    return {"Fn::If": ["InPrimaryRegion", primary, secondary]}


_A = "MarketPrivateSubnetA"
_HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}


def _cut(edit, says, function="StorageFunction", at="processing"):
    return _In(
        "TAP-NET-04",
        edit=edit,
        logical_id=function,
        at=at,
        path="/Properties/VpcConfig",
        says=says,
        remedy="lead the subnet to a NAT gateway or to an endpoint",
    )


_PUBLISHES = partial(_cut, function="CompensationFunction")
_PUTS = partial(_cut, function="IngestionFunction", at="ingestion")
_ACL = both(
    add("Acl", "AWS::EC2::NetworkAcl", VpcId={"Ref": "MarketVpc"}),
    add(
        "AclOfA",
        "AWS::EC2::SubnetNetworkAclAssociation",
        SubnetId={"Ref": _A},
        NetworkAclId={"Ref": "Acl"},
    ),
)
_NO_EVENTS = remove("MarketEventsEndpoint")
_NO_SNS = remove("MarketSnsEndpoint")


def _elsewhere(name):
    """Let the functions run in another subnet of their network."""
    return lambda template: template["Outputs"]["PrivateSubnetA"].update(Value={"Ref": name})


REACH = (
    _PUTS(
        both(_NO_EVENTS, _elsewhere("MarketIsolatedSubnetA")),
        "calls events, and does not get there: MarketIsolatedSubnetA leads neither to an endpoint",
    ),
    _PUTS(both(_NO_EVENTS, remove("MarketPrivateDefaultB")), "MarketPrivateSubnetB leads neither"),
    _PUTS(both(_NO_EVENTS, remove("MarketPublicDefault")), "MarketPrivateSubnetA leads neither"),
    _PUTS(both(_NO_EVENTS, remove("MarketInternetAttachment")), f"{_A} leads neither"),
    _PUTS(
        both(_NO_EVENTS, put("MarketNatGatewayA", "ConnectivityType", "private")),
        f"{_A} leads neither",
    ),
    _PUTS(put("MarketVpc", "EnableDnsHostnames", value=False), "does not resolve names"),
    _PUTS(
        remove("FunctionsHttpsEgress", "MarketEndpointsEgress"),
        "calls events, and does not get there: its security groups do not let HTTPS out to the "
        "endpoint",
    ),
    _PUBLISHES(remove("MarketEndpointsIngress"), "calls sns, and does not get there: the security"),
    _PUBLISHES(put("MarketEndpointsIngress", "FromPort", 444), "does not admit HTTPS"),
    _PUBLISHES(
        both(_NO_SNS, remove("FunctionsHttpsEgress")), "calls sns, and does not get there: its"
    ),
    _cut(remove("FunctionsHttpsEgress"), "calls dynamodb, and does not get there: its"),
    _cut(put("FunctionsHttpsEgress", "ToPort", 80), "do not let HTTPS out"),
    _cut(
        both(
            remove("MarketPrivateDefaultA"),
            put("MarketS3Endpoint", "RouteTableIds", [{"Ref": "MarketIsolatedRoutes"}]),
        ),
        f"calls s3, and does not get there: {_A} leads neither to an endpoint",
    ),
    _cut(_ACL, f"{_A} has a network ACL, which this check does not read"),
    _cut(_elsewhere("MarketVpc"), "in a subnet that no stack of the system makes"),
    _In(
        "TAP-NET-05",
        edit=both(
            *(put(f"MarketPrivateSubnet{zone}", "AvailabilityZone", "us-east-1a") for zone in "ABC")
        ),
        logical_id="StorageFunction",
        at="processing",
        says="runs in one availability zone",
        remedy="subnets in two zones",
    ),
    _In(
        "TAP-NET-06",
        edit=remove("MarketIsolatedSubnetARouting"),
        logical_id="MarketIsolatedSubnetA",
        says="is associated with no route table",
        remedy="SubnetRouteTableAssociation",
    ),
    _In(
        "TAP-NET-07",
        edit=put("MarketNatGatewayA", "SubnetId", {"Ref": _A}),
        logical_id="MarketNatGatewayA",
        says="is in a subnet that does not lead to the internet",
        remedy="put it into a public subnet",
    ),
)
"""What a function cannot reach; each is silent as it is compiled."""

REACHES = {
    "by NAT, without endpoints": both(
        _NO_EVENTS, _NO_SNS, remove("MarketDynamoDbEndpoint", "MarketS3Endpoint")
    ),
    "by endpoints, without NAT": both(*(remove(f"MarketPrivateDefault{zone}") for zone in "ABC")),
    "out to the group of the endpoints, and to prefix lists": both(
        remove("FunctionsHttpsEgress"),
        add(
            "ToLists",
            "AWS::EC2::SecurityGroupEgress",
            GroupId={"Fn::GetAtt": ["FunctionsSecurityGroup", "GroupId"]},
            DestinationPrefixListId="pl-1",
            **_HTTPS,
        ),
    ),
    "ranges for groups": both(
        put("MarketEndpointsIngress", "CidrIp", "10.0.0.0/8"),
        drop("MarketEndpointsIngress", "SourceSecurityGroupId"),
    ),
    "any protocol": put("FunctionsHttpsEgress", "IpProtocol", "-1"),
}
"""Networks that are other than ours, and do not cut off a function."""

PLANTED = (
    *REACH,
    _In(
        "TAP-NET-01",
        edit=put("MarketVpc", "CidrBlock", "10.40.0.0/16"),
        logical_id="MarketVpc",
        path="/Properties/CidrBlock",
        says="has the range 10.40.0.0/16, which overlaps 10.40.0.0/16 of network MarketVpc in "
        "us-east-1: the two can never be peered",
        remedy="a range cannot be changed later",
    ),
    _In(
        "TAP-NET-02",
        edit=put("MarketPrivateSubnetA", "CidrBlock", _by_region("10.42.0.0/20", "10.43.0.0/20")),
        logical_id="MarketPrivateSubnetA",
        path="/Properties/CidrBlock",
        says="has the range 10.42.0.0/20, which is not in 10.40.0.0/16 of its VPC",
        remedy="CidrPlan.subnet()",
    ),
    _In(
        "TAP-NET-02",
        edit=put("MarketPrivateSubnetB", "CidrBlock", _by_region("10.40.8.0/21", "10.41.8.0/21")),
        logical_id="MarketPrivateSubnetB",
        says="has the range 10.40.8.0/21, which overlaps 10.40.0.0/20 of MarketPrivateSubnetA",
        remedy="give each subnet a range of its own",
    ),
    _In(
        "TAP-NET-03",
        edit=put("MarketPrivateSubnetA", "CidrBlock", "10.40.0.1/20"),
        logical_id="MarketPrivateSubnetA",
        says="has the range '10.40.0.1/20', which is no IPv4 network",
        remedy="write it out",
    ),
    Planted(
        "TAP-NAME-01",
        "ingestion",
        put("IngestionApi", "Name", sub("ingestion-${EnvironmentSuffix}")),
        logical_id="IngestionApi",
        says="is called 'ingestion-dev': the rule is api-<purpose>-dev",
        system="market-pipeline",
    ),
    Planted(
        "TAP-NAME-02",
        "ingestion",
        drop("IngestionApi", "Name"),
        logical_id="IngestionApi",
        says="is named by AWS",
        system="market-pipeline",
    ),
    Planted(
        "TAP-REF-01",
        "ingestion",
        put(
            "IngestionPermission",
            "SourceArn",
            sub("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:other/*/GET/x"),
        ),
        logical_id="IngestionPermission",
        says="/*/GET/x matches no resource of the system",
        system="market-pipeline",
    ),
    Planted(
        "TAP-TAG-01",
        "ingestion",
        lambda t: t["Resources"]["IngestionApi"]["Properties"]["Tags"].pop("DR-Tier"),
        logical_id="IngestionApi",
        says="lacks the tag DR-Tier",
        system="market-pipeline",
    ),
    Planted(
        "TAP-DIM-01",
        "monitoring",
        lambda t: (
            t["Parameters"]["ApiId"].update(Default="x")
            or t["Resources"]["MarketDashboard"]["Properties"].update(
                DashboardBody={
                    "Fn::Sub": t["Resources"]["MarketDashboard"]["Properties"]["DashboardBody"][
                        "Fn::Sub"
                    ].replace("${ApiId}", "elsewhere")
                }
            )
        ),
        logical_id="MarketDashboard",
        says="measures ApiId=elsewhere, which the system does not make",
        system="market-pipeline",
    ),
)
