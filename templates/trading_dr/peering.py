"""The peering of the two networks: `peering` asks for it, `peer-routes` is the way back.

Only tests of readiness go over it: nothing that takes or applies orders, and nothing of a failover,
needs the other region's network.
"""

from tap_templates.blocks.peering import PEER_VPC, PEERING, peer_access, peer_routes, peering
from tap_templates.blocks.security_group import POSTGRESQL
from tap_templates.blocks.stack import StackParameter, StackTemplate
from templates.trading_dr.network import ROUTE_TABLES
from templates.trading_dr.shared import DATABASE_GROUP, FUNCTION_GROUP, NETWORK, VPC_ID

TABLES = tuple(
    StackParameter(
        name=name,
        group="Network",
        label=f"Route table {number}",
        description=f"Output {name} of the network stack of this region; the deployer fills it in.",
        pattern=r"rtb-[0-9a-f]{8,17}",
        constraint="an id such as rtb-0123456789abcdef0",
    )
    for number, name in enumerate(ROUTE_TABLES, 1)
)
GROUPS = (FUNCTION_GROUP, DATABASE_GROUP)
_WHY = "Whether the database of the other region answers"


def primary() -> StackTemplate:
    """The peering, and what the primary routes and admits over it."""
    stack = StackTemplate("trading-dr: the peering of the regions, asked for by the primary")
    for parameter in (VPC_ID, *TABLES):
        stack.parameter(parameter)
    made = peering(
        "Orders",
        "orders",
        vpc=VPC_ID.ref,
        peer_vpc=stack.parameter(PEER_VPC),
        tables=[each.ref for each in TABLES],
        ranges=NETWORK.ranges,
    )
    stack.add(made.connection, *made.routes)
    _admit(stack, NETWORK.ranges.secondary)
    stack.output("PeeringConnectionId", "The peering", made.id)
    return stack


def secondary() -> StackTemplate:
    """What the secondary routes and admits over it."""
    stack = StackTemplate("trading-dr: the way back over the peering, from the secondary")
    for parameter in TABLES:
        stack.parameter(parameter)
    routes = peer_routes(
        "Orders",
        stack.parameter(PEERING),
        tables=[each.ref for each in TABLES],
        destination=NETWORK.ranges.primary,
    )
    stack.add(*routes)
    _admit(stack, NETWORK.ranges.primary)
    stack.output("PeerRange", "The range that is routed to", NETWORK.ranges.primary)
    return stack


def _admit(stack: StackTemplate, peer_range: str) -> None:
    for parameter in GROUPS:
        stack.parameter(parameter)
    access = peer_access(
        "Database",
        FUNCTION_GROUP.ref,
        DATABASE_GROUP.ref,
        peer_range=peer_range,
        port=POSTGRESQL,
        why=_WHY,
    )
    stack.add(*access)
