"""Block: a Lambda function with all that belongs to it alone.

Role, log group (encrypted, expiring), X-Ray, a published version behind the alias `live`, where
asynchronous failures go, and a bound on concurrency. Events target the alias, so a deployment
moves them at once and back again if it is rolled back.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from awacs import aws, logs, xray
from troposphere import GetAtt, Ref, awslambda, encode_to_dict, iam, kms
from troposphere.logs import LogGroup

from tap_templates.blocks.alarm import Metric
from tap_templates.blocks.gaps import FunctionLoggingConfig
from tap_templates.blocks.key import ServiceKey, service_key, use_by_log_group
from tap_templates.blocks.policy import ANYTHING, allow, document, trust_service
from tap_templates.blocks.queue import DeadLetters
from tap_templates.blocks.text import Text, arn_text, references, sub
from tap_templates.errors import ModelError
from tap_templates.model.names import ARTIFACT_BUCKET, Kind, Name
from tap_templates.model.package import Package

LIVE = "live"  # the alias all callers use
LOG_RETENTION_DAYS = 30
LONGEST_EVENT_AGE = timedelta(hours=6)  # Lambda keeps an asynchronous event no longer
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
_FROZEN = {
    "Architectures",
    "DeadLetterConfig",
    "Description",
    "Environment",
    "EphemeralStorage",
    "Handler",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "SnapStart",
    "Timeout",
    "TracingConfig",
    "VpcConfig",
}
_NOT_FROZEN = {"Code", "FunctionName", "ReservedConcurrentExecutions", "Tags"}
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


class AsyncFunction(NamedTuple):
    function: awslambda.Function
    version: awslambda.Version
    alias: awslambda.Alias
    failures: awslambda.EventInvokeConfig
    role: iam.Role
    log: LogGroup
    log_key: kms.Key
    log_key_alias: kms.Alias


def async_function(
    title: str,
    reference: Function,
    code: Code,
    *grants: aws.Statement,
    environment: Mapping[str, Text],
    timeout: timedelta,
    memory_mib: int,
    concurrency: Text,
    failures: DeadLetters,
    describes: str,
) -> AsyncFunction:
    """Declare a function that is invoked asynchronously; what it fails on goes to `failures`.

    Its role may use `grants`, write its own log, trace, and send to `failures`: no more. The
    sending is done by Lambda with this role.
    """
    key = service_key(
        f"{title}Log",
        f"{reference.purpose}-log",
        f"Encrypts the log of {reference.purpose}",
        use_by_log_group(reference.log_group),
    )
    log = _log(title, reference, key)
    role = _role(title, reference, (*grants, failures.send("SendFailures")))
    body = awslambda.Function(
        f"{title}Function",
        FunctionName=sub(reference.name),
        Description=describes,
        Architectures=[code.package.architecture],
        Runtime=code.package.runtime,
        Handler=code.package.handler,
        Code=awslambda.Code(S3Bucket=sub(ARTIFACT_BUCKET), S3Key=code.key),
        Environment=awslambda.Environment(Variables=dict(sorted(environment.items()))),
        LoggingConfig=FunctionLoggingConfig(
            LogFormat="JSON",
            ApplicationLogLevel="INFO",
            SystemLogLevel="WARN",
            LogGroup=Ref(log),
        ),
        MemorySize=memory_mib,
        ReservedConcurrentExecutions=concurrency,
        Role=GetAtt(role, "Arn"),
        SnapStart=awslambda.SnapStart(ApplyOn="PublishedVersions"),
        Timeout=int(timeout.total_seconds()),
        TracingConfig=awslambda.TracingConfig(Mode="Active"),
    )
    version = _version(title, body, code)
    alias = awslambda.Alias(
        f"{title}Alias",
        Name=LIVE,
        FunctionName=Ref(body),
        FunctionVersion=GetAtt(version, "Version"),
    )
    failing = _failing(title, body, alias, failures)
    return AsyncFunction(body, version, alias, failing, role, log, key.key, key.alias)


def _failing(
    title: str, function: awslambda.Function, alias: awslambda.Alias, failures: DeadLetters
) -> awslambda.EventInvokeConfig:
    return awslambda.EventInvokeConfig(
        f"{title}Failures",
        FunctionName=Ref(function),
        Qualifier=LIVE,
        DependsOn=[alias.title],  # the qualifier is a plain name, so CloudFormation sees no edge
        MaximumRetryAttempts=MOST_RETRIES,
        MaximumEventAgeInSeconds=int(LONGEST_EVENT_AGE.total_seconds()),
        DestinationConfig=awslambda.DestinationConfig(
            OnFailure=awslambda.OnFailure(Destination=failures.arn)
        ),
    )


def _log(title: str, reference: Function, key: ServiceKey) -> LogGroup:
    return LogGroup(
        f"{title}Log",
        LogGroupName=sub(reference.log_group),
        RetentionInDays=LOG_RETENTION_DAYS,
        KmsKeyId=key.arn,
    )


def _role(title: str, reference: Function, grants: Sequence[aws.Statement]) -> iam.Role:
    streams = sub(arn_text("logs", f"log-group:{reference.log_group}:*"))
    statements = [
        *grants,
        allow("WriteOwnLog", [logs.CreateLogStream, logs.PutLogEvents], [streams]),
        # No resource can be named for X-Ray: service authorization reference, AWS X-Ray.
        allow("Trace", [xray.PutTelemetryRecords, xray.PutTraceSegments], [ANYTHING]),
    ]
    return iam.Role(
        f"{title}Role",
        RoleName=sub(Name(Kind.ROLE, reference.purpose).text()),
        AssumeRolePolicyDocument=trust_service("lambda.amazonaws.com"),
        Policies=[iam.Policy(PolicyName="grants", PolicyDocument=document(*statements))],
    )


def _version(title: str, function: awslambda.Function, code: Code) -> awslambda.Version:
    """Publish a version for each code and each configuration.

    A version never changes, so CloudFormation replaces it when a create-only property does: the
    digest of the code, which Lambda verifies, and the description, which carries a digest of what
    a version freezes and the values of the parameters in it. Without the latter the alias would
    keep serving the old environment; with more, Lambda would refuse a version in which nothing
    that it knows has changed.
    """
    rendered = encode_to_dict(function)["Properties"]
    if unknown := sorted(set(rendered) - _FROZEN - _NOT_FROZEN):
        raise ModelError(
            f"function {title}",
            f"has properties of which it is not known whether a version freezes them: {unknown}",
            "add each to _FROZEN or _NOT_FROZEN in blocks/function.py",
        )
    frozen = {name: rendered[name] for name in sorted(set(rendered) & _FROZEN)}
    digest = hashlib.sha256(json.dumps(frozen, sort_keys=True).encode()).hexdigest()[:16]
    chosen = sorted({name for name in references(frozen) if not name.startswith("AWS::")})
    return awslambda.Version(
        f"{title}Version",
        FunctionName=Ref(function),
        CodeSha256=code.sha256,
        Description=sub(
            " ".join([f"configuration {digest}", *(f"${{{each}}}" for each in chosen)])
        ),
    )
