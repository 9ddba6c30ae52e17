"""What who deploys needs of the keys that resources name; who restores needs no less.

A service that encrypts a resource uses its key in the name of who made it, and goes on with a grant
that it makes in that name, too. Nobody here knows those roles, and what they may do is not judged
here; but a key policy that leaves none of this to the account refuses it to all of them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tap_templates.iam.backup_needs import GRANT_FOR_AWS
from tap_templates.iam.needs import Need, Problem, allow, condition
from tap_templates.iam.secrets import keys_of
from tap_templates.iam.service_use import unjudged
from tap_templates.iam.services import VIA_SERVICE, find_key, is_managed_by_aws
from tap_templates.rendered.view import Located, SystemView


class _Use(NamedTuple):
    """How a service uses a key in the name of who deploys, or of who works with what was made."""

    service: str
    actions: tuple[str, ...]
    has_grant: bool  # it goes on with a grant
    everywhere: bool = False  # in all regions of the system, for what is copied between them


# RDS asks for a grant and the key's description; snapshots are copied and restored with data keys,
# by RDS of either region, for AWS Backup and for people: else a backup could be made in vain.
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Overview.Encryption.Keys.html
_BY_SNAPSHOTS = _Use(
    "rds",
    ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"),
    has_grant=True,
    everywhere=True,
)
_BY_INSIGHTS = _Use("rds", ("kms:DescribeKey",), has_grant=True)
# The create handler of the CloudFormation registry schema of AWS::Backup::BackupVault; to retire
# the grant takes nothing of a key policy, as the grant itself names who may.
_BY_VAULT = _Use(
    "backup", ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"), has_grant=True
)
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
_BY_SECRET = _Use("secretsmanager", ("kms:Decrypt", "kms:GenerateDataKey"), has_grant=False)

_USES: Mapping[str, Mapping[str, tuple[_Use, ...]]] = {
    "AWS::Backup::BackupVault": {"EncryptionKeyArn": (_BY_VAULT, _BY_SNAPSHOTS)},
    "AWS::RDS::DBCluster": {
        "KmsKeyId": (_BY_SNAPSHOTS,),
        "PerformanceInsightsKmsKeyId": (_BY_INSIGHTS,),
    },
    "AWS::RDS::DBInstance": {
        "KmsKeyId": (_BY_SNAPSHOTS,),
        "PerformanceInsightsKMSKeyId": (_BY_INSIGHTS,),
    },
}


def derives_key(kind: str, path: str) -> bool:
    """Tell whether the use of a key that a property names is derived, here or at who uses it."""
    if kind == "AWS::SecretsManager::Secret":
        return path.endswith("/KmsKeyId")
    if kind == "AWS::S3::Bucket":  # S3 uses them in the name of who reads and writes, if not here
        return path.endswith(("/KMSMasterKeyID", "/ReplicaKmsKeyID"))
    return path.removeprefix("/Properties/") in _USES.get(kind, {})


class _Stated(NamedTuple):
    """A property that names a key."""

    located: Located
    region: str  # of the key
    path: str
    value: object


def key_needs(view: SystemView) -> Iterator[Need | Problem]:
    """List what who deploys needs of the keys of the system."""
    for located in view.resources(*_USES):
        for name, uses in _USES[located.resource.type].items():
            value = located.resource.properties.get(name)
            stated = _Stated(located, located.stack.region, f"/Properties/{name}", value)
            yield from _of(view, stated, uses)
    for secret in view.resources("AWS::SecretsManager::Secret"):
        for region, (path, value) in keys_of(secret).items():
            yield from _of(view, _Stated(secret, region, path, value), (_BY_SECRET,))


def _of(view: SystemView, stated: _Stated, uses: Iterable[_Use]) -> Iterator[Need | Problem]:
    located, region, path, value = stated
    if value is None or is_managed_by_aws(str(value)):
        return
    key = find_key(view, region, str(value))
    if key is None:
        yield unjudged(located, path, f"is encrypted with {value}, no key of this system")
        return
    arn, why = str(key.resource.arn), f"who deploys {located.place} {path}"
    for use in uses:
        regions = view.regions() if use.everywhere else (region,)
        services = [f"{use.service}.{each}.amazonaws.com" for each in regions]
        through = ("StringEquals", VIA_SERVICE, services)
        for action in use.actions:
            yield allow(action, arn, why, condition(through))
        if use.has_grant:
            yield allow("kms:CreateGrant", arn, why, condition(through, GRANT_FOR_AWS))
