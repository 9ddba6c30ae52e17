"""The network of a region: functions in private subnets, the database in isolated ones."""

from troposphere import Ref

from tap_templates.blocks.network import NatGateways, Vpc, network
from tap_templates.blocks.network_endpoints import gateway_endpoints
from tap_templates.blocks.security_group import (
    POSTGRESQL,
    admit,
    group_id,
    https_to_anywhere,
    security_group,
)
from tap_templates.blocks.stack import StackTemplate
from templates.trading_dr.shared import (
    DATABASE_GROUP,
    FUNCTION_GROUP,
    ISOLATED_SUBNETS,
    NETWORK,
    PRIVATE_SUBNETS,
    VPC_ID,
)

ROUTE_TABLES = ("PrivateRoutesA", "PrivateRoutesB", "PrivateRoutesC", "IsolatedRoutes")


def build() -> StackTemplate:
    """The VPC, its endpoints, and the groups of functions and database."""
    stack = StackTemplate("trading-dr: the network of this region")
    vpc = network(stack, "Orders", NETWORK, nat_gateways=NatGateways.ONE_PER_AZ)
    functions = security_group(
        "Functions", "orders-functions", vpc.id, describes="Functions of the order platform"
    )
    database = security_group(
        "Database", "orders-database", vpc.id, describes="The database of orders"
    )
    stack.add(*vpc, functions, database)
    stack.add(
        *admit("Database", functions, database, port=POSTGRESQL, why="Orders"),
        https_to_anywhere("Functions", functions, why="AWS, and what is probed"),
        *gateway_endpoints("Orders", NETWORK, vpc, deploy_steps=True),
    )
    _outputs(stack, vpc)
    stack.output(FUNCTION_GROUP.name, "Group that functions run in", group_id(functions))
    stack.output(DATABASE_GROUP.name, "Group of the database", group_id(database))
    return stack


def _outputs(stack: StackTemplate, vpc: Vpc) -> None:
    stack.output(VPC_ID.name, "The VPC", vpc.id)
    stack.output("VpcCidr", "Its range", vpc.cidr)
    for parameters, tier in ((PRIVATE_SUBNETS, vpc.private), (ISOLATED_SUBNETS, vpc.isolated)):
        for parameter, subnet in zip(parameters, tier.subnets, strict=True):
            stack.output(parameter.name, parameter.label, Ref(subnet))
    tables = (*vpc.private.route_tables, *vpc.isolated.route_tables)
    for name, table in zip(ROUTE_TABLES, tables, strict=True):
        stack.output(name, "Route table, for the routes to the other region", Ref(table))
