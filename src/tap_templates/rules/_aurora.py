"""E9701-E9706: members of an Aurora global database that cannot be, and databases left open."""

from collections.abc import Iterator
from typing import ClassVar, Final

from ._index import Index, Resource
from ._rule import Fault, TapRule
from ._values import Node, must_differ

_CLUSTER: Final = "AWS::RDS::DBCluster"
_GLOBAL: Final = "AWS::RDS::GlobalCluster"
_INSTANCE: Final = "AWS::RDS::DBInstance"
_GUIDE: Final = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/"
_REQUIREMENTS: Final = f"{_GUIDE}aurora-global-database.configuration.requirements.html"
# What such a cluster or instance is made from decides whether it is encrypted.
_INHERITS: Final = (
    "DBSnapshotIdentifier",
    "DBClusterSnapshotIdentifier",
    "SnapshotIdentifier",
    "SourceDBClusterIdentifier",
    "SourceDBInstanceAutomatedBackupsArn",
    "SourceDBInstanceIdentifier",
    "SourceDbClusterResourceId",
)


class _AuroraRule(TapRule):
    tags: ClassVar[list[str]] = ["resources", "rds", "disaster-recovery"]  # type: ignore[misc]  # an instance variable upstream


def _memberships(index: Index, cluster: Resource) -> Iterator[Node]:
    """Yield what makes a cluster a member of a global database, once for each branch."""
    for node in cluster.get("GlobalClusterIdentifier"):
        if node.present and node.text != "":
            yield node
    for joined in index.typed(_GLOBAL):
        for node in joined.get("SourceDBClusterIdentifier"):
            if node.present and _is(index, node, cluster):
                yield node


def _is(index: Index, node: Node, cluster: Resource) -> bool:
    """Say whether a value means a cluster of the template: by reference, or by its identifier."""
    found = index.resource_of(node.value)
    if found:
        return found[0].logical_id == cluster.logical_id
    value = index.expression(node.value)
    names = [index.expression(each.value) for each in cluster.get("DBClusterIdentifier")]
    return any(value == name for name in names if name)


def _clusters_of(index: Index, instance: Resource) -> Iterator[tuple[Resource, Node]]:
    for node in instance.get("DBClusterIdentifier"):
        for cluster in index.typed(_CLUSTER):
            if node.present and _is(index, node, cluster):
                yield cluster, node


class BurstableMember(_AuroraRule):
    """Forbid burstable classes to members of a global database.

    Silent where the class depends on a parameter without default, and about clusters of another
    template.
    """

    id = "E9701"
    shortdesc = "A global database does not run on burstable classes"
    description = (
        "Aurora demands memory-optimised classes for a global database; the schema takes a db.t "
        "class, since a plain cluster does, and creation fails late."
    )
    source_url = _REQUIREMENTS

    def check(self, index: Index) -> Iterator[Fault]:
        for instance in index.typed(_INSTANCE):
            for cluster, node in _clusters_of(index, instance):
                for member in _memberships(index, cluster):
                    for chosen in instance.get("DBInstanceClass"):
                        if any(chosen.excludes(each) for each in (node, member)):
                            continue
                        texts = index.texts_anywhere(chosen.value) if chosen.present else None
                        for text in sorted(texts or ()):
                            if text.startswith("db.t"):
                                yield Fault(
                                    chosen.path,
                                    f"{instance.logical_id} is a {text} in the global database "
                                    f"of {cluster.logical_id}: use a memory-optimised class, such "
                                    "as db.r8g.large",
                                )


class ManagedPassword(_AuroraRule):
    """Forbid RDS-managed master secrets to members of a global database."""

    id = "E9702"
    shortdesc = "A member of a global database must not have its master password managed by RDS"
    description = (
        "Managed master secrets do not work with global databases: they must be off before a "
        "region is added."
    )
    source_url = f"{_GUIDE}aurora-global-database.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for cluster in index.typed(_CLUSTER):
            for managed in cluster.get("ManageMasterUserPassword"):
                if managed.truth is True and any(
                    not managed.excludes(member) for member in _memberships(index, cluster)
                ):
                    yield Fault(
                        managed.path,
                        f"{cluster.logical_id} is in a global database and lets RDS manage its "
                        "password: keep it in a secret of your own with ReplicaRegions",
                    )


