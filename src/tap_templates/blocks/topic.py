"""Block: a topic that alarms publish to, encrypted, TLS only, with its e-mail subscription."""

from dataclasses import dataclass
from typing import NamedTuple

from awacs import aws
from awacs import sns as actions
from troposphere import Ref, sns

from tap_templates.blocks.key import ServiceKey
from tap_templates.blocks.policy import (
    ONLY_FROM_OWN_ACCOUNT,
    allow,
    allow_service,
    deny_plain_text,
    document,
)
from tap_templates.blocks.text import Text, arn_text, sub
from tap_templates.model.names import SUFFIX, Kind, Name


@dataclass(frozen=True, slots=True)
class Topic:
    """The typed reference to a topic, in whatever stack it is made."""

    purpose: str

    @property
    def name(self) -> str:
        return Name(Kind.TOPIC, self.purpose).text()

    @property
    def arn(self) -> Text:
        return sub(arn_text("sns", self.name))

    def publish(self) -> aws.Statement:
        """Grant publishing; a key of the topic's takes a grant of its own (`use_through`)."""
        return allow("Publish", [actions.Publish], [self.arn])


class AlarmTopic(NamedTuple):
    topic: sns.Topic
    policy: sns.TopicPolicy
    subscription: sns.SubscriptionResource


def alarm_topic(
    title: str, topic: Topic, *, key: ServiceKey, email: Text, if_wanted: str | None = None
) -> AlarmTopic:
    """Declare `topic`; alarms of this account and environment may publish, and `email` is told.

    `if_wanted` names the condition under which there is an e-mail subscription.
    """
    body = sns.Topic(f"{title}Topic", TopicName=sub(topic.name), KmsMasterKeyId=Ref(key.key))
    alarms = arn_text("cloudwatch", f"alarm:{Kind.ALARM.word}-*-{SUFFIX}")
    publish = allow_service(
        "PublishByAlarms",
        "cloudwatch.amazonaws.com",
        [actions.Publish],
        [Ref(body)],
        aws.StringEquals(ONLY_FROM_OWN_ACCOUNT),
        aws.ArnLike({"aws:SourceArn": sub(alarms)}),
    )
    policy = sns.TopicPolicy(
        f"{title}TopicPolicy",
        PolicyDocument=document(publish, deny_plain_text([actions.Publish], [Ref(body)])),
        Topics=[Ref(body)],
    )
    subscription = sns.SubscriptionResource(
        f"{title}TopicEmail", TopicArn=Ref(body), Protocol="email", Endpoint=email
    )
    if if_wanted is not None:
        subscription.Condition = if_wanted
    return AlarmTopic(body, policy, subscription)
