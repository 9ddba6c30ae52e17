"""Faults in what links the two regions: see `unit.blocks.linked_pair`."""

from unit.invariants.planted import Planted, drop, in_primary_only, put, remove

_ELSEWHERE = "vpc-0123456789abcdef0"

LINKS = (
    Planted(
        "TAP-NET-08",
        "peering",
        put("LedgerPeering", "PeerVpcId", _ELSEWHERE),
        logical_id="LedgerPeering",
        path="/Properties/PeerVpcId",
        says=f"joins {_ELSEWHERE}, which is no VPC of the system in the region it names",
        remedy="the VpcId of the network stack",
    ),
    Planted(
        "TAP-NET-08",
        "peering",
        drop("LedgerPeering", "PeerRegion"),
        logical_id="LedgerPeering",
        says="which is no VPC of the system in the region it names",
    ),
    Planted(
        "TAP-NET-08",
        "peering",
        put("LedgerPeering", "PeerRoleArn", "arn:aws:iam::999999999999:role/role-x"),
        logical_id="LedgerPeering",
        path="/Properties/PeerRoleArn",
        says="takes a role to be accepted with",
    ),
    Planted(
        "TAP-NET-09",
        "peer",
        remove(*(f"LedgerPeerRoute{number}" for number in range(1, 5))),
        logical_id="LedgerPeering",
        at="peering",
        says="us-east-2 routes nothing over it, and not to 10.20.0.0/16",
        remedy="add a route to 10.20.0.0/16 to the route tables of us-east-2",
    ),
    Planted(
        "TAP-NET-10",
        "peer",
        put("LedgerPeerRoute1", "VpcPeeringConnectionId", "pcx-0123456789abcdef0"),
        logical_id="LedgerPeerRoute1",
        path="/Properties/VpcPeeringConnectionId",
        says="leads into pcx-0123456789abcdef0, which is no peering of the system",
        remedy="the output PeeringConnectionId",
    ),
    Planted(
        "TAP-NET-10",
        "peering",
        put("LedgerPeerRoute2", "DestinationCidrBlock", "10.0.0.0/8"),
        logical_id="LedgerPeerRoute2",
        path="/Properties/DestinationCidrBlock",
        says="leads 10.0.0.0/8 over a peering with 10.21.0.0/16",
    ),
    Planted(
        "TAP-NET-11",
        "peer",
        remove("LedgerPeerRoute4"),
        logical_id="LedgerPeering",
        at="peering",
        says="is not routed from LedgerIsolatedSubnetA in us-east-2, where LedgerSubnets is",
        remedy="add a route to 10.20.0.0/16 to its route table",
    ),
    Planted(
        "TAP-FWD-01",
        "buses",
        in_primary_only("LedgerBus"),
        logical_id="CrossingRule",
        at="links",
        says="which is no bus of the system",
        remedy="name the bus that a stack of the other region makes",
    ),
    Planted(
        "TAP-FWD-01",
        "links",
        lambda template: template["Resources"]["CrossingRule"]["Properties"]["Targets"][0].pop(
            "RoleArn"
        ),
        logical_id="CrossingRule",
        path="/Properties/Targets/0/RoleArn",
        says="without a role",
    ),
    Planted(
        "TAP-FWD-02",
        "links",
        lambda template: template["Resources"]["CrossingRule"]["Properties"]["EventPattern"].pop(
            "region"
        ),
        logical_id="CrossingRule",
        path="/Properties/EventPattern/region",
        says="has forwarded here, and so on",
        remedy="match the region as well",
    ),
    Planted(
        "TAP-FWD-02",
        "links",
        put("CrossingRule", "EventPattern.region", [{"exists": True}]),
        logical_id="CrossingRule",
        says="nothing in its pattern keeps to what happened here",
    ),
    Planted(
        "TAP-SSM-01",
        "links",
        in_primary_only("LedgerRegionSetting"),
        logical_id="LedgerRegionSetting",
        path="/Properties/Name",
        says="is /ledger/dev/region, which us-east-2 lacks",
        remedy="make it in a stack that is in both regions",
    ),
    Planted(
        "TAP-SSM-02",
        "links",
        put("LedgerRegionSetting", "Type", "StringList"),
        logical_id="LedgerRegionSetting",
        path="/Properties/Type",
        says="is of type StringList",
        remedy="set Type to String",
    ),
    Planted(
        "TAP-NAME-01",
        "links",
        put("LedgerRegionSetting", "Name", "/ledger/region"),
        logical_id="LedgerRegionSetting",
        path="/Properties/Name",
        says="the rule is /<purpose>/dev/<key>",
        remedy="setting_path()",
    ),
)
PLANTED = LINKS
