"""What puts journaled orders into the database: the applier, and the replayer with its sweep.

The same template in both regions. The applier is fed where the orders are at home; in the other
region its feed is made and off, and the failover machine turns it on.
"""

from datetime import timedelta

from troposphere import Equals, GetAtt, If, Ref
from troposphere.cloudwatch import Alarm

from tap_templates.blocks.alarm import alarm
from tap_templates.blocks.function import (
    AsyncFunction,
    RequestFunction,
    async_function,
    request_function,
)
from tap_templates.blocks.function_role import FunctionNetwork
from tap_templates.blocks.key import ServiceKey, service_key, use_by_log_groups
from tap_templates.blocks.queue import Queue, dead_letters
from tap_templates.blocks.queue_worker import feed
from tap_templates.blocks.schedule import function_schedule
from tap_templates.blocks.stack import StackParameter, StackTemplate
from tap_templates.blocks.text import Text, sub
from templates.trading_dr.machines_parts import REPLAYER_TIMEOUT
from templates.trading_dr.messaging import APPLIER_TIMEOUT, BATCHES
from templates.trading_dr.shared import (
    ALARMS,
    APPLIED,
    APPLIER,
    APPLIER_PACKAGE,
    AUDIT,
    DATABASE_LOGIN,
    FAILOVER,
    JOURNAL,
    ORDERS,
    PENDING,
    REPLAYER,
    REPLAYER_PACKAGE,
    code,
    database_settings,
    in_network,
    log_in,
    own_metric,
    role_environment,
)

YES, NO = "yes", "no"
REPORTS = "reconciliation/"  # in the audit bucket
SWEEP_EVERY = timedelta(minutes=1)
FED = StackParameter(
    name="Fed",
    group="Orders",
    label="Feed the applier",
    description="How the feed is made: yes where orders are at home, no where they are not. "
    "Failover and failback turn it on and off; an update of the feed puts it back to this, until "
    "the prober sees it.",
    pattern=f"{NO}|{YES}",  # not for an operator to choose, so not tried with every value
    constraint="yes or no",
)
CONCURRENCY = StackParameter(
    name="ApplierConcurrency",
    group="Orders",
    label="Concurrent batches",
    description="Batches of orders that are applied at a time, each on a connection of its own.",
    type="Number",
    default=20,
    at_least=20,
    at_most=200,
    constraint="20 to 200; the database must take as many connections",
)


def build() -> StackTemplate:
    """The applier with its feed, the replayer with its schedule, and their alarms."""
    stack = StackTemplate("trading-dr: applies orders from the journal to the database")
    for parameter in DATABASE_LOGIN:
        stack.parameter(parameter)
    network = in_network(stack)
    log_key = service_key(
        "Log",
        "order-compute-log",
        "Encrypts the logs of applier and replayer",
        use_by_log_groups(APPLIER.log_group, REPLAYER.log_group),
    )
    applier = _applier(stack, network, log_key)
    fed = stack.condition("IsFed", Equals(stack.parameter(FED), YES))
    fed_by = feed(
        "Orders",
        applier,
        ORDERS,
        batches=BATCHES,
        enabled=If(fed, True, False),
        at_once=CONCURRENCY.ref,
    )
    stack.add(*log_key, *applier, fed_by)
    replayer = _replayer(stack, network, log_key)
    stack.add(*_alarms())
    stack.output("ConsumerId", "The feed of the applier: failover turns it on", Ref(fed_by))
    stack.output("ApplierRoleArn", "What orders are applied with", GetAtt(applier.role, "Arn"))
    stack.output("ReplayerRoleArn", "What they are replayed with", GetAtt(replayer.role, "Arn"))
    return stack


def _applier(
    stack: StackTemplate, network: FunctionNetwork, log_key: ServiceKey
) -> RequestFunction:
    settings = database_settings(
        APPLIER,
        "Applies orders of the journal to the database, each once",
        network=network,
        environment=_tables(),
        timeout=APPLIER_TIMEOUT,
        concurrency=stack.parameter(CONCURRENCY),
    )
    return request_function(
        "Applier",
        APPLIER,
        code(stack, "Applier", APPLIER_PACKAGE),
        settings,
        ORDERS.drain(),
        JOURNAL.get_items(FAILOVER),
        JOURNAL.update_items(),
        log_in(),
        log_key=log_key,
    )


