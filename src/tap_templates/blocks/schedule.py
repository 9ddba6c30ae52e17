"""Block: something that happens at a steady rate, by EventBridge Scheduler.

Each schedule has a group of its own, which is what its role can be held to: Scheduler names the
group as the source when it assumes the role, never the schedule
(https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html).
What cannot be delivered is kept as a dead letter.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from awacs import aws
from troposphere import GetAtt, Ref, cloudwatch, iam, scheduler, sqs

from tap_templates.blocks.alarm import Metric, Missing, alarm
from tap_templates.blocks.function import Function
from tap_templates.blocks.policy import document, trust_service
from tap_templates.blocks.queue import DeadLetters, Queue, dead_letters
from tap_templates.blocks.text import Text, sub
from tap_templates.blocks.topic import Topic
from tap_templates.errors import ModelError
from tap_templates.model.names import Kind, Name

SHORTEST_AGE = timedelta(minutes=1)  # Scheduler gives nothing up sooner
LONGEST_ALARM = timedelta(days=1)  # all periods of an alarm together
_ATTEMPTS = 2
_UNITS = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What a schedule does: how often, to whom, with which grant and which input.

    `as_event` says what an event is called, where it is put on a bus.
    """

    every: timedelta
    target: Text
    grant: aws.Statement
    given: Mapping[str, str]
    describes: str
    as_event: scheduler.EventBridgeParameters | None = None


class Scheduled(NamedTuple):
    group: scheduler.ScheduleGroup
    schedule: scheduler.Schedule
    role: iam.Role


class FunctionSchedule(NamedTuple):
    group: scheduler.ScheduleGroup
    schedule: scheduler.Schedule
    role: iam.Role
    dead_queue: sqs.Queue
    dead_queue_policy: sqs.QueuePolicy
    lost: cloudwatch.Alarm
    stopped: cloudwatch.Alarm


def scheduled(
    title: str, purpose: str, occasion: Occasion, *, lost: DeadLetters, longest_age: timedelta
) -> Scheduled:
    """Let `occasion` take place; what is older than `longest_age`, or tried thrice, is `lost`."""
    group = scheduler.ScheduleGroup(
        f"{title}Schedules", Name=sub(Name(Kind.SCHEDULE_GROUP, purpose).text())
    )
    own_group = aws.ArnEquals({"aws:SourceArn": GetAtt(group, "Arn")})
    grants = document(occasion.grant, lost.send("SendLost"))
    role = iam.Role(
        f"{title}Role",
        RoleName=sub(Name(Kind.ROLE, purpose).text()),
        AssumeRolePolicyDocument=trust_service("scheduler.amazonaws.com", own_group),
        Policies=[iam.Policy(PolicyName="grants", PolicyDocument=grants)],
    )
    target = scheduler.Target(
        Arn=occasion.target,
        RoleArn=GetAtt(role, "Arn"),
        Input=json.dumps(dict(sorted(occasion.given.items()))),
        RetryPolicy=scheduler.RetryPolicy(
            MaximumRetryAttempts=_ATTEMPTS,
            MaximumEventAgeInSeconds=int(longest_age.total_seconds()),
        ),
        DeadLetterConfig=scheduler.DeadLetterConfig(Arn=lost.arn),
    )
    if occasion.as_event is not None:
        target.EventBridgeParameters = occasion.as_event
    schedule = scheduler.Schedule(
        f"{title}Schedule",
        Name=sub(Name(Kind.SCHEDULE, purpose).text()),
        Description=occasion.describes,
        GroupName=Ref(group),
        FlexibleTimeWindow=scheduler.FlexibleTimeWindow(Mode="OFF"),
        ScheduleExpression=rate(occasion.every),
        State="ENABLED",
        Target=target,
    )
    return Scheduled(group, schedule, role)


def function_schedule(
    title: str,
    purpose: str,
    function: Function,
    *,
    every: timedelta,
    given: Mapping[str, str],
    missed: int,
    tell: Topic,
    describes: str,
) -> FunctionSchedule:
    """Invoke the live alias of `function` with `given`; it rings after so many `missed` runs.

    Scheduler does not wait for the answer: make the function with `async_function`, whose failures
    go where it says. What this keeps as dead letters are invocations that Lambda did not take. An
    invocation is given up when the next one is due
    (https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html).
    """
    if missed < 1 or missed * every > LONGEST_ALARM:
        raise ModelError(
            f"schedule {purpose}",
            f"would ring after {missed} missed runs, that is {missed * every}",
            "let it ring within a day",
        )
    lost = dead_letters(
        f"{title}Lost",
        Queue(f"{purpose}-lost"),
        tell=tell,
        means=f"Lambda did not take an invocation. {describes}.",
    )
    occasion = Occasion(
        every=every,
        target=function.live_arn,
        grant=function.invoke("InvokeOnSchedule"),
        given=given,
        describes=describes,
    )
    made = scheduled(title, purpose, occasion, lost=lost, longest_age=max(every, SHORTEST_AGE))
    runs = function.metric("Invocations")
    stopped = alarm(
        f"{title}Stopped",
        f"{purpose}-stopped",
        Metric(
            namespace=runs.namespace,
            name=runs.name,
            statistic=runs.statistic,
            dimensions=runs.dimensions,
            period=every,
        ),
        below=1,
        periods=missed,
        missing=Missing.IS_AN_ALARM,
        tell=tell,
        means=f"It no longer happens: {describes}.",
    )
    return FunctionSchedule(*made, lost.queue, lost.policy, lost.alarm, stopped)


def rate(every: timedelta) -> str:
    """Spell a rate as Scheduler does, in its largest unit; raises ModelError for less than one."""
    for unit, length in _UNITS:
        count, rest = divmod(every, length)
        if count and not rest:
            return f"rate({count} {unit}{'s' if count > 1 else ''})"
    raise ModelError(f"rate of {every}", "is no number of whole minutes", "round it")
