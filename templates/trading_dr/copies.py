"""What the other region copies into, so it is there before either: configuration and audit."""

from datetime import timedelta

from troposphere import GetAtt, Ref

from tap_templates.blocks.bucket import private_bucket
from tap_templates.blocks.stack import StackTemplate
from templates.trading_dr.shared import AUDIT_COPIES, CONFIG_COPIES

OLD_VERSIONS = timedelta(days=90)
RARELY_READ = timedelta(days=30)


def build() -> StackTemplate:
    """The two buckets of copies."""
    stack = StackTemplate("trading-dr: copies of the other region's configuration and audit")
    for title, reference, what in (
        ("ConfigCopies", CONFIG_COPIES, "configuration"),
        ("AuditCopies", AUDIT_COPIES, "audit records"),
    ):
        made = private_bucket(
            title, reference, old_versions_kept=OLD_VERSIONS, rarely_read_after=RARELY_READ
        )
        stack.add(*made)
        stack.output(f"{title}BucketName", f"Copies of the other region's {what}", Ref(made.bucket))
        stack.output(f"{title}BucketArn", "ARN of that bucket", GetAtt(made.bucket, "Arn"))
    return stack
