"""What Route 53 answers now: records, and the health checks that choose among them.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy-failover.html. Simple and
failover records; any other policy is refused, since what it answers would be a guess. Nothing is
cached: a resolver would keep an answer as long as its TTL.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ministack.services import route53

from tap_engine import health

_LINKS_MAX = 8
_OTHER_POLICIES = ("Weight", "Region", "GeoLocation", "MultiValueAnswer", "CidrRoutingConfig")

Record = Mapping[str, Any]


class Answer(NamedTuple):
    """An answer; without values the name has no record of the type."""

    name: str
    type: str
    values: tuple[str, ...] = ()
    ttl: int | None = None
    because: str = "there is no such record"
    checks: Mapping[str, bool] = {}


class UnknownAnswerError(ValueError):
    """What Route 53 would answer is not simulated."""


def answer(name: str, kind: str, zone: str | None = None) -> Answer:
    """Say what Route 53 answers for a name; from the zone of the longest name that fits, or `zone`.

    In the account of the current request. Raises UnknownAnswerError.
    """
    wanted = name.rstrip(".").lower() + "."
    zones = [zone] if zone else _zones(wanted)
    records = [each for one in zones[:1] for each in route53._records.get(one) or []]
    ours = [each for each in records if each["Name"].lower() == wanted]
    found = [each for each in ours if each["Type"] == kind] or [
        each for each in ours if each["Type"] == "CNAME"
    ]
    if not found:
        return Answer(wanted, kind)
    chosen, because = _choose(found)
    followed = [each["HealthCheckId"] for each in found if each.get("HealthCheckId")]
    followed += [child for each in followed for child in health.counted(each)]
    checks = {each: health.healthy(each) for each in followed}
    values = tuple(chosen.get("ResourceRecords") or [chosen["AliasTarget"]["DNSName"]])
    ttl = int(chosen["TTL"]) if "TTL" in chosen else None
    return Answer(wanted, str(chosen["Type"]), values, ttl, because, checks)


def last(name: str, kind: str = "CNAME") -> Answer:
    """Follow an answer through our own zones to the last name that there is a record for."""
    found = answer(name, kind)
    for _ in range(_LINKS_MAX):
        further = answer(found.values[0], kind) if len(found.values) == 1 else None
        if not further or not further.values:
            return found
        found = further
    raise UnknownAnswerError(f"{name} leads to itself, or too far")


def _zones(name: str) -> list[str]:
    """List the public zones that a name may be in, the one with the longest name first."""
    fitting = [
        zone
        for zone in route53._zones.values()
        if not zone.get("private") and f".{name}".endswith(f".{zone['name'].lower()}")
    ]
    return [zone["id"] for zone in sorted(fitting, key=lambda zone: -len(zone["name"]))]


def _choose(records: Sequence[Record]) -> tuple[Record, str]:
    others = sorted({each for each in _OTHER_POLICIES for record in records if each in record})
    if others:
        raise UnknownAnswerError(f"records with {', '.join(others)} are not simulated")
    if any(each.get("AliasTarget", {}).get("EvaluateTargetHealth") for each in records):
        raise UnknownAnswerError("the health of an alias's target is not simulated")
    by_role = {each.get("Failover"): each for each in records}
    if set(by_role) == {None}:
        return records[0], "it is the only record"
    if set(by_role) - {"PRIMARY", "SECONDARY"}:
        raise UnknownAnswerError("records with and without Failover are not simulated")
    for role in ("PRIMARY", "SECONDARY"):
        record = by_role.get(role)
        if record and health.healthy(record.get("HealthCheckId", "")):
            return record, f"{role} is healthy" if record.get(
                "HealthCheckId"
            ) else f"{role} is left"
    # With all of them unhealthy, Route 53 answers the primary.
    return by_role.get("PRIMARY", records[0]), "none is healthy"
