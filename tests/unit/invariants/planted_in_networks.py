"""Faults in the ranges of networks, and in what is named by a label or a tag."""

from functools import partial

from unit.invariants.planted import Planted, drop, put, sub

_In = partial(Planted, stack="network", system="market-pipeline")


def _by_region(primary, secondary):
    return {"Fn::If": ["InPrimaryRegion", primary, secondary]}


PLANTED = (
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
