"""Block: a name that fails over, and stays with the secondary until somebody lets it return.

The primary is healthy if two checks are, which a third one counts: its own endpoint, and the latch.
The latch is a text that the secondary region serves, asked the other way round: while it is there,
the primary does not count, however well it answers. So a recovery that moved the database takes the
traffic along, and keeps it, by writing one item in the region that survived: no record is changed.
With the secondary dead the text is not there, and the primary stays
(https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-invert.html).

An inverted check is unhealthy until its checkers have asked: for the first seconds after it is made
the secondary is answered
(https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html).

The parameters are bounded so that no value of theirs takes the name past a minute; what is promised
and what it adds up to is compared by compiler/invariants/objectives_dns.py.
"""

from dataclasses import replace
from typing import Final, NamedTuple

from troposphere import Ref, route53

from tap_templates.blocks.dns_failover import (
    CHECKERS,
    THRESHOLD,
    TTL,
    Answers,
    Watch,
    endpoint_check,
    failover_records,
)
from tap_templates.blocks.stack import StackParameter
from tap_templates.blocks.text import Text
from tap_templates.errors import ModelError

QUICK_THRESHOLD: Final = replace(THRESHOLD, at_most=2, constraint="1 or 2")
QUICK_TTL: Final = replace(TTL, at_most=10, constraint="1 to 10 seconds")


class LatchedName(NamedTuple):
    endpoint: route53.HealthCheck
    latch: route53.HealthCheck
    health_check: route53.HealthCheck  # both of them: what the primary's record follows
    primary: route53.RecordSetType
    secondary: route53.RecordSetType


def latched_name(
    title: str,
    name: Text,
    answers: Answers,
    watch: Watch,
    *,
    latch: Watch,
    zone: Text,
    checkers: StackParameter = CHECKERS,
    threshold: StackParameter = QUICK_THRESHOLD,
    ttl: StackParameter = QUICK_TTL,
) -> LatchedName:
    """Declare the records of `name`, and the health checks that decide between them.

    `latch` asks a host of the secondary region alone for the text that is there while the primary
    is to be left. The stack must declare `checkers`, `threshold` and `ttl`; the regions are its
    standard parameters.
    """
    if not latch.contains:
        raise ModelError(
            f"latch of {title}",
            "is set by whatever its route answers",
            "say in Watch(contains=…) which text of the answer is the latch",
        )
    endpoint = endpoint_check(
        f"{title}EndpointCheck", watch, checkers=checkers, threshold=threshold
    )
    flag = endpoint_check(
        f"{title}LatchCheck", latch, checkers=checkers, threshold=threshold, inverted=True
    )
    children = [endpoint, flag]
    check = route53.HealthCheck(
        f"{title}HealthCheck",
        HealthCheckConfig=route53.HealthCheckConfig(
            Type="CALCULATED",
            ChildHealthChecks=[Ref(each) for each in children],
            HealthThreshold=len(children),
        ),
    )
    records = failover_records(title, name, answers, check, zone=zone, ttl=ttl)
    return LatchedName(endpoint, flag, check, *records)
