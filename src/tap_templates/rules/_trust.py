"""E9301-E9303: services that would act for anybody (the confused deputy)."""

from collections.abc import Iterator
from typing import ClassVar, Final

from ._grants import EVENTS
from ._index import Index
from ._policies import Statement, restricts, statements
from ._rule import Fault, TapRule
from ._values import Expr

_GUIDE: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"

_SOURCE: Final = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths")
_KMS: Final = ("kms:viaservice", "kms:calleraccount", "kms:encryptioncontext:*")

# Services that send aws:SourceArn or aws:SourceAccount when they assume a role, as far as we know:
# try it in an account before relying on it. lambda and ec2 do not, and a condition would lock them
# out; a service that is not here is not asked for one.
_SENDING: Final = frozenset(
    f"{name}.amazonaws.com"
    for name in (
        "apigateway",
        "backup",
        "config",
        "events",
        "logs",
        "monitoring.rds",
        "pipes",
        "s3",
        "scheduler",
        "states",
        "transfer",
        "vpc-flow-logs",
    )
)


class _TrustRule(TapRule):
    tags: ClassVar[list[str]] = ["resources", "iam", "security"]  # type: ignore[misc]  # an instance variable upstream


def _shown(service: Expr) -> str:
    return "".join(p if isinstance(p, str) else f"${{{p.logical_id}}}" for p in service)


def _is_service(principal: Expr) -> bool:
    last = principal[-1] if principal else ""
    return isinstance(last, str) and last.endswith((".amazonaws.com", ".amazonaws.com.cn"))


class PermissionDeputy(_TrustRule):
    """Demand SourceArn or SourceAccount in permissions for a service.

    Leaves events.amazonaws.com to E9014, which demands SourceArn. Silent about a principal from
    a parameter.
    """

    id = "E9301"
    shortdesc = "A Lambda permission for a service needs SourceArn or SourceAccount"
    description = "Without either, the service may invoke the function for any account."
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/permissions-function-services.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for permission in index.typed("AWS::Lambda::Permission"):
            for principal in permission.get("Principal"):
                name = index.expression(principal.value)
                if not _is_service(name) or name == (EVENTS,):
                    continue
                given = ("SourceArn", "SourceAccount")
                if not any(n.present for key in given for n in permission.get(key)):
                    yield Fault(
                        principal.path,
                        f"{_shown(name)} may invoke the function for any account: add SourceArn, "
                        "or SourceAccount where the ARN is not known",
                    )


class ResourcePolicyDeputy(_TrustRule):
    """Demand a condition on the source where a resource policy allows a service.

    Looks at the policies of queues, topics, buckets and keys. Silent where conditions cannot be
    seen. Keys also accept kms:ViaService, kms:CallerAccount and kms:EncryptionContext.
    """

    id = "E9302"
    shortdesc = "A resource policy that allows a service needs aws:SourceArn or aws:SourceAccount"
    description = (
        "A service acts for all its customers: without a condition on the source, anybody can "
        "have it use this resource."
    )
    source_url = _GUIDE

    _documents: ClassVar[dict[str, str]] = {
        "AWS::SQS::QueuePolicy": "PolicyDocument",
        "AWS::SQS::QueueInlinePolicy": "PolicyDocument",
        "AWS::SNS::TopicPolicy": "PolicyDocument",
        "AWS::SNS::TopicInlinePolicy": "PolicyDocument",
        "AWS::S3::BucketPolicy": "PolicyDocument",
        "AWS::KMS::Key": "KeyPolicy",
        "AWS::KMS::ReplicaKey": "KeyPolicy",
    }

    def check(self, index: Index) -> Iterator[Fault]:
        for kind, key in self._documents.items():
            keys = (*_SOURCE, *_KMS) if kind.startswith("AWS::KMS") else _SOURCE
            for policy in index.typed(kind):
                for document in policy.get(key):
                    for statement in statements(index, document):
                        yield from self._statement(statement, keys)

    def _statement(self, statement: Statement, keys: tuple[str, ...]) -> Iterator[Fault]:
        services = [_shown(s) for s in statement.services if _is_service(s)]
        if statement.allows and services and not restricts(statement, *keys):
            yield Fault(
                statement.path,
                f"{', '.join(services)} may use this for any account: add a condition such as "
                "ArnEquals aws:SourceArn, or StringEquals aws:SourceAccount",
            )


class RoleDeputy(_TrustRule):
    """Demand a condition on the source where a role may be assumed by a service that sends one.

    Asks nothing of services that do not send it (lambda.amazonaws.com), nor of those we have not
    looked up. Silent where conditions cannot be seen.
    """

    id = "E9303"
    shortdesc = "The trust policy of a service's role needs aws:SourceArn or aws:SourceAccount"
    description = "Without it, the service could be made to use the role for another account."
    source_url = _GUIDE

    def check(self, index: Index) -> Iterator[Fault]:
        for role in index.typed("AWS::IAM::Role"):
            for document in role.get("AssumeRolePolicyDocument"):
                for statement in statements(index, document):
                    services = [s for s in map(_shown, statement.services) if s in _SENDING]
                    if statement.allows and services and not restricts(statement, *_SOURCE):
                        yield Fault(
                            statement.path,
                            f"{', '.join(services)} may assume {role.logical_id} for any account: "
                            "add the condition StringEquals aws:SourceAccount = "
                            "${AWS::AccountId}, or ArnLike aws:SourceArn",
                        )


RULES = (PermissionDeputy, ResourcePolicyDeputy, RoleDeputy)
