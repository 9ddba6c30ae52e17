"""Books behind a REST API in both regions, under a name that fails over; compiled as a system."""

from datetime import timedelta
from functools import cache

from troposphere import Ref
from unit.blocks import rest_api_stack
from unit.blocks.books_pair import PRIMARY_API, PRIMARY_HOST, SECONDARY_HOST, zone
from unit.blocks.rendering import parameters_of, rendered_of
from unit.blocks.rest_api_stack import API

from tap_templates.blocks.alarm import alarm
from tap_templates.blocks.dns_failover import (
    CHECKERS,
    DOMAIN,
    THRESHOLD,
    TTL,
    ZONE_ID,
    Answers,
    Watch,
    api_host,
    failover_name,
)
from tap_templates.blocks.function import Code
from tap_templates.blocks.key import service_key, use_by_alarms
from tap_templates.blocks.parameters import code_key, code_sha256, email_parameter
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.text import sub
from tap_templates.blocks.topic import Topic, alarm_topic
from tap_templates.compiler.render import RenderedStack
from tap_templates.model.names import PRIMARY_REGION
from tap_templates.model.system import (
    Objectives,
    OutputOf,
    PackageKey,
    PackageSha256,
    Regions,
    Stack,
    System,
    Where,
)

ALARMS = Topic("books-alarms")
_DOMAIN = "books.example.com"
_ZONE = OutputOf("zone", "HostedZoneId", Where.SECONDARY)


def api() -> StackTemplate:
    stack = StackTemplate("books: the API of a region")
    key = service_key("Alarms", "books-alarms", "Encrypts alarms", use_by_alarms())
    email = stack.parameter(email_parameter())
    stack.add(*key, *alarm_topic("Alarms", ALARMS, key=key, email=email))
    code = Code(
        package=rest_api_stack.PACKAGE,
        key=stack.parameter(code_key("BookCodeKey")),
        sha256=stack.parameter(code_sha256("BookCodeSha256")),
    )
    rest_api_stack.door(stack, code=code)
    failing = API.metric("5XXError")
    stack.add(
        alarm("ApiFails", "books-api-fails", failing, above=5, tell=ALARMS, means="It fails.")
    )
    stack.output("ApiId", "The API", Ref("BooksApi"))
    return stack


def dns() -> StackTemplate:
    stack = StackTemplate("books: the name that fails over")
    for each in (CHECKERS, DOMAIN, PRIMARY_API, PRIMARY_HOST, SECONDARY_HOST, THRESHOLD, TTL):
        stack.parameter(each)
    made = failover_name(
        "Books", sub("api.${DomainName}"),
        Answers(primary=PRIMARY_HOST.ref, secondary=SECONDARY_HOST.ref),
        Watch(host=api_host(PRIMARY_API, PRIMARY_REGION), path="/live/health/deep"),
        zone=stack.parameter(ZONE_ID),
    )  # fmt: skip
    stack.add(*made)
    stack.output("HealthCheckId", "What decides", Ref(made.health_check))
    return stack


SYSTEM = System(
    name="books",
    application="Books",
    regions=Regions(primary="us-east-1", secondary="us-west-2"),
    objectives=Objectives(rto=timedelta(seconds=300)),
    packages=(rest_api_stack.PACKAGE,),
    stacks=(
        Stack(name="zone", build=zone, where=Where.SECONDARY, parameters={"DomainName": _DOMAIN}),
        Stack(
            name="api", build=api, where=Where.BOTH, depends_on=("zone",),
            parameters={
                "AlarmEmail": "books@example.com",
                "BookCodeKey": PackageKey("booker"),
                "BookCodeSha256": PackageSha256("booker"),
                "DomainName": _DOMAIN,
                "HostedZoneId": _ZONE,
            },
        ),
        Stack(
            name="dns", build=dns, where=Where.SECONDARY, depends_on=("api",),
            parameters={
                "DomainName": _DOMAIN,
                "HealthCheckerRegions": "us-west-1,us-west-2,eu-west-1",
                "HostedZoneId": _ZONE,
                "PrimaryApiId": OutputOf("api", "ApiId", Where.PRIMARY),
                "PrimaryHost": OutputOf("api", "DomainHost", Where.PRIMARY),
                "SecondaryHost": OutputOf("api", "DomainHost", Where.SECONDARY),
            },
        ),
    ),
)  # fmt: skip


@cache
def rendered() -> dict[str, RenderedStack]:
    return rendered_of(SYSTEM)


def parameters() -> dict[str, dict[str, object]]:
    return parameters_of(rendered())
