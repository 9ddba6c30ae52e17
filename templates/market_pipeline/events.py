"""The bus, the rule that starts the machine on market events, and the archive to replay from."""

from datetime import timedelta

from troposphere import GetAtt, Ref

from tap_templates.blocks.alarm import alarm
from tap_templates.blocks.bus import (
    LONGEST_EVENT_AGE,
    Delivery,
    archive,
    event_bus,
    rule_to_state_machine,
)
from tap_templates.blocks.queue import dead_letters
from tap_templates.blocks.stack import StackTemplate
from templates.market_pipeline.shared import (
    ALARMS,
    BUS,
    DETAIL_TYPE,
    EVENT_TYPES,
    EVENTS_TO_PIPELINE,
    PIPELINE,
    SOURCE,
    UNDELIVERED,
)

ARCHIVED = timedelta(days=30)


def build() -> StackTemplate:
    """The bus with its rule, the queue of what could not be delivered, and the archive."""
    stack = StackTemplate("market-pipeline: the event bus, its rule and its archive")
    bus = event_bus("Market", BUS, "Market events of one region")
    undelivered = dead_letters(
        "Undelivered",
        UNDELIVERED,
        tell=ALARMS,
        means="The pipeline could not be started for an event. It is in the queue: see the "
        "runbook, Redrive.",
        admits_rule=EVENTS_TO_PIPELINE.arn,
    )
    to_pipeline = rule_to_state_machine(
        "Pipeline",
        EVENTS_TO_PIPELINE,
        bus,
        pattern={
            "source": [SOURCE],
            "detail-type": [DETAIL_TYPE],
            "detail": {"type": [*EVENT_TYPES]},
        },
        machine=PIPELINE,
        delivery=Delivery(attempts=185, longest_age=LONGEST_EVENT_AGE, dead_letters=undelivered),
        describes="Starts the pipeline for each trade and quote",
    )
    lost = alarm(
        "UndeliveredLost",
        "market-undelivered-lost",
        EVENTS_TO_PIPELINE.metric("InvocationsFailedToBeSentToDlq"),
        above=0,
        tell=ALARMS,
        means="An undelivered event could not be put into its queue: replay it from the archive.",
    )
    # As wide as the source: a replay brings back whatever any rule may have missed.
    kept = archive("Market", "market-events", bus, pattern={"source": [SOURCE]}, kept=ARCHIVED)
    stack.add(bus, *undelivered, *to_pipeline, lost, kept)

    stack.output("BusName", "Name of the bus, the same in both regions", Ref(bus))
    stack.output("BusArn", "ARN of this region's bus", GetAtt(bus, "Arn"))
    stack.output("ArchiveName", "Archive to replay from", Ref(kept))
    stack.output(
        "UndeliveredQueueUrl", "Queue of events that were not delivered", Ref(undelivered.queue)
    )
    return stack
