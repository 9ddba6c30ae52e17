"""AWS::S3::Bucket: the engine's, with the lifecycle and the replication that it loses."""

from typing import Any

from tap_engine import loopback
from tap_engine.providers.provider import (
    Made,
    Properties,
    Provider,
    engines_own,
    if_there,
    shaped,
    without,
)

_bucket = engines_own("AWS::S3::Bucket")
_RULE = {"Id": "ID", "Status": "Status", "Prefix": "Prefix"}


def _create(logical_id: str, properties: Properties, stack: str) -> Made:
    _check(properties)
    name, attributes = _bucket.create(logical_id, _engines(properties), stack)
    try:
        _lifecycle(name, properties, {})
        _replication(name, properties, {})
    except BaseException:
        _delete(name, properties)
        raise
    return name, attributes


def _update(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
    _check(new)
    name, attributes = _bucket.update(physical_id, _engines(old), _engines(new), stack, lid)
    _lifecycle(name, new, old)
    _replication(name, new, old)
    return name, attributes


def _delete(physical_id: str, properties: Properties) -> None:
    with if_there():  # a bucket of the same name must not find it
        loopback.client("s3").delete_bucket_replication(Bucket=physical_id)
    _bucket.delete(physical_id, properties)


def _check(properties: Properties) -> None:
    for rule in (properties.get("LifecycleConfiguration") or {}).get("Rules", []):
        _rule(rule)


def _engines(properties: Properties) -> dict[str, Any]:
    return without(properties, "LifecycleConfiguration", "ReplicationConfiguration")


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
        elif key == "Transitions":
            said[key] = [
                {"Days": each["TransitionInDays"], "StorageClass": each["StorageClass"]}
                for each in value
            ]
        elif key in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
            said[key] = dict(value)
        else:
            raise ValueError(f"AWS::S3::Bucket: the local engine does not simulate {key} of a rule")
    return said


def _replication(name: str, properties: Properties, old: Properties) -> None:
    wanted = properties.get("ReplicationConfiguration")
    if wanted == old.get("ReplicationConfiguration"):
        return
    s3 = loopback.client("s3")
    if not wanted:
        s3.delete_bucket_replication(Bucket=name)
        return
    rules = [_copy_rule(each) for each in wanted["Rules"]]
    for rule in rules:  # the API of the engine does not look
        destination = rule["Destination"]["Bucket"].rpartition(":")[2]
        try:
            s3.head_bucket(Bucket=destination)
        except s3.exceptions.ClientError as error:
            raise ValueError(f"Destination bucket must exist: {destination}") from error
    configuration = {"Role": wanted["Role"], "Rules": rules}
    request = {"Bucket": name, "ReplicationConfiguration": configuration}
    s3.put_bucket_replication(**shaped(s3, "put_bucket_replication", request))


def _copy_rule(rule: Properties) -> dict[str, Any]:
    """Say a rule of replication in the words of S3's API, which calls a few things otherwise."""
    said = without(rule, "Id", "Filter") | ({"ID": rule["Id"]} if "Id" in rule else {})
    if "Filter" in rule:
        chosen = dict(rule["Filter"])
        if "TagFilter" in chosen:
            chosen["Tag"] = chosen.pop("TagFilter")
        if "And" in chosen:
            both = without(chosen["And"], "TagFilters")
            chosen["And"] = both | {"Tags": chosen["And"].get("TagFilters", [])}
        said["Filter"] = chosen
    return said


PROVIDERS = (Provider(type="AWS::S3::Bucket", create=_create, update=_update, delete=_delete),)
