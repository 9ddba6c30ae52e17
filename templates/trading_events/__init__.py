"""trading-events: every trade is processed once, whichever region is alive.

Producers publish to one global endpoint. It hands events to the bus of the primary region, or to
the one of the secondary while the primary is unhealthy, and copies every event to the other bus.
Both regions process what they see; whoever first writes the event's id into the strongly
consistent table has processed it, and for the other it is a counted no-op. Nothing waits for
anything in the other region, and nothing has to be switched when a region goes.

    producer ──▶ endpoint ──▶ bus ──rule──▶ processor ──▶ transactions (one table, two regions
                    │          ▲                │                        and a witness)
                    │      replication          └─▶ failure queue ─▶ alarm
                    └────▶ bus of the other region, with the same behind it
"""

from datetime import timedelta

from tap_templates.model.system import (
    Objectives,
    OutputOf,
    PackageKey,
    PackageSha256,
    Regions,
    Stack,
    System,
    Where,
)
from templates.trading_events import alerts, bus, endpoint, monitoring, processing, table
from templates.trading_events.shared import PROCESSOR_PACKAGE

TRADING_EVENTS = System(
    name="trading-events",
    application="TradingEvents",
    regions=Regions(primary="us-east-1", secondary="us-west-2", witness="us-east-2"),
    # 420 s is what EventBridge says at most for a global endpoint; what a processor has
    # acknowledged is in two regions.
    objectives=Objectives(rto=timedelta(seconds=420), rpo=timedelta(0)),
    packages=(PROCESSOR_PACKAGE,),
    retain=frozenset({"AWS::DynamoDB::GlobalTable"}),
    stacks=(
        # Made from the secondary, so that it stays manageable while the primary is down.
        Stack(name="table", build=table.build, where=Where.SECONDARY),
        Stack(
            name="alerts",
            build=alerts.build,
            where=Where.BOTH,
            parameters={"AlarmEmail": "trading-alarms@example.com"},
        ),
        Stack(
            name="processing",
            build=processing.build,
            where=Where.BOTH,
            depends_on=("table", "alerts"),
            parameters={
                "CodeKey": PackageKey(PROCESSOR_PACKAGE.name),
                "CodeSha256": PackageSha256(PROCESSOR_PACKAGE.name),
            },
        ),
        Stack(name="bus", build=bus.build, where=Where.BOTH, depends_on=("processing", "alerts")),
        Stack(
            name="endpoint",
            build=endpoint.build,
            where=Where.PRIMARY,
            depends_on=("bus", "alerts"),
        ),
        Stack(
            name="monitoring",
            build=monitoring.build,
            where=Where.BOTH,
            depends_on=("endpoint",),
            parameters={
                "EndpointHealthCheckId": OutputOf("endpoint", "HealthCheckId", Where.PRIMARY),
                # Route 53 reports its metrics in this region alone, wherever the pair is.
                "HealthMetricsRegion": "us-east-1",
            },
        ),
    ),
)
