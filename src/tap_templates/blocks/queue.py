"""Block: a queue, its policy and, for dead letters, the alarm that belongs to it.

A dead-letter queue without an alarm is a place where orders disappear, so the two come together.
Encryption is SQS's own: EventBridge cannot send through a queue key it has no grant on.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from awacs import aws
from awacs import sqs as actions
from troposphere import GetAtt, Ref, cloudwatch, sqs

from tap_templates.blocks.alarm import Metric, alarm
from tap_templates.blocks.policy import (
    ONLY_FROM_OWN_ACCOUNT,
    allow,
    allow_service,
    deny_plain_text,
    document,
)
from tap_templates.blocks.text import Text, arn_text, sub
from tap_templates.blocks.topic import Topic
from tap_templates.model.names import ACCOUNT, OWN_REGION, Kind, Name

LONGEST_RETENTION = timedelta(days=14)  # SQS quota on MessageRetentionPeriod
SHORTEST_RETENTION = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Queue:
    """The typed reference to a queue, in whatever stack it is made."""

    purpose: str

    @property
    def name(self) -> str:
        return Name(Kind.QUEUE, self.purpose).text()

    @property
    def arn(self) -> Text:
        return sub(arn_text("sqs", self.name))

    @property
    def url(self) -> Text:
        """Spell what the API calls it by."""
        return sub(f"https://sqs.{OWN_REGION}.${{AWS::URLSuffix}}/{ACCOUNT}/{self.name}")

    def send_messages(self) -> aws.Statement:
        """Grant sending; neither receiving nor deleting."""
        return allow("SendMessages", [actions.SendMessage], [self.arn])

    def drain(self) -> aws.Statement:
        """Grant what Lambda does with the role of the function that it feeds from the queue.

        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        """
        taking = [actions.DeleteMessage, actions.GetQueueAttributes, actions.ReceiveMessage]
        return allow("DrainQueue", taking, [self.arn])

    def metric(self, name: str, statistic: str = "Maximum") -> Metric:
        return Metric(
            namespace="AWS/SQS",
            name=name,
            statistic=statistic,
            dimensions={"QueueName": sub(self.name)},
        )


class GuardedQueue(NamedTuple):
    queue: sqs.Queue
    policy: sqs.QueuePolicy

    @property
    def arn(self) -> Text:
        return GetAtt(self.queue, "Arn")


class DeadLetters(NamedTuple):
    queue: sqs.Queue
    policy: sqs.QueuePolicy
    alarm: cloudwatch.Alarm

    @property
    def arn(self) -> Text:
        """Refer to the queue itself: whoever dead-letters into it is made after it."""
        return GetAtt(self.queue, "Arn")

    def send(self, sid: str) -> aws.Statement:
        """Grant sending to the queue."""
        return allow(sid, [actions.SendMessage], [self.arn])


def queue(
    title: str, reference: Queue, *, retention: timedelta, admits_rule: Text | None = None
) -> GuardedQueue:
    """Declare a queue that takes no plain text and, of services, only the one rule by its ARN."""
    body = sqs.Queue(
        f"{title}Queue",
        QueueName=sub(reference.name),
        MessageRetentionPeriod=int(retention.total_seconds()),
        SqsManagedSseEnabled=True,
    )
    arn = GetAtt(body, "Arn")
    statements = [deny_plain_text([aws.Action("sqs", "*")], [arn])]
    if admits_rule is not None:
        send = allow_service(
            "SendByRule",
            "events.amazonaws.com",
            [actions.SendMessage],
            [arn],
            aws.StringEquals(ONLY_FROM_OWN_ACCOUNT),
            aws.ArnEquals({"aws:SourceArn": admits_rule}),
        )
        statements.insert(0, send)
    policy = sqs.QueuePolicy(
        f"{title}QueuePolicy", PolicyDocument=document(*statements), Queues=[Ref(body)]
    )
    return GuardedQueue(body, policy)


def dead_letters(
    title: str,
    reference: Queue,
    *,
    tell: Topic,
    means: str,
    admits_rule: Text | None = None,
    admits_queue: Queue | None = None,
) -> DeadLetters:
    """Declare a queue for what failed: kept as long as SQS allows, and one message rings.

    Another queue may move messages here only if it is the one of `admits_queue`.
    """
    body, policy = queue(title, reference, retention=LONGEST_RETENTION, admits_rule=admits_rule)
    if admits_queue is not None:
        body.RedriveAllowPolicy = {
            "redrivePermission": "byQueue",
            "sourceQueueArns": [admits_queue.arn],
        }
    ring = alarm(
        f"{title}NotEmpty",
        f"{reference.purpose}-not-empty",
        reference.metric("ApproximateNumberOfMessagesVisible"),
        above=0,
        tell=tell,
        means=means,
    )
    return DeadLetters(body, policy, ring)
