"""Whom alarms and compensation tell: one encrypted topic a region, with an e-mail if wanted."""

from troposphere import Equals, Not, Ref

from tap_templates.blocks.key import service_key, use_by_alarms, use_by_publishers
from tap_templates.blocks.parameters import optional_email_parameter
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.topic import alarm_topic
from templates.market_pipeline.shared import ALARMS


def build() -> StackTemplate:
    """The topic of this region and its key."""
    stack = StackTemplate("market-pipeline: the topic that alarms and compensation publish to")
    email = stack.parameter(optional_email_parameter())
    wanted = stack.condition("HasEmail", Not(Equals(email, "")))
    key = service_key(
        "Alarms",
        "market-alarms",
        "Encrypts what alarms and compensation publish",
        use_by_alarms(),
        use_by_publishers(),
    )
    topic = alarm_topic("Alarms", ALARMS, key=key, email=email, if_wanted=wanted)
    stack.add(*key, *topic)
    stack.output(
        "AlarmTopicArn", "Topic of all alarms and failures of this region", Ref(topic.topic)
    )
    stack.output("AlarmKeyArn", "Key that the topic is encrypted with", key.arn)
    return stack
