"""The hosted zone, which exists once: certificates and records of both regions are in it."""

from troposphere import Ref

from tap_templates.blocks.dns_failover import DOMAIN, hosted_zone, zone_id
from tap_templates.blocks.stack import StackTemplate


def build() -> StackTemplate:
    """The zone; whoever has the parent domain delegates to its name servers."""
    stack = StackTemplate("trading-dr: the hosted zone of the order API's name")
    made = hosted_zone("Orders", stack.parameter(DOMAIN), describes="Names of the order API")
    stack.add(made)
    stack.output("HostedZoneId", "Id of the zone", zone_id(made))
    stack.output("DomainName", "The domain", Ref(DOMAIN.name))
    return stack
