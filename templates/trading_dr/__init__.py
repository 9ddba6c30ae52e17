"""trading-dr: an order is acknowledged when two regions have it, and failover needs nobody.

clients ─▶ api.<domain> ─┬─▶ API ─▶ journal ─▶ queue ─▶ applier ─▶ Aurora     us-east-1
  (health check and      │            ║ (two regions    ▲             │ global database
   latch decide)         │            ║  before 202)    │ sweep       ▼
                         └─▶ API ─▶ journal ─▶ queue ─▶ applier ─▶ Aurora     us-east-2
                                             (off until it is active)
each region watches the other (prober) and runs the failover in itself (state machine)
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from tap_templates.blocks.operator_role import USED_BY, operator_role_name
from tap_templates.blocks.stack import StackTemplate
from tap_templates.model.package import Package
from tap_templates.model.system import (
    Objectives,
    OutputHere,
    OutputOf,
    PackageKey,
    PackageSha256,
    ParameterValue,
    Regions,
    Stack,
    System,
    Where,
)
from templates.trading_dr import (
    alerts,
    api,
    compute,
    configuration,
    copies,
    database,
    dns,
    events,
    forwarding,
    messaging,
    monitoring,
    network,
    operators,
    peering,
    recovery,
    schema,
    storage,
    tables,
    watch,
    zone,
)
from templates.trading_dr.shared import (
    API_PACKAGE,
    APPLIER_PACKAGE,
    AUDIT_PACKAGE,
    DATABASE_LOGIN,
    DATABASE_PLACES,
    DATABASE_SERVER,
    FUNCTION_PLACES,
    OPERATORS,
    PACKAGES,
    PROBER_PACKAGE,
    READINESS_PACKAGE,
    RECOVERY_PACKAGE,
    REPLAYER_PACKAGE,
    SCHEMA_PACKAGE,
    VPC_ID,
)

DOMAIN = "trading.example.com"
# Not the primary's own: it could not see itself fail.
CHECKERS = "us-west-1,us-west-2,eu-west-1"
# Any account's, as the role trusts its own alone.
OPERATOR_ARNS = "arn:aws:iam::*:role/trading-operators*"
_ZONE = OutputOf("zone", "HostedZoneId", Where.SECONDARY)


def _from_network(*names: str) -> dict[str, ParameterValue]:
    return {name: OutputHere("network", name) for name in names}


_DATABASE_PLACES = _from_network(*(each.name for each in DATABASE_PLACES))
_PEER_PLACES = _from_network(*(each.name for each in (*peering.GROUPS, *peering.TABLES)))
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
    given: Callable[[Where], Mapping[str, ParameterValue]] = lambda _: {},
) -> tuple[Stack, Stack]:
    """Two stacks of one kind, for what differs between the roles or takes what does.

    A dependency that ends with a dash is on the stack of the same role.
    """

    def stack(role: Where, build: Callable[[], StackTemplate], *after: str) -> Stack:
        own = (f"{each}{role.value}" if each.endswith("-") else each for each in depends_on)
        return Stack(
            name=f"{name}-{role.value}",
            build=build,
            where=role,
            depends_on=(*own, *after),
            parameters=given(role),
        )

    return (
        stack(Where.PRIMARY, primary),
        stack(Where.SECONDARY, secondary, f"{name}-{Where.PRIMARY.value}"),
    )


def _database(role: Where, *names: str) -> dict[str, ParameterValue]:
    """Take outputs of the region's own database stack."""
    return {name: OutputHere(f"database-{role.value}", name) for name in names}


def _other(role: Where) -> Where:
    return Where.SECONDARY if role is Where.PRIMARY else Where.PRIMARY


def _of_other(role: Where, name: str) -> OutputOf:
    """Take an output of the other region's database stack."""
    other = _other(role)
    return OutputOf(f"database-{other.value}", name, other)


def _login(role: Where) -> dict[str, ParameterValue]:
    return _database(role, *(each.name for each in DATABASE_LOGIN))


