"""The bus and its rule: what producers publish goes to the processor of the same region."""

from datetime import timedelta

from troposphere import Equals, GetAtt, If, NoValue, Ref

from tap_templates.blocks.alarm import alarm
from tap_templates.blocks.bus import (
    LONGEST_EVENT_AGE,
    Delivery,
    Pattern,
    archive,
    event_bus,
    rule_to_function,
)
from tap_templates.blocks.heartbeat import heartbeat
from tap_templates.blocks.queue import dead_letters
from tap_templates.blocks.stack import StackParameter, StackTemplate
from templates.trading_events.shared import (
    ALARMS,
    BUS,
    EVENTS_TO_PROCESSOR,
    PROCESSOR,
    SOURCE,
    UNDELIVERED,
)

STANDBY_RULE = StackParameter(
    name="StandbyRule",
    group="Processing",
    label="What the standby does with replicated events",
    description="claim: both regions process, one wins the claim; nothing to do on failover. "
    "filter: each processes its own events only; replay the archive of the standby on failover.",
    default="claim",
    allowed=("claim", "filter"),
    constraint="claim or filter",
)
ARCHIVED = timedelta(days=14)  # as long as the queues keep what failed


def build() -> StackTemplate:
    """The bus, the rule to the processor, the archive and the heartbeat, alike in both regions."""
    stack = StackTemplate("trading-events: the event bus, its rule and its heartbeat")
    stack.parameter(STANDBY_RULE)
    pattern = _pattern(stack)
    bus = event_bus("Trading", BUS, "Trading events of one region")
    undelivered = dead_letters(
        "Undelivered",
        UNDELIVERED,
        tell=ALARMS,
        means="An event could not be delivered to the processor. It is in the queue: see the "
        "runbook, Redrive.",
        admits_rule=EVENTS_TO_PROCESSOR.arn,
    )
    to_processor = rule_to_function(
        "Processing",
        EVENTS_TO_PROCESSOR,
        bus,
        pattern=pattern,
        function=PROCESSOR,
        delivery=Delivery(attempts=3, longest_age=LONGEST_EVENT_AGE, dead_letters=undelivered),
        describes="Sends trading events to the processor",
    )
    lost = alarm(
        "UndeliveredLost",
        "trading-delivery-failed-lost",
        EVENTS_TO_PROCESSOR.metric("InvocationsFailedToBeSentToDlq"),
        above=0,
        tell=ALARMS,
        means="An undelivered event could not be put into its queue: replay it from the archive.",
    )
    kept = archive("Trading", "trading-events", bus, pattern={"source": [SOURCE]}, kept=ARCHIVED)
    stack.add(bus, *undelivered, *to_processor, lost, kept)
    stack.add(*heartbeat("Heartbeat", "trading-heartbeat", BUS, bus, tell=ALARMS))

    stack.output("BusName", "Name of the bus, the same in both regions", Ref(bus))
    stack.output("BusArn", "ARN of this region's bus", GetAtt(bus, "Arn"))
    stack.output("ArchiveName", "Archive to replay from", Ref(kept))
    stack.output(
        "UndeliveredQueueUrl", "Queue of events that were not delivered", Ref(undelivered.queue)
    )
    return stack


def _pattern(stack: StackTemplate) -> Pattern:
    # EventBridge keeps the region of origin in a replicated event.
    own_only = stack.condition("OwnEventsOnly", Equals(STANDBY_RULE.ref, "filter"))
    return {"source": [SOURCE], "region": If(own_only, [Ref("AWS::Region")], NoValue)}
