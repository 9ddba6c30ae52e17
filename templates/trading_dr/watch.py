"""Who watches: the prober, each minute, and the readiness test, each hour, in both regions.

Apart from what they watch, and last: they alone are told of the other region's API and database.
"""

from dataclasses import replace
from datetime import timedelta

from troposphere import GetAtt

from tap_templates.blocks.alarm import alarm
from tap_templates.blocks.aurora_cluster import connect_as
from tap_templates.blocks.function import AsyncFunction, async_function
from tap_templates.blocks.function_role import FunctionNetwork
from tap_templates.blocks.key import ServiceKey, service_key, use_by_log_groups
from tap_templates.blocks.queue import Queue, dead_letters
from tap_templates.blocks.queue_worker import switch_feed
from tap_templates.blocks.schedule import function_schedule
from tap_templates.blocks.stack import StackParameter, StackTemplate
from tap_templates.blocks.text import sub
from tap_templates.model.names import PRIMARY_REGION, SECONDARY_REGION
from templates.trading_dr.shared import (
    ALARMS,
    API_URL,
    APPLICATION_USER,
    CLUSTER_RESOURCE,
    CONFIGURATION,
    CONSUMER,
    DATABASE_LOGIN,
    FAILBACK_MACHINE,
    FAILOVER,
    FAILOVER_MACHINE,
    OTHER_API_URL,
    OTHER_CLUSTER,
    OTHER_HOST,
    OTHER_READER,
    PROBER,
    PROBER_PACKAGE,
    READER_HOST,
    READINESS,
    READINESS_PACKAGE,
    SETTINGS,
    code,
    database_settings,
    in_network,
    log_in,
    own_metric,
    role_environment,
)

YES, NO = "yes", "no"
PROBE_EVERY = timedelta(minutes=1)
TEST_EVERY = timedelta(hours=1)
ROUNDS = 5
_NUMBER = "Number"
ROUND_SECONDS = StackParameter(
    name="ProbeRoundSeconds",
    group="Failover",
    label="Seconds between probes",
    description="How long a round of probes takes; five of them fill most of a minute.",
    type=_NUMBER,
    default=10,
    at_least=1,
    at_most=10,
    constraint="1 to 10 seconds",
)
FAILURES = StackParameter(
    name="ProbeFailures",
    group="Failover",
    label="Rounds until failover",
    description="Rounds on end in which the other region neither answers nor reports, before this "
    "one takes over.",
    type=_NUMBER,
    default=3,
    at_least=2,
    at_most=5,
    constraint="2 to 5 rounds",
)
DATABASE_FAILURES = StackParameter(
    name="ProbeDatabaseFailures",
    group="Failover",
    label="Rounds until the database is left",
    description="Rounds on end in which the other region reports that its database takes no "
    "writes. More than for a region: Aurora replaces a writer in its own region in about a minute.",
    type=_NUMBER,
    default=18,
    at_least=6,
    at_most=60,
    constraint="6 to 60 rounds",
)
STALE_SECONDS = StackParameter(
    name="ReportStaleSeconds",
    group="Failover",
    label="Seconds until a report is stale",
    description="How old what the other region said of itself may be: longer than the pause from "
    "the last round of a minute to the first of the next.",
    type=_NUMBER,
    default=80,
    at_least=2,
    at_most=120,
    constraint="2 to 120 seconds",
)
AUTOMATIC_FAILBACK = StackParameter(
    name="AutomaticFailback",
    group="Failover",
    label="Fail back by itself",
    description="yes: give the orders back once the home region has been healthy for long enough. "
    "no: tell that it has, and leave the start of the machine to a person.",
    default=NO,
    allowed=(NO, YES),
    constraint="yes or no",
)
HEALTHY_MINUTES = StackParameter(
    name="HealthyMinutes",
    group="Failover",
    label="Healthy minutes before failback",
    description="How long the home region must have been healthy on end before it is thought well.",
    type=_NUMBER,
    default=30,
    at_least=1,
    at_most=1440,
    constraint="1 to 1440 minutes",
)
_CHOICES = (
    ROUND_SECONDS,
    FAILURES,
    DATABASE_FAILURES,
    STALE_SECONDS,
    AUTOMATIC_FAILBACK,
    HEALTHY_MINUTES,
)


def primary() -> StackTemplate:
    """Who watches from the primary region."""
    return _build(SECONDARY_REGION)


def secondary() -> StackTemplate:
    """Who watches from the secondary region."""
    return _build(PRIMARY_REGION)


def _build(other: str) -> StackTemplate:
    stack = StackTemplate("trading-dr: watches the other region, and whether this one is ready")
    for parameter in (*DATABASE_LOGIN, READER_HOST, API_URL, OTHER_API_URL, CONSUMER, *_CHOICES):
        stack.parameter(parameter)
    for parameter in (OTHER_HOST, OTHER_READER, OTHER_CLUSTER):
        stack.parameter(parameter)
    network = in_network(stack)
    log_key = service_key(
        "Log",
        "order-watch-log",
        "Encrypts the logs of prober and readiness test",
        use_by_log_groups(PROBER.log_group, READINESS.log_group),
    )
    stack.add(*log_key)
    prober = _prober(stack, network, log_key, other)
    readiness = _readiness(stack, network, log_key, other)
    stack.output("ProberRoleArn", "What is probed with", GetAtt(prober.role, "Arn"))
    stack.output("ReadinessRoleArn", "What readiness is tested with", GetAtt(readiness.role, "Arn"))
    return stack


