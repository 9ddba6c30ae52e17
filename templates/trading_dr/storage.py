"""The buckets of a region, each copied to the other one: configuration, and audit records.

Two copies in opposite directions, never one bucket written from both sides: whose version is the
valid one is then never a question of whose clock was ahead.
"""

from datetime import timedelta

from troposphere import GetAtt, Ref

from tap_templates.blocks.replication import Copies, replicated_bucket
from tap_templates.blocks.stack import StackTemplate
from tap_templates.model.names import PRIMARY_REGION, SECONDARY_REGION
from templates.trading_dr.shared import ALARMS, AUDIT, AUDIT_COPIES, CONFIG, CONFIG_COPIES

OLD_CONFIGURATION = timedelta(days=90)
OLD_AUDIT = timedelta(days=365)
RARELY_READ = timedelta(days=90)  # of audit records


def primary() -> StackTemplate:
    """The buckets of the primary region, copied to the secondary."""
    return _build(SECONDARY_REGION, "primary")


def secondary() -> StackTemplate:
    """The buckets of the secondary region, copied to the primary."""
    return _build(PRIMARY_REGION, "secondary")


def _build(other: str, role: str) -> StackTemplate:
    stack = StackTemplate(f"trading-dr: configuration and audit of the {role} region")
    for title, reference, copies, kept, rarely_read, what in (
        ("Config", CONFIG, CONFIG_COPIES, OLD_CONFIGURATION, None, "Configuration"),
        ("Audit", AUDIT, AUDIT_COPIES, OLD_AUDIT, RARELY_READ, "Audit records"),
    ):
        made = replicated_bucket(
            title,
            reference,
            to=Copies(bucket=copies, region=other),
            old_versions_kept=kept,
            rarely_read_after=rarely_read,
            tell=ALARMS,
        )
        stack.add(*made)
        stack.output(f"{title}BucketName", f"{what} of this region", Ref(made.bucket))
        stack.output(f"{title}BucketArn", "ARN of that bucket", GetAtt(made.bucket, "Arn"))
    return stack
