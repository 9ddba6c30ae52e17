"""Objectives of a system whose name fails over: Route 53's checks, then what resolvers remember.

The time is that of the name: until clients are told of the other region. What that region needs to
be able to serve them, such as a database that somebody promotes, is not in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.objectives_checks import (
    CHECK_SECONDS,
    CONFIG,
    config_of,
    detection,
    endpoint,
    find_check,
    switched,
)
from tap_templates.compiler.invariants.objectives_routes import OPEN, auth_of
from tap_templates.compiler.invariants.objectives_terms import Term, worst
from tap_templates.compiler.invariants.values import as_list, inside
from tap_templates.rendered.tokens import token
from tap_templates.rendered.view import Located

_DETERMINED = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html"
_VALUES = (
    "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-basic.html"
    "#rrsets-values-basic-ttl"
)
_FAILOVER = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-problems.html"

RECORD = "AWS::Route53::RecordSet"
_DOMAINS = ("AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::DomainName")

# How long Route 53 takes to put together what its checkers found, and to answer by it, is
# published nowhere; it is seen to be a few seconds.
ALLOWANCE_SECONDS = 10

_REMEDY = "declare it with failover_name() in blocks/dns_failover.py"


@dataclass(frozen=True, slots=True)
class _Name:
    """The records of one name that fails over."""

    name: str
    primary: tuple[Located, ...]
    secondary: tuple[Located, ...]

    @property
    def any(self) -> Located:
        return (*self.primary, *self.secondary)[0]


def dns_budgets(compiled: CompiledSystem) -> list[tuple[Term, ...]]:
    """List the terms of each name that fails over, in sequence."""
    return [
        _terms(compiled, record)
        for name in _names(compiled)
        for record in name.primary or [name.any]
    ]


def _names(compiled: CompiledSystem) -> list[_Name]:
    found: dict[tuple[str, str], list[Located]] = {}
    for record in compiled.view.resources(RECORD):
        if record.resource.properties.get("Failover"):
            properties = record.resource.properties
            key = (str(properties.get("Name")).rstrip("."), str(properties.get("Type")))
            found.setdefault(key, []).append(record)

    def role(records: list[Located], which: str) -> tuple[Located, ...]:
        return tuple(each for each in records if each.resource.properties["Failover"] == which)

    return [
        _Name(name, role(records, "PRIMARY"), role(records, "SECONDARY"))
        for (name, _), records in sorted(found.items())
    ]


def _terms(compiled: CompiledSystem, record: Located) -> tuple[Term, ...]:
    check = _check_of(compiled, record)
    ttl = worst(compiled, record, "TTL")
    return (
        Term(
            "detection: a check may just have passed, then so many must fail and time out",
            detection(compiled, check) if check else None,
            _DETERMINED,
        ),
        Term(
            "Route 53 puts its checkers together: an allowance, AWS publishes no bound",
            ALLOWANCE_SECONDS,
            _DETERMINED,
        ),
        Term("resolvers keep the old answer", None if ttl is None else int(ttl), _VALUES),
    )


def _check_of(compiled: CompiledSystem, record: Located) -> Located | None:
    return find_check(compiled, record.resource.properties.get("HealthCheckId"))


def _sound(compiled: CompiledSystem) -> Iterator[Fault]:
    for name in _names(compiled):
        for records, which in ((name.primary, "primary"), (name.secondary, "secondary")):
            if len(records) != 1:
                yield fault_at(
                    name.any, f"is of {name.name}, which has {len(records)} {which} records, not 1",
                    _REMEDY,
                )  # fmt: skip
        regions = compiled.system.regions
        for record in name.primary:
            yield from _leads(compiled, record, regions.primary)
            yield from _watched(compiled, record, regions.primary)
        for record in name.secondary:
            yield from _leads(compiled, record, regions.secondary)
            if "HealthCheckId" in record.resource.properties:
                yield fault_at(
                    record, "is the last resort, but has a health check: with both unhealthy "
                    "Route 53 answers with the primary", "take HealthCheckId off the secondary",
                    "/Properties/HealthCheckId",
                )  # fmt: skip


def _leads(compiled: CompiledSystem, record: Located, region: str) -> Iterator[Fault]:
    """Demand that a record leads to the custom domain of its name, in its region."""
    properties = record.resource.properties
    alias = inside(properties, "AliasTarget", "DNSName")
    hosts = [str(each) for each in (as_list(properties.get("ResourceRecords")) or as_list(alias))]
    right = {
        token(f"{each.stack.stack}.{each.resource.logical_id}.RegionalDomainName", region)
        for each in compiled.view.resources(*_DOMAINS)
        if each.stack.region == region
        and each.resource.properties.get("DomainName") == str(properties.get("Name")).rstrip(".")
    }
    if not hosts or not set(hosts) <= right:
        yield fault_at(
            record,
            f"leads to {', '.join(hosts) or 'nothing'}, which is no custom domain of its name in "
            f"{region}",
            "give it the RegionalDomainName of that region's domain: api_domain() in "
            "blocks/dns_failover_domain.py, or rest_api_domain() in blocks/rest_api_domain.py",
            "/Properties/ResourceRecords",
        )


def _watched(compiled: CompiledSystem, record: Located, region: str) -> Iterator[Fault]:
    check = _check_of(compiled, record)
    if check is None:
        yield fault_at(
            record, "has no health check of the system: it never moves", _REMEDY,
            "/Properties/HealthCheckId",
        )  # fmt: skip
        return
    path = f"/Properties/{CONFIG}"
    for switch in switched(check):
        yield fault_at(check, f"is {switch}: it does not tell when to move", _REMEDY, path)
    asking = endpoint(compiled, check)
    if asking is None:
        return  # TAP-OBJ-05 tells of a calculated check without one
    if config_of(asking).get("Type") not in CHECK_SECONDS:
        kind = config_of(asking).get("Type")
        yield fault_at(
            asking, f"is of type {kind}, which takes nobody knows how long", _REMEDY, path
        )
        return
    if not asks_openly(compiled, asking, region):
        yield fault_at(
            asking,
            f"asks {asked_by(asking)}, which is no open GET route of an API in {region} alone",
            "watch the API's own host in the primary region, at a route of open_route() in "
            "blocks/http_api.py, or an open one of rest_api() in blocks/rest_api.py",
            path,
        )


def asked_by(check: Located) -> str:
    config = config_of(check)
    return f"https://{config.get('FullyQualifiedDomainName')}{config.get('ResourcePath')}"


def asks_openly(compiled: CompiledSystem, check: Located, region: str) -> bool:
    """Tell whether a check asks a route that is open, of an API in the region alone."""
    config = config_of(check)
    host, path = config.get("FullyQualifiedDomainName"), config.get("ResourcePath", "/")
    return auth_of(compiled.view, str(host), str(path), region) == OPEN


DNS_OBJECTIVES = (
    Invariant(
        code="TAP-OBJ-04",
        promise="A name that fails over leads to each region, and is moved by a check that asks "
        "the primary region alone.",
        source_url=_FAILOVER,
        check=_sound,
    ),
)
