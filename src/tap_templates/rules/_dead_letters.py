"""E9201: dead-letter queues that nobody watches."""

import json
from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

from ._alarm_metrics import Metric, acts, metrics, named_by_composite
from ._index import Index, Resource
from ._rule import Fault, TapRule
from ._values import Node, Token

_GUIDE: Final = (
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
    "dead-letter-queues-alarms-cloudwatch.html"
)

# Where a dead-letter queue is named: resource type, path of a list of them or (), path of the ARN.
_USES: Final = (
    ("AWS::SQS::Queue", (), ("RedrivePolicy", "deadLetterTargetArn")),
    ("AWS::SNS::Subscription", (), ("RedrivePolicy", "deadLetterTargetArn")),
    ("AWS::Events::Rule", ("Targets",), ("DeadLetterConfig", "Arn")),
    ("AWS::Events::EventBus", (), ("DeadLetterConfig", "Arn")),
    ("AWS::Scheduler::Schedule", (), ("Target", "DeadLetterConfig", "Arn")),
    ("AWS::Lambda::Function", (), ("DeadLetterConfig", "TargetArn")),
    ("AWS::Lambda::EventInvokeConfig", (), ("DestinationConfig", "OnFailure", "Destination")),
    ("AWS::Lambda::EventSourceMapping", (), ("DestinationConfig", "OnFailure", "Destination")),
)


def _dead_letter_queues(index: Index) -> dict[str, str]:
    """Return the template's queues that hold failed messages, each with one that uses it."""
    found: dict[str, str] = {}
    for kind, listed, path in _USES:
        for resource in index.typed(kind):
            places = resource.elements(*listed) if listed else iter([resource.properties])
            for node in (n for place in places for n in _follow(place, path)):
                for queue in index.queues_of(node.value) if node.present else ():
                    found.setdefault(queue, resource.logical_id)
    return found


def _follow(place: Node, path: tuple[str, ...]) -> Iterator[Node]:
    for node in place.get(path[0]):
        if isinstance(node.value, str):  # a RedrivePolicy may be written as JSON text
            yield from Node(_parsed(node.value), node.path, node.when).get(*path[1:])
        else:
            yield from node.get(*path[1:])


def _parsed(text: str) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class DeadLetterAlarm(TapRule):
    """Demand an alarm with an action on each dead-letter queue of the template.

    An alarm that a composite alarm with an action names will do. Silent where the alarm's queue,
    metric or actions cannot be seen; a Condition on the alarm is not looked at.
    """

    id = "E9201"
    shortdesc = "A dead-letter queue needs an alarm"
    description = (
        "Messages in a dead-letter queue are work that was not done; unseen they expire after "
        "14 days at most."
    )
    source_url = _GUIDE
    tags: ClassVar[list[str]] = ["resources", "sqs", "cloudwatch"]  # type: ignore[misc]  # an instance variable upstream

    def check(self, index: Index) -> Iterator[Fault]:
        queues = _dead_letter_queues(index)
        if not queues:
            return
        watched = [
            metric
            for alarm in index.typed("AWS::CloudWatch::Alarm")
            if acts(alarm) or named_by_composite(index, alarm)
            for metric in metrics(alarm)
        ]
        for queue, user in queues.items():
            if not any(_watches(index, metric, queue) for metric in watched):
                resource: Resource = index.resources[queue]
                yield Fault(
                    resource.path,
                    f"Nobody is told of messages in {queue}, the dead-letter queue of {user}: add "
                    "an AWS::CloudWatch::Alarm with AlarmActions on AWS/SQS "
                    "ApproximateNumberOfMessagesVisible with QueueName = "
                    f"GetAtt {queue}.QueueName",
                )


def _watches(index: Index, metric: Metric, queue: str) -> bool:
    if metric.namespace.text not in {None, "AWS/SQS"}:
        return False
    if metric.name.text not in {None, "ApproximateNumberOfMessagesVisible"}:
        return False
    if metric.dimensions is None:
        return True
    name = index.expression({"Fn::GetAtt": [queue, "QueueName"]})
    given = [
        index.expression(value.value) for key, value in metric.dimensions if key == "QueueName"
    ]
    return name in given or any(_unseen(index, value) for value in given)


def _unseen(index: Index, name: tuple[str | Token, ...]) -> bool:
    """Say whether a name comes from outside the template, and so may be that of any queue."""
    return any(
        isinstance(part, Token) and part.logical_id not in index.resources for part in name
    ) and not any(isinstance(part, str) for part in name)


RULES = (DeadLetterAlarm,)
