"""The processor: claims each event by writing it, and puts what it fails on aside."""

from datetime import timedelta

from troposphere import GetAtt, Ref
from troposphere.cloudwatch import Alarm

from tap_templates.blocks.alarm import alarm
from tap_templates.blocks.function import Code, Settings, async_function
from tap_templates.blocks.key import service_key, use_by_log_groups
from tap_templates.blocks.parameters import CODE_KEY, CODE_SHA256
from tap_templates.blocks.queue import dead_letters
from tap_templates.blocks.stack import StackParameter, StackTemplate
from tap_templates.blocks.table import write_alarms
from tap_templates.blocks.text import sub
from templates.trading_events.shared import (
    ALARMS,
    FAILED,
    METRICS,
    PROCESSOR,
    PROCESSOR_PACKAGE,
    SERVICE,
    TRANSACTIONS,
)

ONE_SECOND_MS = 1000  # what processing may take: the function must be sub-second

CONCURRENCY = StackParameter(
    name="ProcessorConcurrency",
    group="Processing",
    label="Concurrent executions",
    description="Bounds how hard the processor drives the table; what exceeds it waits, "
    "up to six hours, and is not lost.",
    type="Number",
    default=100,
    at_least=1,
    at_most=1000,
    constraint="1 to 1000; the account must keep 100 unreserved",
)


def build() -> StackTemplate:
    """The function behind its alias, the queue of what it failed on, and the alarms on all."""
    stack = StackTemplate("trading-events: the processor and its failure queue")
    failed = dead_letters(
        "Failed",
        FAILED,
        tell=ALARMS,
        means="An event could not be processed. It is in the queue: see the runbook, Redrive.",
    )
    log_key = service_key(
        "ProcessorLog",
        f"{PROCESSOR.purpose}-log",
        f"Encrypts the log of {PROCESSOR.purpose}",
        use_by_log_groups(PROCESSOR.log_group),
    )
    processor = async_function(
        "Processor",
        PROCESSOR,
        Code(
            package=PROCESSOR_PACKAGE,
            key=stack.parameter(CODE_KEY),
            sha256=stack.parameter(CODE_SHA256),
        ),
        Settings(
            describes="Processes each trading event once, across regions",
            environment={
                "POWERTOOLS_METRICS_NAMESPACE": METRICS,
                "POWERTOOLS_SERVICE_NAME": SERVICE,
                "TABLE_NAME": sub(TRANSACTIONS.name),
            },
            timeout=timedelta(seconds=10),
            memory_mib=512,
            concurrency=stack.parameter(CONCURRENCY),
        ),
        TRANSACTIONS.put_items(),
        log_key=log_key,
        failures=failed,
    )
    stack.add(
        *failed,
        *log_key,
        *processor,
        *_alarms(),
        *write_alarms(TRANSACTIONS, what="transactions", tell=ALARMS),
    )

    stack.output("ProcessorArn", "The processor's live alias", Ref(processor.alias))
    stack.output("ProcessorRoleArn", "The role it runs with", GetAtt(processor.role, "Arn"))
    stack.output("FailedQueueUrl", "Queue of events that were not processed", Ref(failed.queue))
    return stack


def _alarms() -> tuple[Alarm, ...]:
    return (
        alarm(
            "ProcessorErrors",
            "trading-processor-errors",
            PROCESSOR.metric("Errors"),
            above=0,
            tell=ALARMS,
            means="The processor failed on an event; Lambda tries it twice again.",
        ),
        alarm(
            "ProcessorThrottles",
            "trading-processor-throttles",
            PROCESSOR.metric("Throttles"),
            above=0,
            periods=5,
            tell=ALARMS,
            means="The processor has been at its concurrency bound for five minutes.",
        ),
        alarm(
            "ProcessorSlow",
            "trading-processor-slow",
            PROCESSOR.metric("Duration", "p99"),
            above=ONE_SECOND_MS,
            periods=3,
            tell=ALARMS,
            means="One event in a hundred takes longer than a second.",
        ),
        alarm(
            "ProcessorFailuresLost",
            "trading-processor-failures-lost",
            PROCESSOR.metric("DestinationDeliveryFailures"),
            above=0,
            tell=ALARMS,
            means="A failed event could not be put into the failure queue: it is only in the "
            "archive and the log.",
        ),
    )