def _prober(
    stack: StackTemplate, network: FunctionNetwork, log_key: ServiceKey, other: str
) -> AsyncFunction:
    settings = database_settings(
        PROBER,
        "Watches the other region, tells of this one, and starts the failover",
        network=network,
        environment={
            **role_environment(),
            "API_URL": API_URL.ref,
            "AUTOMATIC_FAILBACK": AUTOMATIC_FAILBACK.ref,
            "FAILBACK_MACHINE_ARN": FAILBACK_MACHINE.arn(),
            "FAILOVER_MACHINE_ARN": FAILOVER_MACHINE.arn(),
            "HEALTHY_MINUTES": HEALTHY_MINUTES.ref,
            "MAPPING_ID": CONSUMER.ref,
            "OTHER_API_URL": OTHER_API_URL.ref,
            "OTHER_REGION": sub(other),
            "PROBE_DATABASE_FAILURES": DATABASE_FAILURES.ref,
            "PROBE_FAILURES": FAILURES.ref,
            "PROBE_ROUNDS": str(ROUNDS),
            "PROBE_ROUND_SECONDS": ROUND_SECONDS.ref,
            "READER_DB_HOST": READER_HOST.ref,
            "REPORT_STALE_SECONDS": STALE_SECONDS.ref,
        },
        timeout=timedelta(seconds=58),
        concurrency=2,  # one that ends late, and the next
    )
    failed = dead_letters(
        "ProberFailed",
        Queue("orders-prober-failed"),
        tell=ALARMS,
        means="The prober failed: until it runs again, this region watches nobody.",
    )
    made = async_function(
        "Prober",
        PROBER,
        code(stack, "Prober", PROBER_PACKAGE),
        settings,
        FAILOVER.get_items(),
        FAILOVER.put_items(),
        switch_feed(CONSUMER),
        FAILOVER_MACHINE.start(FAILBACK_MACHINE),
        log_in(),
        log_key=log_key,
        failures=failed,
        # The next minute is looked at by the next invocation; what comes late as well would count
        # rounds twice, and so be half as patient with the other region.
        retries=0,
        oldest=PROBE_EVERY,
    )
    probes = function_schedule(
        "Probes",
        "orders-probes",
        PROBER,
        every=PROBE_EVERY,
        given={"operation": "probe"},
        missed=3,
        tell=ALARMS,
        describes="Probes the other region, most of each minute",
    )
    unreachable = alarm(
        "Unreachable",
        "orders-other-region-unreachable",
        own_metric(PROBER, "OtherRegionUnreachable"),
        above=0,
        periods=2,
        tell=ALARMS,
        means="The other region has not answered for two minutes, as seen from here.",
    )
    may_return = alarm(
        "MayReturn",
        "orders-may-return",
        own_metric(PROBER, "ReturnPossible"),
        above=0,
        tell=ALARMS,
        means="The home region has been well for long: orders may be given back. See "
        "docs/trading-dr/failback.md.",
    )
    stack.add(*failed, *made, *probes, unreachable, may_return)
    return made


def _readiness(
    stack: StackTemplate, network: FunctionNetwork, log_key: ServiceKey, other: str
) -> AsyncFunction:
    settings = database_settings(
        READINESS,
        "Tests whether a failover would succeed now",
        network=network,
        environment={
            "API_URL": API_URL.ref,
            "CONFIG_NAMES": ",".join(key for key, _ in SETTINGS),
            "CONFIG_PREFIX": sub(CONFIGURATION.path),
            "OTHER_API_URL": OTHER_API_URL.ref,
            "OTHER_DB_HOST": OTHER_HOST.ref,
            "OTHER_READER_DB_HOST": OTHER_READER.ref,
            "OTHER_REGION": sub(other),
            "READER_DB_HOST": READER_HOST.ref,
        },
        timeout=timedelta(seconds=60),
        concurrency=1,
    )
    failed = dead_letters(
        "ReadinessFailed",
        Queue("orders-readiness-failed"),
        tell=ALARMS,
        means="The readiness test itself broke: nobody knows whether a failover would succeed.",
    )
    made = async_function(
        "Readiness",
        READINESS,
        code(stack, "Readiness", READINESS_PACKAGE),
        settings,
        CONFIGURATION.read_all(),
        connect_as(APPLICATION_USER, CLUSTER_RESOURCE.ref, others={other: OTHER_CLUSTER.ref}),
        log_key=log_key,
        failures=failed,
        retries=0,  # the next one comes in an hour
    )
    ready = own_metric(READINESS, "Ready", "Minimum")
    not_ready = alarm(
        "NotReady",
        "orders-not-ready",
        replace(ready, period=TEST_EVERY),
        below=1,
        tell=ALARMS,
        means="The pair is not ready for a failover; the log of order-readiness says which checks "
        "failed.",
    )
    tests = function_schedule(
        "Tests",
        "orders-readiness",
        READINESS,
        every=TEST_EVERY,
        given={"operation": "test"},
        missed=2,
        tell=ALARMS,
        describes="Tests each hour whether a failover would succeed",
    )
    stack.add(*failed, *made, *tests, not_ready)
    return made
