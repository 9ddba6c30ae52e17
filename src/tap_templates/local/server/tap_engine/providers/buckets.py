"""AWS::S3::Bucket: the engine's, with the lifecycle that it loses. Replication is refused here."""

from typing import Any

from tap_engine import loopback
from tap_engine.providers.provider import (
    Made,
    Properties,
    Provider,
    engines_own,
    shaped,
    without,
)

_bucket = engines_own("AWS::S3::Bucket")
_RULE = {"Id": "ID", "Status": "Status", "Prefix": "Prefix"}


def _create(logical_id: str, properties: Properties, stack: str) -> Made:
    _check(properties)
    name, attributes = _bucket.create(logical_id, _engines(properties), stack)
    _lifecycle(name, properties, {})
    return name, attributes


def _update(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
    _check(new)
    name, attributes = _bucket.update(physical_id, _engines(old), _engines(new), stack, lid)
    _lifecycle(name, new, old)
    return name, attributes


def _check(properties: Properties) -> None:
    if "ReplicationConfiguration" in properties:
        raise ValueError("AWS::S3::Bucket: the local engine does not simulate replication yet")
    for rule in (properties.get("LifecycleConfiguration") or {}).get("Rules", []):
        _rule(rule)


def _engines(properties: Properties) -> dict[str, Any]:
    return without(properties, "LifecycleConfiguration")


def _lifecycle(name: str, properties: Properties, old: Properties) -> None:
    wanted = properties.get("LifecycleConfiguration")
    if wanted == old.get("LifecycleConfiguration"):
        return
    s3 = loopback.client("s3")
    if not wanted:
        s3.delete_bucket_lifecycle(Bucket=name)
        return
    rules = [_rule(each) for each in wanted["Rules"]]
    request = {"Bucket": name, "LifecycleConfiguration": {"Rules": rules}}
    s3.put_bucket_lifecycle_configuration(
        **shaped(s3, "put_bucket_lifecycle_configuration", request)
    )


def _rule(rule: Properties) -> dict[str, Any]:
    """Say a rule in the words of S3's API; refuse what we have no words for."""
    said: dict[str, Any] = {"Filter": {"Prefix": rule.get("Prefix", "")}}
    for key, value in rule.items():
        if key in _RULE:
            if key != "Prefix":
                said[_RULE[key]] = value
        elif key == "ExpirationInDays":
            said["Expiration"] = {"Days": value}
        elif key == "NoncurrentVersionExpirationInDays":
            said["NoncurrentVersionExpiration"] = {"NoncurrentDays": value}
        elif key in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
            said[key] = dict(value)
        else:
            raise ValueError(f"AWS::S3::Bucket: the local engine does not simulate {key} of a rule")
    return said


PROVIDERS = (
    Provider(type="AWS::S3::Bucket", create=_create, update=_update, delete=_bucket.delete),
)
