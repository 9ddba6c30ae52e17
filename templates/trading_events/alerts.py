"""Whom alarms tell: one encrypted topic a region, with an e-mail subscription."""

from troposphere import Ref

from tap_templates.blocks.key import service_key, use_by_alarms
from tap_templates.blocks.parameters import email_parameter
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.topic import alarm_topic
from templates.trading_events.shared import ALARMS


def build() -> StackTemplate:
    """The topic of this region: an alarm can only tell a topic beside it."""
    stack = StackTemplate("trading-events: the topic that alarms publish to")
    email = stack.parameter(email_parameter())
    key = service_key("Alarms", "trading-alarms", "Encrypts what alarms publish", use_by_alarms())
    topic = alarm_topic("Alarms", ALARMS, key=key, email=email)
    stack.add(*key, *topic)
    stack.output(
        "AlarmTopicArn", "Topic that every alarm of this region publishes to", Ref(topic.topic)
    )
    return stack
