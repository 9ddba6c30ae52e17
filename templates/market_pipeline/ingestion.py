"""The door: an HTTP API that is never open, and the function that puts events on the bus."""

from datetime import timedelta

from troposphere import And, Condition, Equals, GetAtt, If, Not, Ref
from troposphere.cloudwatch import Alarm

from tap_templates.blocks.alarm import alarm
from tap_templates.blocks.function import Settings, request_function
from tap_templates.blocks.http_api import FunctionApi, Jwt, Throttle, function_api
from tap_templates.blocks.key import service_key, use_by_log_groups
from tap_templates.blocks.parameters import burst_parameter, rate_parameter
from tap_templates.blocks.stack import StackParameter, StackTemplate
from tap_templates.blocks.text import sub
from templates.market_pipeline.shared import (
    ALARMS,
    API,
    BUS,
    DETAIL_TYPE,
    INGESTION,
    INGESTION_PACKAGE,
    METRICS,
    SOURCE,
    code,
    in_network,
)

# Both end up in the description of the function's version, which Lambda limits to 256 characters.
ISSUER = StackParameter(
    name="JwtIssuer",
    group="Authorization",
    label="JWT issuer",
    description="Whose tokens are accepted; empty together with the audience for IAM signatures.",
    default="",
    pattern=r"(https://[A-Za-z0-9][A-Za-z0-9./_-]{0,71})?",
    constraint="an https address of up to 80 characters, or empty",
)
AUDIENCE = StackParameter(
    name="JwtAudience",
    group="Authorization",
    label="JWT audience",
    description="For whom tokens must be meant; empty together with the issuer for IAM signatures.",
    default="",
    pattern=r"[A-Za-z0-9._:/-]{0,48}",
    constraint="up to 48 letters, digits and ._:/-, or empty",
)
CONCURRENCY = StackParameter(
    name="IngestionConcurrency",
    group="Ingestion",
    label="Concurrent executions",
    description="Requests that are served at a time; what exceeds it is told to come again.",
    type="Number",
    default=50,
    at_least=1,
    at_most=1000,
    constraint="1 to 1000; the account must keep 100 unreserved",
)
RATE = rate_parameter("Ingestion", 500)
BURST = burst_parameter("Ingestion", 250)
SLOW_MS = 1000


def build() -> StackTemplate:
    """The API, its function, and the alarms on both."""
    stack = StackTemplate("market-pipeline: the ingestion API and its function")
    jwt = _jwt(stack)
    log_key = service_key(
        "IngestionLog",
        "market-ingestion-log",
        "Encrypts the logs of the ingestion API and its function",
        use_by_log_groups(API.log_group, INGESTION.log_group),
    )
    function = request_function(
        "Ingestion",
        INGESTION,
        code(stack, "Ingestion", INGESTION_PACKAGE),
        Settings(
            describes="Checks what is posted and puts it on the bus",
            environment={
                "AUTHORIZATION": If(jwt.when, "JWT", "IAM"),
                "BUS_NAME": sub(BUS.name),
                "JWT_AUDIENCE": jwt.audience,
                "JWT_ISSUER": jwt.issuer,
                "POWERTOOLS_METRICS_NAMESPACE": METRICS,
                "POWERTOOLS_SERVICE_NAME": INGESTION.purpose,
            },
            timeout=timedelta(seconds=10),
            memory_mib=512,
            concurrency=stack.parameter(CONCURRENCY),
            network=in_network(stack),
        ),
        BUS.put_events(source=SOURCE, detail_type=DETAIL_TYPE),
        log_key=log_key,
    )
    api = function_api(
        "Ingestion",
        API,
        route="POST /ingest",
        function=INGESTION,
        jwt=jwt,
        throttle=Throttle(rate=stack.parameter(RATE), burst=stack.parameter(BURST)),
        log_key=log_key,
        describes="Takes in market events",
    )
    api.integration.DependsOn = [function.alias.title]  # named by its ARN, so no edge is seen
    api.permission.DependsOn = [function.alias.title]
    stack.add(*log_key, *function, *api, *_alarms(api))

    stack.output("ApiUrl", "Where to POST /ingest", api.url)
    stack.output("ApiId", "The API's id, which its metrics are told by", Ref(api.api))
    stack.output("IngestionArn", "The function's live alias", Ref(function.alias))
    stack.output("IngestionRoleArn", "The role it runs with", GetAtt(function.role, "Arn"))
    return stack


def _jwt(stack: StackTemplate) -> Jwt:
    issuer, audience = stack.parameter(ISSUER), stack.parameter(AUDIENCE)
    has_issuer = stack.condition("HasIssuer", Not(Equals(issuer, "")))
    has_audience = stack.condition("HasAudience", Not(Equals(audience, "")))
    both = stack.condition("HasJwt", And(Condition(has_issuer), Condition(has_audience)))
    return Jwt(when=both, issuer=issuer, audience=audience)


def _alarms(api: FunctionApi) -> tuple[Alarm, ...]:
    return (
        alarm(
            "IngestionErrors",
            "market-ingestion-errors",
            INGESTION.metric("Errors"),
            above=0,
            tell=ALARMS,
            means="Ingestion broke on a request; the client was answered 500.",
        ),
        alarm(
            "IngestionThrottles",
            "market-ingestion-throttles",
            INGESTION.metric("Throttles"),
            above=0,
            periods=5,
            tell=ALARMS,
            means="Ingestion has been at its concurrency bound for five minutes.",
        ),
        alarm(
            "IngestionFailing",
            "market-ingestion-failing",
            api.metric("5xx"),
            above=0,
            periods=3,
            tell=ALARMS,
            means="The API answers 5xx: events are not accepted in this region; clients should "
            "post to the other one.",
        ),
        alarm(
            "IngestionSlow",
            "market-ingestion-slow",
            api.metric("Latency", "p99"),
            above=SLOW_MS,
            periods=3,
            tell=ALARMS,
            means="One request in a hundred waits longer than a second.",
        ),
    )
