"""trading-dr: an order is acknowledged when two regions have it, and failover needs nobody.

clients ─▶ api.<domain> ─┬─▶ API ─▶ journal ─▶ queue ─▶ applier ─▶ Aurora     us-east-1
  (health check and      │            ║ (two regions    ▲             │ global database
   latch decide)         │            ║  before 202)    │ sweep       ▼
                         └─▶ API ─▶ journal ─▶ queue ─▶ applier ─▶ Aurora     us-east-2
                                             (off until it is active)
each region watches the other (prober) and runs the failover in itself (state machine)
"""

from collections.abc import Callable
from datetime import timedelta

from tap_templates.blocks.stack import StackTemplate
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
from templates.trading_dr import alerts, copies, database, network, storage, tables, zone
from templates.trading_dr.shared import DATABASE_PLACES, FUNCTION_PLACES, PACKAGES

DOMAIN = "trading.example.com"
# Not the primary's own: it could not see itself fail.
CHECKERS = "us-west-1,us-west-2,eu-west-1"


def _from_network(*names: str) -> dict[str, ParameterValue]:
    return {name: OutputHere("network", name) for name in names}


_DATABASE_PLACES = _from_network(*(each.name for each in DATABASE_PLACES))
_FUNCTION_PLACES = _from_network(*(each.name for each in FUNCTION_PLACES))


def _code(*packages: Package) -> dict[str, ParameterValue]:
    """Say where the code of each function is: see `shared.code`."""
    values: dict[str, ParameterValue] = {}
    for package in packages:
        prefix = package.name.removeprefix("order-").title()
        values[f"{prefix}CodeKey"] = PackageKey(package.name)
        values[f"{prefix}CodeSha256"] = PackageSha256(package.name)
    return values


def _each(
    name: str,
    primary: Callable[[], StackTemplate],
    secondary: Callable[[], StackTemplate],
    *depends_on: str,
    parameters: dict[str, ParameterValue] | None = None,
) -> tuple[Stack, Stack]:
    """Two stacks that differ by their region's role; the secondary's comes after the primary's."""
    given = parameters or {}
    return (
        Stack(
            name=f"{name}-primary",
            build=primary,
            where=Where.PRIMARY,
            depends_on=depends_on,
            parameters=given,
        ),
        Stack(
            name=f"{name}-secondary",
            build=secondary,
            where=Where.SECONDARY,
            depends_on=(*depends_on, f"{name}-primary"),
            parameters=given,
        ),
    )


TRADING_DR = System(
    name="trading-dr",
    application="TradingPlatform",
    regions=Regions(primary="us-east-1", secondary="us-east-2", witness="us-west-2"),
    # Of accepting orders: one that is acknowledged is in two regions. The database follows by the
    # machine, in a time that AWS does not bound, and what it lost is applied again.
    objectives=Objectives(rto=timedelta(seconds=60), rpo=timedelta(0)),
    packages=PACKAGES,
    stacks=(
        # Made from the secondary, so that they stay manageable while the primary is down.
        Stack(
            name="zone", build=zone.build, where=Where.SECONDARY, parameters={"DomainName": DOMAIN}
        ),
        Stack(name="tables", build=tables.build, where=Where.SECONDARY),
        Stack(
            name="alerts",
            build=alerts.build,
            where=Where.BOTH,
            parameters={"AlarmEmail": "trading-alarms@example.com"},
        ),
        Stack(name="copies", build=copies.build, where=Where.BOTH),
        Stack(name="network", build=network.build, where=Where.BOTH),
        *_each("storage", storage.primary, storage.secondary, "alerts", "copies"),
        *_each(
            "database",
            database.primary,
            database.secondary,
            "alerts",
            "network",
            parameters=_DATABASE_PLACES,
        ),
    ),
)
