"""Where a template keeps policies: by the type of the resource that holds one.

    resource ─▶ subjects it says something about ─▶ all policies of a subject in one template

A subject is a role (or user, or group) with what it may do, a role with who may take it, or a
resource with who may use it. Several resources may hold policies of one subject, and only all of
them together say what is allowed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from tap_templates.diff.model import Resource, StackView
from tap_templates.diff.security.texts import spell
from tap_templates.diff.values import call_of


class Kind(StrEnum):
    """What the policies of a subject are about."""

    IDENTITY = "may do"
    TRUST = "may be taken by"
    USE = "may be used by"


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """Whom or what policies are about: a logical id, or a text for what is elsewhere."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class Holder:
    """How a type holds the policy of some other resource, or of itself."""

    document: str
    owner: str = ""  # property that names the owner, or owners; "" for itself


HOLDERS: Final[Mapping[str, Holder]] = {
    "AWS::ApiGateway::RestApi": Holder("Policy"),
    "AWS::Backup::BackupVault": Holder("AccessPolicy"),
    "AWS::CodeArtifact::Domain": Holder("PermissionsPolicyDocument"),
    "AWS::CodeArtifact::Repository": Holder("PermissionsPolicyDocument"),
    "AWS::EC2::VPCEndpoint": Holder("PolicyDocument"),
    "AWS::ECR::Repository": Holder("RepositoryPolicyText"),
    "AWS::EFS::FileSystem": Holder("FileSystemPolicy"),
    "AWS::Elasticsearch::Domain": Holder("AccessPolicies"),
    "AWS::Events::EventBus": Holder("Policy"),
    "AWS::KMS::Key": Holder("KeyPolicy"),
    "AWS::KMS::ReplicaKey": Holder("KeyPolicy"),
    "AWS::Kinesis::ResourcePolicy": Holder("ResourcePolicy", "ResourceArn"),
    "AWS::Logs::LogGroup": Holder("ResourcePolicyDocument"),
    "AWS::Logs::ResourcePolicy": Holder("PolicyDocument"),
    "AWS::OpenSearchService::Domain": Holder("AccessPolicies"),
    "AWS::S3::AccessPoint": Holder("Policy"),
    "AWS::S3::BucketPolicy": Holder("PolicyDocument", "Bucket"),
    "AWS::S3::MultiRegionAccessPointPolicy": Holder("Policy", "MrapName"),
    "AWS::SNS::TopicInlinePolicy": Holder("PolicyDocument", "TopicArn"),
    "AWS::SNS::TopicPolicy": Holder("PolicyDocument", "Topics"),
    "AWS::SQS::QueueInlinePolicy": Holder("PolicyDocument", "Queue"),
    "AWS::SQS::QueuePolicy": Holder("PolicyDocument", "Queues"),
    "AWS::SecretsManager::ResourcePolicy": Holder("ResourcePolicy", "SecretId"),
}
PERMISSION: Final = "AWS::Lambda::Permission"
BUS_POLICY: Final = "AWS::Events::EventBusPolicy"
_BUS: Final = "AWS::Events::EventBus"
IDENTITIES: Final = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")
_ATTACHED: Final = {
    "AWS::IAM::Policy": ("Roles", "Users", "Groups"),
    "AWS::IAM::ManagedPolicy": ("Roles", "Users", "Groups"),
    "AWS::IAM::RolePolicy": ("RoleName",),
    "AWS::IAM::UserPolicy": ("UserName",),
    "AWS::IAM::GroupPolicy": ("GroupName",),
}
_NAMES: Final = {"AWS::IAM::Role": "RoleName", "AWS::IAM::User": "UserName",
                 "AWS::IAM::Group": "GroupName"}  # fmt: skip
_MANAGED: Final = "AWS::IAM::ManagedPolicy"


def subjects(resource: Resource, view: StackView) -> Iterator[Subject]:
    """Iterate over the subjects a resource says something about."""
    own = resource.logical_id
    if resource.type in IDENTITIES:
        yield Subject(Kind.IDENTITY, own)
        if resource.type == "AWS::IAM::Role":
            yield Subject(Kind.TRUST, own)
    elif resource.type in _ATTACHED:
        owners = set(_owners_of_policy(resource, view))
        if resource.type == _MANAGED:
            owners |= {Subject(Kind.IDENTITY, each) for each in _takers(resource, view)}
        yield from sorted(owners or {Subject(Kind.IDENTITY, own)})
    else:
        for name in _used(resource, view):
            yield Subject(Kind.USE, name)


