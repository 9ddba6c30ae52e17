"""What the stacks of trading-events call each other by."""

from tap_templates.blocks.bus import Bus, Rule
from tap_templates.blocks.function import Function
from tap_templates.blocks.queue import Queue
from tap_templates.blocks.table import Table
from tap_templates.blocks.topic import Topic
from tap_templates.model.package import Package

SOURCE = "trading-system"  # what producers put into an event's `source`
SERVICE = "trading-event-processor"  # the processor's name in logs, traces and metrics
METRICS = "TradingSystem"  # the namespace of the processor's own metrics

PROCESSOR_PACKAGE = Package(
    name="trading-processor", aws_services=("dynamodb",), shared=("telemetry",)
)

TRANSACTIONS = Table("trading-transactions")
ALARMS = Topic("trading-alarms")
PROCESSOR = Function("trading-processor")
FAILED = Queue("trading-processing-failed")  # the processor gave up
BUS = Bus("trading-events")
EVENTS_TO_PROCESSOR = Rule(BUS, "trading-events-to-processor")
UNDELIVERED = Queue("trading-delivery-failed")  # EventBridge could not reach the processor
