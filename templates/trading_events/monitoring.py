"""The dashboard of a region: what comes in, what is done, what failed, how fast, who is healthy.

It alone takes a value from the other region, the health check's id, so nothing else is in it: any
other stack of a region can be changed while the other region is dark.
"""

from troposphere import Ref

from tap_templates.blocks.alarm import Metric
from tap_templates.blocks.dashboard import Graph, Line, dashboard, p
from tap_templates.blocks.stack import StackParameter, StackTemplate
from templates.trading_events.shared import (
    EVENTS_TO_PROCESSOR,
    FAILED,
    METRICS,
    PROCESSOR,
    SERVICE,
    UNDELIVERED,
)

HEALTH_CHECK = StackParameter(
    name="EndpointHealthCheckId",
    group="Endpoint",
    label="Health check of the endpoint",
    description="Output HealthCheckId of the endpoint stack; the deployer fills it in.",
    pattern=r"[A-Za-z0-9-]{1,64}",
    constraint="the id of a health check",
)
HEALTH_METRICS = StackParameter(
    name="HealthMetricsRegion",
    group="Endpoint",
    label="Region of health check metrics",
    description="The region Route 53 reports to; one for the whole partition.",
    pattern=r"[a-z]{2}(-[a-z]+)+-[0-9]",
    constraint="a region code such as eu-west-1",
)
VISIBLE = "ApproximateNumberOfMessagesVisible"


def build() -> StackTemplate:
    """The dashboard, nothing else."""
    stack = StackTemplate("trading-events: the dashboard of this region")
    stack.parameter(HEALTH_CHECK)
    stack.parameter(HEALTH_METRICS)
    board = dashboard("Trading", "trading-events", *_rows())
    stack.add(board)
    stack.output("DashboardName", "Dashboard of this region", Ref(board))
    return stack


def _own(name: str, statistic: str = "Sum") -> Metric:
    return Metric(
        namespace=METRICS, name=name, statistic=statistic, dimensions={"service": SERVICE}
    )


def _rows() -> tuple[tuple[Graph, ...], ...]:
    return (_counts(), _durations(), _attention())


def _counts() -> tuple[Graph, ...]:
    rule = EVENTS_TO_PROCESSOR
    return (
        Graph(
            title="Events in",
            lines=[
                Line(metric=rule.metric("MatchedEvents"), label="matched"),
                Line(metric=rule.metric("Invocations"), label="delivered"),
            ],
        ),
        Graph(
            title="Events processed",
            lines=[
                Line(metric=_own("EventsProcessed"), label="processed here"),
                Line(metric=_own("DuplicateEvents"), label="already processed"),
            ],
        ),
        Graph(
            title="Events failed",
            lines=[
                Line(metric=rule.metric("FailedInvocations"), label="delivery"),
                Line(metric=PROCESSOR.metric("Errors"), label="processing"),
                Line(metric=_own("PoisonEvents"), label="poison"),
            ],
        ),
    )


def _durations() -> tuple[Graph, ...]:
    return tuple(
        Graph(
            title=title,
            lines=[
                Line(metric=p(50, metric), label="p50"),
                Line(metric=p(99, metric), label="p99"),
            ],
        )
        for title, metric in (
            ("Processing time (ms)", _own("ProcessingTime")),
            ("Function duration (ms)", PROCESSOR.metric("Duration")),
        )
    )


def _attention() -> tuple[Graph, ...]:
    healthy = Metric(
        namespace="AWS/Route53",
        name="HealthCheckStatus",
        statistic="Minimum",
        dimensions={"HealthCheckId": HEALTH_CHECK.ref},
    )
    return (
        Graph(
            title="Waiting for a person",
            lines=[
                Line(metric=UNDELIVERED.metric(VISIBLE), label="not delivered"),
                Line(metric=FAILED.metric(VISIBLE), label="not processed"),
            ],
        ),
        Graph(
            title="Endpoint: 1 is the primary region, 0 the secondary",
            region=f"${{{HEALTH_METRICS.name}}}",
            lines=[Line(metric=healthy, label="primary healthy")],
        ),
    )
