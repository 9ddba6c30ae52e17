"""The name that clients call: the primary's API while it is healthy, the secondary's otherwise."""

from troposphere import Ref

from tap_templates.blocks.dns_failover import (
    CHECKERS,
    DOMAIN,
    THRESHOLD,
    TTL,
    ZONE_ID,
    Answers,
    Watch,
    api_host,
    failover_name,
)
from tap_templates.blocks.stack import StackParameter, StackTemplate
from tap_templates.model.names import PRIMARY_REGION
from templates.payments_dr.shared import NAME


def _generated(name: str, label: str, pattern: str) -> StackParameter:
    return StackParameter(
        name=name,
        group="Regions' APIs",
        label=label,
        description=f"An output of the stack of that region, {label.lower()}; "
        "the deployer fills it in.",
        pattern=pattern,
        constraint="what that stack puts out",
    )


PRIMARY_API = _generated("PrimaryApiId", "Id of the primary's API", r"[a-z0-9]{1,32}")
PRIMARY_HOST = _generated(
    "PrimaryHost", "Where the name leads in the primary", r"[a-z0-9.-]{1,128}"
)
SECONDARY_HOST = _generated(
    "SecondaryHost", "Where the name leads in the secondary", r"[a-z0-9.-]{1,128}"
)


def build() -> StackTemplate:
    """The health check on the primary's own host, and the two failover records."""
    stack = StackTemplate("payments-dr: the name that fails over, and what decides")
    for each in (CHECKERS, DOMAIN, PRIMARY_API, PRIMARY_HOST, SECONDARY_HOST, THRESHOLD, TTL):
        stack.parameter(each)
    made = failover_name(
        "Payments",
        NAME,
        Answers(primary=PRIMARY_HOST.ref, secondary=SECONDARY_HOST.ref),
        Watch(host=api_host(PRIMARY_API, PRIMARY_REGION), path="/health"),
        zone=stack.parameter(ZONE_ID),
    )
    stack.add(*made)
    stack.output("ApiName", "What clients call", NAME)
    stack.output("HealthCheckId", "The health check that moves clients", Ref(made.health_check))
    return stack
