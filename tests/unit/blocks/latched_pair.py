"""The books again, with a latch on their name, and a minute to move it."""

from dataclasses import replace
from datetime import timedelta
from functools import cache

from troposphere import Ref
from unit.blocks import books_pair
from unit.blocks.books_pair import NAME, PRIMARY_API, PRIMARY_HOST, SECONDARY_HOST
from unit.blocks.rendering import parameters_of, rendered_of

from tap_templates.blocks.dns_failover import (
    CHECKERS,
    DOMAIN,
    ZONE_ID,
    Answers,
    Watch,
    api_host,
)
from tap_templates.blocks.dns_latch import QUICK_THRESHOLD, QUICK_TTL, latched_name
from tap_templates.blocks.stack import StackTemplate
from tap_templates.compiler.render import RenderedStack
from tap_templates.model.names import PRIMARY_REGION, SECONDARY_REGION
from tap_templates.model.system import Objectives, OutputOf, Where

SECONDARY_API = replace(PRIMARY_API, name="SecondaryApiId", label="SecondaryApiId")
FLAG = '"latched"'


def dns() -> StackTemplate:
    stack = StackTemplate("books: the name with a latch")
    for each in (
        CHECKERS, DOMAIN, PRIMARY_API, PRIMARY_HOST, QUICK_THRESHOLD, QUICK_TTL, SECONDARY_API,
        SECONDARY_HOST,
    ):  # fmt: skip
        stack.parameter(each)
    made = latched_name(
        "Books",
        NAME,
        Answers(primary=PRIMARY_HOST.ref, secondary=SECONDARY_HOST.ref),
        Watch(host=api_host(PRIMARY_API, PRIMARY_REGION), path="/health"),
        latch=Watch(host=api_host(SECONDARY_API, SECONDARY_REGION), path="/health", contains=FLAG),
        zone=stack.parameter(ZONE_ID),
    )
    stack.add(*made)
    stack.output("HealthCheckId", "What decides", Ref(made.health_check))
    return stack


def _with_latch():
    for stack in books_pair.SYSTEM.stacks:
        if stack.name != "dns":
            yield stack
            continue
        api = OutputOf("secondary", "ApiId", Where.SECONDARY)
        yield replace(stack, build=dns, parameters={**stack.parameters, "SecondaryApiId": api})


SYSTEM = replace(
    books_pair.SYSTEM,
    stacks=tuple(_with_latch()),
    objectives=Objectives(rto=timedelta(seconds=60)),
)


@cache
def rendered() -> dict[str, RenderedStack]:
    return {**books_pair.rendered(), "dns": rendered_of(SYSTEM)["dns"]}


def parameters() -> dict[str, dict[str, object]]:
    return parameters_of(rendered())
