"""Block: a customer managed key for what a service encrypts on our behalf.

Where an AWS managed key would do, none is made; CloudWatch alarms cannot publish through
`alias/aws/sns`, and log groups take only customer managed keys.
"""

from typing import NamedTuple

from awacs import aws
from awacs import kms as actions
from troposphere import GetAtt, If, Ref, kms

from tap_templates.blocks.network_ranges import IN_PRIMARY
from tap_templates.blocks.policy import (
    ANYTHING,
    ONLY_FROM_OWN_ACCOUNT,
    allow,
    allow_own_account,
    allow_service,
    document,
)
from tap_templates.blocks.text import Text, arn_text, sub
from tap_templates.model.names import OWN_REGION, PRIMARY_REGION, SECONDARY_REGION, Kind, Name

# What administering a key takes, and no `kms:*`: data operations are for the statements below.
# PutKeyPolicy stays, or a mistake in the policy could never be corrected.
_ADMINISTER = [
    actions.CancelKeyDeletion,
    actions.CreateAlias,
    actions.DeleteAlias,
    actions.DescribeKey,
    actions.DisableKey,
    actions.DisableKeyRotation,
    actions.EnableKey,
    actions.EnableKeyRotation,
    actions.GetKeyPolicy,
    actions.GetKeyRotationStatus,
    actions.ListResourceTags,
    actions.PutKeyPolicy,
    actions.ScheduleKeyDeletion,
    actions.TagResource,
    actions.UntagResource,
    actions.UpdateAlias,
    actions.UpdateKeyDescription,
]
_THROUGH = [actions.Decrypt, actions.GenerateDataKey]


class ServiceKey(NamedTuple):
    key: kms.Key
    alias: kms.Alias

    @property
    def arn(self) -> Text:
        return GetAtt(self.key, "Arn")


def use_by_alarms() -> aws.Statement:
    """Let CloudWatch alarms of this account publish to a topic encrypted with the key."""
    return allow_service(
        "UseByAlarms",
        "cloudwatch.amazonaws.com",
        [actions.Decrypt, actions.GenerateDataKey],
        [ANYTHING],
        aws.StringEquals(ONLY_FROM_OWN_ACCOUNT),
    )


def use_by_publishers() -> aws.Statement:
    """Let roles of this account publish to a topic encrypted with the key, if IAM allows them."""
    return allow_own_account("UseByPublishers", _THROUGH, _only_through("sns"))


def use_through(sid: str, service: str, key_arn: Text) -> aws.Statement:
    """Grant a role what sending to something encrypted with the key takes, through `service` only.

    The service asks for a data key in the sender's name
    (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html).
    """
    return allow(sid, _THROUGH, [key_arn], _only_through(service))


def _only_through(service: str) -> aws.ConditionElement:
    return aws.StringEquals({"kms:ViaService": sub(f"{service}.{OWN_REGION}.amazonaws.com")})


def use_by_databases() -> tuple[aws.Statement, aws.Statement]:
    """Let RDS encrypt with the key for roles of this account, if IAM allows them: clusters, copies.

    RDS works with grants that it makes in the caller's name. A snapshot is copied to the other
    region by RDS there, which is why both regions stand here; the stack needs the condition
    `in_primary`
    (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Overview.Encryption.Keys.html).
    """
    return _use_by("Databases", _databases())


def use_by_vaults() -> tuple[aws.Statement, aws.Statement]:
    """Let AWS Backup, and RDS for it, encrypt what is in a vault for roles that IAM allows it.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html
    """
    return _use_by("Vaults", [sub(f"backup.{OWN_REGION}.amazonaws.com"), *_databases()])


def _databases() -> list[Text]:
    """Name RDS of both regions, one's own first."""
    own, primary, secondary = (
        sub(f"rds.{region}.amazonaws.com")
        for region in (OWN_REGION, PRIMARY_REGION, SECONDARY_REGION)
    )
    return [own, If(IN_PRIMARY, secondary, primary)]


def _use_by(whom: str, services: list[Text]) -> tuple[aws.Statement, aws.Statement]:
    """Leave the key to the account's policies through these services; grants to AWS only."""
    through = aws.StringEquals({"kms:ViaService": services})
    for_aws = aws.Bool({"kms:GrantIsForAWSResource": "true"})
    return (
        allow_own_account(f"UseBy{whom}", _THROUGH, through),
        allow_own_account(f"GrantBy{whom}", [actions.CreateGrant], for_aws, through),
    )


def use_by_log_groups(*names: str) -> aws.Statement:
    """Let CloudWatch Logs encrypt these log groups, told by their encryption context.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    arns = [sub(arn_text("logs", f"log-group:{name}")) for name in names]
    return allow_service(
        "UseByLogGroup" if len(arns) == 1 else "UseByLogGroups",
        sub(f"logs.{OWN_REGION}.amazonaws.com"),
        [
            actions.Decrypt,
            actions.DescribeKey,
            actions.Encrypt,
            actions.GenerateDataKey,
            actions.ReEncryptFrom,
            actions.ReEncryptTo,
        ],
        [ANYTHING],
        aws.ArnEquals("kms:EncryptionContext:aws:logs:arn", arns[0] if len(arns) == 1 else arns),
    )


def service_key(title: str, purpose: str, description: str, *uses: aws.Statement) -> ServiceKey:
    """Declare a key that rotates yearly and may be used as `uses` say, by nobody else."""
    key = kms.Key(
        f"{title}Key",
        Description=description,
        EnableKeyRotation=True,
        KeyPolicy=document(allow_own_account("Administer", _ADMINISTER), *uses),
        PendingWindowInDays=7,
    )
    name = Name(Kind.KEY, purpose).text()
    alias = kms.Alias(f"{title}KeyAlias", AliasName=sub(f"alias/{name}"), TargetKeyId=Ref(key))
    return ServiceKey(key, alias)
