"""Block: a heartbeat, so that no data means a dead bus and not a closed market.

Once a minute EventBridge Scheduler puts an event on the bus, and a rule moves it to a queue that
forgets it: the bus then always has ingestion latency to report, in every minute it is alive.
"""

from datetime import timedelta
from typing import NamedTuple

from troposphere import GetAtt, cloudwatch, events, iam, scheduler, sqs

from tap_templates.blocks.alarm import Missing, alarm
from tap_templates.blocks.bus import Bus, Delivery, Rule, rule_to_queue
from tap_templates.blocks.queue import (
    SHORTEST_RETENTION,
    Queue,
    dead_letters,
    queue,
)
from tap_templates.blocks.schedule import Occasion, scheduled
from tap_templates.blocks.topic import Topic

SOURCE = "tap.heartbeat"
DETAIL_TYPE = "Heartbeat"
_BEAT = timedelta(minutes=1)
_STALE = timedelta(minutes=1)  # a late heartbeat says nothing
_ATTEMPTS = 2  # within that minute: one hiccup is not worth a person's time
_SILENT_MINUTES = 3


class Heartbeat(NamedTuple):
    group: scheduler.ScheduleGroup
    schedule: scheduler.Schedule
    role: iam.Role
    rule: events.Rule
    queue: sqs.Queue
    queue_policy: sqs.QueuePolicy
    dead_queue: sqs.Queue
    dead_queue_policy: sqs.QueuePolicy
    lost: cloudwatch.Alarm
    stopped: cloudwatch.Alarm


def heartbeat(
    title: str, purpose: str, bus: Bus, body: events.EventBus, *, tell: Topic
) -> Heartbeat:
    """Keep `bus` beating; a beat that does not arrive is kept as a dead letter and rings."""
    rule = Rule(bus, purpose)
    kept = queue(title, Queue(purpose), retention=SHORTEST_RETENTION, admits_rule=rule.arn)
    dead = dead_letters(
        f"{title}Lost",
        Queue(f"{purpose}-lost"),
        tell=tell,
        means="A heartbeat did not arrive: the bus, or what feeds it, is failing.",
        admits_rule=rule.arn,
    )
    move = rule_to_queue(
        title,
        rule,
        body,
        pattern={"source": [SOURCE]},
        queue=kept,
        delivery=Delivery(attempts=_ATTEMPTS, longest_age=_STALE, dead_letters=dead),
        describes="Moves heartbeats to a queue that forgets them",
    )
    stopped = alarm(
        f"{title}Stopped",
        f"{purpose}-stopped",
        rule.metric("MatchedEvents"),
        below=1,
        periods=_SILENT_MINUTES,
        missing=Missing.IS_AN_ALARM,
        tell=tell,
        means="No heartbeat has reached the bus of this region: it could not take over.",
    )
    occasion = Occasion(
        every=_BEAT,
        target=GetAtt(body, "Arn"),
        grant=bus.put_events(source=SOURCE, detail_type=DETAIL_TYPE),
        given={},
        describes="Puts a heartbeat on the bus every minute",
        as_event=scheduler.EventBridgeParameters(DetailType=DETAIL_TYPE, Source=SOURCE),
    )
    group, schedule, role = scheduled(title, purpose, occasion, lost=dead, longest_age=_STALE)
    return Heartbeat(
        group,
        schedule,
        role,
        move,
        kept.queue,
        kept.policy,
        dead.queue,
        dead.policy,
        dead.alarm,
        stopped,
    )
