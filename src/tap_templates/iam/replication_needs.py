"""What S3 does with the role by which it copies objects to a bucket of another region.

Needs are those of S3's own example, less deletions where they are not copied, and no more of the
keys than replication was seen to take: `kms:Decrypt` to read, `kms:Encrypt` to write.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_templates.iam.needs import (
    Condition,
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

_CONFIGURATION = "/Properties/ReplicationConfiguration"
_READ_BUCKET = ("s3:GetReplicationConfiguration", "s3:ListBucket")
_READ_OBJECTS = (
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionForReplication",
    "s3:GetObjectVersionTagging",
)
_WRITE_COPIES = ("s3:ReplicateObject", "s3:ReplicateTags")
_CONTEXT = "kms:EncryptionContext:aws:s3:arn"
# What asks for no more than the above, and what is derived; the rest of a rule is refused.
_JUDGED_OF_RULE = frozenset(
    {
        "DeleteMarkerReplication",
        "Destination",
        "Filter",
        "Id",
        "Priority",
        "SourceSelectionCriteria",
        "Status",
    }
)
_JUDGED_OF_DESTINATION = frozenset(
    {"Bucket", "EncryptionConfiguration", "Metrics", "ReplicationTime", "StorageClass"}
)


def replication_uses(view: SystemView, bucket: Located) -> Iterator[UseOfRole]:
    """Judge the replication of a bucket, if it has any."""
    configuration = bucket.resource.properties.get("ReplicationConfiguration")
    if configuration is None:
        return
    needs: list[Need] = []
    for index, rule in enumerate(configuration.get("Rules", [])):
        for found in _Rule(view, bucket, rule, f"{_CONFIGURATION}/Rules/{index}").collect():
            if isinstance(found, Problem):
                yield found
            else:
                needs.append(found)
    # Whether S3 sends the bucket as aws:SourceArn is not documented.
    yield RoleUse(
        role_arn=str(configuration.get("Role")),
        user=bucket,
        path=f"{_CONFIGURATION}/Role",
        principal="s3.amazonaws.com",
        needs=tuple(needs),
    )


class _Rule:
    """One rule of the replication of one bucket."""

    def __init__(
        self, view: SystemView, bucket: Located, rule: Mapping[str, Any], path: str
    ) -> None:
        self.view = view
        self.bucket = bucket
        self.rule = rule
        self.path = path
        self.why = f"{bucket.place} {path}"
        self.destination: Mapping[str, Any] = rule.get("Destination", {})

    def collect(self) -> Iterator[Need | Problem]:
        yield from self._unread()
        if self.rule.get("Status") != "Enabled":
            return
        target = self.view.find(str(self.destination.get("Bucket")))
        if target is None or target.resource.type != "AWS::S3::Bucket":
            what = f"copies to {self.destination.get('Bucket')}, which is not in this system"
            yield self._problem("/Destination/Bucket", what)
            return
        objects, copies = self._objects(self.bucket), self._objects(target)
        for action in _READ_BUCKET:
            yield allow(action, str(self.bucket.resource.arn), self.why)
        for action in _READ_OBJECTS:
            yield allow(action, objects, self.why)
        deletes = self.rule.get("DeleteMarkerReplication", {}).get("Status") == "Enabled"
        for action in (*_WRITE_COPIES, *(("s3:ReplicateDelete",) if deletes else ())):
            yield allow(action, copies, self.why)
        yield from self._keys(target)

    def _problem(self, path: str, what: str) -> Problem:
        return not_written_down(self.bucket, f"{self.path}{path}", what, "iam/replication_needs.py")

    def _unread(self) -> Iterator[Problem]:
        for name in sorted(self.rule.keys() - _JUDGED_OF_RULE):
            yield self._problem(f"/{name}", f"sets {name}")
        for name in sorted(self.destination.keys() - _JUDGED_OF_DESTINATION):
            yield self._problem(f"/Destination/{name}", f"sets {name}")
        if "Filter" not in self.rule:  # the older form, in which deletions are copied, too
            yield self._problem("/Filter", "has no filter")
        criteria = self.rule.get("SourceSelectionCriteria", {})
        if "ReplicaModifications" in criteria:
            path = "/SourceSelectionCriteria/ReplicaModifications"
            yield self._problem(path, "copies changes of copies back")

    def _objects(self, bucket: Located) -> str:
        """Name the objects that the rule is about: all, or those that begin alike."""
        chosen = self.rule.get("Filter", {})
        prefix = chosen.get("Prefix") or chosen.get("And", {}).get("Prefix") or ""
        return f"{bucket.resource.arn}/{prefix}*"

    def _keys(self, target: Located) -> Iterator[Need | Problem]:
        """Derive what encryption with keys takes: reading with one, writing with the other."""
        criteria = self.rule.get("SourceSelectionCriteria", {})
        reads = criteria.get("SseKmsEncryptedObjects", {}).get("Status") == "Enabled"
        source, _ = _encryption(self.bucket)
        written = self.destination.get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID")
        if (source is not None) is not reads or (written is not None) is not reads:
            what = "copies what is encrypted with a key, without naming both keys"
            yield self._problem("/SourceSelectionCriteria", what)
            return
        if not reads:
            return
        yield from self._key(self.bucket, str(source), ("kms:Decrypt",))
        # With a key for the bucket, its data key is read to be used again.
        has_bucket_key = _encryption(target)[1]
        actions = ("kms:Decrypt", "kms:Encrypt") if has_bucket_key else ("kms:Encrypt",)
        yield from self._key(target, str(written), actions)

    def _key(
        self, bucket: Located, stated: str, actions: tuple[str, ...]
    ) -> Iterator[Need | Problem]:
        key = find_key(self.view, bucket.stack.region, stated)
        if key is None:
            yield self._problem("", f"uses the key {stated}, which is not in this system")
            return
        for action in actions:
            yield allow(action, str(key.resource.arn), self.why, self._through(bucket))

    def _through(self, bucket: Located) -> Condition:
        """Hold a key to S3, and to the bucket: its ARN is the context if it has a key of its own.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
        """
        service = f"s3.{bucket.stack.region}.amazonaws.com"
        arn = str(bucket.resource.arn)
        is_whole = _encryption(bucket)[1]
        operator = "StringEquals" if is_whole else "StringLike"
        return condition(
            ("StringEquals", VIA_SERVICE, [service]),
            (operator, _CONTEXT, [arn if is_whole else self._objects(bucket)]),
        )


def _encryption(bucket: Located) -> tuple[str | None, bool]:
    """Read the key that a bucket encrypts with, if it is one of KMS, and if it has a bucket key."""
    settings = bucket.resource.properties.get("BucketEncryption", {})
    for rule in settings.get("ServerSideEncryptionConfiguration", []):
        stated = rule.get("ServerSideEncryptionByDefault", {})
        if stated.get("SSEAlgorithm", "AES256") != "AES256":
            has_bucket_key = rule.get("BucketKeyEnabled") in (True, "true")
            return str(stated.get("KMSMasterKeyID")), has_bucket_key
    return None, False
