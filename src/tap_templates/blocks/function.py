"""Block: a Lambda function with all that belongs to it alone.

Role, log group (encrypted, expiring), X-Ray, a published version behind the alias `live`, a bound
on concurrency and, where it is invoked asynchronously, where failures go. Callers target the alias,
so a deployment moves them at once and back again if it is rolled back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from awacs import aws
from awacs import awslambda as actions
from troposphere import GetAtt, Ref, awslambda, iam
from troposphere.logs import LogGroup

from tap_templates.blocks.alarm import Metric
from tap_templates.blocks.function_role import FunctionNetwork, function_role
from tap_templates.blocks.function_version import published_version
from tap_templates.blocks.gaps import FunctionLoggingConfig
from tap_templates.blocks.key import ServiceKey
from tap_templates.blocks.policy import allow
from tap_templates.blocks.queue import DeadLetters
from tap_templates.blocks.text import Text, arn_text, sub
from tap_templates.model.names import ARTIFACT_BUCKET, Kind, Name
from tap_templates.model.package import Package

LIVE = "live"  # the alias all callers use
LOG_RETENTION_DAYS = 30
LONGEST_EVENT_AGE = timedelta(hours=6)  # Lambda keeps an asynchronous event no longer
MOST_RETRIES = 2  # of an asynchronous invocation, after the first attempt


@dataclass(frozen=True, slots=True)
class Function:
    """The typed reference to a function, in whatever stack it is made."""

    purpose: str

    @property
    def name(self) -> str:
        return Name(Kind.FUNCTION, self.purpose).text()

    @property
    def live_arn(self) -> Text:
        return sub(arn_text("lambda", f"function:{self.name}:{LIVE}"))

    @property
    def log_group(self) -> str:
        return f"/aws/lambda/{self.name}"

    def invoke(self, sid: str) -> aws.Statement:
        """Grant invoking what is live."""
        return allow(sid, [actions.InvokeFunction], [self.live_arn])

    def metric(self, name: str, statistic: str = "Sum") -> Metric:
        return Metric(
            namespace="AWS/Lambda",
            name=name,
            statistic=statistic,
            dimensions={"FunctionName": sub(self.name)},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """Which package a function runs, and the parameters that say where it lies and what it is."""

    package: Package
    key: Text
    sha256: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a function runs."""

    describes: str
    environment: Mapping[str, Text]
    timeout: timedelta
    memory_mib: int
    concurrency: Text | int  # reserved: it has as many, and never more
    network: FunctionNetwork | None = None  # None: outside of any VPC
    log_kept_days: int = LOG_RETENTION_DAYS


class RequestFunction(NamedTuple):
    function: awslambda.Function
    version: awslambda.Version
    alias: awslambda.Alias
    role: iam.Role
    log: LogGroup


class AsyncFunction(NamedTuple):
    function: awslambda.Function
    version: awslambda.Version
    alias: awslambda.Alias
    failures: awslambda.EventInvokeConfig
    role: iam.Role
    log: LogGroup


def request_function(
    title: str,
    reference: Function,
    code: Code,
    settings: Settings,
    *grants: aws.Statement,
    log_key: ServiceKey,
) -> RequestFunction:
    """Declare a function that is only invoked by who waits for the answer, and sees it fail.

    Its role may use `grants`, write its own log, and trace: no more.
    """
    role = _role(title, reference, grants, settings)
    log = _log(title, reference, log_key, settings.log_kept_days)
    body = _body(title, reference, code, settings, role=role, log=log)
    version, alias = _live(title, body, code)
    return RequestFunction(body, version, alias, role, log)


