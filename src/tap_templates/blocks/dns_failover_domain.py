"""Block: the name of a failover on an HTTP API of a region: certificate, custom domain, mapping.

Both regions have a custom domain of the same name; which of them is asked is decided by the
records (`dns_failover`). HTTP APIs have one policy, TLS 1.2, which Route 53's checkers speak too
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-custom-domain-names.html).
"""

from typing import NamedTuple

from troposphere import GetAtt, Ref, apigatewayv2, certificatemanager

from tap_templates.blocks.http_api import FunctionApi, SignedApi
from tap_templates.blocks.text import Text


class ApiDomain(NamedTuple):
    certificate: certificatemanager.Certificate
    domain: apigatewayv2.DomainName
    mapping: apigatewayv2.ApiMapping

    @property
    def host(self) -> Text:
        """The regional host that the record of this region leads to."""
        return GetAtt(self.domain, "RegionalDomainName")


def api_domain(title: str, made: FunctionApi | SignedApi, *, name: Text, zone: Text) -> ApiDomain:
    """Serve the API as `name` too, with a certificate that the hosted zone `zone` proves.

    ACM waits until the zone is delegated to, and the stack with it.
    """
    certificate = proven_certificate(title, name=name, zone=zone)
    domain = apigatewayv2.DomainName(
        f"{title}Domain",
        DomainName=name,
        DomainNameConfigurations=[
            apigatewayv2.DomainNameConfiguration(
                CertificateArn=Ref(certificate), EndpointType="REGIONAL", SecurityPolicy="TLS_1_2"
            )
        ],
    )
    mapping = apigatewayv2.ApiMapping(
        f"{title}Mapping", ApiId=Ref(made.api), DomainName=Ref(domain), Stage=Ref(made.stage)
    )
    return ApiDomain(certificate, domain, mapping)


def proven_certificate(title: str, *, name: Text, zone: Text) -> certificatemanager.Certificate:
    """Ask ACM for a certificate of this region for `name`, proven by a record in `zone`."""
    return certificatemanager.Certificate(
        f"{title}Certificate",
        DomainName=name,
        ValidationMethod="DNS",
        DomainValidationOptions=[
            certificatemanager.DomainValidationOption(DomainName=name, HostedZoneId=zone)
        ],
    )
