"""Block: a bucket that is private, encrypted, versioned, and speaks TLS only."""

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from awacs import aws
from awacs import s3 as actions
from troposphere import GetAtt, Ref, Sub, s3

from tap_templates.blocks.policy import allow, deny_plain_text, document
from tap_templates.blocks.text import Text, sub
from tap_templates.errors import ModelError
from tap_templates.model.names import Kind, Name

ABANDONED_UPLOADS = timedelta(days=7)
SOONEST_SET_ASIDE = timedelta(days=30)  # S3 takes nothing into this class sooner


@dataclass(frozen=True, slots=True)
class Bucket:
    """The typed reference to the bucket of a region, in whatever stack it is made."""

    purpose: str
    once_per_account: bool = False

    @property
    def name(self) -> str:
        return Name(Kind.BUCKET, self.purpose, self.once_per_account).text()

    def name_in(self, region: str) -> str:
        """Spell the name of the bucket of another region, such as `names.SECONDARY_REGION`."""
        return Name(Kind.BUCKET, self.purpose, self.once_per_account).text(region)

    def arn_in(self, region: str) -> Text:
        return sub(f"arn:${{AWS::Partition}}:s3:::{self.name_in(region)}")

    def objects(self, prefix: str) -> Text:
        """Name the objects under `prefix`, which ends with a slash: a policy on all is refused."""
        if not prefix.endswith("/") or prefix.startswith("/") or "*" in prefix:
            raise ModelError(
                f"bucket {self.purpose!r}",
                f"is granted by the prefix {prefix!r}",
                "name a folder, such as `events/`",
            )
        return sub(f"arn:${{AWS::Partition}}:s3:::{self.name}/{prefix}*")

    def put_objects(self, prefix: str) -> aws.Statement:
        """Grant writing objects under `prefix`; no reading, no deleting."""
        return allow("PutObjects", [actions.PutObject], [self.objects(prefix)])

    def get_objects(self, prefix: str) -> aws.Statement:
        """Grant reading objects under `prefix`; not listing what there is."""
        return allow("GetObjects", [actions.GetObject], [self.objects(prefix)])


class PrivateBucket(NamedTuple):
    bucket: s3.Bucket
    policy: s3.BucketPolicy


def private_bucket(
    title: str,
    reference: Bucket,
    *,
    old_versions_kept: timedelta,
    rarely_read_after: timedelta | None = None,
) -> PrivateBucket:
    """Declare a bucket; a version that was replaced or deleted is kept for `old_versions_kept`.

    After `rarely_read_after` an object costs less to keep and more to read; S3 leaves objects
    below 128 KB where they are, which would cost more
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html).
    """
    rules = [_expire(old_versions_kept)]
    if rarely_read_after is not None:
        rules.append(_set_aside(reference, rarely_read_after))
    body = s3.Bucket(
        f"{title}Bucket",
        BucketName=sub(reference.name),
        BucketEncryption=s3.BucketEncryption(
            ServerSideEncryptionConfiguration=[
                s3.ServerSideEncryptionRule(
                    ServerSideEncryptionByDefault=s3.ServerSideEncryptionByDefault(
                        SSEAlgorithm="AES256"
                    )
                )
            ]
        ),
        LifecycleConfiguration=s3.LifecycleConfiguration(Rules=rules),
        OwnershipControls=s3.OwnershipControls(
            Rules=[s3.OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")]
        ),
        PublicAccessBlockConfiguration=s3.PublicAccessBlockConfiguration(
            BlockPublicAcls=True,
            BlockPublicPolicy=True,
            IgnorePublicAcls=True,
            RestrictPublicBuckets=True,
        ),
        VersioningConfiguration=s3.VersioningConfiguration(Status="Enabled"),
    )
    everything = [GetAtt(body, "Arn"), Sub(f"${{{body.title}.Arn}}/*")]
    policy = s3.BucketPolicy(
        f"{title}BucketPolicy",
        Bucket=Ref(body),
        PolicyDocument=document(deny_plain_text([aws.Action("s3", "*")], everything)),
    )
    return PrivateBucket(body, policy)


def _expire(old_versions_kept: timedelta) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        Id="expire-old-versions",
        Status="Enabled",
        AbortIncompleteMultipartUpload=s3.AbortIncompleteMultipartUpload(
            DaysAfterInitiation=ABANDONED_UPLOADS.days
        ),
        NoncurrentVersionExpiration=s3.NoncurrentVersionExpiration(
            NoncurrentDays=old_versions_kept.days
        ),
    )


def _set_aside(reference: Bucket, after: timedelta) -> s3.LifecycleRule:
    if after < SOONEST_SET_ASIDE:
        raise ModelError(
            f"bucket {reference.purpose!r}",
            f"sets objects aside after {after.days} days",
            f"wait {SOONEST_SET_ASIDE.days} days",
        )
    return s3.LifecycleRule(
        Id="set-aside",
        Status="Enabled",
        Transitions=[
            s3.LifecycleRuleTransition(StorageClass="STANDARD_IA", TransitionInDays=after.days)
        ],
    )