def async_function(
    title: str,
    reference: Function,
    code: Code,
    settings: Settings,
    *grants: aws.Statement,
    log_key: ServiceKey,
    failures: DeadLetters,
    retries: int = MOST_RETRIES,
    oldest: timedelta = LONGEST_EVENT_AGE,
) -> AsyncFunction:
    """Declare a function that is invoked asynchronously; what it fails on goes to `failures`.

    What comes again by itself, as by a schedule, needs no `retries`, and is of no use once it is
    older than the next: an event that waits for longer than `oldest` (a minute to six hours) is
    given up. Who waits for the answer of
    an invocation gets its failure, and nothing goes to `failures`.
    Its role may use `grants`, write its own log, trace, and send to `failures`: no more. The
    sending is done by Lambda with this role.
    """
    role = _role(title, reference, (*grants, failures.send("SendFailures")), settings)
    log = _log(title, reference, log_key, settings.log_kept_days)
    body = _body(title, reference, code, settings, role=role, log=log)
    version, alias = _live(title, body, code)
    failing = _failing(title, body, alias, failures, retries=retries, oldest=oldest)
    return AsyncFunction(body, version, alias, failing, role, log)


def _role(
    title: str, reference: Function, grants: Sequence[aws.Statement], settings: Settings
) -> iam.Role:
    return function_role(
        title,
        purpose=reference.purpose,
        name=reference.name,
        log_group=reference.log_group,
        grants=grants,
        network=settings.network,
    )


def _body(
    title: str,
    reference: Function,
    code: Code,
    settings: Settings,
    *,
    role: iam.Role,
    log: LogGroup,
) -> awslambda.Function:
    body = awslambda.Function(
        f"{title}Function",
        FunctionName=sub(reference.name),
        Description=settings.describes,
        Architectures=[code.package.architecture],
        Runtime=code.package.runtime,
        Handler=code.package.handler,
        Code=awslambda.Code(S3Bucket=sub(ARTIFACT_BUCKET), S3Key=code.key),
        Environment=awslambda.Environment(Variables=dict(sorted(settings.environment.items()))),
        LoggingConfig=FunctionLoggingConfig(
            LogFormat="JSON",
            ApplicationLogLevel="INFO",
            SystemLogLevel="WARN",
            LogGroup=Ref(log),
        ),
        MemorySize=settings.memory_mib,
        ReservedConcurrentExecutions=settings.concurrency,
        Role=GetAtt(role, "Arn"),
        SnapStart=awslambda.SnapStart(ApplyOn="PublishedVersions"),
        Timeout=int(settings.timeout.total_seconds()),
        TracingConfig=awslambda.TracingConfig(Mode="Active"),
    )
    if settings.network:
        body.VpcConfig = settings.network.config()
    return body


def _live(
    title: str, function: awslambda.Function, code: Code
) -> tuple[awslambda.Version, awslambda.Alias]:
    version = published_version(title, function, code.sha256)
    alias = awslambda.Alias(
        f"{title}Alias",
        Name=LIVE,
        FunctionName=Ref(function),
        FunctionVersion=GetAtt(version, "Version"),
    )
    return version, alias


def _failing(
    title: str,
    function: awslambda.Function,
    alias: awslambda.Alias,
    failures: DeadLetters,
    *,
    retries: int,
    oldest: timedelta,
) -> awslambda.EventInvokeConfig:
    return awslambda.EventInvokeConfig(
        f"{title}Failures",
        FunctionName=Ref(function),
        Qualifier=LIVE,
        DependsOn=[alias.title],  # the qualifier is a plain name, so CloudFormation sees no edge
        MaximumRetryAttempts=retries,
        MaximumEventAgeInSeconds=int(oldest.total_seconds()),
        DestinationConfig=awslambda.DestinationConfig(
            OnFailure=awslambda.OnFailure(Destination=failures.arn)
        ),
    )


def _log(title: str, reference: Function, key: ServiceKey, kept_days: int) -> LogGroup:
    return LogGroup(
        f"{title}Log",
        LogGroupName=sub(reference.log_group),
        RetentionInDays=kept_days,
        KmsKeyId=key.arn,
    )
