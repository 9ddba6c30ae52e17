"""Block: daily backups of a database by AWS Backup, each copied to the other region's vault.

Vaults have a key of ours: for Aurora, AWS Backup encrypts a copy with the key of the vault it goes
to, and that must not be `aws/backup`, which cannot be used across regions
(https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html).

Whether AWS Backup looks after Aurora at all is a setting of the account in each region, which no
template can make: see the runbook, Opting in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from awacs import aws, kms, rds, tag
from awacs import backup as actions
from troposphere import AWSObject, GetAtt, Ref, backup, cloudwatch, iam
from troposphere.kms import Alias, Key

from tap_templates.blocks.alarm import Metric, alarm
from tap_templates.blocks.key import service_key, use_by_vaults
from tap_templates.blocks.network_parts import flat
from tap_templates.blocks.network_ranges import in_primary
from tap_templates.blocks.policy import ANYTHING, Grant, allow, document, trust_service
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.text import Text, arn_text, sub
from tap_templates.blocks.topic import Topic
from tap_templates.model.names import OWN_REGION, PRIMARY_REGION, SECONDARY_REGION, Kind, Name

_RULE = "daily"
_BOTH = (PRIMARY_REGION, SECONDARY_REGION)
_START_WITHIN, _COMPLETE_WITHIN = timedelta(hours=1), timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Vault:
    """The typed reference to the vault of a region, in whatever stack it is made."""

    purpose: str

    @property
    def name(self) -> str:
        return Name(Kind.VAULT, self.purpose).text()

    def arn(self, region: str = OWN_REGION) -> Text:
        return sub(arn_text("backup", f"backup-vault:{self.name}", region=region))


class BackupVault(NamedTuple):
    vault: backup.BackupVault
    key: Key
    alias: Alias

    @property
    def key_arn(self) -> Text:
        """For the other region's stack: `BackupKeys.copies`."""
        return GetAtt(self.key, "Arn")


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupKeys:
    """What backups are encrypted with: AWS generates both ids."""

    source: Text  # of the cluster, in this region
    copies: Text  # of the vault in the other region


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSettings:
    """How often, how long, and who hears of a failure."""

    kept: timedelta = timedelta(days=7)
    schedule: str = "cron(0 5 * * ? *)"  # UTC
    copied_to: str  # `names.PRIMARY_REGION` or `names.SECONDARY_REGION`: the other one
    keys: BackupKeys
    tell: Topic
    if_wanted: str | None = None  # the condition under which there are backups


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyBackups:
    """A plan, what it is for, and its role; iterates over its resources."""

    plan: backup.BackupPlan
    selection: backup.BackupSelection
    role: iam.Role
    alarms: tuple[cloudwatch.Alarm, ...]

    def __iter__(self) -> Iterator[AWSObject]:
        yield from flat(self.plan, self.selection, self.role, self.alarms)


def backup_vault(stack: StackTemplate, title: str, reference: Vault) -> BackupVault:
    """Declare a vault and its key, which RDS of both regions may use to copy with.

    The caller adds them to `stack`, which gets the condition that tells the regions apart.
    """
    in_primary(stack)
    made = service_key(
        f"{title}Vault",
        f"{reference.purpose}-vault",
        f"Encrypts the copies in the vault {reference.purpose}",
        *use_by_vaults(),
    )
    vault = backup.BackupVault(
        f"{title}Vault", BackupVaultName=sub(reference.name), EncryptionKeyArn=made.arn
    )
    return BackupVault(vault, made.key, made.alias)


def daily_backups(
    title: str, vault: Vault, cluster_arn: Text, settings: BackupSettings
) -> DailyBackups:
    """Back `cluster_arn` up every day into the own `vault`, and copy that to the other region's."""
    kept = backup.LifecycleResourceType(DeleteAfterDays=settings.kept.days)
    copied = backup.LifecycleResourceType(DeleteAfterDays=settings.kept.days)
    plan = backup.BackupPlan(
        f"{title}BackupPlan",
        BackupPlan=backup.BackupPlanResourceType(
            BackupPlanName=sub(Name(Kind.BACKUP_PLAN, vault.purpose).text()),
            BackupPlanRule=[
                backup.BackupRuleResourceType(
                    RuleName=_RULE,
                    ScheduleExpression=settings.schedule,
                    StartWindowMinutes=_minutes(_START_WITHIN),
                    CompletionWindowMinutes=_minutes(_COMPLETE_WITHIN),
                    TargetBackupVault=sub(vault.name),
                    Lifecycle=kept,
                    CopyActions=[
                        backup.CopyActionResourceType(
                            DestinationBackupVaultArn=vault.arn(settings.copied_to),
                            Lifecycle=copied,
                        )
                    ],
                )
            ],
        ),
    )
    role = _role(title, vault, cluster_arn, settings)
    selection = backup.BackupSelection(
        f"{title}BackupSelection",
        BackupPlanId=Ref(plan),
        BackupSelection=backup.BackupSelectionResourceType(
            SelectionName="database", IamRoleArn=GetAtt(role, "Arn"), Resources=[cluster_arn]
        ),
    )
    alarms = _alarms(title, vault, settings.tell)
    if settings.if_wanted is not None:
        for each in (plan, selection, role, *alarms):
            each.Condition = settings.if_wanted
    return DailyBackups(plan=plan, selection=selection, role=role, alarms=alarms)