def _used(resource: Resource, view: StackView) -> Iterator[str]:
    """Iterate over the owners of the resource policies that a resource holds."""
    properties = resource.properties
    if resource.type == PERMISSION:
        yield owner_name(properties.get("FunctionName"), view)
    elif resource.type == BUS_POLICY:
        yield owner_name(properties.get("EventBusName", "default"), view)
    elif holder := HOLDERS.get(resource.type):
        if not holder.owner:
            yield resource.logical_id
        for each in listed(properties.get(holder.owner)):
            yield owner_name(each, view)
    elif next(embedded(resource), None) is not None:
        yield resource.logical_id


def attached(subject: Subject, view: StackView) -> Iterator[Resource]:
    """Iterate over the policies that are attached to an identity, in themselves or in it."""
    for policy in view.of_type(*_ATTACHED):
        if subject in set(_owners_of_policy(policy, view)):
            yield policy


def _owners_of_policy(policy: Resource, view: StackView) -> Iterator[Subject]:
    for key in _ATTACHED[policy.type]:
        for each in listed(policy.properties.get(key)):
            yield Subject(Kind.IDENTITY, owner_name(each, view, IDENTITIES))


def _takers(policy: Resource, view: StackView) -> Iterator[str]:
    """Iterate over the identities that take a managed policy, or are bounded by it."""
    for identity in view.of_type(*IDENTITIES):
        named = [
            *listed(identity.properties.get("ManagedPolicyArns")),
            identity.properties.get("PermissionsBoundary"),
        ]
        targets = [view.target(each) for each in named if each is not None]
        if any(each is not None and each.logical_id == policy.logical_id for each in targets):
            yield identity.logical_id


def holders(subject: Subject, view: StackView) -> Iterator[Resource]:
    """Iterate over the resources that hold policies of a resource, itself included."""
    own = view.resource(subject.name)
    if own is not None:
        yield own
    for resource in view.of_type(*HOLDERS, PERMISSION, BUS_POLICY):
        if resource is not own and subject in set(subjects(resource, view)):
            yield resource


def owner_name(value: Any, view: StackView, types: tuple[str, ...] = ()) -> str:
    """Name an owner by its logical id, or by what is written if it is elsewhere."""
    target = view.target(value)
    if target is not None:
        return target.logical_id
    for each in view.of_type(*types) if types else ():
        if each.properties.get(_NAMES[each.type]) == value:
            return each.logical_id
    if types == () and isinstance(value, str):
        for bus in view.of_type(_BUS):
            if bus.properties.get("Name") == value:
                return bus.logical_id
    return spell(value)


def embedded(resource: Resource) -> Iterator[tuple[str, Any]]:
    """Iterate over policy documents in the properties of a type that is not in the tables."""
    pending: list[tuple[str, Any]] = [("", resource.properties)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, Mapping):
            if _is_document(value):
                yield path, value
            else:
                pending += [(f"{path}/{key}", each) for key, each in sorted(value.items())]
        elif isinstance(value, list):
            pending += [(f"{path}/{index}", each) for index, each in enumerate(value)]


def _is_document(value: Mapping[str, Any]) -> bool:
    statements = listed(value.get("Statement"))
    return any(isinstance(each, Mapping) and "Effect" in each for each in statements)


def listed(value: Any) -> list[Any]:
    """Read what may be one value, a list, or left out."""
    if value is None:
        return []
    if isinstance(value, list):
        return [each for each in value if call_of(each) != "Fn::If"] + [
            branch for each in value if call_of(each) == "Fn::If" for branch in _branches(each)
        ]
    return [value]


def _branches(value: Any) -> Iterator[Any]:
    arguments = value["Fn::If"]
    if isinstance(arguments, list) and len(arguments) == 3:
        for each in arguments[1:]:
            if each != {"Ref": "AWS::NoValue"}:
                yield from _branches(each) if call_of(each) == "Fn::If" else (each,)
