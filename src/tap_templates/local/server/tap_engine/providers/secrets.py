"""AWS::SecretsManager::Secret, through the service's API: generated values, and replicas.

The engine's own gives the name where AWS gives the ARN, and generates no value as it is asked to.
"""

import json

from tap_engine import loopback
from tap_engine.providers.provider import (
    Made,
    Properties,
    Provider,
    if_there,
    name_of,
    refuse_change,
    shaped,
    tags_changed,
)

_TYPE = "AWS::SecretsManager::Secret"
_FOR_THE_VALUE = ("GenerateStringKey", "SecretStringTemplate")


def _create(logical_id: str, properties: Properties, stack: str) -> Made:
    client = loopback.client("secretsmanager")
    request = {key: properties[key] for key in ("Description", "KmsKeyId", "Tags")
               if key in properties}  # fmt: skip
    request |= {
        "Name": name_of(properties, "Name", stack, logical_id),
        "SecretString": _value(properties),
    }
    arn: str = client.create_secret(**shaped(client, "create_secret", request))["ARN"]
    try:
        _replicate(arn, properties, {})
    except BaseException:
        _delete(arn, properties)
        raise
    return arn, {"Id": arn}


def _value(properties: Properties) -> str:
    """Give the value that the template says, or generate it as the template wants it."""
    wanted = properties.get("GenerateSecretString")
    if wanted is None:
        return str(properties.get("SecretString", ""))
    client = loopback.client("secretsmanager")
    request = {key: value for key, value in wanted.items() if key not in _FOR_THE_VALUE}
    made: str = client.get_random_password(**shaped(client, "get_random_password", request))[
        "RandomPassword"
    ]
    if "SecretStringTemplate" not in wanted:
        return made
    around = json.loads(wanted["SecretStringTemplate"])
    return json.dumps(around | {wanted["GenerateStringKey"]: made})


def _update(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
    if old.get("Name") != new.get("Name"):
        return _create(lid, new, stack)
    in_place = ("Description", "GenerateSecretString", "KmsKeyId", "ReplicaRegions", "SecretString")
    refuse_change(_TYPE, old, new, *in_place, "Tags")
    client = loopback.client("secretsmanager")
    request = {key: new.get(key, "") for key in ("Description", "KmsKeyId")
               if old.get(key) != new.get(key)}  # fmt: skip
    if any(old.get(key) != new.get(key) for key in ("GenerateSecretString", "SecretString")):
        request["SecretString"] = _value(new)
    if request:
        client.update_secret(SecretId=physical_id, **request)
    changed, gone = tags_changed(old, new)
    if changed:
        client.tag_resource(SecretId=physical_id, Tags=changed)
    if gone:
        client.untag_resource(SecretId=physical_id, TagKeys=gone)
    _replicate(physical_id, new, old)
    return physical_id, {"Id": physical_id}


def _replicate(arn: str, properties: Properties, old: Properties) -> None:
    """Copy to the regions that are new; the engine has no way to take a copy away."""
    wanted, before = (
        {each["Region"]: each for each in given.get("ReplicaRegions") or []}
        for given in (properties, old)
    )
    gone = sorted(before.keys() - wanted.keys())
    if gone:
        raise ValueError(f"{_TYPE}: the local engine does not simulate leaving {', '.join(gone)}")
    added = [wanted[region] for region in wanted if wanted[region] != before.get(region)]
    if added:
        loopback.client("secretsmanager").replicate_secret_to_regions(
            SecretId=arn, AddReplicaRegions=added
        )


def _delete(physical_id: str, _: Properties) -> None:
    with if_there():
        loopback.client("secretsmanager").delete_secret(
            SecretId=physical_id, ForceDeleteWithoutRecovery=True
        )


PROVIDERS = (Provider(type=_TYPE, create=_create, update=_update, delete=_delete),)
