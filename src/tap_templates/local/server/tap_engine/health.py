"""Health checks of Route 53, judged: by what a checker saw, by an alarm, by other health checks.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html.
Endpoints are asked in `checkers`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import get_account_id, request_scope
from ministack.services import cloudwatch, route53

from tap_engine import alarms
from tap_engine.faults import FAULTS
from tap_engine.originals import patch

ENDPOINTS = ("HTTPS", "HTTPS_STR_MATCH")
KINDS = (*ENDPOINTS, "CALCULATED", "CLOUDWATCH_METRIC")

Config = Mapping[str, Any]


@dataclass(slots=True)
class Observed:
    """What the checker of an endpoint has seen. It is healthy until it is known not to be."""

    healthy: bool = True
    against: int = 0  # results on end that say otherwise
    due: float = 0.0
    asking: bool = False
    said: str = "Success: no result yet"
    when: datetime = field(default_factory=lambda: datetime.now(UTC))

    def take(self, good: bool, said: str, threshold: int) -> None:  # noqa: FBT001 - it is what was seen
        """Take a result; `threshold` of them on end turn the state."""
        self.said, self.when, self.asking = said, datetime.now(UTC), False
        self.against = 0 if good is self.healthy else self.against + 1
        if self.against >= threshold:
            self.healthy, self.against = good, 0


OBSERVED: dict[tuple[str, str], Observed] = {}  # account and health check


def install() -> None:
    """Make the patches."""
    patch(
        route53,
        "_build_health_check_el",
        "8b8fda74069e",
        _with_truths_of_xml,
        why="truths are written as True, which no client reads as true",
    )
    patch(
        route53,
        "_parse_health_check_config",
        "fffd8cf8c7a1",
        _with_lists,
        why="regions and children are read as empty texts",
    )


def healthy(health_check_id: str) -> bool:
    """Judge a health check, or none, in the account of the current request.

    A kind that is not simulated is not healthy: nothing may pass because nobody looked.
    """
    config = config_of(health_check_id)
    if config is None:
        return True
    judge = _JUDGES.get(config.get("Type", ""))
    judged = judge is not None and judge(health_check_id, config)
    state = judged or bool(config.get("Disabled"))
    return state is not bool(config.get("Inverted"))


def config_of(health_check_id: str) -> Config | None:
    """Give what a health check of the current account is told; None if there is none."""
    record = route53._health_checks.get(health_check_id)
    config: Config | None = record["config"] if record else None
    return config


def counted(health_check_id: str) -> list[str]:
    """List the health checks that a calculated one counts."""
    config = config_of(health_check_id) or {}
    return list(config.get("ChildHealthChecks") or [])


def report(health_check_id: str) -> tuple[str, datetime]:
    """Say what the checkers saw last, in Route 53's words, and when."""
    known = OBSERVED.get((get_account_id(), health_check_id))
    if known is not None:
        return known.said, known.when
    state = "Success" if healthy(health_check_id) else "Failure"
    return f"{state}: no endpoint is asked", datetime.now(UTC)


def _by_alarm(_: str, config: Config) -> bool:
    follows = config["AlarmIdentifier"]
    if follows["Region"] in FAULTS.dead:
        return False
    with request_scope(get_account_id(), follows["Region"]):
        alarm = cloudwatch._alarms.get(follows["Name"])
        verdict = alarms.judge(alarm) if alarm else None
    if verdict is None:
        return bool(config.get("InsufficientDataHealthStatus", "Healthy") != "Unhealthy")
    return verdict[0] == "OK"


def _by_children(_: str, config: Config) -> bool:
    good = sum(healthy(each) for each in config.get("ChildHealthChecks", []))
    return good >= int(config.get("HealthThreshold", 0))


def _by_endpoint(health_check_id: str, _: Config) -> bool:
    return OBSERVED.get((get_account_id(), health_check_id), Observed()).healthy


_JUDGES: Mapping[str, Callable[[str, Config], bool]] = {
    "CLOUDWATCH_METRIC": _by_alarm,
    "CALCULATED": _by_children,
    **dict.fromkeys(ENDPOINTS, _by_endpoint),
}


def _with_lists(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def parse(element: Any) -> dict[str, Any]:
        config = original(element)
        for name in ("Regions", "ChildHealthChecks"):
            listed = route53._find(element, name)
            if listed is not None:
                config[name] = [str(each.text or "").strip() for each in listed]
        return config

    return parse


def _with_truths_of_xml(original: Callable[..., None]) -> Callable[..., None]:
    def build(parent: Any, record: dict[str, Any]) -> None:
        original(parent, record)
        for element in parent.iter():
            if element.text in ("True", "False"):
                element.text = element.text.lower()

    return build
