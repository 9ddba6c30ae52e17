"""Patches: what Route 53 answers now, in its API and for requests to custom domains.

The engine keeps records and answers no query; a request by the name of a custom domain goes to the
region that made it first, whatever the records say.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import Element, SubElement

from ministack.core.responses import get_account_id
from ministack.services import apigateway_v1, route53

from tap_engine import dns, health, hosts
from tap_engine.originals import patch

Reply = tuple[int, dict[str, str], bytes]

_STATUS, _TEST = "/healthcheck/", "/testdnsanswer"
# Where Route 53 has checkers, for a health check that does not choose.
_CHECKERS = (
    *("us-east-1", "us-west-1", "us-west-2", "eu-west-1"),
    *("ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "sa-east-1"),
)


def install() -> None:
    """Make the patches."""
    patch(
        route53,
        "handle_request",
        "c201ac22eafd",
        _with_answers,
        why="GetHealthCheckStatus and TestDNSAnswer are unknown",
    )
    patch(
        route53,
        "_build_hosted_zone_el",
        "f8cd1dc2e0ca",
        _with_features,
        why="a hosted zone's features are forgotten",
    )
    patch(
        apigateway_v1,
        "find_domain_scope",
        "6918811f1c01",
        _by_records,
        why="a custom domain that two regions have leads to the first, whatever the records say",
    )


def ask(name: str) -> dict[str, Any]:
    """Answer the control command `dns`: the last name, why it is, and its address here."""
    found = dns.last(name)
    api = hosts.domain(name.rstrip("."))
    return {
        "name": found.name,
        "type": found.type,
        "values": list(found.values),
        "ttl": found.ttl,
        "because": found.because,
        "checks": {
            key: {"healthy": good, "report": health.report(key)[0]}
            for key, good in found.checks.items()
        },
        "address": api.address if api else None,
    }


def _with_answers(original: Callable[..., Awaitable[Reply]]) -> Callable[..., Awaitable[Reply]]:
    async def handle(
        method: str, path: str, headers: Any, body: bytes, query_params: Mapping[str, Any]
    ) -> Reply:
        asked = path.removeprefix(f"/{route53.API_VERSION}")
        if method == "GET" and asked.startswith(_STATUS) and asked.endswith("/status"):
            return _status(unquote(asked.removeprefix(_STATUS).removesuffix("/status")))
        if method == "GET" and asked == _TEST:
            given = {
                key: value[0] if isinstance(value, list) else value
                for key, value in query_params.items()
            }
            return _test(given)
        return await original(method, path, headers, body, query_params)

    return handle


def _status(identity: str) -> Reply:
    record = route53._health_checks.get(identity)
    if record is None:
        return _error("NoSuchHealthCheck", f"No health check exists with the ID {identity}.", 404)
    if record["config"].get("Type") not in health.ENDPOINTS:
        return _error("InvalidInput", "This health check asks no endpoint.", 400)
    said, when = health.report(identity)

    def build(root: Element) -> None:
        observations = SubElement(root, "HealthCheckObservations")
        for region in record["config"].get("Regions") or _CHECKERS:
            observation = SubElement(observations, "HealthCheckObservation")
            SubElement(observation, "Region").text = region
            status = SubElement(observation, "StatusReport")
            SubElement(status, "Status").text = said
            SubElement(status, "CheckedTime").text = when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    return _xml("GetHealthCheckStatusResponse", build)


def _test(given: Mapping[str, str]) -> Reply:
    zone, kind = given.get("hostedzoneid", "").rpartition("/")[2], given.get("recordtype", "")
    if zone not in route53._zones:
        return _error("NoSuchHostedZone", f"No hosted zone found with ID: {zone}", 404)
    try:
        found = dns.answer(given.get("recordname", ""), kind, zone)
    except dns.UnknownAnswerError as error:
        return _error("InvalidInput", f"The local engine cannot tell: {error}", 400)

    def build(root: Element) -> None:
        SubElement(root, "Nameserver").text = route53._DEFAULT_NS[0].rstrip(".")
        SubElement(root, "RecordName").text = found.name.rstrip(".")
        SubElement(root, "RecordType").text = kind
        data = SubElement(root, "RecordData")
        for value in found.values:
            SubElement(data, "RecordDataEntry").text = value
        SubElement(root, "ResponseCode").text = "NOERROR" if found.values else "NXDOMAIN"
        SubElement(root, "Protocol").text = "UDP"

    return _xml("TestDNSAnswerResponse", build)


def _xml(root: str, build: Callable[[Element], None]) -> Reply:
    reply: Reply = route53._xml_response(root, build)
    return reply


def _error(code: str, message: str, status: int) -> Reply:
    reply: Reply = route53._error_response(code, message, status)
    return reply


def _with_features(original: Callable[..., None]) -> Callable[..., None]:
    def build(parent: Any, zone: Mapping[str, Any]) -> None:
        original(parent, zone)
        if zone.get("accelerated"):
            features = SubElement(parent[-1], "Features")
            SubElement(features, "AcceleratedRecoveryStatus").text = "ENABLED"

    return build


def _by_records(original: Callable[..., Any]) -> Callable[..., Any]:
    def find(domain_name: str) -> Any:
        found = original(domain_name)
        if found is None:
            return None
        region = hosts.region_of(domain_name)
        return (get_account_id(), region, found[2]) if region else None

    return find
