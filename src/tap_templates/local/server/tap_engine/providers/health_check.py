"""AWS::Route53::HealthCheck. It is judged in `health`; a kind that is not judged is refused."""

from typing import Any
from uuid import uuid4

from tap_engine import health, loopback
from tap_engine.providers.provider import Made, Properties, Provider, if_there, shaped

_CHECKERS_LEAST = 3
_CHILDREN_MOST = 256
_FIXED = ("Type", "RequestInterval", "MeasureLatency", "RoutingControlArn")


def _create(_: str, properties: Properties, __: str) -> Made:
    _check(properties["HealthCheckConfig"])
    route53 = loopback.client("route53")
    request = {
        "CallerReference": uuid4().hex,
        "HealthCheckConfig": properties["HealthCheckConfig"],
    }
    made = route53.create_health_check(**shaped(route53, "create_health_check", request))
    identity: str = made["HealthCheck"]["Id"]
    _tag(identity, properties, {})
    return identity, {"HealthCheckId": identity}


def _update(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
    before, after = old["HealthCheckConfig"], new["HealthCheckConfig"]
    if any(before.get(key) != after.get(key) for key in _FIXED):
        return _create(lid, new, stack)
    _check(after)
    route53 = loopback.client("route53")
    request: dict[str, Any] = {key: value for key, value in after.items() if key not in _FIXED}
    gone = sorted(before.keys() - after.keys())
    if gone:
        raise ValueError(f"The local engine does not simulate taking away {', '.join(gone)}")
    request["HealthCheckId"] = physical_id
    route53.update_health_check(**shaped(route53, "update_health_check", request))
    _tag(physical_id, new, old)
    return physical_id, {"HealthCheckId": physical_id}


def _check(config: Properties) -> None:
    """Refuse what nobody judges here, and what Route 53 refuses where the engine does not look."""
    if config.get("Type") not in health.KINDS:
        raise ValueError(
            f"AWS::Route53::HealthCheck: the local engine does not simulate {config.get('Type')}"
        )
    if config["Type"] in health.ENDPOINTS and not config.get("FullyQualifiedDomainName"):
        raise ValueError(
            "AWS::Route53::HealthCheck: the local engine simulates endpoints with a "
            "FullyQualifiedDomainName alone"
        )
    if config["Type"] == "HTTPS_STR_MATCH" and not config.get("SearchString"):
        raise ValueError("AWS::Route53::HealthCheck: HTTPS_STR_MATCH needs a SearchString")
    if 0 < len(config.get("Regions") or []) < _CHECKERS_LEAST:
        raise ValueError("AWS::Route53::HealthCheck: Regions needs at least three regions, or none")
    if config["Type"] == "CALCULATED":
        _check_children(config)


def _check_children(config: Properties) -> None:
    """Refuse what Route 53 does not count.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
    """
    children = config.get("ChildHealthChecks") or []
    if len(children) > _CHILDREN_MOST:
        raise ValueError(f"AWS::Route53::HealthCheck: counts more than {_CHILDREN_MOST}")
    for child in children:
        known = health.config_of(child)
        if known is None:
            raise ValueError(f"AWS::Route53::HealthCheck: counts {child}, which does not exist")
        if known.get("Type") == "CALCULATED":
            raise ValueError(f"AWS::Route53::HealthCheck: counts {child}, which is calculated")


def _delete(physical_id: str, _: Properties) -> None:
    with if_there():
        loopback.client("route53").delete_health_check(HealthCheckId=physical_id)


def _tag(identity: str, properties: Properties, old: Properties) -> None:
    tags = properties.get("HealthCheckTags") or []
    gone = {each["Key"] for each in old.get("HealthCheckTags") or []}
    gone -= {each["Key"] for each in tags}
    request: dict[str, Any] = {"ResourceType": "healthcheck", "ResourceId": identity}
    if tags:
        request["AddTags"] = tags
    if gone:
        request["RemoveTagKeys"] = sorted(gone)
    if tags or gone:
        loopback.client("route53").change_tags_for_resource(**request)


PROVIDERS = (
    Provider(type="AWS::Route53::HealthCheck", create=_create, update=_update, delete=_delete),
)
