"""Calculated health checks, and the latch: what keeps a name with the secondary region.

A calculated check that moves a name counts two: the primary's endpoint, whose time to notice is
budgeted (`objectives_checks.endpoint`), and the latch. The latch is asked the other way round, and
in the secondary region alone: whatever else would let a dead region decide where clients go.
"""

from collections.abc import Iterator

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.objectives_checks import (
    CHECK,
    CONFIG,
    children,
    config_of,
    is_calculated,
    is_inverted,
    needs_all,
    switched,
)
from tap_templates.compiler.invariants.objectives_dns import RECORD, asked_by, asks_openly
from tap_templates.compiler.invariants.values import as_list
from tap_templates.rendered.view import Located

_CREATING = (
    "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html"
)
_INVERTED = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-invert.html"

_REMEDY = "declare it with latched_name() in blocks/dns_latch.py"
_PATH = f"/Properties/{CONFIG}"
_CHILDREN, _THRESHOLD = f"{_PATH}/ChildHealthChecks", f"{_PATH}/HealthThreshold"


def _calculated(compiled: CompiledSystem) -> Iterator[Located]:
    for check in compiled.view.resources(CHECK):
        if is_calculated(check):
            yield check


def _counted(compiled: CompiledSystem) -> Iterator[Fault]:
    for check in _calculated(compiled):
        counted = children(compiled, check)
        for check_id, child in counted:
            if child is None:
                yield fault_at(
                    check, f"counts {check_id}, which is no health check of the system",
                    "count checks of this system", _CHILDREN,
                )  # fmt: skip
                continue
            if is_calculated(child):
                yield fault_at(
                    check,
                    f"counts {child.resource.logical_id}, which is calculated itself: Route 53 "
                    "refuses that",
                    "count the checks that it counts",
                    _CHILDREN,
                )
            if "disabled" in switched(child):
                yield fault_at(
                    child, "is disabled: to whoever counts it, it is the same whatever happens",
                    "take Disabled off it", f"{_PATH}/Disabled",
                )  # fmt: skip
        if not needs_all(check):
            needed = config_of(check).get("HealthThreshold")
            yield fault_at(
                check,
                f"is healthy with {needed} of the {len(counted)} checks that it counts: it does "
                "not fail with one of them",
                f"set HealthThreshold to {len(counted)}",
                _THRESHOLD,
            )


def _moving(compiled: CompiledSystem) -> Iterator[Located]:
    """Find the calculated checks that records which fail over follow."""
    followed = {
        str(record.resource.properties.get("HealthCheckId"))
        for record in compiled.view.resources(RECORD)
        if record.resource.properties.get("Failover")
    }
    for check in _calculated(compiled):
        if check.resource.ref in followed:
            yield check


def _latched(compiled: CompiledSystem) -> Iterator[Fault]:
    secondary = compiled.system.regions.secondary
    for check in _moving(compiled):
        known = [child for _, child in children(compiled, check) if child]
        latches = [child for child in known if is_inverted(child)]
        for found, what in (
            (len(known) - len(latches), "not inverted, the endpoint of the primary"),
            (len(latches), "inverted, the latch"),
        ):
            if found != 1:
                yield fault_at(
                    check, f"counts {found} checks that are {what}, not 1", _REMEDY, _CHILDREN
                )
        for latch in latches:
            yield from _asks(compiled, latch, secondary)


def _asks(compiled: CompiledSystem, latch: Located, region: str) -> Iterator[Fault]:
    config = config_of(latch)
    kind = str(config.get("Type"))
    if not kind.endswith("_STR_MATCH") or not config.get("SearchString"):
        text = config.get("SearchString") or "nothing"
        yield fault_at(
            latch,
            f"is inverted, of type {kind}, and searches for {text}: any answer sets the latch",
            "search the answer for the text that is the latch: HTTPS_STR_MATCH, SearchString",
            _PATH,
        )
    if not asks_openly(compiled, latch, region):
        yield fault_at(
            latch,
            f"is a latch, but asks {asked_by(latch)}, which is no open GET route of an API in "
            f"{region} alone: what keeps the name there must be there",
            "ask the API's own host in the secondary region, at an open route",
            _PATH,
        )


def _self_asked(compiled: CompiledSystem) -> Iterator[Fault]:
    primary = compiled.system.regions.primary
    for check in compiled.view.resources(CHECK):
        checkers = [str(each) for each in as_list(config_of(check).get("Regions"))]
        if primary in checkers and not is_inverted(check) and asks_openly(compiled, check, primary):
            yield fault_at(
                check,
                f"asks {primary} from {primary} too: one checker of {len(checkers)} that still "
                "reaches it makes it healthy, and more than 18 % are enough",
                "take the primary region out of Regions",
                f"{_PATH}/Regions",
            )


LATCHES = (
    Invariant(
        code="TAP-OBJ-05",
        promise="A calculated health check counts checks that ask, and fails with any of them.",
        source_url=_CREATING,
        check=_counted,
    ),
    Invariant(
        code="TAP-OBJ-06",
        promise="A name with a latch is moved by the primary's endpoint, or by a text that the "
        "secondary region alone serves.",
        source_url=_INVERTED,
        check=_latched,
    ),
    Invariant(
        code="TAP-OBJ-07",
        promise="The primary region is not asked whether it is healthy from within.",
        source_url="https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/"
        "dns-failover-determining-health-of-endpoints.html",
        check=_self_asked,
    ),
)
