"""E9801-E9805: names that fail over too late, or never."""

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from ._index import Index, Resource
from ._rule import Fault, TapRule
from ._values import Expr, Node, tokens

_RECORD: Final = "AWS::Route53::RecordSet"
_CHECK: Final = "AWS::Route53::HealthCheck"
_GUIDE: Final = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/"
_LONGEST_TTL: Final = 60  # what Route 53 advises for records with health checks
_ONLY_1_3: Final = re.compile(r"TLS13[-_]1[-_]3")
_DOMAINS: Final = ("AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::DomainName")
_BALANCER: Final = "AWS::ElasticLoadBalancingV2::LoadBalancer"
_LISTENER: Final = "AWS::ElasticLoadBalancingV2::Listener"


class _DnsRule(TapRule):
    tags: ClassVar[list[str]] = ["resources", "route53", "disaster-recovery"]  # type: ignore[misc]  # an instance variable upstream


def _failover(index: Index, *roles: str) -> Iterator[tuple[Resource, Node]]:
    """Yield records that fail over in one of these roles, with the node that says so."""
    for record in index.typed(_RECORD):
        for node in record.get("Failover"):
            if node.present and node.text in roles:
                yield record, node


def _together(*nodes: Node) -> bool:
    return not any(one.excludes(other) for one in nodes for other in nodes)


class UncheckedPrimary(_DnsRule):
    """Demand a health check of the primary record. Aliases have a rule of their own, E9803."""

    id = "E9801"
    shortdesc = "The primary record of a failover needs a health check"
    description = "Without one Route 53 takes the primary for healthy, and never answers otherwise."
    source_url = f"{_GUIDE}dns-failover-simple-configs.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for record, role in _failover(index, "PRIMARY"):
            for alias in record.get("AliasTarget"):
                for checked in record.get("HealthCheckId"):
                    if alias.absent and checked.absent and _together(role, alias, checked):
                        yield Fault(
                            checked.path,
                            f"{record.logical_id} is PRIMARY and has no HealthCheckId: it never "
                            "fails over, give it a health check",
                        )


class SlowRecord(_DnsRule):
    """Demand a short TTL of records that fail over.

    Silent where the TTL depends on a parameter without default.
    """

    id = "E9802"
    shortdesc = "A record that fails over must not be remembered for more than 60 seconds"
    description = "Resolvers send clients to the old address until the TTL is over."
    source_url = f"{_GUIDE}resource-record-sets-values-failover.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for record, role in _failover(index, "PRIMARY", "SECONDARY"):
            for ttl in record.get("TTL"):
                if not ttl.present or not _together(role, ttl):
                    continue
                seconds = index.texts_anywhere(ttl.value) or frozenset()
                longest = max((int(each) for each in seconds if each.isdecimal()), default=0)
                if longest > _LONGEST_TTL:
                    yield Fault(
                        ttl.path,
                        f"{record.logical_id} fails over, but is remembered for {longest} s: set "
                        f"a TTL of {_LONGEST_TTL} at most",
                    )


class BlindAlias(_DnsRule):
    """Demand that a primary alias knows the health of its target, or has a health check."""

    id = "E9803"
    shortdesc = "A primary alias needs EvaluateTargetHealth or a health check"
    description = (
        "An alias with neither counts as healthy always; EvaluateTargetHealth alone notices only "
        "that the service behind it is down."
    )
    source_url = f"{_GUIDE}resource-record-sets-values-failover-alias.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for record, role in _failover(index, "PRIMARY"):
            for alias in record.get("AliasTarget"):
                if not alias.known_object:
                    continue
                for evaluated in alias.get("EvaluateTargetHealth"):
                    for checked in record.get("HealthCheckId"):
                        blind = evaluated.absent or evaluated.truth is False
                        if blind and checked.absent and _together(role, alias, evaluated, checked):
                            yield Fault(
                                evaluated.path,
                                f"{record.logical_id} is a primary alias that nothing checks: set "
                                "EvaluateTargetHealth to true, or give it a HealthCheckId",
                            )


