"""Dead letters: whatever nobody waits for is kept when it fails, and someone is told (X-05)."""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_templates.compiler.invariants.hops import hops
from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.values import as_list, flag, number
from tap_templates.rendered.view import Located

_RULE_DLQ = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html"
_SQS_DLQ = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html"
_QUEUE = "AWS::SQS::Queue"
_VISIBLE = "ApproximateNumberOfMessagesVisible"
RETENTION_SECONDS = 14 * 24 * 3600  # the longest SQS keeps a message


def _lost(compiled: CompiledSystem) -> Iterator[Fault]:
    for hop in hops(compiled):
        if not hop.dead_letters:
            yield fault_at(hop.located, f"{hop.what} loses what it fails on", hop.remedy, hop.path)
    for rule in compiled.view.resources("AWS::Events::Rule"):
        if not rule.resource.properties.get("Targets"):
            yield fault_at(
                rule,
                "loses all that it matches: it has no target",
                "give it a target with a DeadLetterConfig, or take the rule away",
                "/Properties/Targets",
            )


def _elsewhere(compiled: CompiledSystem) -> Iterator[Fault]:
    for hop in hops(compiled):
        if not hop.dead_letters:
            continue
        region = hop.located.stack.region
        found = compiled.view.find(hop.dead_letters)
        if found is None:
            what = "which no stack of the system makes"
        elif found.stack.region != region:
            what = f"which is in {found.stack.region}, and no other region's is taken"
        else:
            continue
        yield fault_at(
            hop.located,
            f"{hop.what} sends what it fails on to {hop.dead_letters}, {what}",
            "name a queue that a stack of the same region makes",
            hop.path,
        )


def _queues(compiled: CompiledSystem) -> list[Located]:
    """List the queues that take what a hop in their region failed on."""
    found: dict[tuple[str, str], Located] = {}
    for hop in hops(compiled):
        queue = compiled.view.find(hop.dead_letters or "")
        if queue and queue.resource.type == _QUEUE:
            found.setdefault((queue.stack.region, queue.resource.ref), queue)
    return list(found.values())


def _silent(compiled: CompiledSystem) -> Iterator[Fault]:
    watched = {
        (alarm.stack.region, watches)
        for alarm in compiled.view.resources("AWS::CloudWatch::Alarm")
        if (watches := _watches(alarm.resource.properties)) and tells(compiled, alarm)
    }
    for queue in _queues(compiled):
        if (queue.stack.region, str(queue.resource.name)) not in watched:
            yield fault_at(
                queue,
                "takes dead letters, but no alarm of its region tells a topic that somebody hears",
                f"add an alarm on {_VISIBLE} of this queue above 0, with a subscribed topic among "
                "its actions: dead_letters() in blocks/queue.py makes both",
            )


def _watches(properties: Mapping[str, Any]) -> str | None:
    """Name the queue of which one visible message makes the alarm ring."""
    dimensions = as_list(properties.get("Dimensions"))
    if properties.get("Namespace") != "AWS/SQS" or properties.get("MetricName") != _VISIBLE:
        return None
    if len(dimensions) != 1 or dimensions[0].get("Name") != "QueueName":
        return None
    if properties.get("Statistic") not in ("Average", "Maximum", "Sum"):
        return None
    threshold = number(properties.get("Threshold"))
    above_none = properties.get("ComparisonOperator") == "GreaterThanThreshold" and threshold == 0
    from_one = (
        properties.get("ComparisonOperator") == "GreaterThanOrEqualToThreshold" and threshold == 1
    )
    return str(dimensions[0].get("Value")) if above_none or from_one else None


def tells(compiled: CompiledSystem, alarm: Located) -> bool:
    if flag(alarm.resource.properties.get("ActionsEnabled")) is False:
        return False
    topics = [
        compiled.view.find(str(action))
        for action in as_list(alarm.resource.properties.get("AlarmActions"))
    ]
    heard = {
        str(each.resource.properties.get("TopicArn"))
        for each in compiled.view.resources("AWS::SNS::Subscription")
    }
    return any(
        topic
        and topic.resource.type == "AWS::SNS::Topic"
        and topic.resource.ref in heard
        and topic.stack.region == alarm.stack.region
        for topic in topics
    )


def _forgets(compiled: CompiledSystem) -> Iterator[Fault]:
    for queue in _queues(compiled):
        kept = number(queue.resource.properties.get("MessageRetentionPeriod"))
        if kept != RETENTION_SECONDS:
            said = "4 days, the default" if kept is None else f"{kept:.0f} s"
            yield fault_at(
                queue,
                f"keeps dead letters for {said}",
                f"set MessageRetentionPeriod to {RETENTION_SECONDS} (14 days)",
                "/Properties/MessageRetentionPeriod",
            )


DEAD_LETTERS = (
    Invariant(
        code="TAP-DLQ-01",
        promise="Every asynchronous hop keeps what it fails on.",
        source_url=_RULE_DLQ,
        check=_lost,
    ),
    Invariant(
        code="TAP-DLQ-02",
        promise="What is failed on goes to something that exists in the same region.",
        source_url=_RULE_DLQ,
        check=_elsewhere,
    ),
    Invariant(
        code="TAP-DLQ-03",
        promise="The first message in a queue of dead letters reaches somebody through a topic.",
        source_url=_SQS_DLQ,
        check=_silent,
    ),
    Invariant(
        code="TAP-DLQ-04",
        promise="Dead letters are kept for 14 days.",
        source_url=_SQS_DLQ,
        check=_forgets,
    ),
)
