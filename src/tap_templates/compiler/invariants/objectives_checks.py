"""Health checks of Route 53 as templates declare them: what asks what, and how soon it notices."""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_templates.compiler.invariants.invariant import CompiledSystem
from tap_templates.compiler.invariants.objectives_terms import worst
from tap_templates.compiler.invariants.values import as_list, flag, number
from tap_templates.rendered.view import Located

CHECK = "AWS::Route53::HealthCheck"
CONFIG = "HealthCheckConfig"
CALCULATED = "CALCULATED"

# Seconds after which one check counts as failed: 4 to connect, 2 for the status, and where the
# answer is searched, 2 for that.
CHECK_SECONDS = {
    "HTTP": 6,
    "HTTPS": 6,
    "HTTP_STR_MATCH": 8,
    "HTTPS_STR_MATCH": 8,
}
DEFAULT_INTERVAL, DEFAULT_THRESHOLD = 30, 3


def config_of(check: Located) -> Mapping[str, Any]:
    config: Mapping[str, Any] = check.resource.properties.get(CONFIG, {})
    return config


def find_check(compiled: CompiledSystem, check_id: Any) -> Located | None:
    """Find the check of the system that has this id."""
    for check in compiled.view.resources(CHECK):
        if check_id is not None and check.resource.ref == check_id:
            return check
    return None


def is_calculated(check: Located) -> bool:
    return config_of(check).get("Type") == CALCULATED


def children(compiled: CompiledSystem, check: Located) -> list[tuple[str, Located | None]]:
    """List what a calculated check counts, by id; None is no check of the system."""
    listed = as_list(config_of(check).get("ChildHealthChecks"))
    return [(str(each), find_check(compiled, each)) for each in listed]


def needs_all(check: Located) -> bool:
    """Tell whether a calculated check fails as soon as one of what it counts does."""
    listed = as_list(config_of(check).get("ChildHealthChecks"))
    return number(config_of(check).get("HealthThreshold")) == len(listed)


def is_inverted(check: Located) -> bool:
    """Tell whether a check is, or may be, unhealthy while what it asks is well."""
    return flag(config_of(check).get("Inverted", False)) is not False


def endpoint(compiled: CompiledSystem, check: Located) -> Located | None:
    """Find the check that notices an endpoint that fails: itself, or one of those it counts."""
    if not is_calculated(check):
        return check
    found = [each for _, each in children(compiled, check) if each and not is_inverted(each)]
    return found[0] if len(found) == 1 and needs_all(check) else None


def detection(compiled: CompiledSystem, check: Located) -> int | None:
    """Say after how many seconds at most a check notices; None if nothing bounds it."""
    asking = endpoint(compiled, check)
    if asking is None or any(switched(check)) or any(switched(asking)):
        return None
    each = CHECK_SECONDS.get(str(config_of(asking).get("Type")))
    interval = worst(compiled, asking, CONFIG, "RequestInterval", left_out=DEFAULT_INTERVAL)
    threshold = worst(compiled, asking, CONFIG, "FailureThreshold", left_out=DEFAULT_THRESHOLD)
    if each is None or interval is None or threshold is None:
        return None
    return int(interval + threshold * each + (threshold - 1) * interval)


def switched(check: Located) -> Iterator[str]:
    """Name the switches for which a check does not tell whether its endpoint is well."""
    config = config_of(check)
    for switch in ("Disabled", "Inverted"):
        if switch in config and flag(config[switch]) is not False:
            yield switch.lower()
