"""What moves inside a region and between the two: the queue of orders, and the critical events.

The queue is a hint that an order waits in the journal, so losing it with its region loses nothing.
Critical events are put on the bus of the region they happen in, forwarded once to the other's, and
written to the audit bucket of both.
"""

from datetime import timedelta

from troposphere import Ref

from tap_templates.blocks.queue import dead_letters
from tap_templates.blocks.queue_worker import Batches, work_queue
from tap_templates.blocks.stack import StackTemplate
from templates.trading_dr.shared import ALARMS, DEAD_ORDERS, ORDERS

APPLIER_TIMEOUT = timedelta(seconds=30)
BATCHES = Batches(largest=10, at_once=20)
KEPT = timedelta(days=4)
OLDEST = timedelta(minutes=5)


def build() -> StackTemplate:
    """The queue with its dead letters, the bus with its rules, and who audits."""
    stack = StackTemplate("trading-dr: the queue of orders, and the events of this region")
    dead = dead_letters(
        "Dead",
        DEAD_ORDERS,
        tell=ALARMS,
        means="An order could not be applied five times: see the runbook, Dead letters. The sweep "
        "tries it again from the journal.",
        admits_queue=ORDERS,
    )
    orders = work_queue(
        "Orders",
        ORDERS,
        dead=dead,
        timeout=APPLIER_TIMEOUT,
        batches=BATCHES,
        retention=KEPT,
        oldest=OLDEST,
        tell=ALARMS,
        means="An order has waited for five minutes. In a region that stands by it waits until the "
        "journal is swept, or until this region is the active one.",
    )
    stack.add(*dead, *orders)
    stack.output("OrderQueueUrl", "Queue of orders to apply", Ref(orders.queue))
    stack.output("DeadLetterQueueUrl", "What could not be applied", Ref(dead.queue))
    return stack
