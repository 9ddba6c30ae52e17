"""What happens in one region is told to the other: critical events, once and in one direction each.

After the buses of both, and nothing of a failover waits for it: events of a region that is gone
arrive when it is back, for a day.
"""

from troposphere import Ref

from tap_templates.blocks.bus import Delivery
from tap_templates.blocks.forwarding import forwarding
from tap_templates.blocks.queue import Queue, dead_letters
from tap_templates.blocks.stack import StackTemplate
from templates.trading_dr.events import DELIVERY_AGE, DELIVERY_ATTEMPTS
from templates.trading_dr.machines_notices import DETAIL_TYPES
from templates.trading_dr.shared import ALARMS, EVENT_SOURCE, EVENTS_TO_OTHER


def build() -> StackTemplate:
    """The rule, its role and its dead letters."""
    stack = StackTemplate("trading-dr: forwards critical events to the other region")
    lost = dead_letters(
        "NotForwarded",
        Queue("orders-not-forwarded"),
        tell=ALARMS,
        means="A critical event did not reach the other region for a day; it is in the queue.",
        admits_rule=EVENTS_TO_OTHER.arn,
    )
    made = forwarding(
        stack,
        "Forward",
        EVENTS_TO_OTHER,
        source=EVENT_SOURCE,
        detail_types=DETAIL_TYPES,
        delivery=Delivery(attempts=DELIVERY_ATTEMPTS, longest_age=DELIVERY_AGE, dead_letters=lost),
        describes="Forwards what happened in this region to the other one's bus",
    )
    stack.add(*lost, *made)
    stack.output("ForwardRuleName", "The rule that forwards", Ref(made.rule))
    stack.output("NotForwardedQueueUrl", "What did not arrive there", Ref(lost.queue))
    return stack
