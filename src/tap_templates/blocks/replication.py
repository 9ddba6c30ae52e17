"""Block: a bucket whose objects are copied to a bucket of the other region, as they are written.

One way: what one region writes lies in its own bucket, and as a copy in the other region's bucket
for copies. Two such pairs are both directions, without a loop, and each side's bucket for copies
can be made before what writes into it.

Encrypted by S3 (SSE-S3) on both sides, as all our buckets: a key of ours would be one more thing
that must exist, and not be deleted, in both regions before a copy can be read.

Deletions are not copied: whoever deletes in one region, by mistake or on purpose, leaves the copy.
The role therefore cannot write delete markers (s3:ReplicateDelete) either.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from awacs import s3 as actions
from troposphere import AWSObject, GetAtt, cloudwatch, iam, s3

from tap_templates.blocks.alarm import Metric, alarm
from tap_templates.blocks.bucket import Bucket, PrivateBucket, private_bucket
from tap_templates.blocks.network_parts import flat
from tap_templates.blocks.policy import allow, document, trust_service
from tap_templates.blocks.text import Text, sub
from tap_templates.blocks.topic import Topic
from tap_templates.model.names import OWN_REGION, Kind, Name

RULE = "everything-to-the-other-region"
IN_TIME = timedelta(minutes=15)  # the only value that S3 Replication Time Control takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """Where copies go: the bucket of that purpose in that region."""

    bucket: Bucket
    region: str  # `names.PRIMARY_REGION` or `names.SECONDARY_REGION`: the other one

    @property
    def arn(self) -> Text:
        return self.bucket.arn_in(self.region)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicatedBucket:
    """A bucket, the role that copies, and its alarms; iterates over its resources."""

    made: PrivateBucket
    role: iam.Role
    alarms: tuple[cloudwatch.Alarm, ...]

    def __iter__(self) -> Iterator[AWSObject]:
        yield from flat(self.made, self.role, self.alarms)

    @property
    def bucket(self) -> s3.Bucket:
        return self.made.bucket


def replicated_bucket(
    title: str,
    reference: Bucket,
    *,
    to: Copies,
    old_versions_kept: timedelta,
    rarely_read_after: timedelta | None = None,
    tell: Topic,
) -> ReplicatedBucket:
    """Declare a bucket that copies every object to `to`, which must exist and keep versions.

    Replication is timed (within 15 minutes by S3's promise) and measured: without metrics nobody
    would hear of an object that could not be copied. Only what is written from now on is copied.
    """
    made = private_bucket(
        title,
        reference,
        old_versions_kept=old_versions_kept,
        rarely_read_after=rarely_read_after,
    )
    role = _role(title, reference, to)
    enabled, minutes = "Enabled", int(IN_TIME.total_seconds() // 60)
    made.bucket.ReplicationConfiguration = s3.ReplicationConfiguration(
        Role=GetAtt(role, "Arn"),
        Rules=[
            s3.ReplicationConfigurationRules(
                Id=RULE,
                Status=enabled,
                Priority=1,
                Filter=s3.ReplicationRuleFilter(Prefix=""),  # everything
                DeleteMarkerReplication=s3.DeleteMarkerReplication(Status="Disabled"),
                Destination=s3.ReplicationConfigurationRulesDestination(
                    Bucket=to.arn,
                    Metrics=s3.Metrics(
                        Status=enabled, EventThreshold=s3.ReplicationTimeValue(Minutes=minutes)
                    ),
                    ReplicationTime=s3.ReplicationTime(
                        Status=enabled, Time=s3.ReplicationTimeValue(Minutes=minutes)
                    ),
                ),
            )
        ],
    )
    return ReplicatedBucket(made=made, role=role, alarms=_alarms(title, reference, to, tell))


def _role(title: str, reference: Bucket, to: Copies) -> iam.Role:
    own = reference.arn_in(OWN_REGION)
    objects = sub(f"arn:${{AWS::Partition}}:s3:::{reference.name}/*")
    copies = sub(f"arn:${{AWS::Partition}}:s3:::{to.bucket.name_in(to.region)}/*")
    return iam.Role(
        f"{title}ReplicationRole",
        RoleName=sub(Name(Kind.ROLE, f"{reference.purpose}-replication").text()),
        AssumeRolePolicyDocument=trust_service("s3.amazonaws.com"),
        Policies=[
            iam.Policy(
                PolicyName="grants",
                PolicyDocument=document(
                    allow(
                        "ReadConfiguration",
                        [actions.GetReplicationConfiguration, actions.ListBucket],
                        [own],
                    ),
                    allow(
                        "ReadVersions",
                        [
                            actions.GetObjectVersionAcl,
                            actions.GetObjectVersionForReplication,
                            actions.GetObjectVersionTagging,
                        ],
                        [objects],
                    ),
                    allow(
                        "WriteCopies", [actions.ReplicateObject, actions.ReplicateTags], [copies]
                    ),
                ),
            )
        ],
    )


def _alarms(title: str, reference: Bucket, to: Copies, tell: Topic) -> tuple[cloudwatch.Alarm, ...]:
    def measured(name: str, statistic: str) -> Metric:
        return Metric(
            namespace="AWS/S3",
            name=name,
            statistic=statistic,
            dimensions={
                "DestinationBucket": sub(to.bucket.name_in(to.region)),
                "RuleId": RULE,
                "SourceBucket": sub(reference.name),
            },
        )

    failed = alarm(
        f"{title}NotCopied",
        f"{reference.purpose}-not-copied",
        measured("OperationsFailedReplication", "Sum"),
        above=0,
        tell=tell,
        means="An object could not be copied to the other region, and will not be tried again: "
        "see the runbook, Replication.",
    )
    late = alarm(
        f"{title}CopiedLate",
        f"{reference.purpose}-copied-late",
        measured("ReplicationLatency", "Maximum"),
        above=IN_TIME.total_seconds(),
        periods=3,
        tell=tell,
        means="Copies reach the other region later than after 15 minutes.",
    )
    return failed, late
