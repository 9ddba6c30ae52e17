"""payments-dr: payments are booked once, and clients move to the other region by DNS.

    clients ─▶ api.<domain> ─┬─▶ API ─▶ function ─▶ Aurora, writer         us-east-1
      (health check on the   │                        │ global database
       primary's own host)   └─▶ API ─▶ function ─▶ Aurora, read-only      us-west-2
                                            until it is promoted
    sessions: one table in both regions · documents: copied both ways · backups: daily, copied

Route 53 moves clients within the objective; promoting the database is a person's decision, because
what was not yet replicated is then lost there; a retry repairs it (docs/payments-dr.md).
"""

from collections.abc import Callable
from datetime import timedelta

from tap_templates.blocks.stack import StackTemplate
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
from templates.payments_dr import dns, recovery, region, table, zone
from templates.payments_dr.shared import PAYMENTS_PACKAGE, SCHEMA_PACKAGE

DOMAIN = "payments.example.com"
# Not the primary's own: it could not see itself fail.
CHECKERS = "us-west-1,us-west-2,eu-west-1"
_ZONE = OutputOf("zone", "HostedZoneId", Where.SECONDARY)


def _region(role: Where, build: Callable[[], StackTemplate], *after: str) -> Stack:
    other = Where.SECONDARY if role is Where.PRIMARY else Where.PRIMARY
    return Stack(
        name=role.value,
        build=build,
        where=role,
        depends_on=("zone", "table", "recovery", *after),
        parameters={
            "AlarmEmail": "payment-alarms@example.com",
            "DomainName": DOMAIN,
            "HostedZoneId": _ZONE,
            "OtherVaultKeyArn": OutputOf("recovery", "VaultKeyArn", other),
            "PaymentsCodeKey": PackageKey(PAYMENTS_PACKAGE.name),
            "PaymentsCodeSha256": PackageSha256(PAYMENTS_PACKAGE.name),
            "SchemaCodeKey": PackageKey(SCHEMA_PACKAGE.name),
            "SchemaCodeSha256": PackageSha256(SCHEMA_PACKAGE.name),
        },
    )


PAYMENTS_DR = System(
    name="payments-dr",
    application="PaymentProcessor",
    regions=Regions(primary="us-east-1", secondary="us-west-2"),
    # Of the API's name. The database follows when a person promotes it, and loses what was not
    # replicated, so no recovery point is promised.
    objectives=Objectives(rto=timedelta(minutes=5)),
    packages=(PAYMENTS_PACKAGE, SCHEMA_PACKAGE),
    stacks=(
        # Made from the secondary, so that they stay manageable while the primary is down.
        Stack(
            name="zone", build=zone.build, where=Where.SECONDARY, parameters={"DomainName": DOMAIN}
        ),
        Stack(name="table", build=table.build, where=Where.SECONDARY),
        Stack(name="recovery", build=recovery.build, where=Where.BOTH),
        _region(Where.PRIMARY, region.primary),
        _region(Where.SECONDARY, region.secondary, "primary"),
        Stack(
            name="dns",
            build=dns.build,
            where=Where.SECONDARY,
            depends_on=("primary", "secondary"),
            parameters={
                "DomainName": DOMAIN,
                "HealthCheckerRegions": CHECKERS,
                "HostedZoneId": _ZONE,
                "PrimaryApiId": OutputOf("primary", "ApiId", Where.PRIMARY),
                "PrimaryHost": OutputOf("primary", "ApiHost", Where.PRIMARY),
                "SecondaryHost": OutputOf("secondary", "ApiHost", Where.SECONDARY),
            },
        ),
    ),
)
