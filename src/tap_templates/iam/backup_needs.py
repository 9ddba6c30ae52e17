"""What AWS Backup does with its role: snapshots of clusters, kept, and copied to another region.

Less than AWS's managed policy, which is for all that AWS Backup can back up, by any name:
https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tap_templates.iam.needs import (
    Need,
    Problem,
    RoleUse,
    UseOfRole,
    allow,
    condition,
    not_written_down,
)
from tap_templates.iam.services import VIA_SERVICE, find_key
from tap_templates.rendered.view import Located, SystemView

GRANT_FOR_AWS = ("Bool", "kms:GrantIsForAWSResource", ["true"])

_SELECTION = "/Properties/BackupSelection"
_RULES = "/Properties/BackupPlan/BackupPlanRule"
_READ_CLUSTER = ("rds:DescribeDBClusters", "rds:ListTagsForResource")
_MANAGE_SNAPSHOTS = (
    "rds:AddTagsToResource",
    "rds:DeleteDBClusterSnapshot",
    "rds:DescribeDBClusterSnapshots",
    "rds:ListTagsForResource",
    "rds:ModifyDBClusterSnapshotAttribute",
)
_USE_KEY = ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")
_JUDGED_OF_SELECTION = frozenset({"IamRoleArn", "Resources", "SelectionName"})
_JUDGED_OF_RULE = frozenset(
    {
        "CompletionWindowMinutes",
        "CopyActions",
        "Lifecycle",
        "RecoveryPointTags",
        "RuleName",
        "ScheduleExpression",
        "ScheduleExpressionTimezone",
        "StartWindowMinutes",
        "TargetBackupVault",
    }
)


def backup_uses(view: SystemView, selection: Located) -> Iterator[UseOfRole]:
    """Judge the role of a selection: what the plan does with each thing that is selected."""
    stated = selection.resource.properties.get("BackupSelection", {})
    needs: list[Need] = []
    for found in _Selection(view, selection, stated).collect():
        if isinstance(found, Problem):
            yield found
        else:
            needs.append(found)
    # Whether AWS Backup sends the plan as aws:SourceArn is not documented.
    yield RoleUse(
        role_arn=str(stated.get("IamRoleArn")),
        user=selection,
        path=f"{_SELECTION}/IamRoleArn",
        principal="backup.amazonaws.com",
        needs=tuple(needs),
    )


@dataclass(frozen=True, slots=True)
class _Copy:
    """Where the snapshots of one rule go."""

    why: str
    vault: Located
    copies: tuple[Located, ...]  # vaults that snapshots are copied to

    @property
    def regions(self) -> tuple[str, ...]:
        """Name the regions that have snapshots, that of the cluster first."""
        named = [each.stack.region for each in (self.vault, *self.copies)]
        return tuple(dict.fromkeys(named))


class _Selection:
    """What is selected, and by which rules it is backed up."""

    def __init__(self, view: SystemView, located: Located, stated: Mapping[str, Any]) -> None:
        self.view = view
        self.located = located
        self.stated = stated

    def collect(self) -> Iterator[Need | Problem]:
        for name in sorted(self.stated.keys() - _JUDGED_OF_SELECTION):
            yield self._problem(self.located, f"{_SELECTION}/{name}", f"selects by {name}")
        plan = self._plan()
        if plan is None:
            yield self._problem(self.located, "/Properties/BackupPlanId", "is of no plan in here")
            return
        rules = plan.resource.properties.get("BackupPlan", {}).get("BackupPlanRule", [])
        ways = [self._way(plan, rule, f"{_RULES}/{index}") for index, rule in enumerate(rules)]
        for way in ways:
            yield from (each for each in way if isinstance(each, Problem))
        for index, arn in enumerate(self.stated.get("Resources", [])):
            path = f"{_SELECTION}/Resources/{index}"
            cluster = self.view.find(str(arn))
            if cluster is None or cluster.resource.type != "AWS::RDS::DBCluster":
                yield self._problem(self.located, path, f"backs up {arn}, no cluster in here")
                continue
            for way in ways:
                for each in way:
                    if isinstance(each, _Copy):
                        yield from self._needs(cluster, each)

    def _problem(self, located: Located, path: str, what: str) -> Problem:
        return not_written_down(located, path, what, "iam/backup_needs.py")

    def _plan(self) -> Located | None:
        stated = self.located.resource.properties.get("BackupPlanId")
        for plan in self.view.resources("AWS::Backup::BackupPlan"):
            if plan.stack is self.located.stack and plan.resource.ref == stated:
                return plan
        return None

    def _way(self, plan: Located, rule: Mapping[str, Any], path: str) -> list[_Copy | Problem]:
        found: list[_Copy | Problem] = [
            self._problem(plan, f"{path}/{name}", f"sets {name}")
            for name in sorted(rule.keys() - _JUDGED_OF_RULE)
        ]
        own = f"{plan.stack.region}:{self.view.account}"
        name = rule.get("TargetBackupVault")
        vault = self._vault(f"arn:{self.view.partition}:backup:{own}:backup-vault:{name}")
        copies: list[Located] = []
        for index, action in enumerate(rule.get("CopyActions", [])):
            stated = str(action.get("DestinationBackupVaultArn"))
            target = self._vault(stated)
            if target is None:
                what = f"copies to {stated}, which is no vault of this system"
                place = f"{path}/CopyActions/{index}/DestinationBackupVaultArn"
                found.append(self._problem(plan, place, what))
            else:
                copies.append(target)
        if vault is None:
            what = f"keeps backups in {name}, which is no vault of this system"
            found.append(self._problem(plan, f"{path}/TargetBackupVault", what))
        else:
            found.append(_Copy(f"{plan.place} {path}", vault, tuple(copies)))
        return found

    def _vault(self, arn: str) -> Located | None:
        found = self.view.find(arn)
        is_vault = found is not None and found.resource.type == "AWS::Backup::BackupVault"
        return found if is_vault else None

    def _arn(self, service: str, region: str, resource: str) -> str:
        return f"arn:{self.view.partition}:{service}:{region}:{self.view.account}:{resource}"

    def _needs(self, cluster: Located, way: _Copy) -> Iterator[Need | Problem]:
        arn, why = str(cluster.resource.arn), way.why
        # AWS Backup names the snapshots it makes.
        snapshots = {
            region: self._arn("rds", region, "cluster-snapshot:awsbackup:*")
            for region in way.regions
        }
        own = snapshots[way.vault.stack.region]
        for resource in (arn, own):
            yield allow("rds:CreateDBClusterSnapshot", resource, why)
        for action in _READ_CLUSTER:
            yield allow(action, arn, why)
        for snapshot in snapshots.values():
            for action in _MANAGE_SNAPSHOTS:
                yield allow(action, snapshot, why)
        for region in way.regions:
            yield allow("backup:TagResource", self._arn("backup", region, "recovery-point:*"), why)
        for vault in (way.vault, *way.copies):
            yield allow("backup:DescribeBackupVault", str(vault.resource.arn), why)
        yield allow("tag:GetResources", "*", why)  # takes no resource: service authorization
        if way.copies:
            yield from self._copying(way, snapshots)
        yield from self._keys(cluster, way)

    def _copying(self, way: _Copy, snapshots: Mapping[str, str]) -> Iterator[Need]:
        """Derive what copying takes: the snapshot is read in one region and made in the other."""
        targets = sorted(str(vault.resource.arn) for vault in way.copies)
        to_them = condition(
            ("ForAllValues:StringEquals", "backup:CopyTargets", targets),
            ("Null", "backup:CopyTargets", ["false"]),  # all of none would be any
        )
        own = snapshots[way.vault.stack.region]
        yield allow("backup:CopyFromBackupVault", own, way.why, to_them)
        for target in targets:
            yield allow("backup:CopyIntoBackupVault", target, way.why)
        for snapshot in snapshots.values():
            yield allow("rds:CopyDBClusterSnapshot", snapshot, way.why)

    def _keys(self, cluster: Located, way: _Copy) -> Iterator[Need | Problem]:
        """Derive the use of keys: of the cluster's, and of the vaults that copies go to.

        A snapshot has the key of its cluster, a copy that of its vault; RDS uses both in the name
        of the role, in either region.
        https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html
        """
        services = [f"rds.{region}.amazonaws.com" for region in way.regions]
        through = ("StringEquals", VIA_SERVICE, services)
        stated = [(cluster, "KmsKeyId"), *((vault, "EncryptionKeyArn") for vault in way.copies)]
        for located, name in stated:
            given = located.resource.properties.get(name)
            if given is None and located is cluster and not _is_encrypted(cluster):
                continue
            key = find_key(self.view, located.stack.region, str(given)) if given else None
            if key is None:  # one of AWS's own cannot be used from another region
                what = f"is encrypted with {given or 'a key of AWS'}, which is not in this system"
                yield self._problem(located, f"/Properties/{name}", what)
                continue
            for action in _USE_KEY:
                yield allow(action, str(key.resource.arn), way.why, condition(through))
            held = condition(GRANT_FOR_AWS, through)
            yield allow("kms:CreateGrant", str(key.resource.arn), way.why, held)


def _is_encrypted(cluster: Located) -> bool:
    return cluster.resource.properties.get("StorageEncrypted") in (True, "true")