def _replayer(stack: StackTemplate, network: FunctionNetwork, log_key: ServiceKey) -> AsyncFunction:
    settings = database_settings(
        REPLAYER,
        "Applies what the queue or replication lost, and proves that nothing is missing",
        network=network,
        environment={
            **_tables(),
            "AUDIT_BUCKET": sub(AUDIT.name),
        },
        timeout=REPLAYER_TIMEOUT,
        memory_mib=1024,
        concurrency=5,  # a sweep, and a machine that need not wait for it
    )
    failed = dead_letters(
        "SweepFailed",
        Queue("orders-sweep-failed"),
        tell=ALARMS,
        means="A sweep of the journal failed: orders may wait to be applied. The next one follows.",
    )
    made = async_function(
        "Replayer",
        REPLAYER,
        code(stack, "Replayer", REPLAYER_PACKAGE),
        settings,
        JOURNAL.get_items(FAILOVER),
        JOURNAL.query(PENDING),
        JOURNAL.query(APPLIED),
        JOURNAL.update_items(),
        AUDIT.put_objects(REPORTS),
        log_in(),
        log_key=log_key,
        failures=failed,
        retries=0,  # the next sweep begins anew
        oldest=SWEEP_EVERY,
    )
    sweep = function_schedule(
        "Sweep",
        "orders-sweep",
        REPLAYER,
        every=SWEEP_EVERY,
        given={"operation": "sweep"},
        missed=5,
        tell=ALARMS,
        describes="Looks each minute for orders that were journaled and not applied",
    )
    stack.add(*failed, *made, *sweep)
    return made


def _tables() -> dict[str, Text]:
    return {**role_environment(), "JOURNAL_TABLE": sub(JOURNAL.name)}


def _alarms() -> tuple[Alarm, ...]:
    return (
        alarm(
            "ApplierErrors",
            "order-applier-errors",
            APPLIER.metric("Errors"),
            above=0,
            periods=3,
            tell=ALARMS,
            means="The applier has failed for three minutes: orders wait in the journal.",
        ),
        alarm(
            "ApplierThrottled",
            "order-applier-throttled",
            APPLIER.metric("Throttles"),
            above=0,
            periods=5,
            tell=ALARMS,
            means="The applier has been at its concurrency bound for five minutes.",
        ),
        alarm(
            "ReplayerErrors",
            "order-replayer-errors",
            REPLAYER.metric("Errors"),
            above=0,
            periods=3,
            tell=ALARMS,
            means="The replayer has failed for three minutes: what the queue lost stays unapplied.",
        ),
        alarm(
            "OrdersRefused",
            "orders-refused-by-books",
            own_metric(APPLIER, "OrdersRefusedByBooks"),
            above=0,
            tell=ALARMS,
            means="The database refuses an acknowledged order for good; the log of order-applier "
            "names it. It stays in the journal, and is tried each minute.",
        ),
        alarm(
            "OrdersRefusedBySweep",
            "orders-refused-by-sweep",
            own_metric(REPLAYER, "OrdersRefusedByBooks"),
            above=0,
            tell=ALARMS,
            means="The database refuses an acknowledged order for good, also one whose hint was "
            "lost; the log of order-replayer names it. It stays in the journal.",
        ),
        alarm(
            "SweepsUnfinished",
            "orders-swept-too-slowly",
            own_metric(REPLAYER, "SweepsUnfinished"),
            above=0,
            periods=5,
            tell=ALARMS,
            means="Orders wait in the journal, and five sweeps did not get through them: see "
            "docs/trading-dr/failover.md, Orders that wait.",
        ),
        alarm(
            "OrdersMissing",
            "orders-missing",
            own_metric(REPLAYER, "OrdersMissing"),
            above=0,
            tell=ALARMS,
            means="Acknowledged orders are not in the database after a failover: see the report in "
            "the audit bucket, and docs/trading-dr/failover.md.",
        ),
    )
