"""The network of a region: functions in private subnets, AWS reached through endpoints."""

from troposphere import GetAtt, Ref

from tap_templates.blocks.network import NatGateways, Network, network
from tap_templates.blocks.network_endpoints import gateway_endpoints, interface_endpoints
from tap_templates.blocks.network_ranges import CidrPlan
from tap_templates.blocks.security_group import group_id, https_to_anywhere, security_group
from tap_templates.blocks.stack import StackTemplate
from templates.market_pipeline.shared import SECURITY_GROUP, SUBNETS, VPC_ID

MARKET = Network("market", CidrPlan(primary="10.40.0.0/16", secondary="10.41.0.0/16"))
SERVICES = ("events", "sns")  # what the functions call beside DynamoDB and S3


def build() -> StackTemplate:
    """The VPC, its endpoints, and the group that functions run in."""
    stack = StackTemplate("market-pipeline: the network of this region")
    vpc = network(stack, "Market", MARKET, nat_gateways=NatGateways.ONE)
    functions = security_group(
        "Functions", "market-functions", vpc.id, describes="Functions of the market pipeline"
    )
    out = https_to_anywhere("Functions", functions, why="DynamoDB, S3 and AWS at large")
    gateways = gateway_endpoints("Market", MARKET, vpc)
    interfaces = interface_endpoints("Market", MARKET, vpc, callers=functions, services=SERVICES)
    stack.add(*vpc, functions, out, *gateways, *interfaces)

    stack.output(VPC_ID.name, "The VPC", vpc.id)
    stack.output("VpcCidr", "Its range", GetAtt(vpc.vpc, "CidrBlock"))
    stack.output(SECURITY_GROUP.name, "Group that functions run in", group_id(functions))
    for parameter, subnet in zip(SUBNETS, vpc.private.subnets, strict=True):
        stack.output(parameter.name, parameter.label, Ref(subnet))
    return stack