class SecondaryCredentials(_AuroraRule):
    """Forbid credentials to a cluster that copies another region's.

    A secondary is told by SourceRegion or ReplicationSourceIdentifier beside the name of the
    global database: without them it may be the first cluster of an empty one.
    """

    id = "E9703"
    shortdesc = "A secondary of a global database has no credentials of its own"
    description = (
        "Users, passwords and databases are copied from the primary; given again they are refused."
    )
    source_url = f"{_GUIDE}aurora-global-database-attaching.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for cluster in index.typed(_CLUSTER):
            secondary = [
                mark
                for member in cluster.get("GlobalClusterIdentifier")
                for key in ("SourceRegion", "ReplicationSourceIdentifier")
                for mark in cluster.get(key)
                if member.present and mark.present and not mark.excludes(member)
            ]
            for key in ("MasterUsername", "MasterUserPassword", "DatabaseName"):
                for given in cluster.get(key):
                    if given.present and any(not given.excludes(mark) for mark in secondary):
                        yield Fault(
                            given.path,
                            f"{cluster.logical_id} copies another region's cluster and has {key}: "
                            "take it away, it comes with the copy",
                        )


class VersionSkew(_AuroraRule):
    """Demand one engine and version of instances and their cluster, and of a global database.

    Silent where they are written so that they may be equal.
    """

    id = "E9704"
    shortdesc = "Instances, clusters and their global database must be of one version"
    description = (
        "A switchover needs the same major and minor version everywhere; an instance of another "
        "version than its cluster is refused."
    )
    source_url = f"{_GUIDE}aurora-global-database-disaster-recovery.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for instance in index.typed(_INSTANCE):
            for cluster, _ in _clusters_of(index, instance):
                yield from _skew(index, instance, cluster)
        for joined in index.typed(_GLOBAL):
            for cluster in index.typed(_CLUSTER):
                if any(_names(index, joined, member) for member in _memberships(index, cluster)):
                    yield from _skew(index, cluster, joined)


def _names(index: Index, joined: Resource, member: Node) -> bool:
    """Say whether a membership is in this global cluster."""
    if member.path[:2] == joined.path:
        return True
    found = index.resource_of(member.value)
    if found:
        return found[0].logical_id == joined.logical_id
    value = index.expression(member.value)
    return any(value == index.expression(n.value) for n in joined.get("GlobalClusterIdentifier"))


def _skew(index: Index, one: Resource, other: Resource) -> Iterator[Fault]:
    for key in ("Engine", "EngineVersion"):
        for ours in one.get(key):
            for theirs in other.get(key):
                if not (ours.present and theirs.present) or ours.excludes(theirs):
                    continue
                left, right = index.expression(ours.value), index.expression(theirs.value)
                if must_differ(left, right):
                    yield Fault(
                        ours.path,
                        f"{one.logical_id} and {other.logical_id} have different values of {key}: "
                        "give both one parameter, or leave it out of the instance",
                    )


class OpenDatabase(_AuroraRule):
    """Demand encryption, and no public address.

    Silent where either is decided by a parameter, and about what is made from a snapshot or from
    another database: that decides whether it is encrypted.
    """

    id = "E9705"
    shortdesc = "A database must be encrypted and must not be publicly accessible"
    description = (
        "StorageEncrypted is false where it is left out and can never be changed; an instance "
        "with a public address is one security group away from everybody."
    )
    source_url = f"{_GUIDE}Overview.Encryption.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for resource in index.typed(_CLUSTER, _INSTANCE):
            for public in resource.get("PubliclyAccessible"):
                if public.truth is True:
                    yield Fault(
                        public.path,
                        f"{resource.logical_id} has a public address: set PubliclyAccessible to "
                        "false and reach it from inside the VPC",
                    )
            inherits = [*_INHERITS]
            if resource.type == _INSTANCE:
                inherits.append("DBClusterIdentifier")
            if any(node.present for key in inherits for node in resource.get(key)):
                continue
            for encrypted in resource.get("StorageEncrypted"):
                if encrypted.absent or encrypted.truth is False:
                    yield Fault(
                        encrypted.path,
                        f"{resource.logical_id} is not encrypted: set StorageEncrypted to true, "
                        "with a KmsKeyId",
                    )


class EmptyGlobalCluster(_AuroraRule):
    """Demand that a global database is made from a cluster."""

    id = "E9706"
    shortdesc = "A global database must be made from its primary cluster"
    description = (
        "Without SourceDBClusterIdentifier CloudFormation makes an empty global database, and "
        "its handler later takes the first cluster of the region for the primary, whose ever it "
        "is."
    )
    source_url = (
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"
        "aws-resource-rds-globalcluster.html"
    )

    def check(self, index: Index) -> Iterator[Fault]:
        for joined in index.typed(_GLOBAL):
            for node in joined.get("SourceDBClusterIdentifier"):
                if node.absent:
                    yield Fault(
                        node.path,
                        f"{joined.logical_id} is empty: set SourceDBClusterIdentifier to the "
                        "primary cluster, and leave Engine and EngineVersion out",
                    )


RULES = (
    BurstableMember,
    ManagedPassword,
    SecondaryCredentials,
    VersionSkew,
    OpenDatabase,
    EmptyGlobalCluster,
)
