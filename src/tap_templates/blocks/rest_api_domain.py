"""Block: the name of a failover on a REST API of a region: certificate, custom domain, mapping.

Both regions have a custom domain of the same name, as for HTTP APIs (`dns_failover_domain`). REST
APIs have newer policies; this one still takes TLS 1.2, since who checks health speaks no other
(https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html).
"""

from typing import NamedTuple

from troposphere import GetAtt, Ref, apigateway, certificatemanager

from tap_templates.blocks.dns_failover_domain import proven_certificate
from tap_templates.blocks.rest_api import TLS_POLICY, FunctionRestApi
from tap_templates.blocks.text import Text


class RestApiDomain(NamedTuple):
    certificate: certificatemanager.Certificate
    domain: apigateway.DomainName
    mapping: apigateway.BasePathMapping

    @property
    def host(self) -> Text:
        """The regional host that the record of this region leads to."""
        return GetAtt(self.domain, "RegionalDomainName")


def rest_api_domain(title: str, made: FunctionRestApi, *, name: Text, zone: Text) -> RestApiDomain:
    """Serve what is live of the API as `name` too, with a certificate that the zone `zone` proves.

    ACM waits until the zone is delegated to, and the stack with it.
    """
    certificate = proven_certificate(title, name=name, zone=zone)
    domain = apigateway.DomainName(
        f"{title}Domain",
        DomainName=name,
        EndpointAccessMode="STRICT",
        EndpointConfiguration=apigateway.EndpointConfiguration(Types=["REGIONAL"]),
        RegionalCertificateArn=Ref(certificate),
        SecurityPolicy=TLS_POLICY,
    )
    mapping = apigateway.BasePathMapping(
        f"{title}Mapping", DomainName=Ref(domain), RestApiId=Ref(made.api), Stage=Ref(made.stage)
    )
    return RestApiDomain(certificate, domain, mapping)
