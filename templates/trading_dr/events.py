"""The bus of a region, and who writes down what is put on it: each event, in both regions.

What is put here is critical and rare: that a failover or a failback ended, well or not.
"""

from datetime import timedelta

from troposphere import GetAtt

from tap_templates.blocks.bus import Delivery, event_bus, rule_to_function
from tap_templates.blocks.function import AsyncFunction, Settings, async_function
from tap_templates.blocks.key import service_key, use_by_log_groups
from tap_templates.blocks.queue import Queue, dead_letters
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.text import sub
from templates.trading_dr.shared import (
    ALARMS,
    AUDIT,
    AUDIT_PACKAGE,
    BUS,
    EVENT_AUDIT,
    EVENT_SOURCE,
    EVENTS_TO_AUDIT,
    code,
    own_environment,
)

FOLDER = "events/"  # in the audit bucket
DELIVERY_ATTEMPTS = 3
DELIVERY_AGE = timedelta(hours=24)


def build() -> StackTemplate:
    """The bus, the function that audits, and the rule between them."""
    stack = StackTemplate("trading-dr: the bus of critical events, and their audit")
    bus = event_bus("Orders", BUS, "Critical events of the order platform, of both regions")
    undelivered = dead_letters(
        "Undelivered",
        Queue("orders-undelivered"),
        tell=ALARMS,
        means="A critical event could not be handed to who audits it; it is in the queue.",
        admits_rule=EVENTS_TO_AUDIT.arn,
    )
    function = _audit(stack)
    to_audit = rule_to_function(
        "Audit",
        EVENTS_TO_AUDIT,
        bus,
        pattern={"source": [EVENT_SOURCE]},
        function=EVENT_AUDIT,
        delivery=Delivery(
            attempts=DELIVERY_ATTEMPTS, longest_age=DELIVERY_AGE, dead_letters=undelivered
        ),
        describes="Writes critical events of both regions into the audit bucket of this one",
    )
    to_audit.permission.DependsOn = [function.alias.title]  # named by its ARN: no edge is seen
    stack.add(bus, *undelivered, *to_audit)
    stack.output("BusArn", "The bus of this region", GetAtt(bus, "Arn"))
    stack.output("AuditRoleArn", "What events are written down with", GetAtt(function.role, "Arn"))
    return stack


def _audit(stack: StackTemplate) -> AsyncFunction:
    log_key = service_key(
        "Log",
        "order-audit-log",
        "Encrypts the log of the audit function",
        use_by_log_groups(EVENT_AUDIT.log_group),
    )
    failed = dead_letters(
        "AuditFailed",
        Queue("orders-audit-failed"),
        tell=ALARMS,
        means="A critical event could not be written to the audit bucket; it is in the queue.",
    )
    made = async_function(
        "Audit",
        EVENT_AUDIT,
        code(stack, "Audit", AUDIT_PACKAGE),
        Settings(
            describes="Keeps each critical event as an object of the audit bucket",
            environment={**own_environment(EVENT_AUDIT), "AUDIT_BUCKET": sub(AUDIT.name)},
            timeout=timedelta(seconds=15),
            memory_mib=256,
            concurrency=2,
        ),
        AUDIT.put_objects(FOLDER),
        log_key=log_key,
        failures=failed,
    )
    stack.add(*log_key, *failed, *made)
    return made
