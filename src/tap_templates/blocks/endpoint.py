"""Block: an EventBridge global endpoint, and the health check that moves ingestion.

EventBridge promises 360 s, at most 420 s, for recovery time and point, if the alarm is the one it
prescribes (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-global-endpoints.html).
"""

from typing import NamedTuple

from awacs import aws
from awacs import events as actions
from awacs import iam as iam_actions
from troposphere import GetAtt, Ref, cloudwatch, events, iam, route53

from tap_templates.blocks.alarm import Missing
from tap_templates.blocks.bus import Bus
from tap_templates.blocks.policy import allow, document, trust_service
from tap_templates.blocks.stack import StackParameter
from tap_templates.blocks.text import arn_text, sub
from tap_templates.blocks.topic import Topic
from tap_templates.model.names import ACCOUNT, PRIMARY_REGION, SECONDARY_REGION, SUFFIX, Kind, Name

# EventBridge names the rules that replicate like this.
_MANAGED_RULES = "GlobalEndpointManagedRule-*"


PERIOD_SECONDS = 60  # EventBridge reports its metrics once a minute


class GlobalEndpoint(NamedTuple):
    endpoint: events.Endpoint
    health_check: route53.HealthCheck
    alarm: cloudwatch.Alarm
    replication: iam.Role


def global_endpoint(
    title: str,
    purpose: str,
    bus: Bus,
    *,
    latency_ms: StackParameter,
    periods: StackParameter,
    tell: Topic,
    describes: str,
) -> GlobalEndpoint:
    """Route what is published to the endpoint to `bus` in the primary region while it is healthy.

    Both buses must exist; replication copies every event to the other one, which is also what
    brings ingestion back by itself.
    """
    alarm = _ingestion_alarm(title, purpose, latency_ms, periods, tell)
    health_check = route53.HealthCheck(
        f"{title}HealthCheck",
        HealthCheckConfig=route53.HealthCheckConfig(
            Type="CLOUDWATCH_METRIC",
            AlarmIdentifier=route53.AlarmIdentifier(Name=Ref(alarm), Region=Ref("AWS::Region")),
            InsufficientDataHealthStatus="Unhealthy",
        ),
    )
    role = _replication_role(title, purpose, bus)
    check_arn = "arn:${AWS::Partition}:route53:::healthcheck/" + f"${{{health_check.title}}}"
    endpoint = events.Endpoint(
        f"{title}Endpoint",
        Name=sub(Name(Kind.ENDPOINT, purpose).text()),
        Description=describes,
        EventBuses=[
            events.EndpointEventBus(EventBusArn=bus.arn(PRIMARY_REGION)),
            events.EndpointEventBus(EventBusArn=bus.arn(SECONDARY_REGION)),
        ],
        ReplicationConfig=events.ReplicationConfig(State="ENABLED"),
        RoleArn=GetAtt(role, "Arn"),
        RoutingConfig=events.RoutingConfig(
            FailoverConfig=events.FailoverConfig(
                Primary=events.Primary(HealthCheck=sub(check_arn)),
                Secondary=events.Secondary(Route=Ref("SecondaryRegion")),
            )
        ),
    )
    return GlobalEndpoint(endpoint, health_check, alarm, role)


def _ingestion_alarm(
    title: str, purpose: str, latency_ms: StackParameter, periods: StackParameter, tell: Topic
) -> cloudwatch.Alarm:
    """Declare the alarm that EventBridge prescribes for a global endpoint.

    Route 53 copies an alarm's settings when the health check names it and does not follow a later
    edit. The settings are therefore part of the alarm's name: an edit makes another alarm, and
    CloudFormation points the health check at it
    (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html).
    """
    settings = f"${{{latency_ms.name}}}ms-${{{periods.name}}}x{PERIOD_SECONDS}s"
    return cloudwatch.Alarm(
        f"{title}IngestionAlarm",
        AlarmName=sub(f"{Kind.ALARM.word}-{purpose}-ingestion-{settings}-{SUFFIX}"),
        AlarmDescription="Events wait too long before they are delivered, or none come at all: "
        "ingestion moves to the other region.",
        Namespace="AWS/Events",
        MetricName="IngestionToInvocationStartLatency",  # no dimension: of the whole region
        Statistic="Average",
        Period=PERIOD_SECONDS,
        EvaluationPeriods=periods.ref,
        Threshold=latency_ms.ref,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData=Missing.IS_AN_ALARM.value,
        AlarmActions=[tell.arn],
        OKActions=[tell.arn],
    )


def _replication_role(title: str, purpose: str, bus: Bus) -> iam.Role:
    both = (PRIMARY_REGION, SECONDARY_REGION)
    name = Name(Kind.ROLE, f"{purpose}-replication").text()
    rules = [
        sub(arn_text("events", f"rule/{bus.name}/{_MANAGED_RULES}", region=region))
        for region in both
    ]
    manage = [actions.DeleteRule, actions.PutRule, actions.PutTargets, actions.RemoveTargets]
    itself = sub(f"arn:${{AWS::Partition}}:iam::{ACCOUNT}:role/{name}")
    return iam.Role(
        f"{title}ReplicationRole",
        RoleName=sub(name),
        AssumeRolePolicyDocument=trust_service("events.amazonaws.com"),
        Policies=[
            iam.Policy(
                PolicyName="grants",
                PolicyDocument=document(
                    allow("Replicate", [actions.PutEvents], [bus.arn(region) for region in both]),
                    allow("ManageReplicationRules", manage, rules),
                    allow(
                        "PassItself",
                        [iam_actions.PassRole],
                        [itself],
                        aws.StringEquals({"iam:PassedToService": "events.amazonaws.com"}),
                    ),
                ),
            )
        ],
    )
