"""The global endpoint: one address for producers, moved by a health check. Primary region only."""

from troposphere import GetAtt, Ref

from tap_templates.blocks.endpoint import global_endpoint
from tap_templates.blocks.stack import StackParameter, StackTemplate
from templates.trading_events.shared import ALARMS, BUS

# Both are bounded by what EventBridge prescribes: beyond it, its 420 s no longer hold.
LATENCY = StackParameter(
    name="IngestionLatencyMs",
    group="Failover",
    label="Ingestion latency that is unhealthy",
    description="Milliseconds an event may wait for delivery, on average over a minute.",
    type="Number",
    default=30000,
    at_least=1000,
    at_most=30000,
    constraint="1000 to 30000 ms",
)
PERIODS = StackParameter(
    name="UnhealthyMinutes",
    group="Failover",
    label="Minutes until failover",
    description="Minutes on end that must be unhealthy before ingestion moves.",
    type="Number",
    default=5,
    at_least=1,
    at_most=5,
    constraint="1 to 5 minutes",
)


def build() -> StackTemplate:
    """The endpoint over the two buses, with the alarm and health check EventBridge prescribes."""
    stack = StackTemplate("trading-events: the global endpoint that producers publish to")
    stack.parameter(LATENCY)
    stack.parameter(PERIODS)
    entry = global_endpoint(
        "Trading",
        "trading-events",
        BUS,
        latency_ms=LATENCY,
        periods=PERIODS,
        tell=ALARMS,
        describes="Trading events, to the primary region while it is healthy",
    )
    stack.add(*entry)
    stack.output("EndpointId", "What producers publish to", GetAtt(entry.endpoint, "EndpointId"))
    stack.output("EndpointUrl", "The endpoint's URL", GetAtt(entry.endpoint, "EndpointUrl"))
    stack.output("HealthCheckId", "The health check that moves ingestion", Ref(entry.health_check))
    return stack
