"""Which secret a call reads, in its own region or as a copy, and what that takes.

Secrets Manager ends the ARN of a secret with six characters of its own, alike in all regions. A
policy names them by as many question marks, or takes the ARN from the secret: that is the same.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
"""

import re
from collections.abc import Iterator

from tap_templates.iam.arguments import Call, CallError
from tap_templates.iam.codes import Code
from tap_templates.iam.needs import Condition, condition
from tap_templates.iam.patterns import is_pattern
from tap_templates.iam.services import VIA_SERVICE, find_key, is_managed_by_aws
from tap_templates.rendered.view import Located

_SECRET = "AWS::SecretsManager::Secret"  # noqa: S105  # a type of resource
_SIX_CHARACTERS = "??????"
_GENERATED = re.compile(r"(?P<start>arn:[^:]+:secretsmanager:.+:secret:.+-)<[^<>]+\.Suffix@[^<>]+>")


def as_named(resource: str) -> str:
    """Spell the ARN of a secret as a policy does that was written before the secret was made."""
    found = _GENERATED.fullmatch(resource)
    return f"{found['start']}{_SIX_CHARACTERS}" if found else resource


def read_secret(call: Call) -> Iterator[tuple[str, str, Condition]]:
    """Derive reading a secret: itself, and its key, if that is one of this system."""
    for stated in call.named("SecretId"):
        if is_pattern(stated):
            what = f"names a secret by the pattern {stated}, which only policies do"
            raise CallError(Code.CALL_RESOURCE, what)
        region = stated.split(":")[3] if stated.startswith("arn:") else call.region
        secret = _find(call, stated, region)
        if secret is None:
            what = f"names {stated}, which is no secret of this system in {region}"
            raise CallError(Code.CALL_RESOURCE, what)
        yield "secretsmanager:GetSecretValue", as_named(_arn_in(secret, region)), ()
        yield from _key(call, secret, region)


def _find(call: Call, stated: str, region: str) -> Located | None:
    """Find the secret by name, by ARN, or by ARN without the six characters."""
    for secret in call.runner.view.resources(_SECRET):
        if region not in keys_of(secret):
            continue
        arn = _arn_in(secret, region)
        if stated in (arn, as_named(arn).removesuffix(f"-{_SIX_CHARACTERS}"), secret.resource.name):
            return secret
    return None


def _arn_in(secret: Located, region: str) -> str:
    parts = str(secret.resource.arn).split(":", 4)
    return ":".join([*parts[:3], region, *parts[4:]])


def keys_of(secret: Located) -> dict[str, tuple[str, str | None]]:
    """List the regions a secret is in: with the path and value of its key there, if it names one.

    Without, it is Secrets Manager's own, which serves whoever of the account may read the secret.
    """
    properties = secret.resource.properties
    found = {secret.stack.region: ("/Properties/KmsKeyId", properties.get("KmsKeyId"))}
    for index, replica in enumerate(properties.get("ReplicaRegions", [])):
        path = f"/Properties/ReplicaRegions/{index}/KmsKeyId"
        found[str(replica.get("Region"))] = (path, replica.get("KmsKeyId"))
    return found


def _key(call: Call, secret: Located, region: str) -> Iterator[tuple[str, str, Condition]]:
    stated = keys_of(secret)[region][1]
    if stated is None or is_managed_by_aws(stated):
        return
    key = find_key(call.runner.view, region, stated)
    if key is None:
        what = f"is about a secret that is encrypted with {stated}, no key of this system"
        raise CallError(Code.CALL_UNMAPPED, what)
    service = f"secretsmanager.{region}.amazonaws.com"
    through = condition(("StringEquals", VIA_SERVICE, [service]))
    yield "kms:Decrypt", str(key.resource.arn), through