class CircularCheck(_DnsRule):
    """Forbid a health check on the name whose records it decides about.

    Compares names as they are written in the template.
    """

    id = "E9804"
    shortdesc = "A health check must not ask the name that fails over"
    description = (
        "That name is answered with whichever region is healthy: once the secondary answers, the "
        "check is healthy again and the name moves back."
    )
    source_url = f"{_GUIDE}dns-failover-determining-health-of-endpoints.html"

    def check(self, index: Index) -> Iterator[Fault]:
        names = {
            _plain(index.expression(name.value)): record.logical_id
            for record, _ in _failover(index, "PRIMARY", "SECONDARY")
            for name in record.get("Name")
            if name.present
        }
        for check in index.typed(_CHECK):
            for host in check.get("HealthCheckConfig", "FullyQualifiedDomainName"):
                found = names.get(_plain(index.expression(host.value))) if host.present else None
                if found:
                    yield Fault(
                        host.path,
                        f"{check.logical_id} asks the name of {found}, which fails over: ask a "
                        "name of the one region",
                    )


def _plain(name: Expr) -> Expr:
    """Take the final dot off a name, and capitals."""
    parts = [part.lower() if isinstance(part, str) else part for part in name]
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1].removesuffix(".")
    return tuple(part for part in parts if part != "")


class NewestTlsOnly(_DnsRule):
    """Forbid policies of TLS 1.3 only behind an HTTPS health check.

    Looks at custom domains of API Gateway and at load balancers that the check names, by their
    name or through a record.
    """

    id = "E9805"
    shortdesc = "What Route 53 checks over HTTPS must take TLS 1.2"
    description = "Route 53's checkers speak TLS 1.0 to 1.2: an endpoint of 1.3 only is unhealthy."
    source_url = f"{_GUIDE}health-checks-creating-values.html"

    def check(self, index: Index) -> Iterator[Fault]:
        strict = {**_strict_domains(index), **_strict_balancers(index)}
        for check in index.typed(_CHECK):
            if not any(
                (kind.text or "").startswith("HTTPS")
                for kind in check.get("HealthCheckConfig", "Type")
            ):
                continue
            for host in check.get("HealthCheckConfig", "FullyQualifiedDomainName"):
                for logical_id in sorted(_reached(index, host)):
                    if logical_id in strict:
                        yield Fault(
                            strict[logical_id].path,
                            f"{logical_id} takes TLS 1.3 only and is checked by "
                            f"{check.logical_id}: use a policy of TLS 1.2 and 1.3",
                        )


def _strict_domains(index: Index) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for domain in index.typed(*_DOMAINS):
        nodes = [*domain.get("SecurityPolicy")]
        for configuration in domain.elements("DomainNameConfigurations"):
            nodes += configuration.get("SecurityPolicy")
        for node in nodes:
            if _ONLY_1_3.search(node.text or ""):
                found[domain.logical_id] = node
    return found


def _strict_balancers(index: Index) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for listener in index.typed(_LISTENER):
        for policy in listener.get("SslPolicy"):
            for balancer in listener.get("LoadBalancerArn"):
                target = index.resource_of(balancer.value) if balancer.present else None
                if target and _ONLY_1_3.search(policy.text or ""):
                    found[target[0].logical_id] = policy
    return found


def _reached(index: Index, host: Node) -> set[str]:
    """Name the domains and load balancers that a host may be."""
    if not host.present:
        return set()
    name = _plain(index.expression(host.value))
    found = {token.logical_id for token in tokens(name)}
    for domain in index.typed(*_DOMAINS):
        if any(_plain(index.expression(n.value)) == name for n in domain.get("DomainName")):
            found.add(domain.logical_id)
    for record in index.typed(_RECORD):
        if any(_plain(index.expression(n.value)) == name for n in record.get("Name")):
            found |= index.references[record.logical_id]
    return found


RULES = (UncheckedPrimary, SlowRecord, BlindAlias, CircularCheck, NewestTlsOnly)
