"""Block: a state machine with its role, its log and the alarm on runs that fail.

The definition is an object in the template, never a text: there a parameter can only be a value,
and whoever checks the template can read it. What the role may do follows from the tasks.

Runs are kept by Step Functions, encrypted with a key that AWS owns, which is the default and is
written out. A key of our own would keep no more people out, since whoever may read runs would be
given it, and would be one more thing to lose a run by
(https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html).
The log has every event and no data: names of states and errors, no input and no output.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from awacs import aws, logs, xray
from awacs import states as actions
from troposphere import GetAtt, cloudwatch, iam, stepfunctions
from troposphere.logs import LogGroup

from tap_templates.blocks.alarm import Metric, alarm
from tap_templates.blocks.function import LOG_RETENTION_DAYS
from tap_templates.blocks.key import ServiceKey
from tap_templates.blocks.policy import ANYTHING, allow, document, trust_service
from tap_templates.blocks.state_calls import grants
from tap_templates.blocks.state_flow import Definition
from tap_templates.blocks.text import Text, arn_text, sub
from tap_templates.blocks.topic import Topic
from tap_templates.model.names import OWN_REGION, Kind, Name

# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html; none of them takes a resource.
_DELIVER_LOGS = [
    logs.CreateLogDelivery,
    logs.DeleteLogDelivery,
    logs.DescribeLogGroups,
    logs.DescribeResourcePolicies,
    logs.GetLogDelivery,
    logs.ListLogDeliveries,
    logs.PutResourcePolicy,
    logs.UpdateLogDelivery,
]
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html
_TRACE = [
    xray.GetSamplingRules,
    xray.GetSamplingTargets,
    xray.PutTelemetryRecords,
    xray.PutTraceSegments,
]


@dataclass(frozen=True, slots=True)
class StateMachine:
    """The typed reference to a state machine: the same name in every region."""

    purpose: str

    @property
    def name(self) -> str:
        return Name(Kind.STATE_MACHINE, self.purpose).text()

    def arn_text(self, region: str = OWN_REGION) -> str:
        return arn_text("states", f"stateMachine:{self.name}", region=region)

    def arn(self, region: str = OWN_REGION) -> Text:
        return sub(self.arn_text(region))

    @property
    def log_group(self) -> str:
        """Name its log so that one resource policy of CloudWatch Logs covers all of them."""
        return f"/aws/vendedlogs/states/{self.name}"

    def start(self, *others: "StateMachine") -> aws.Statement:
        """Grant starting runs, of others as well; neither stopping nor reading them."""
        arns = [each.arn() for each in (self, *others)]
        return allow("StartExecution", [actions.StartExecution], arns)

    def metric(self, name: str, statistic: str = "Sum", *, region: str = OWN_REGION) -> Metric:
        return Metric(
            namespace="AWS/States",
            name=name,
            statistic=statistic,
            dimensions={"StateMachineArn": self.arn(region)},
        )


class LoggedMachine(NamedTuple):
    machine: stepfunctions.StateMachine
    role: iam.Role
    log: LogGroup
    failed: cloudwatch.Alarm


def state_machine(
    title: str,
    reference: StateMachine,
    definition: Definition,
    *more: aws.Statement,
    log_key: ServiceKey,
    tell: Topic,
    means: str,
) -> LoggedMachine:
    """Declare a STANDARD state machine that is logged and traced; a run that fails tells `tell`.

    Its role may do what the tasks call, and `more`. `log_key` must admit its log group. A machine
    with `longest` needs an alarm on runs that time out as well: `timed_out`.
    """
    log = LogGroup(
        f"{title}Log",
        LogGroupName=sub(reference.log_group),
        RetentionInDays=LOG_RETENTION_DAYS,
        KmsKeyId=log_key.arn,
    )
    role = _role(title, reference, [*grants(definition.calls()), *more])
    destination = stepfunctions.CloudWatchLogsLogGroup(LogGroupArn=GetAtt(log, "Arn"))
    body = stepfunctions.StateMachine(
        f"{title}Machine",
        StateMachineName=sub(reference.name),
        StateMachineType="STANDARD",
        Definition=definition.body(),
        EncryptionConfiguration=stepfunctions.EncryptionConfiguration(Type="AWS_OWNED_KEY"),
        LoggingConfiguration=stepfunctions.LoggingConfiguration(
            Destinations=[stepfunctions.LogDestination(CloudWatchLogsLogGroup=destination)],
            IncludeExecutionData=False,
            Level="ALL",
        ),
        RoleArn=GetAtt(role, "Arn"),
        TracingConfiguration=stepfunctions.TracingConfiguration(Enabled=True),
    )
    failed = alarm(
        f"{title}Failed",
        f"{reference.purpose}-failed",
        reference.metric("ExecutionsFailed"),
        above=0,
        tell=tell,
        means=means,
    )
    return LoggedMachine(body, role, log, failed)


def timed_out(title: str, reference: StateMachine, *, tell: Topic, means: str) -> cloudwatch.Alarm:
    """Ring when a run was cut off by the machine's own `longest`: no catch has seen it."""
    return alarm(
        f"{title}TimedOut",
        f"{reference.purpose}-timed-out",
        reference.metric("ExecutionsTimedOut"),
        above=0,
        tell=tell,
        means=means,
    )


def _role(title: str, reference: StateMachine, granted: Sequence[aws.Statement]) -> iam.Role:
    statements = [
        *granted,
        allow("DeliverLogs", _DELIVER_LOGS, [ANYTHING]),
        allow("Trace", _TRACE, [ANYTHING]),
    ]
    only_itself = aws.ArnEquals({"aws:SourceArn": reference.arn()})
    return iam.Role(
        f"{title}Role",
        RoleName=sub(Name(Kind.ROLE, reference.purpose).text()),
        AssumeRolePolicyDocument=trust_service("states.amazonaws.com", only_itself),
        Policies=[iam.Policy(PolicyName="grants", PolicyDocument=document(*statements))],
    )
