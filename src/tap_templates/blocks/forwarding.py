"""Block: a rule that forwards events to the bus of the same name in the other region.

It matches what happened in its own region alone: an event keeps the region it was put in, so what
was forwarded here is not forwarded back. EventBridge puts it there with a role of ours, which
within one account is all it takes: the bus needs no policy
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html).
"""

from collections.abc import Sequence
from typing import NamedTuple

from awacs import aws
from awacs import events as actions
from troposphere import GetAtt, If, Ref, events, iam

from tap_templates.blocks.bus import Delivery, Rule
from tap_templates.blocks.network_ranges import in_primary
from tap_templates.blocks.policy import allow, document, trust_service
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.text import sub
from tap_templates.model.names import PRIMARY_REGION, SECONDARY_REGION, Kind, Name


class Forwarding(NamedTuple):
    rule: events.Rule
    role: iam.Role


def forwarding(
    stack: StackTemplate,
    title: str,
    rule: Rule,
    *,
    source: str,
    detail_types: Sequence[str],
    delivery: Delivery,
    describes: str,
) -> Forwarding:
    """Forward events of one source and these types; the caller adds the resources to `stack`.

    The dead letters of `delivery` must admit the rule. The stack is for both regions, and one that
    comes after the buses of both; it gets the condition that tells the regions apart.
    """
    first = in_primary(stack)
    there = If(first, rule.bus.arn(SECONDARY_REGION), rule.bus.arn(PRIMARY_REGION))
    role = iam.Role(
        f"{title}Role",
        RoleName=sub(Name(Kind.ROLE, rule.purpose).text()),
        AssumeRolePolicyDocument=trust_service(
            "events.amazonaws.com", aws.ArnEquals({"aws:SourceArn": rule.arn})
        ),
        Policies=[
            iam.Policy(
                PolicyName="grants",
                PolicyDocument=document(allow("PutEvents", [actions.PutEvents], [there])),
            )
        ],
    )
    target = events.Target(
        Id=f"{title}Target",
        Arn=there,
        RoleArn=GetAtt(role, "Arn"),
        RetryPolicy=events.RetryPolicy(
            MaximumRetryAttempts=delivery.attempts,
            MaximumEventAgeInSeconds=int(delivery.longest_age.total_seconds()),
        ),
        DeadLetterConfig=events.DeadLetterConfig(Arn=delivery.dead_letters.arn),
    )
    forward = events.Rule(
        f"{title}Rule",
        Name=sub(rule.name),
        Description=describes,
        EventBusName=sub(rule.bus.name),
        EventPattern={
            "source": [source],
            "detail-type": list(detail_types),
            "region": [Ref("AWS::Region")],
        },
        State="ENABLED",
        Targets=[target],
    )
    return Forwarding(forward, role)
