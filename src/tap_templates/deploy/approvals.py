"""Losses that need somebody's word: state that would be replaced or deleted. Pure.

A small table, not a diff: for each type that holds state, the properties that CloudFormation can
change only by making another resource. It errs on the side of asking: a condition or a mapping
that changed counts as a change of what depends on it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tap_templates.deploy import naming
from tap_templates.deploy.plan import Approval

CREATE_ONLY: Mapping[str, tuple[str, ...]] = {
    "AWS::Backup::BackupVault": (
        "BackupVaultName",
        "EncryptionKeyArn",
    ),
    "AWS::DynamoDB::GlobalTable": ("TableName",),
    "AWS::DynamoDB::Table": (
        "ImportSourceSpecification",
        "TableName",
    ),
    "AWS::EFS::FileSystem": (
        "AvailabilityZoneName",
        "Encrypted",
        "KmsKeyId",
        "PerformanceMode",
    ),
    "AWS::Events::Archive": (
        "ArchiveName",
        "SourceArn",
    ),
    "AWS::KMS::Key": (),
    "AWS::KMS::ReplicaKey": ("PrimaryKeyArn",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::RDS::DBCluster": (
        "ClusterScalabilityType",
        "DBClusterIdentifier",
        "DBSubnetGroupName",
        "DBSystemId",
        "DatabaseName",
        "EngineMode",
        "KmsKeyId",
        "PubliclyAccessible",
        "RestoreToTime",
        "RestoreType",
        "SnapshotIdentifier",
        "SourceDBClusterIdentifier",
        "SourceDbClusterResourceId",
        "SourceRegion",
        "StorageEncrypted",
        "UseLatestRestorableTime",
    ),
    "AWS::RDS::DBInstance": (
        "BackupTarget",
        "CharacterSetName",
        "CustomIAMInstanceProfile",
        "DBClusterIdentifier",
        "DBInstanceIdentifier",
        "DBName",
        "DBSubnetGroupName",
        "DBSystemId",
        "KmsKeyId",
        "MasterUsername",
        "NcharCharacterSetName",
        "SourceRegion",
        "StorageEncrypted",
        "Timezone",
    ),
    "AWS::RDS::GlobalCluster": (
        "Engine",
        "GlobalClusterIdentifier",
        "SourceDBClusterIdentifier",
        "StorageEncrypted",
    ),
    "AWS::S3::Bucket": (
        "BucketName",
        "BucketNamePrefix",
        "BucketNamespace",
    ),
    "AWS::SNS::Topic": (
        "FifoTopic",
        "TopicName",
    ),
    "AWS::SQS::Queue": (
        "FifoQueue",
        "QueueName",
    ),
    "AWS::SecretsManager::Secret": ("Name",),
}
"""For each type that holds state, the properties its resource schema calls create-only. A test
compares the table with the schemas that cfn-lint carries."""

CONDITIONALLY: Mapping[str, tuple[str, ...]] = {
    "AWS::DynamoDB::GlobalTable": ("KeySchema", "LocalSecondaryIndexes"),
    "AWS::DynamoDB::Table": ("KeySchema", "LocalSecondaryIndexes"),
    "AWS::KMS::Key": ("KeySpec", "KeyUsage", "MultiRegion", "Origin"),
    "AWS::RDS::DBCluster": ("Engine",),
    "AWS::RDS::DBInstance": ("Engine",),
}
"""What else replaces, or is refused: documented, and not in the schemas."""

_REFERENCE = re.compile(r"\$\{([A-Za-z0-9]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A template as it is, or will be, in a region, with its parameters' values."""

    template: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    logical_id: str
    resource_type: str
    what: str
    evidence: str  # digest of what was and what comes


def losses(before: Deployed, after: Deployed) -> tuple[Loss, ...]:
    """List the stateful resources of `before` that `after` would replace or delete."""
    old, new = _parse(before.template), _parse(after.template)
    if not old:
        what = "cannot be compared: what is deployed was not made from a JSON template"
        evidence = naming.digest([before.template, after.template])
        return (Loss(logical_id="*", resource_type="*", what=what, evidence=evidence),)
    changed = {
        name
        for name in {*before.parameters, *after.parameters}
        if before.parameters.get(name) != after.parameters.get(name)
    }
    found = []
    for logical_id, resource in sorted(old.get("Resources", {}).items()):
        kind = resource.get("Type", "")
        if kind not in CREATE_ONLY:
            continue
        successor = new.get("Resources", {}).get(logical_id)
        if what := _loss(resource, successor, _Context(old, new, changed)):
            evidence = naming.digest([logical_id, what, resource, successor, sorted(changed)])
            found.append(
                Loss(logical_id=logical_id, resource_type=kind, what=what, evidence=evidence)
            )
    return tuple(found)


def approvals(
    stack_set: str, stack: str, by_region: Mapping[str, Iterable[Loss]], approved: frozenset[str]
) -> tuple[Approval, ...]:
    """Ask once for a loss that happens in several regions alike."""
    regions: dict[tuple[str, str, str, str], list[str]] = {}
    for region, each in by_region.items():
        for loss in each:
            key = (loss.logical_id, loss.resource_type, loss.what, loss.evidence)
            regions.setdefault(key, []).append(region)
    found = []
    for (logical_id, kind, what, evidence), where in sorted(regions.items()):
        digest = naming.digest([stack_set, sorted(where), evidence])[:16]
        found.append(
            Approval(
                stack=stack,
                regions=tuple(where),
                logical_id=logical_id,
                resource_type=kind,
                what=what,
                digest=digest,
                approved=digest in approved,
            )
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Context:
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    changed: set[str]  # parameters

    def differs(self, before: Any, after: Any) -> bool:
        """Say whether a value may differ, also where its text is the same."""
        if before != after or self.changed & _references(after):
            return True
        looks_up = "Fn::FindInMap" in json.dumps(after)
        return looks_up and self.old.get("Mappings") != self.new.get("Mappings")


def _loss(
    resource: Mapping[str, Any], successor: Mapping[str, Any] | None, context: _Context
) -> str:
    kind = resource["Type"]
    if successor is None or successor.get("Type") != kind:
        left = "; it stays, outside of any stack" if _is_retained(resource) else ""
        return f"is removed from the template{left}"
    if resource.get("Condition") != successor.get("Condition") or (
        "Condition" in successor
        and context.differs(context.old.get("Conditions"), context.new.get("Conditions"))
    ):
        return "its condition changes, which may delete it"
    old, new = resource.get("Properties", {}), successor.get("Properties", {})
    names = (*CREATE_ONLY[kind], *CONDITIONALLY.get(kind, ()))
    replaced = [name for name in names if context.differs(old.get(name), new.get(name))]
    return f"is replaced, since {', '.join(replaced)} changes" if replaced else ""


def _is_retained(resource: Mapping[str, Any]) -> bool:
    return resource.get("DeletionPolicy") in {"Retain", "RetainExceptOnCreate"}


def _references(value: Any) -> set[str]:
    """Name what a value refers to by `Ref` or `Fn::Sub`, at any depth."""
    match value:
        case {"Ref": str(name)}:
            return {name}
        case dict():
            return set().union(*map(_references, value.values()))
        case list():
            return set().union(*map(_references, value))
        case str():
            return set(_REFERENCE.findall(value))
        case _:
            return set()


def _parse(template: str) -> Mapping[str, Any]:
    try:
        parsed = json.loads(template)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
