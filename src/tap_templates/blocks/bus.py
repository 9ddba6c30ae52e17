"""Block: an event bus, its rules, and an archive to replay from.

The bus is the classic one: global endpoints accept no other
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-global-endpoints.html).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from awacs import aws
from awacs import events as actions
from troposphere import AWSHelperFn, GetAtt, Ref, awslambda, events, iam

from tap_templates.blocks.alarm import Metric
from tap_templates.blocks.function import Function
from tap_templates.blocks.policy import allow, document, trust_service
from tap_templates.blocks.queue import DeadLetters, GuardedQueue
from tap_templates.blocks.state_machine import StateMachine
from tap_templates.blocks.text import Text, arn_text, sub
from tap_templates.model.names import OWN_REGION, Kind, Name

LONGEST_EVENT_AGE = timedelta(hours=24)  # EventBridge retries a delivery no longer

Pattern = Mapping[str, "Sequence[object] | AWSHelperFn | Pattern"]
"""Event pattern: field to the list of values that match, or to a pattern of what is in it.

A value may be an intrinsic.
"""


@dataclass(frozen=True, slots=True)
class Bus:
    """The typed reference to a bus: the same name in every region."""

    purpose: str

    @property
    def name(self) -> str:
        return Name(Kind.BUS, self.purpose).text()

    def arn_text(self, region: str = OWN_REGION) -> str:
        return arn_text("events", f"event-bus/{self.name}", region=region)

    def arn(self, region: str = OWN_REGION) -> Text:
        return sub(self.arn_text(region))

    def put_events(self, *, source: str, detail_type: str) -> aws.Statement:
        """Grant putting events of one source and type."""
        said = self.only(source=source, detail_type=detail_type)
        return allow("PutEvents", [actions.PutEvents], [self.arn()], *said)

    def only(self, *, source: str, detail_type: str) -> tuple[aws.ConditionElement, ...]:
        """Hold putting events to one source and type.

        The keys have many values, one an entry of the call; the Null test refuses an empty set.
        """
        return (
            aws.ForAllValuesStringEquals(
                {"events:detail-type": [detail_type], "events:source": [source]}
            ),
            aws.Null({"events:detail-type": "false", "events:source": "false"}),
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """The typed reference to a rule on a bus."""

    bus: Bus
    purpose: str

    @property
    def name(self) -> str:
        return Name(Kind.RULE, self.purpose).text()

    @property
    def arn(self) -> Text:
        return sub(arn_text("events", f"rule/{self.bus.name}/{self.name}"))

    def metric(self, name: str, statistic: str = "Sum") -> Metric:
        return Metric(
            namespace="AWS/Events",
            name=name,
            statistic=statistic,
            dimensions={"EventBusName": sub(self.bus.name), "RuleName": sub(self.name)},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How often and how long EventBridge tries, and where an event goes that it gives up on."""

    attempts: int
    longest_age: timedelta
    dead_letters: DeadLetters


class FunctionRule(NamedTuple):
    rule: events.Rule
    permission: awslambda.Permission


class MachineRule(NamedTuple):
    rule: events.Rule
    role: iam.Role


def event_bus(title: str, bus: Bus, describes: str) -> events.EventBus:
    """Declare a bus; its events are encrypted with a key of EventBridge's own."""
    return events.EventBus(f"{title}Bus", Name=sub(bus.name), Description=describes)


def archive(
    title: str, purpose: str, bus: events.EventBus, *, pattern: Pattern, kept: timedelta
) -> events.Archive:
    """Keep what matches, so that it can be replayed to its own bus."""
    return events.Archive(
        f"{title}Archive",
        ArchiveName=sub(Name(Kind.ARCHIVE, purpose).text()),
        SourceArn=GetAtt(bus, "Arn"),
        EventPattern=dict(pattern),
        RetentionDays=kept.days,
    )


def rule_to_function(
    title: str,
    rule: Rule,
    bus: events.EventBus,
    *,
    pattern: Pattern,
    function: Function,
    delivery: Delivery,
    describes: str,
) -> FunctionRule:
    """Send what matches to the live alias of `function`, which only this rule may then invoke."""
    target = _target(f"{title}Target", function.live_arn, delivery)
    body = _rule(title, rule, bus, pattern=pattern, target=target, describes=describes)
    permission = awslambda.Permission(
        f"{title}Permission",
        Action="lambda:InvokeFunction",
        FunctionName=function.live_arn,
        Principal="events.amazonaws.com",
        SourceArn=GetAtt(body, "Arn"),
    )
    return FunctionRule(body, permission)


def rule_to_queue(
    title: str,
    rule: Rule,
    bus: events.EventBus,
    *,
    pattern: Pattern,
    queue: GuardedQueue,
    delivery: Delivery,
    describes: str,
) -> events.Rule:
    """Send what matches to `queue`, whose policy must admit the rule."""
    target = _target(f"{title}Target", queue.arn, delivery)
    return _rule(title, rule, bus, pattern=pattern, target=target, describes=describes)


def rule_to_state_machine(
    title: str,
    rule: Rule,
    bus: events.EventBus,
    *,
    pattern: Pattern,
    machine: StateMachine,
    delivery: Delivery,
    describes: str,
) -> MachineRule:
    """Start a run of `machine` for what matches; its input is the whole event.

    EventBridge starts it with a role that this rule alone may have it assume.
    """
    role = iam.Role(
        f"{title}Role",
        RoleName=sub(Name(Kind.ROLE, rule.purpose).text()),
        AssumeRolePolicyDocument=trust_service(
            "events.amazonaws.com", aws.ArnEquals({"aws:SourceArn": rule.arn})
        ),
        Policies=[iam.Policy(PolicyName="grants", PolicyDocument=document(machine.start()))],
    )
    target = _target(f"{title}Target", machine.arn(), delivery)
    target.RoleArn = GetAtt(role, "Arn")
    body = _rule(title, rule, bus, pattern=pattern, target=target, describes=describes)
    return MachineRule(body, role)


def _target(title: str, arn: Text, delivery: Delivery) -> events.Target:
    return events.Target(
        Id=title,
        Arn=arn,
        RetryPolicy=events.RetryPolicy(
            MaximumRetryAttempts=delivery.attempts,
            MaximumEventAgeInSeconds=int(delivery.longest_age.total_seconds()),
        ),
        DeadLetterConfig=events.DeadLetterConfig(Arn=delivery.dead_letters.arn),
    )


def _rule(
    title: str,
    rule: Rule,
    bus: events.EventBus,
    *,
    pattern: Pattern,
    target: events.Target,
    describes: str,
) -> events.Rule:
    return events.Rule(
        f"{title}Rule",
        Name=sub(rule.name),
        Description=describes,
        EventBusName=Ref(bus),
        EventPattern=dict(pattern),
        State="ENABLED",
        Targets=[target],
    )
