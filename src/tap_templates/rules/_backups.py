"""E9901-E9903: backups and copies that are not there, or never go."""

from collections.abc import Iterator
from typing import ClassVar, Final

from ._index import Index
from ._rule import Fault, TapRule
from ._values import expression

_PLAN: Final = "AWS::Backup::BackupPlan"
_VAULT: Final = "AWS::Backup::BackupVault"
_BUCKET: Final = "AWS::S3::Bucket"
_DATABASES: Final = ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance")
_DEFAULT_KEY: Final = "alias/aws/backup"
_BACKUP: Final = "https://docs.aws.amazon.com/aws-backup/latest/devguide/"


class CopyForever(TapRule):
    """Demand an end of copies. Silent where the lifecycle cannot be seen."""

    id = "E9901"
    shortdesc = "A copy of a backup must end some day"
    description = (
        "A copy does not inherit the lifecycle of what it copies: without one of its own it is "
        "kept, and paid, for ever."
    )
    source_url = f"{_BACKUP}creating-a-backup-plan.html"
    tags: ClassVar[list[str]] = ["resources", "backup", "disaster-recovery"]  # type: ignore[misc]  # an instance variable upstream

    def check(self, index: Index) -> Iterator[Fault]:
        for plan in index.typed(_PLAN):
            for rule in plan.elements("BackupPlan", "BackupPlanRule"):
                for copies in rule.get("CopyActions"):
                    for copy in copies.each():
                        for days in copy.get("Lifecycle", "DeleteAfterDays"):
                            if days.absent:
                                yield Fault(
                                    days.path,
                                    f"{plan.logical_id} makes copies that are kept for ever: set "
                                    "Lifecycle.DeleteAfterDays in the CopyAction",
                                )


class DefaultVaultKey(TapRule):
    """Demand a key of one's own for a vault beside databases.

    A vault is held to be for databases if the template has one, or selects one by its ARN.
    """

    id = "E9902"
    shortdesc = "A vault for databases needs a key of its own"
    description = (
        "Copies of RDS and Aurora are encrypted with the key of the vault they go to, and that "
        "cannot be aws/backup, which a vault has by default: the copy job fails."
    )
    source_url = f"{_BACKUP}encryption.html"
    tags: ClassVar[list[str]] = ["resources", "backup", "rds"]  # type: ignore[misc]  # an instance variable upstream

    def check(self, index: Index) -> Iterator[Fault]:
        if not _for_databases(index):
            return
        for vault in index.typed(_VAULT):
            for key in vault.get("EncryptionKeyArn"):
                texts = [part for part in expression(key.value) if isinstance(part, str)]
                if key.absent or any(_DEFAULT_KEY in text for text in texts):
                    yield Fault(
                        key.path,
                        f"{vault.logical_id} is encrypted with aws/backup, which copies of "
                        "databases cannot be: set EncryptionKeyArn to a customer managed key",
                    )


def _for_databases(index: Index) -> bool:
    if any(True for _ in index.typed(*_DATABASES)):
        return True
    return any(
        ":rds:" in part
        for selection in index.typed("AWS::Backup::BackupSelection")
        for node in selection.elements("BackupSelection", "Resources")
        for part in expression(node.value)
        if isinstance(part, str)
    )


class UnversionedSource(TapRule):
    """Demand versions where a bucket replicates. Silent where a parameter decides."""

    id = "E9903"
    shortdesc = "A bucket that replicates must keep versions"
    description = "S3 refuses a replication configuration on a bucket without versioning."
    source_url = (
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html"
    )
    tags: ClassVar[list[str]] = ["resources", "s3", "disaster-recovery"]  # type: ignore[misc]  # an instance variable upstream

    def check(self, index: Index) -> Iterator[Fault]:
        for bucket in index.typed(_BUCKET):
            for replication in bucket.get("ReplicationConfiguration"):
                for status in bucket.get("VersioningConfiguration", "Status"):
                    if not replication.present or replication.excludes(status):
                        continue
                    if status.absent or status.text == "Suspended":
                        yield Fault(
                            status.path,
                            f"{bucket.logical_id} replicates, but keeps no versions: set "
                            "VersioningConfiguration.Status to Enabled",
                        )


RULES = (CopyForever, DefaultVaultKey, UnversionedSource)
