"""The API of a region: a REST API and its function, under its own host and the common name."""

from datetime import timedelta

from troposphere import GetAtt, Ref
from troposphere.cloudwatch import Alarm

from tap_templates.blocks.alarm import Missing, alarm
from tap_templates.blocks.dashboard import p
from tap_templates.blocks.dns_failover import DOMAIN, ZONE_ID
from tap_templates.blocks.function import Settings, request_function
from tap_templates.blocks.http_api import Throttle
from tap_templates.blocks.key import service_key, use_by_log_groups
from tap_templates.blocks.parameters import burst_parameter, rate_parameter
from tap_templates.blocks.rest_api import JsonBody, Route, rest_api
from tap_templates.blocks.rest_api_domain import rest_api_domain
from tap_templates.blocks.stack import StackParameter, StackTemplate
from tap_templates.blocks.text import sub
from templates.trading_dr.shared import (
    ALARMS,
    API,
    API_PACKAGE,
    FAILOVER,
    JOURNAL,
    NAME,
    ORDER_API,
    ORDERS,
    SESSIONS,
    code,
    own_environment,
)

SLOW_MS = 1000
CONCURRENCY = StackParameter(
    name="ApiConcurrency",
    group="Orders",
    label="Concurrent requests",
    description="Requests that are served at a time; what exceeds it is told to come again.",
    type="Number",
    default=100,
    at_least=10,
    at_most=1000,
    constraint="10 to 1000; the account must keep 100 unreserved",
)
HEALTH_CHECKS = 50  # a second: more than Route 53 and the probers ask of a region
RATE = rate_parameter("Orders", 1000, health_checks=HEALTH_CHECKS)
BURST = burst_parameter("Orders", 500, health_checks=HEALTH_CHECKS)
_OPEN = (
    "Route 53 asks without a signature; the answer names at most the check that failed, holds "
    "nothing of an order, and is remembered for two seconds"
)
_FLAG_IS_OPEN = "Route 53 asks without a signature; whether the name is latched shows in DNS anyway"


def _text(longest: int, pattern: str) -> dict[str, object]:
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": pattern}


_ORDER = JsonBody(
    title="Order",
    describes="A limit order",
    schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["clientOrderId", "price", "quantity", "side", "symbol"],
        "properties": {
            "clientOrderId": _text(64, "^[A-Za-z0-9_-]+$"),
            "price": _text(24, r"^[0-9]+(\.[0-9]+)?$"),
            "quantity": _text(24, r"^[0-9]+(\.[0-9]+)?$"),
            "side": {"type": "string", "enum": ["buy", "sell"]},
            "symbol": _text(32, "^[A-Z0-9][A-Z0-9./-]*$"),
        },
    },
)
_ROUTES = (
    Route(method="POST", path="/orders", body=_ORDER),
    Route(method="GET", path="/orders/{orderId}"),
    Route(method="PUT", path="/sessions/{sessionId}"),
    Route(method="GET", path="/sessions/{sessionId}"),
    Route(method="GET", path="/health", open_because=_OPEN),
    Route(method="GET", path="/health/deep", open_because=_OPEN),
    Route(method="GET", path="/dr-flag", open_because=_FLAG_IS_OPEN),
)


def build() -> StackTemplate:
    """The API, its function, its domain, and the alarms on them."""
    stack = StackTemplate("trading-dr: the order API of this region")
    log_key = service_key(
        "Log",
        "order-api-log",
        "Encrypts the logs of the order API and its function",
        use_by_log_groups(API.log_group, ORDER_API.log_group),
    )
    function = request_function(
        "Orders",
        ORDER_API,
        code(stack, "Api", API_PACKAGE),
        Settings(
            describes="Journals orders in two regions, then acknowledges them",
            environment={
                **own_environment(ORDER_API),
                "FAILOVER_TABLE": sub(FAILOVER.name),
                "JOURNAL_TABLE": sub(JOURNAL.name),
                "QUEUE_URL": ORDERS.url,
                "SESSIONS_TABLE": sub(SESSIONS.name),
            },
            # More than the journal is asked for, and the queue after it: see `Patience`. A client
            # is then told by us that his order was not taken, and not by API Gateway's 29 s.
            timeout=timedelta(seconds=20),
            memory_mib=512,
            concurrency=stack.parameter(CONCURRENCY),
        ),
        JOURNAL.get_items(FAILOVER, SESSIONS),
        JOURNAL.put_items(SESSIONS),
        ORDERS.send_messages(),
        log_key=log_key,
    )
    made = rest_api(
        "Orders",
        API,
        routes=_ROUTES,
        function=ORDER_API,
        throttle=Throttle(rate=stack.parameter(RATE), burst=stack.parameter(BURST)),
        log_key=log_key,
        describes="Takes orders",
        after=(str(function.alias.title),),
    )
    stack.parameter(DOMAIN)
    domain = rest_api_domain("Orders", made, name=NAME, zone=stack.parameter(ZONE_ID))
    stack.add(*log_key, *function, *made, *domain, *_alarms())
    stack.output("ApiId", "The API of this region", Ref(made.api))
    stack.output("ApiUrl", "The API of this region, under its own host", made.url)
    stack.output("ApiHost", "Where the name leads to in this region", domain.host)
    stack.output("OrderApiRoleArn", "What orders are taken with", GetAtt(function.role, "Arn"))
    return stack


def _alarms() -> tuple[Alarm, ...]:
    return (
        alarm(
            "ApiBroken",
            "order-api-5xx",
            API.metric("5XXError"),
            above=0,
            periods=3,
            tell=ALARMS,
            means="The order API has answered 5xx for three minutes: orders were not acknowledged.",
        ),
        alarm(
            "ApiSlow",
            "order-api-slow",
            p(99, API.metric("Latency")),
            above=SLOW_MS,
            periods=5,
            missing=Missing.IS_FINE,
            tell=ALARMS,
            means=f"One request in a hundred has taken over {SLOW_MS} ms for five minutes.",
        ),
        alarm(
            "OrderApiErrors",
            "order-api-errors",
            ORDER_API.metric("Errors"),
            above=0,
            tell=ALARMS,
            means="The function of the order API broke on a request.",
        ),
        alarm(
            "OrderApiThrottled",
            "order-api-throttled",
            ORDER_API.metric("Throttles"),
            above=0,
            tell=ALARMS,
            means="The order API is at its concurrency bound; health checks are refused as well.",
        ),
    )
