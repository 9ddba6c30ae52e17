"""What it takes to hand something to a resource, by the service of its ARN.

Used wherever a role delivers: a schedule, a rule, a function's destination, code that sends.
"""

import re
from collections.abc import Collection

from tap_templates.iam.needs import Condition, Need, allow, condition
from tap_templates.rendered.view import Located, SystemView

VIA_SERVICE = "kms:ViaService"

_ENCRYPT = ("kms:Decrypt", "kms:GenerateDataKey")
# Of the service, open to whoever may use the resource: needs nothing of the sender.
_AWS_MANAGED_KEY = "alias/aws/"
# Properties that name the key a resource is encrypted with, at any depth.
_KEY_PROPERTIES = frozenset(
    {
        "KMSMasterKeyID",
        "KMSMasterKeyId",
        "KmsKeyArn",
        "KmsKeyId",
        "KmsKeyIdentifier",
        "KmsMasterKeyId",
    }
)
# Whose senders' needs are written down here, and the service that uses the key in their name:
# https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
_JUDGED_TYPES = {"AWS::SNS::Topic": "sns", "AWS::SQS::Queue": "sqs"}
# These use their key by a grant of their own, made when they were: to move the writer takes none
# (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Overview.Encryption.Keys.html).
_WITH_OWN_GRANT = frozenset({"AWS::RDS::DBCluster"})
_QUEUE_URL = re.compile(
    r"https://sqs\.(?P<region>[^./]+)\.amazonaws\.com(?:\.cn)?/(?P<account>[^/]+)/(?P<name>[^/]+)"
)


class UnknownTargetError(Exception):
    """Nobody has written down what delivering to this takes. Caught where a problem is made."""


def kind_of(arn: str) -> str:
    """Name what an ARN is, as far as delivering goes: `sqs`, `events:event-bus`, `lambda`, …"""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return ""
    service, resource = parts[2], parts[5]
    if service == "events":
        return f"events:{resource.partition('/')[0]}"
    if service == "states":
        return f"states:{resource.partition(':')[0]}"
    return service


def deliver(view: SystemView, arn: str, why: str, when: Condition = ()) -> list[Need]:
    """List what delivering to `arn` needs. Raises UnknownTargetError for a kind not known here."""
    actions = {
        "sqs": "sqs:SendMessage",
        "sns": "sns:Publish",
        "lambda": "lambda:InvokeFunction",
        "events:event-bus": "events:PutEvents",
        "states:stateMachine": "states:StartExecution",
    }
    kind = kind_of(arn)
    if kind not in actions:
        raise UnknownTargetError(arn)
    return [allow(actions[kind], arn, why, when), *use_key_of(view, arn, why)]


def use_key_of(view: SystemView, arn: str, why: str) -> list[Need]:
    """List what writing into an encrypted resource needs of its key.

    Raises UnknownTargetError if the key is not in the view, or the needs are not written down.
    """
    found = view.find(_whole(arn))
    if found is None or found.resource.type in _WITH_OWN_GRANT:
        return []
    needs: list[Need] = []
    for path, stated in found.resource.texts:
        if path.rpartition("/")[2] not in _KEY_PROPERTIES or stated.startswith(_AWS_MANAGED_KEY):
            continue
        if found.resource.type not in _JUDGED_TYPES:
            raise UnknownTargetError(f"{arn}, encrypted by {stated}")
        key_arn = _key_arn(view, found, stated)
        service = _JUDGED_TYPES[found.resource.type]
        through = f"{service}.{found.stack.region}.amazonaws.com"
        when = condition(("StringEquals", VIA_SERVICE, [through]))
        reason = f"{why}, encrypted by {key_arn}"
        needs += [allow(action, key_arn, reason, when) for action in _ENCRYPT]
    return needs


def queue_arn(view: SystemView, url: str) -> str | None:
    """Read the ARN of a queue off its URL; None for a text that is none."""
    found = _QUEUE_URL.fullmatch(url)
    if found is None:
        return None
    return f"arn:{view.partition}:sqs:{found['region']}:{found['account']}:{found['name']}"


def of_events(sources: Collection[str], types: Collection[str]) -> Condition:
    """Hold putting events to what they say they are.

    Both keys have many values, one an entry; the Null test refuses an empty set.
    """
    keys = {"events:detail-type": types, "events:source": sources}
    return condition(
        *(("ForAllValues:StringEquals", key, values) for key, values in keys.items()),
        *(("Null", key, ["false"]) for key in keys),
    )


def _whole(arn: str) -> str:
    """Reduce the ARN of an object, index or alias to that of its bucket, table or function."""
    parts = arn.split(":")
    kind = kind_of(arn)
    if kind == "s3":
        return arn.partition("/")[0]
    if kind == "dynamodb":
        return "/".join(arn.split("/")[:2])
    return ":".join(parts[:7]) if kind == "lambda" else arn


def _key_arn(view: SystemView, user: Located, stated: str) -> str:
    key = find_key(view, user.stack.region, stated)
    if key is None or key.resource.arn is None:
        raise UnknownTargetError(f"key {stated}")
    return key.resource.arn


def find_key(view: SystemView, region: str, stated: str) -> Located | None:
    """Find a key by ARN, id or alias, among the keys of the region."""
    for alias in view.resources("AWS::KMS::Alias"):
        if alias.stack.region == region and stated in (alias.resource.name, alias.resource.arn):
            stated = str(alias.resource.properties["TargetKeyId"])
    for key in view.resources("AWS::KMS::Key"):
        if key.stack.region == region and stated in (key.resource.ref, key.resource.arn):
            return key
    return None


def is_managed_by_aws(key: str) -> bool:
    """Tell whether a key, named by alias or by the ARN of one, is an AWS managed key."""
    return key.rpartition(":")[2].startswith(_AWS_MANAGED_KEY)
