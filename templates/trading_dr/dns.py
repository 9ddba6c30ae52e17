"""The name that clients call: the primary's API while it is healthy and nobody has latched it out.

Nothing here is touched in a failover. The health check asks what fails over, a write to the
journal; the latch is a text that the secondary region serves while the orders are at home there, so
that the name moves with the database and does not flap back before it.
"""

from troposphere import Ref

from tap_templates.blocks.dns_failover import CHECKERS, DOMAIN, ZONE_ID, Answers, Watch, api_host
from tap_templates.blocks.dns_latch import QUICK_THRESHOLD, QUICK_TTL, latched_name
from tap_templates.blocks.rest_api import STAGE
from tap_templates.blocks.stack import StackParameter, StackTemplate
from tap_templates.model.names import PRIMARY_REGION, SECONDARY_REGION
from templates.trading_dr.shared import NAME

LATCHED = '"latched"'  # what /dr-flag says while the primary is to be left


def _generated(name: str, label: str, pattern: str) -> StackParameter:
    return StackParameter(
        name=name,
        group="Regions' APIs",
        label=label,
        description=f"An output of the api stack of that region, {label.lower()}; "
        "the deployer fills it in.",
        pattern=pattern,
        constraint="what that stack puts out",
    )


PRIMARY_API = _generated("PrimaryApiId", "Id of the primary's API", r"[a-z0-9]{1,32}")
SECONDARY_API = _generated("SecondaryApiId", "Id of the secondary's API", r"[a-z0-9]{1,32}")
_HOST = r"[a-z0-9.-]{1,128}"
PRIMARY_HOST = _generated("PrimaryHost", "Where the name leads in the primary", _HOST)
SECONDARY_HOST = _generated("SecondaryHost", "Where the name leads in the secondary", _HOST)


def build() -> StackTemplate:
    """The two health checks and what counts them, and the two failover records."""
    stack = StackTemplate("trading-dr: the name that fails over, and what decides")
    for each in (CHECKERS, DOMAIN, PRIMARY_API, PRIMARY_HOST, QUICK_THRESHOLD, QUICK_TTL):
        stack.parameter(each)
    for each in (SECONDARY_API, SECONDARY_HOST):
        stack.parameter(each)
    made = latched_name(
        "Orders",
        NAME,
        Answers(primary=PRIMARY_HOST.ref, secondary=SECONDARY_HOST.ref),
        Watch(host=api_host(PRIMARY_API, PRIMARY_REGION), path=f"/{STAGE}/health/deep"),
        latch=Watch(
            host=api_host(SECONDARY_API, SECONDARY_REGION),
            path=f"/{STAGE}/dr-flag",
            contains=LATCHED,
        ),
        zone=stack.parameter(ZONE_ID),
    )
    stack.add(*made)
    stack.output("ApiName", "What clients call", NAME)
    stack.output("HealthCheckId", "The health check that moves clients", Ref(made.health_check))
    return stack