def _minutes(time: timedelta) -> int:
    return int(time.total_seconds() // 60)


def _role(title: str, vault: Vault, cluster_arn: Text, settings: BackupSettings) -> iam.Role:
    return iam.Role(
        f"{title}BackupRole",
        RoleName=sub(Name(Kind.ROLE, f"{vault.purpose}-backup").text()),
        AssumeRolePolicyDocument=trust_service("backup.amazonaws.com"),
        Policies=[
            iam.Policy(
                PolicyName="grants",
                PolicyDocument=document(
                    *_snapshots(cluster_arn, settings.copied_to),
                    *_vaults(vault, settings.copied_to),
                    *_keys(settings.keys),
                ),
            )
        ],
    )


def _snapshots(cluster_arn: Text, copied_to: str) -> Iterator[Grant]:
    # AWS Backup names the snapshots it makes.
    both = [
        sub(arn_text("rds", "cluster-snapshot:awsbackup:*", region=region))
        for region in (OWN_REGION, copied_to)
    ]
    yield allow("TakeSnapshots", [rds.CreateDBClusterSnapshot], [cluster_arn, both[0]])
    yield allow("CopySnapshots", [rds.CopyDBClusterSnapshot], both)
    yield allow("ReadCluster", [rds.DescribeDBClusters, rds.ListTagsForResource], [cluster_arn])
    yield allow(
        "ManageSnapshots",
        [
            rds.AddTagsToResource,
            rds.DeleteDBClusterSnapshot,
            rds.DescribeDBClusterSnapshots,
            rds.ListTagsForResource,
            rds.ModifyDBClusterSnapshotAttribute,
        ],
        both,
    )
    # No resource can be named: service authorization reference, Resource Groups Tagging API.
    yield allow("FindResources", [tag.GetResources], [ANYTHING])


def _vaults(vault: Vault, copied_to: str) -> Iterator[Grant]:
    other = vault.arn(copied_to)
    yield allow("ReadVaults", [actions.DescribeBackupVault], [vault.arn(), other])
    yield allow("CopyIntoVault", [actions.CopyIntoBackupVault], [other])
    yield allow(
        "CopyFromVault",
        [actions.CopyFromBackupVault],
        [sub(arn_text("rds", "cluster-snapshot:awsbackup:*"))],
        aws.ForAllValuesStringEquals({"backup:CopyTargets": [other]}),
        aws.Null({"backup:CopyTargets": "false"}),  # all of none would be any
    )
    yield allow(
        "TagBackups",
        [actions.TagResource],
        [
            sub(arn_text("backup", "recovery-point:*", region=region))
            for region in (OWN_REGION, copied_to)
        ],
    )


def _keys(keys: BackupKeys) -> Iterator[Grant]:
    through = {"kms:ViaService": [sub(f"rds.{region}.amazonaws.com") for region in _BOTH]}
    both = [keys.source, keys.copies]
    yield allow(
        "UseKeys",
        [kms.Decrypt, kms.DescribeKey, kms.GenerateDataKey],
        both,
        aws.StringEquals(through),
    )
    yield allow(
        "GrantKeys",
        [kms.CreateGrant],
        both,
        aws.Bool({"kms:GrantIsForAWSResource": "true"}),
        aws.StringEquals(through),
    )


def _alarms(title: str, vault: Vault, tell: Topic) -> tuple[cloudwatch.Alarm, ...]:
    def failed(name: str) -> Metric:
        return Metric(
            namespace="AWS/Backup",
            name=name,
            statistic="Sum",
            dimensions={"BackupVaultName": sub(vault.name)},
            period=timedelta(hours=1),  # jobs are counted every few minutes, and run once a day
        )

    backups = alarm(
        f"{title}BackupFailed",
        f"{vault.purpose}-backup-failed",
        failed("NumberOfBackupJobsFailed"),
        above=0,
        tell=tell,
        means="The database was not backed up: see the job in AWS Backup.",
    )
    copies = alarm(
        f"{title}CopyFailed",
        f"{vault.purpose}-copy-failed",
        failed("NumberOfCopyJobsFailed"),
        above=0,
        tell=tell,
        means="A backup was not copied to the other region: see the copy job in AWS Backup.",
    )
    return backups, copies
