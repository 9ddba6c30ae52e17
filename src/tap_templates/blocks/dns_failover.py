"""Block: one name for two regions, which Route 53 answers with the secondary while the primary is
unhealthy.

Nothing is changed in a failover: records and health check are made beforehand, and what answers
and checks is Route 53's data plane, which needs no region of ours
(https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html).
How long it takes is budgeted by compiler/invariants/objectives_dns.py, from what is declared here.

The secondary's record has no health check: with the primary unhealthy it is the last resort, and an
answer that may not work is better than none.
"""

from dataclasses import dataclass
from typing import NamedTuple

from troposphere import GetAtt, Ref, route53

from tap_templates.blocks.stack import StackParameter
from tap_templates.blocks.text import Text, sub

INTERVAL_SECONDS = 10  # the other choice is 30; it can never be changed

DOMAIN = StackParameter(
    name="DomainName",
    group="DNS",
    label="Domain",
    description="The domain of the hosted zone, such as payments.example.com; its parent must "
    "delegate to the zone's name servers before certificates are issued.",
    pattern=r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.])+[a-z]{2,63}",
    longest=190,
    constraint="a domain name in lower case, without a final dot",
)
ZONE_ID = StackParameter(
    name="HostedZoneId",
    group="DNS",
    label="Hosted zone",
    description="Output HostedZoneId of the zone stack; the deployer fills it in.",
    pattern=r"Z[A-Z0-9]{1,31}",
    constraint="the id of a hosted zone",
)
CHECKERS = StackParameter(
    name="HealthCheckerRegions",
    group="DNS",
    label="Where health is checked from",
    description="At least three of the regions that Route 53 has checkers in, the primary not "
    "among them: it would ask itself.",
    type="CommaDelimitedList",
    pattern=r"[a-z]{2}(-[a-z]+)+-[0-9]",
    constraint="regions that Route 53 checks from",
)
THRESHOLD = StackParameter(
    name="UnhealthyChecks",
    group="DNS",
    label="Checks until failover",
    description="Checks on end that must fail before a checker calls the primary unhealthy.",
    type="Number",
    default=2,
    at_least=1,
    at_most=3,
    constraint="1 to 3",
)
TTL = StackParameter(
    name="RecordTtl",
    group="DNS",
    label="Seconds an answer is kept",
    description="How long resolvers keep sending clients to the region they were told.",
    type="Number",
    default=10,
    at_least=1,
    at_most=60,
    constraint="1 to 60 seconds",
)


class FailoverRecords(NamedTuple):
    primary: route53.RecordSetType
    secondary: route53.RecordSetType


class FailoverName(NamedTuple):
    health_check: route53.HealthCheck
    primary: route53.RecordSetType
    secondary: route53.RecordSetType


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What Route 53 asks to know whether the primary is healthy.

    `host` is a name of the primary region alone, never the name that fails over: that one would be
    healthy as soon as the secondary answers.
    """

    host: Text
    path: str  # answers 2xx only if what fails over works
    contains: str = ""  # what the first 5,120 bytes of the answer hold; empty: any answer will do


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Whom the name leads to in each region: regional host names, without a final dot."""

    primary: Text
    secondary: Text


def hosted_zone(title: str, domain: Text, *, describes: str) -> route53.HostedZone:
    """Declare a public zone whose records can still be changed, in time, without us-east-1.

    Nothing of a failover waits for that.
    """
    return route53.HostedZone(
        f"{title}Zone",
        Name=domain,
        HostedZoneConfig=route53.HostedZoneConfiguration(Comment=describes),
        HostedZoneFeatures=route53.HostedZoneFeatures(EnableAcceleratedRecovery=True),
    )


def zone_id(zone: route53.HostedZone) -> Text:
    return GetAtt(zone, "Id")


def api_host(api_id: StackParameter, region: str) -> Text:
    """Name an HTTP API of a region by the host that AWS gave it."""
    return sub(f"${{{api_id.name}}}.execute-api.{region}.${{AWS::URLSuffix}}")


def failover_name(
    title: str,
    name: Text,
    answers: Answers,
    watch: Watch,
    *,
    zone: Text,
    checkers: StackParameter = CHECKERS,
    threshold: StackParameter = THRESHOLD,
    ttl: StackParameter = TTL,
) -> FailoverName:
    """Declare the records of `name` and the health check that decides between them.

    The stack must declare `checkers`, `threshold` and `ttl`; the regions are its standard
    parameters.
    """
    check = endpoint_check(f"{title}HealthCheck", watch, checkers=checkers, threshold=threshold)
    records = failover_records(title, name, answers, check, zone=zone, ttl=ttl)
    return FailoverName(check, *records)


def failover_records(
    title: str,
    name: Text,
    answers: Answers,
    check: route53.HealthCheck,
    *,
    zone: Text,
    ttl: StackParameter,
) -> FailoverRecords:
    """Declare the records of `name`, of which the secondary is answered while `check` fails."""

    def record(role: str, region: str, host: Text) -> route53.RecordSetType:
        return route53.RecordSetType(
            f"{title}{role.title()}Record",
            HostedZoneId=zone,
            Name=name,
            Type="CNAME",
            SetIdentifier=Ref(region),
            Failover=role,
            TTL=ttl.ref,
            ResourceRecords=[host],
        )

    primary = record("PRIMARY", "PrimaryRegion", answers.primary)
    primary.HealthCheckId = Ref(check)
    return FailoverRecords(primary, record("SECONDARY", "SecondaryRegion", answers.secondary))


def endpoint_check(
    title: str,
    watch: Watch,
    *,
    checkers: StackParameter,
    threshold: StackParameter,
    inverted: bool = False,
) -> route53.HealthCheck:
    """Declare a check of what is watched; `inverted`, it fails while the answer is as watched."""
    config = route53.HealthCheckConfig(
        Type="HTTPS_STR_MATCH" if watch.contains else "HTTPS",
        FullyQualifiedDomainName=watch.host,
        Port=443,
        ResourcePath=watch.path,
        EnableSNI=True,
        RequestInterval=INTERVAL_SECONDS,
        FailureThreshold=threshold.ref,
        Regions=checkers.ref,
    )
    if watch.contains:
        config.SearchString = watch.contains
    if inverted:
        config.Inverted = True
    return route53.HealthCheck(title, HealthCheckConfig=config)
