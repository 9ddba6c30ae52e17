"""A stack with a REST API, for tests of the block: what changes is a parameter of `door`."""

from collections.abc import Callable
from datetime import timedelta

from tap_templates.blocks.dns_failover import DOMAIN, ZONE_ID
from tap_templates.blocks.function import Code, Function, Settings, request_function
from tap_templates.blocks.http_api import Throttle
from tap_templates.blocks.key import service_key, use_by_log_groups
from tap_templates.blocks.rest_api import JsonBody, RestApi, Route, rest_api
from tap_templates.blocks.rest_api_domain import rest_api_domain
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.text import sub
from tap_templates.compiler.build import build_stack
from tap_templates.compiler.render import RenderedStack, render_stack
from tap_templates.model.package import Package
from tap_templates.model.system import Objectives, Regions, Stack, System, Where

PACKAGE = Package(name="booker")
BOOK, API = Function("books-api"), RestApi("books")
BOOK_BODY = JsonBody(
    title="Book",
    describes="A book to keep",
    schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["title"],
        "properties": {"title": {"type": "string", "minLength": 1}},
    },
)
POST = Route(method="POST", path="/books", body=BOOK_BODY)
GET = Route(method="GET", path="/books/{bookId}")
HEALTH = Route(method="GET", path="/health", open_because="Route 53 asks without a signature.")
DEEP = Route(method="GET", path="/health/deep", open_because="Route 53 asks without a signature.")
ROUTES = (POST, GET, HEALTH, DEEP)


def door(
    stack: StackTemplate,
    routes: tuple[Route, ...] = ROUTES,
    describes: str = "x",
    code: Code | None = None,
) -> None:
    """Put an API with `routes` before a function, under a custom domain."""
    settings = Settings(
        describes="books", environment={
            "POWERTOOLS_METRICS_NAMESPACE": "Books",
            "POWERTOOLS_SERVICE_NAME": BOOK.purpose,
        }, timeout=timedelta(seconds=10),
        memory_mib=256, concurrency=10,
    )  # fmt: skip
    key = service_key("Log", "book-log", "x", use_by_log_groups(BOOK.log_group, API.log_group))
    code = code or Code(package=PACKAGE, key="k.zip", sha256="0" * 43 + "=")
    made = request_function("Book", BOOK, code, settings, log_key=key)
    api = rest_api(
        "Books", API, routes=routes, function=BOOK, throttle=Throttle(rate=10, burst=5),
        log_key=key, describes=describes, after=(made.alias.title,),
    )  # fmt: skip
    stack.parameter(DOMAIN)
    domain = rest_api_domain(
        "Books", api, name=sub("api.${DomainName}"), zone=stack.parameter(ZONE_ID)
    )
    stack.add(*key, *made, *api, *domain)
    stack.output("ApiUrl", "The API", api.url)
    stack.output("ApiHost", "Its own host", api.host)
    stack.output("DomainHost", "Where the name leads to", domain.host)


def compiled(block: Callable[[StackTemplate], None] = door) -> RenderedStack:
    """Render a stack that `block` fills."""

    def module() -> StackTemplate:
        stack = StackTemplate("a block")
        block(stack)
        return stack

    stack = Stack(name="block", build=module, where=Where.BOTH)
    system = System(
        name="books",
        application="Books",
        regions=Regions(primary="us-east-1", secondary="us-east-2", witness="us-west-2"),
        objectives=Objectives(),
        stacks=(stack,),
    )
    return render_stack(build_stack(system, stack))
