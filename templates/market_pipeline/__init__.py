"""market-pipeline: market data comes in over HTTP and ends as a time series, once, or visibly not.

Each region runs all of it on what it is sent itself; the table is the same in both. Clients that
lose a region post to the other one, and the id of an event makes a second attempt harmless.

    POST /ingest ─▶ ingestion ─▶ bus ──rule──▶ machine: Validate
                                  │                        │
                               archive              EnrichAndStore ─▶ Record ─▶ table (two regions)
                              (30 days)                    │            └─────▶ audit bucket
                                                     Compensate ─▶ failed queue ─▶ alarm
"""

from tap_templates.model.package import Package
from tap_templates.model.system import (
    Objectives,
    OutputHere,
    PackageKey,
    PackageSha256,
    ParameterValue,
    Regions,
    Stack,
    System,
    Where,
)
from templates.market_pipeline import (
    alerts,
    audit,
    data,
    events,
    ingestion,
    monitoring,
    network,
    processing,
)
from templates.market_pipeline.shared import (
    INGESTION_PACKAGE,
    NETWORK_OUTPUTS,
    PROCESSING_PACKAGES,
)

_NETWORK: dict[str, ParameterValue] = {
    name: OutputHere("network", name) for name in NETWORK_OUTPUTS
}


def _code(*packages: Package) -> dict[str, ParameterValue]:
    """Say where the code of each function is: see `shared.code`."""
    values: dict[str, ParameterValue] = {}
    for package in packages:
        prefix = package.name.removeprefix("market-").title()
        values[f"{prefix}CodeKey"] = PackageKey(package.name)
        values[f"{prefix}CodeSha256"] = PackageSha256(package.name)
    return values


MARKET_PIPELINE = System(
    name="market-pipeline",
    application="MarketPipeline",
    regions=Regions(primary="us-east-1", secondary="us-west-2"),
    # Nothing moves clients from one region to the other, so no time is promised; replication has
    # no bound either.
    objectives=Objectives(),
    packages=(INGESTION_PACKAGE, *PROCESSING_PACKAGES),
    stacks=(
        # Made from the secondary, so that it stays manageable while the primary is down.
        Stack(name="data", build=data.build, where=Where.SECONDARY),
        Stack(name="network", build=network.build, where=Where.BOTH),
        Stack(
            name="alerts",
            build=alerts.build,
            where=Where.BOTH,
            parameters={"AlarmEmail": "market-alarms@example.com"},
        ),
        Stack(name="audit", build=audit.build, where=Where.BOTH),
        Stack(
            name="processing",
            build=processing.build,
            where=Where.BOTH,
            depends_on=("data", "network", "alerts", "audit"),
            parameters={
                **_NETWORK,
                **_code(*PROCESSING_PACKAGES),
                "AlarmKeyArn": OutputHere("alerts", "AlarmKeyArn"),
            },
        ),
        Stack(name="events", build=events.build, where=Where.BOTH, depends_on=("processing",)),
        Stack(
            name="ingestion",
            build=ingestion.build,
            where=Where.BOTH,
            depends_on=("network", "events"),
            parameters={**_NETWORK, **_code(INGESTION_PACKAGE)},
        ),
        Stack(
            name="monitoring",
            build=monitoring.build,
            where=Where.BOTH,
            depends_on=("ingestion",),
            parameters={"ApiId": OutputHere("ingestion", "ApiId")},
        ),
    ),
)
