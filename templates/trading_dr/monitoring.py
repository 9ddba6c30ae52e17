"""The dashboard of both regions, in each of them, and the alarms on the journal.

Whoever looks in the region that survives must see the other one, too. What each part can ring for
by itself is in its own stack.
"""

from collections.abc import Iterator

from troposphere import Ref

from tap_templates.blocks.alarm import Metric
from tap_templates.blocks.dashboard import Graph, Line, dashboard, p
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.table import write_alarms
from tap_templates.blocks.text import sub
from tap_templates.model.names import PRIMARY_REGION, SECONDARY_REGION
from templates.trading_dr.shared import (
    ALARMS,
    API,
    APPLIER,
    CLUSTER,
    DEAD_ORDERS,
    FAILBACK_MACHINE,
    FAILOVER_MACHINE,
    JOURNAL,
    ORDER_API,
    ORDERS,
    PROBER,
    REPLAYER,
    own_metric,
)

_REGIONS = (("primary", PRIMARY_REGION), ("secondary", SECONDARY_REGION))
_AGE, _VISIBLE = "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"


def build() -> StackTemplate:
    """The dashboard, and what rings when the journal does not take writes."""
    stack = StackTemplate("trading-dr: the dashboard of both regions")
    board = dashboard("Orders", "orders", *_rows())
    stack.add(board, *write_alarms(JOURNAL, what="orders", tell=ALARMS))
    stack.output("DashboardName", "Dashboard of both regions", Ref(board))
    return stack


def _rows() -> Iterator[tuple[Graph, ...]]:
    for role, region in _REGIONS:
        yield _orders(role, region)
        yield _waiting(role, region)


def _orders(role: str, region: str) -> tuple[Graph, ...]:
    return (
        Graph(
            title=f"Orders, {role}",
            region=region,
            lines=[
                Line(metric=own_metric(ORDER_API, "OrdersAccepted"), label="acknowledged"),
                Line(metric=own_metric(APPLIER, "OrdersApplied"), label="applied"),
                Line(metric=own_metric(REPLAYER, "OrdersRestored"), label="restored"),
            ],
        ),
        Graph(
            title=f"API, {role}",
            region=region,
            lines=[
                Line(metric=API.metric("Count"), label="requests"),
                Line(metric=API.metric("4XXError"), label="refused"),
                Line(metric=API.metric("5XXError"), label="failed"),
            ],
        ),
        Graph(
            title=f"Latency of the API (ms), {role}",
            region=region,
            lines=[
                Line(metric=p(50, API.metric("Latency")), label="p50"),
                Line(metric=p(99, API.metric("Latency")), label="p99"),
            ],
        ),
        Graph(
            title=f"Functions that fail, {role}",
            region=region,
            lines=[
                Line(metric=each.metric(name), label=f"{each.purpose} {label}")
                for each in (ORDER_API, APPLIER, REPLAYER, PROBER)
                for name, label in (("Errors", "errors"), ("Throttles", "throttled"))
            ],
        ),
    )


def _waiting(role: str, region: str) -> tuple[Graph, ...]:
    return (
        Graph(
            title=f"Oldest order in the queue (s), {role}",
            region=region,
            lines=[Line(metric=ORDERS.metric(_AGE), label="age")],
        ),
        Graph(
            title=f"Dead letters, {role}",
            region=region,
            lines=[Line(metric=DEAD_ORDERS.metric(_VISIBLE), label="orders")],
        ),
        Graph(
            title=f"Database, {role}",
            region=region,
            lines=[
                Line(
                    metric=_database(region, "AuroraGlobalDBRPOLag"), label="lag of the copy (ms)"
                ),
                Line(metric=_database(region, "DatabaseConnections"), label="connections"),
            ],
        ),
        Graph(
            title=f"Machines, {role}",
            region=region,
            lines=[
                Line(metric=machine.metric(name, region=region), label=f"{label} {what}")
                for machine, label in (
                    (FAILOVER_MACHINE, "failover"),
                    (FAILBACK_MACHINE, "failback"),
                )
                for name, what in (("ExecutionsStarted", "started"), ("ExecutionsFailed", "failed"))
            ],
        ),
    )


def _database(region: str, name: str) -> Metric:
    return Metric(
        namespace="AWS/RDS",
        name=name,
        statistic="Maximum",
        dimensions={"DBClusterIdentifier": sub(CLUSTER.name_in(region))},
    )