TRADING_DR = System(
    name="trading-dr",
    application="TradingPlatform",
    regions=Regions(primary="us-east-1", secondary="us-east-2", witness="us-west-2"),
    # Of accepting orders: one that is acknowledged is in two regions. The database follows by the
    # machine, in a time that AWS does not bound, and what it lost is applied again.
    objectives=Objectives(
        rto=timedelta(seconds=60),
        rpo=timedelta(0),
        apart={"orders-sessions": "of a session about the last second is lost, and no order"},
    ),
    packages=PACKAGES,
    operated_roles={operator_role_name(OPERATORS): USED_BY},
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
        Stack(
            name="peering",
            build=peering.primary,
            where=Where.PRIMARY,
            depends_on=("network",),
            parameters={
                **_PEER_PLACES,
                VPC_ID.name: OutputHere("network", VPC_ID.name),
                "PeerVpcId": OutputOf("network", VPC_ID.name, Where.SECONDARY),
            },
        ),
        Stack(
            name="peer-routes",
            build=peering.secondary,
            where=Where.SECONDARY,
            depends_on=("network", "peering"),
            parameters={
                **_PEER_PLACES,
                "PeeringConnectionId": OutputOf("peering", "PeeringConnectionId", Where.PRIMARY),
            },
        ),
        *_each("storage", storage.primary, storage.secondary, "alerts", "copies"),
        *_each(
            "database",
            database.primary,
            database.secondary,
            "alerts",
            "network",
            given=lambda _: _DATABASE_PLACES,
        ),
        Stack(name="messaging", build=messaging.build, where=Where.BOTH, depends_on=("alerts",)),
        Stack(
            name="events",
            build=events.build,
            where=Where.BOTH,
            depends_on=("alerts", "storage-primary", "storage-secondary"),
            parameters=_code(AUDIT_PACKAGE),
        ),
        Stack(
            name="forwarding",
            build=forwarding.build,
            where=Where.BOTH,
            depends_on=("alerts", "events"),
        ),
        Stack(
            name="schema",
            build=schema.build,
            where=Where.PRIMARY,
            depends_on=("database-primary",),
            parameters={
                **_FUNCTION_PLACES,
                **_code(SCHEMA_PACKAGE),
                **_database(Where.PRIMARY, *(each.name for each in DATABASE_SERVER)),
            },
        ),
        *_each(
            "compute",
            compute.build,
            compute.build,
            "database-",
            "messaging",
            "schema",
            "storage-",
            "tables",
            given=lambda role: {
                **_FUNCTION_PLACES,
                **_code(APPLIER_PACKAGE, REPLAYER_PACKAGE),
                **_login(role),
                "Fed": compute.YES if role is Where.PRIMARY else compute.NO,
            },
        ),
        Stack(
            name="api",
            build=api.build,
            where=Where.BOTH,
            depends_on=("messaging", "tables", "zone"),
            parameters={
                **_code(API_PACKAGE),
                "DomainName": DOMAIN,
                "HostedZoneId": _ZONE,
            },
        ),
        *_each(
            "recovery",
            recovery.primary,
            recovery.secondary,
            "api",
            "compute-",
            "database-secondary",
            "events",
            given=lambda role: {
                **_FUNCTION_PLACES,
                **_code(RECOVERY_PACKAGE),
                **_login(role),
                "AlarmKeyArn": OutputHere("alerts", "AlarmKeyArn"),
                "ApiUrl": OutputHere("api", "ApiUrl"),
                "ConsumerId": OutputHere(f"compute-{role.value}", "ConsumerId"),
            },
        ),
        Stack(
            name="operators",
            build=operators.build,
            where=Where.BOTH,
            depends_on=("recovery-primary", "recovery-secondary"),
            parameters={"OperatorArns": OPERATOR_ARNS},
        ),
        Stack(
            name="configuration",
            build=configuration.build,
            where=Where.BOTH,
            depends_on=("recovery-primary", "recovery-secondary"),
            parameters={"ApiUrl": OutputHere("api", "ApiUrl")},
        ),
        *_each(
            "watch",
            watch.primary,
            watch.secondary,
            "configuration",
            "recovery-",
            given=lambda role: {
                **_FUNCTION_PLACES,
                **_code(PROBER_PACKAGE, READINESS_PACKAGE),
                **_login(role),
                **_database(role, "ReaderHost"),
                "OtherClusterResourceId": _of_other(role, "ClusterResourceId"),
                "OtherDatabaseHost": _of_other(role, "DatabaseHost"),
                "OtherReaderHost": _of_other(role, "ReaderHost"),
                "ApiUrl": OutputHere("api", "ApiUrl"),
                "ConsumerId": OutputHere(f"compute-{role.value}", "ConsumerId"),
                "OtherApiUrl": OutputOf("api", "ApiUrl", _other(role)),
            },
        ),
        Stack(
            name="dns",
            build=dns.build,
            where=Where.SECONDARY,
            depends_on=("api",),
            parameters={
                "DomainName": DOMAIN,
                "HealthCheckerRegions": CHECKERS,
                "HostedZoneId": _ZONE,
                "PrimaryApiId": OutputOf("api", "ApiId", Where.PRIMARY),
                "PrimaryHost": OutputOf("api", "ApiHost", Where.PRIMARY),
                "SecondaryApiId": OutputOf("api", "ApiId", Where.SECONDARY),
                "SecondaryHost": OutputOf("api", "ApiHost", Where.SECONDARY),
            },
        ),
        Stack(
            name="monitoring",
            build=monitoring.build,
            where=Where.BOTH,
            depends_on=(
                "recovery-primary",
                "recovery-secondary",
                "watch-primary",
                "watch-secondary",
            ),
        ),
    ),
)
