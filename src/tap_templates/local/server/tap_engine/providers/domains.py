"""Certificates, custom domains of APIs, function URLs: the engine's, checked as AWS does.

A certificate is issued at once. Where AWS looks whether what is named is there, so does this.
"""

from typing import Any

from tap_engine import function_urls, loopback
from tap_engine.providers.provider import (
    Made,
    Properties,
    Provider,
    engines_own,
    refuse_change,
    shaped,
    without,
)

_CERTIFICATE = "AWS::CertificateManager::Certificate"
_DOMAIN = "AWS::ApiGatewayV2::DomainName"
_REST_DOMAIN = "AWS::ApiGateway::DomainName"
_URL = "AWS::Lambda::Url"
_certificate, _domain, _rest_domain, _url = (
    engines_own(each) for each in (_CERTIFICATE, _DOMAIN, _REST_DOMAIN, _URL)
)


def _create_certificate(logical_id: str, properties: Properties, stack: str) -> Made:
    _check_proof(properties)
    return _certificate.create(logical_id, properties, stack)


def _update_certificate(
    physical_id: str, old: Properties, new: Properties, stack: str, lid: str
) -> Made:
    if without(old, "Tags") != without(new, "Tags"):
        return _create_certificate(lid, new, stack)
    return _certificate.update(physical_id, old, new, stack, lid)


def _check_proof(properties: Properties) -> None:
    """Refuse a certificate that the hosted zone it names cannot prove."""
    if properties.get("ValidationMethod") != "DNS":
        raise ValueError(f"{_CERTIFICATE}: the local engine simulates ValidationMethod DNS alone")
    for option in properties.get("DomainValidationOptions") or []:
        name, zone = option["DomainName"], option.get("HostedZoneId")
        if zone:
            found = loopback.client("route53").get_hosted_zone(Id=zone)["HostedZone"]["Name"]
            if not f".{name}.".endswith(f".{found}"):
                raise ValueError(f"{_CERTIFICATE}: {name} is not in the hosted zone {found}")


def _create_domain(logical_id: str, properties: Properties, stack: str) -> Made:
    _check_certificate(properties)
    return _domain.create(logical_id, _typed(properties), stack)


def _update_domain(
    physical_id: str, old: Properties, new: Properties, stack: str, lid: str
) -> Made:
    refuse_change(
        _DOMAIN, old, new, "DomainName", "DomainNameConfigurations", "RoutingMode", "Tags"
    )
    if old["DomainName"] != new["DomainName"]:
        return _create_domain(lid, new, stack)
    _check_certificate(new)
    return _domain.update(physical_id, _typed(old), _typed(new), stack, lid)


def _typed(properties: Properties) -> dict[str, Any]:
    return shaped(loopback.client("apigatewayv2"), "create_domain_name", properties)


def _check_certificate(properties: Properties) -> None:
    """Refuse a domain whose certificate is not in its region, or is another's."""
    for each in properties["DomainNameConfigurations"]:
        _is_for(_DOMAIN, properties["DomainName"], each["CertificateArn"])


def _is_for(kind: str, name: str, certificate: str) -> None:
    acm = loopback.client("acm")
    found = acm.describe_certificate(CertificateArn=certificate)["Certificate"]
    names = {found["DomainName"], *found["SubjectAlternativeNames"]}
    if not names & {name, f"*.{name.partition('.')[2]}"}:
        raise ValueError(f"{kind}: the certificate is not for {name}")


def _create_rest_domain(logical_id: str, properties: Properties, stack: str) -> Made:
    _is_for(_REST_DOMAIN, properties["DomainName"], properties["RegionalCertificateArn"])
    return _rest_domain.create(logical_id, properties, stack)


def _update_rest_domain(
    physical_id: str, old: Properties, new: Properties, stack: str, lid: str
) -> Made:
    _is_for(_REST_DOMAIN, new["DomainName"], new["RegionalCertificateArn"])
    return _rest_domain.update(physical_id, old, new, stack, lid)


def _create_url(logical_id: str, properties: Properties, stack: str) -> Made:
    return _local(*_url.create(logical_id, properties, stack))


def _update_url(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
    return _local(*_url.update(physical_id, old, new, stack, lid))


def _local(physical_id: str, attributes: dict[str, Any]) -> Made:
    # What an output says is then an address that answers, on any machine.
    address = function_urls.address_of(attributes["FunctionUrl"])
    return physical_id, attributes | {"FunctionUrl": address}


PROVIDERS = (
    Provider(
        type=_CERTIFICATE,
        create=_create_certificate,
        update=_update_certificate,
        delete=_certificate.delete,
    ),
    Provider(type=_DOMAIN, create=_create_domain, update=_update_domain, delete=_domain.delete),
    Provider(
        type=_REST_DOMAIN,
        create=_create_rest_domain,
        update=_update_rest_domain,
        delete=_rest_domain.delete,
    ),
    Provider(type=_URL, create=_create_url, update=_update_url, delete=_url.delete),
)
