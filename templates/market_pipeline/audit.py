"""The audit bucket of a region: one object for each event that was recorded there."""

from datetime import timedelta

from troposphere import GetAtt, Ref

from tap_templates.blocks.bucket import private_bucket
from tap_templates.blocks.stack import StackTemplate
from templates.market_pipeline.shared import AUDIT

OLD_VERSIONS = timedelta(days=365)  # what someone replaced or deleted stays to be seen


def build() -> StackTemplate:
    """The bucket, private, versioned and encrypted."""
    stack = StackTemplate("market-pipeline: the audit bucket of this region")
    made = private_bucket("Audit", AUDIT, old_versions_kept=OLD_VERSIONS)
    stack.add(*made)
    stack.output("AuditBucketName", "Where audit records lie", Ref(made.bucket))
    stack.output("AuditBucketArn", "ARN of that bucket", GetAtt(made.bucket, "Arn"))
    return stack
