"""Block: the flow log of a VPC, all traffic, in a log group that is encrypted and expires."""

from typing import NamedTuple

from awacs import aws, logs
from troposphere import GetAtt, Ref, ec2, iam, kms
from troposphere.logs import LogGroup

from tap_templates.blocks.function import LOG_RETENTION_DAYS
from tap_templates.blocks.key import service_key, use_by_log_groups
from tap_templates.blocks.network_parts import named
from tap_templates.blocks.policy import allow, document, trust_service
from tap_templates.blocks.text import arn_text, sub
from tap_templates.model.names import Kind, Name

SERVICE = "vpc-flow-logs.amazonaws.com"
ONE_MINUTE = 60  # seconds; the other choice is ten minutes, too coarse to follow an incident by


class FlowLog(NamedTuple):
    flow_log: ec2.FlowLog
    role: iam.Role
    log: LogGroup
    log_key: kms.Key
    log_key_alias: kms.Alias


def flow_log(
    title: str,
    purpose: str,
    vpc: ec2.VPC,
    *,
    log_group: str,
    kept_days: int = LOG_RETENTION_DAYS,
) -> FlowLog:
    """Record every flow of `vpc`, accepted or refused, in `log_group`.

    Only the flow logs of this account and region may use its role. The documented list of actions
    is for any log group; since this one exists already, nothing has to be created or searched but
    streams, which is also what AWS's own CDK grants
    (https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html).
    """
    key = service_key(
        f"{title}FlowLog",
        f"{purpose}-flow-log",
        f"Encrypts the flow log of {purpose}",
        use_by_log_groups(log_group),
    )
    log = LogGroup(
        f"{title}FlowLogGroup",
        LogGroupName=sub(log_group),
        RetentionInDays=kept_days,
        KmsKeyId=key.arn,
    )
    role = _role(title, purpose, log_group)
    body = ec2.FlowLog(
        f"{title}FlowLog",
        ResourceId=Ref(vpc),
        ResourceType="VPC",
        TrafficType="ALL",
        MaxAggregationInterval=ONE_MINUTE,
        LogDestinationType="cloud-watch-logs",
        LogGroupName=Ref(log),
        DeliverLogsPermissionArn=GetAtt(role, "Arn"),
        Tags=named("flow-log", purpose),
    )
    return FlowLog(body, role, log, key.key, key.alias)


def _role(title: str, purpose: str, log_group: str) -> iam.Role:
    # What the service calls is `…:log-group:<name>:log-stream:<stream>`, for listing streams too.
    streams = sub(arn_text("logs", f"log-group:{log_group}:*"))
    write = allow(
        "WriteFlowLog",
        [logs.CreateLogStream, logs.DescribeLogStreams, logs.PutLogEvents],
        [streams],
    )
    flow_logs = sub(arn_text("ec2", "vpc-flow-log/*"))  # AWS makes the id, after the role
    return iam.Role(
        f"{title}FlowLogRole",
        RoleName=sub(Name(Kind.ROLE, f"{purpose}-flow-log").text()),
        AssumeRolePolicyDocument=trust_service(SERVICE, aws.ArnLike({"aws:SourceArn": flow_logs})),
        Policies=[iam.Policy(PolicyName="grants", PolicyDocument=document(write))],
    )
