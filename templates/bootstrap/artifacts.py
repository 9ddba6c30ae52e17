"""The bucket of a region that packages and templates are put into, by their digest."""

from datetime import timedelta

from troposphere import GetAtt, Ref

from tap_templates.blocks.bucket import Bucket, private_bucket
from tap_templates.blocks.stack import StackTemplate
from tap_templates.model.names import ARTIFACTS

ARTIFACT_BUCKET = Bucket(ARTIFACTS, once_per_account=True)
OLD_VERSIONS = timedelta(days=30)


def build() -> StackTemplate:
    """The bucket; Lambda takes code only from one in its own region."""
    stack = StackTemplate("bootstrap: the artifact bucket of this region")
    made = private_bucket("Artifacts", ARTIFACT_BUCKET, old_versions_kept=OLD_VERSIONS)
    stack.add(*made)
    stack.output("ArtifactBucketName", "Where packages and templates lie", Ref(made.bucket))
    stack.output("ArtifactBucketArn", "ARN of that bucket", GetAtt(made.bucket, "Arn"))
    return stack
