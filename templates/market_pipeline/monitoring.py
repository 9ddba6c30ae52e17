"""The dashboard of a region: what comes in, what becomes of it, how fast, and what waits."""

from troposphere import Ref

from tap_templates.blocks.alarm import Metric
from tap_templates.blocks.dashboard import Graph, Line, dashboard, p
from tap_templates.blocks.stack import StackParameter, StackTemplate
from templates.market_pipeline.shared import (
    COMPENSATION,
    ENRICHMENT,
    EVENTS,
    EVENTS_TO_PIPELINE,
    FAILED,
    INGESTION,
    PIPELINE,
    STORAGE,
    UNDELIVERED,
    VALIDATION,
)

API_ID = StackParameter(
    name="ApiId",
    group="API",
    label="Id of the API",
    description="Output ApiId of the ingestion stack of this region; the deployer fills it in.",
    pattern=r"[a-z0-9]{1,32}",
    constraint="the id of an API",
)
VISIBLE = "ApproximateNumberOfMessagesVisible"
FUNCTIONS = {
    "ingestion": INGESTION,
    "validation": VALIDATION,
    "enrichment": ENRICHMENT,
    "storage": STORAGE,
    "compensation": COMPENSATION,
}


def build() -> StackTemplate:
    """The dashboard, nothing else."""
    stack = StackTemplate("market-pipeline: the dashboard of this region")
    stack.parameter(API_ID)
    board = dashboard("Market", "market-pipeline", _in_and_out(), _functions(), _stores())
    stack.add(board)
    stack.output("DashboardName", "Dashboard of this region", Ref(board))
    return stack


def _api(name: str, statistic: str = "Sum") -> Metric:
    return Metric(
        namespace="AWS/ApiGateway",
        name=name,
        statistic=statistic,
        dimensions={"ApiId": API_ID.ref},
    )


def _in_and_out() -> tuple[Graph, ...]:
    return (
        Graph(
            title="Requests",
            lines=[
                Line(metric=_api("Count"), label="requests"),
                Line(metric=_api("4xx"), label="refused"),
                Line(metric=_api("5xx"), label="failed"),
            ],
        ),
        Graph(
            title="Latency of ingestion (ms)",
            lines=[
                Line(metric=p(50, _api("Latency")), label="p50"),
                Line(metric=p(99, _api("Latency")), label="p99"),
            ],
        ),
        Graph(
            title="Events",
            lines=[
                Line(metric=EVENTS_TO_PIPELINE.metric("MatchedEvents"), label="matched"),
                Line(metric=EVENTS_TO_PIPELINE.metric("FailedInvocations"), label="not delivered"),
            ],
        ),
        Graph(
            title="Pipeline",
            lines=[
                Line(metric=PIPELINE.metric("ExecutionsStarted"), label="started"),
                Line(metric=PIPELINE.metric("ExecutionsSucceeded"), label="recorded"),
                Line(metric=PIPELINE.metric("ExecutionsFailed"), label="failed"),
                Line(metric=PIPELINE.metric("ExecutionsTimedOut"), label="timed out"),
            ],
        ),
    )


def _functions() -> tuple[Graph, ...]:
    return tuple(
        Graph(
            title=title,
            lines=[
                Line(metric=function.metric(name, statistic), label=label)
                for label, function in FUNCTIONS.items()
            ],
        )
        for title, name, statistic in (
            ("Invocations", "Invocations", "Sum"),
            ("Errors", "Errors", "Sum"),
            ("Duration p99 (ms)", "Duration", "p99"),
        )
    )


def _stores() -> tuple[Graph, ...]:
    return (
        Graph(
            title="Capacity of the table",
            lines=[
                Line(metric=EVENTS.metric("ConsumedReadCapacityUnits"), label="read"),
                Line(metric=EVENTS.metric("ConsumedWriteCapacityUnits"), label="written"),
            ],
        ),
        Graph(
            title="Throttled by the table",
            lines=[
                Line(
                    metric=EVENTS.metric("ThrottledRequests", operation=operation), label=operation
                )
                for operation in ("GetItem", "PutItem", "Query", "UpdateItem")
            ],
        ),
        Graph(
            title="Waiting for a person",
            lines=[
                Line(metric=UNDELIVERED.metric(VISIBLE), label="not delivered"),
                Line(metric=FAILED.metric(VISIBLE), label="given up"),
            ],
        ),
    )
