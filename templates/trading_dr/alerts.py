"""Whom alarms and the machines tell: one encrypted topic a region, with its e-mail."""

from troposphere import Ref

from tap_templates.blocks.key import service_key, use_by_alarms, use_by_publishers
from tap_templates.blocks.parameters import email_parameter
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.topic import alarm_topic
from templates.trading_dr.shared import ALARMS


def build() -> StackTemplate:
    """The topic of this region and its key."""
    stack = StackTemplate("trading-dr: the topic that alarms and failovers publish to")
    key = service_key(
        "Alarms",
        "orders-alarms",
        "Encrypts what alarms and failovers publish",
        use_by_alarms(),
        use_by_publishers(),
    )
    topic = alarm_topic("Alarms", ALARMS, key=key, email=stack.parameter(email_parameter()))
    stack.add(*key, *topic)
    stack.output("AlarmTopicArn", "Topic of all alarms of this region", Ref(topic.topic))
    stack.output("AlarmKeyArn", "Key that the topic is encrypted with", key.arn)
    return stack
