"""What the other region writes into, so it is there before either: backup vault and copies."""

from datetime import timedelta

from troposphere import GetAtt, Ref

from tap_templates.blocks.backup import backup_vault
from tap_templates.blocks.bucket import private_bucket
from tap_templates.blocks.stack import StackTemplate
from templates.payments_dr.shared import COPIES, VAULT

OLD_VERSIONS = timedelta(days=30)


def build() -> StackTemplate:
    """The vault with its key, and the bucket of copies."""
    stack = StackTemplate("payments-dr: what the other region backs up and copies into")
    vault = backup_vault(stack, "Payments", VAULT)
    copies = private_bucket("Copies", COPIES, old_versions_kept=OLD_VERSIONS)
    stack.add(*vault, *copies)
    stack.output("VaultName", "Vault of this region", Ref(vault.vault))
    stack.output("VaultKeyArn", "Key of the vault", vault.key_arn)
    stack.output("CopiesBucketName", "Copies of the other region's documents", Ref(copies.bucket))
    stack.output("CopiesBucketArn", "ARN of that bucket", GetAtt(copies.bucket, "Arn"))
    return stack
