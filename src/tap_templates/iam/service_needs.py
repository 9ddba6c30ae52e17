"""What AWS services do with our resources without a role of ours, derived from the templates.

A service that acts under its own name is admitted by the policy of the resource it acts on. Each
resource type that makes one act has a function here; what nobody wrote down is a problem.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tap_templates.iam import api_needs, rest_api_needs
from tap_templates.iam.codes import Code
from tap_templates.iam.key_needs import derives_key
from tap_templates.iam.needs import Problem
from tap_templates.iam.platform_needs import EVENTS
from tap_templates.iam.service_use import (
    LOG_GROUP,
    SOURCE_ACCOUNT,
    SOURCE_ARN,
    Outcome,
    ServiceUse,
    unjudged,
)
from tap_templates.iam.services import find_key, is_managed_by_aws, kind_of
from tap_templates.iam.url_needs import url_uses
from tap_templates.rendered.view import Located, SystemView

ALARMS = "cloudwatch.amazonaws.com"
TOPICS = "sns.amazonaws.com"

_ALARM_ACTIONS = ("AlarmActions", "InsufficientDataActions", "OKActions")
_ENCRYPT = ("kms:Decrypt", "kms:GenerateDataKey")
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
_ENCRYPT_LOG = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
# Resource policies that nobody reads here, and with which properties a type carries one.
_UNREAD: Mapping[str, tuple[str, ...]] = {
    "AWS::Backup::BackupVault": ("Notifications",),
    "AWS::DynamoDB::Table": ("ResourcePolicy",),  # of a global table: see `_global_table`
    "AWS::Events::EventBus": ("Policy",),
    "AWS::Events::EventBusPolicy": ("",),
    "AWS::KMS::ReplicaKey": ("",),
    "AWS::Lambda::LayerVersionPermission": ("",),
    "AWS::Logs::ResourcePolicy": ("",),
    # What a bucket writes into another, that one's policy has to admit.
    "AWS::S3::Bucket": (
        "AnalyticsConfigurations",
        "InventoryConfigurations",
        "LoggingConfiguration",
        "NotificationConfiguration",
    ),
    "AWS::SNS::TopicInlinePolicy": ("",),
    "AWS::SQS::QueueInlinePolicy": ("",),
    "AWS::SecretsManager::ResourcePolicy": ("",),
}
# Who uses a key, as derived here.
_DERIVED_KEYS = frozenset(
    {
        ("AWS::Logs::LogGroup", "/Properties/KmsKeyId"),
        ("AWS::SNS::Topic", "/Properties/KmsMasterKeyId"),
        ("AWS::SQS::Queue", "/Properties/KmsMasterKeyId"),
    }
)


def service_uses(view: SystemView) -> list[Outcome]:
    """List what services do under their own name, with what could not be judged."""
    found: list[Outcome] = []
    for located in view.resources():
        kind = located.resource.type
        judge = _deploy_step if kind.startswith("Custom::") else _USERS.get(kind)
        if judge is not None:
            found += judge(view, located)
        for name in _UNREAD.get(kind, ()):
            if not name or name in located.resource.properties:
                path = f"/Properties/{name}".removesuffix("/")
                found.append(unjudged(located, path, f"is or has a policy: {kind} {name}".strip()))
    return [*found, *_unknown_users_of_keys(view)]


def _alarm(view: SystemView, alarm: Located) -> Iterator[Outcome]:
    properties = alarm.resource.properties
    told: set[str] = set()
    for name in _ALARM_ACTIONS:
        for index, arn in enumerate(properties.get(name, [])):
            path = f"/Properties/{name}/{index}"
            topic = view.find(str(arn)) if kind_of(str(arn)) == "sns" else None
            if topic is None:
                yield unjudged(alarm, path, f"tells {arn}, which is no topic of this system")
            elif arn not in told:
                told.add(arn)
                yield from _publish(view, alarm, topic, f"{alarm.place} {path}")


def _publish(view: SystemView, alarm: Located, topic: Located, why: str) -> Iterator[Outcome]:
    sends = {SOURCE_ACCOUNT: view.account, SOURCE_ARN: str(alarm.resource.arn)}
    yield ServiceUse(
        arn=str(topic.resource.arn),
        owner=topic,
        principal=ALARMS,
        action="sns:Publish",
        sends=sends,
        demands=frozenset(sends),
        why=why,
        by_pattern=True,
    )
    for key in _key_of(view, topic, "KmsMasterKeyId", ALARMS):
        if isinstance(key, Problem):
            yield key
            continue
        for action in _ENCRYPT:
            yield ServiceUse(
                arn=str(key.resource.arn),
                owner=key,
                principal=ALARMS,
                action=action,
                sends=sends,
                demands=frozenset({SOURCE_ACCOUNT}),
                why=f"{why}, encrypted by {key.resource.arn}",
                by_pattern=True,
            )


def _log_group(view: SystemView, group: Located) -> Iterator[Outcome]:
    principal = f"logs.{group.stack.region}.amazonaws.com"
    for key in _key_of(view, group, "KmsKeyId", principal):
        if isinstance(key, Problem):
            yield key
            continue
        for action in _ENCRYPT_LOG:
            yield ServiceUse(
                arn=str(key.resource.arn),
                owner=key,
                principal=principal,
                action=action,
                sends={LOG_GROUP: str(group.resource.arn)},
                demands=frozenset({LOG_GROUP}),
                why=f"{group.place} /Properties/KmsKeyId",
            )


def _rule(view: SystemView, rule: Located) -> Iterator[Outcome]:
    sends = {SOURCE_ACCOUNT: view.account, SOURCE_ARN: str(rule.resource.arn)}
    for index, target in enumerate(rule.resource.properties.get("Targets", [])):
        path = f"/Properties/Targets/{index}"
        if "RoleArn" not in target and "RoleArn" not in rule.resource.properties:
            yield from _hand_over(view, rule, (f"{path}/Arn", target.get("Arn")), EVENTS, sends)
        dead = target.get("DeadLetterConfig", {}).get("Arn")
        if dead is not None:
            place = (f"{path}/DeadLetterConfig/Arn", dead)
            yield from _hand_over(view, rule, place, EVENTS, sends)


def _subscription(view: SystemView, subscription: Located) -> Iterator[Outcome]:
    properties = subscription.resource.properties
    yield from _subscribe(
        view, subscription, "/Properties", properties, str(properties.get("TopicArn"))
    )


def _topic(view: SystemView, topic: Located) -> Iterator[Outcome]:
    for index, each in enumerate(topic.resource.properties.get("Subscription", [])):
        path = f"/Properties/Subscription/{index}"
        yield from _subscribe(view, topic, path, each, str(topic.resource.arn))


def _subscribe(
    view: SystemView, source: Located, path: str, stated: Mapping[str, Any], topic: str
) -> Iterator[Outcome]:
    # aws:SourceArn is what SNS's own example policies test; we rely on nothing else.
    sends = {SOURCE_ARN: topic}
    if stated.get("Protocol") in ("lambda", "sqs"):
        place = (f"{path}/Endpoint", stated.get("Endpoint"))
        yield from _hand_over(view, source, place, TOPICS, sends)
    redrive = stated.get("RedrivePolicy")
    if isinstance(redrive, Mapping):
        place = (f"{path}/RedrivePolicy", redrive.get("deadLetterTargetArn"))
        yield from _hand_over(view, source, place, TOPICS, sends)
    elif redrive is not None:
        yield unjudged(source, f"{path}/RedrivePolicy", "has a redrive policy that is a text")


def _global_table(_view: SystemView, table: Located) -> Iterator[Outcome]:
    for index, replica in enumerate(table.resource.properties.get("Replicas", [])):
        if "ResourcePolicy" in replica:
            path = f"/Properties/Replicas/{index}/ResourcePolicy"
            yield unjudged(table, path, "has a policy of its own")


def _deploy_step(view: SystemView, step: Located) -> Iterator[Outcome]:
    """Judge a custom resource: CloudFormation calls its function in the name of who deploys."""
    token = str(step.resource.properties.get("ServiceToken"))
    if kind_of(token) != "lambda" or view.find(token) is None:
        path = "/Properties/ServiceToken"
        yield unjudged(step, path, f"is made by {token}, which is no function of this system")


def _hand_over(
    view: SystemView,
    source: Located,
    place: tuple[str, object],
    principal: str,
    sends: Mapping[str, str],
) -> Iterator[Outcome]:
    """Derive what it takes a service to deliver to a queue or a function by itself."""
    path, arn = place[0], str(place[1])
    kind, target, why = kind_of(arn), view.find(arn), f"{source.place} {place[0]}"
    if target is None or kind not in ("lambda", "sqs"):
        what = f"delivers to {arn} without a role, which is no queue or function of this system"
        yield unjudged(source, path, what)
        return
    yield ServiceUse(
        arn=arn,
        owner=target,
        principal=principal,
        action="sqs:SendMessage" if kind == "sqs" else "lambda:InvokeFunction",
        sends=sends,
        # A rule's ARN holds the account; AWS::Lambda::Permission is content with that.
        demands=frozenset(sends) if kind == "sqs" else frozenset({SOURCE_ARN}),
        why=why,
    )
    for key in _key_of(view, target, "KmsMasterKeyId", principal) if kind == "sqs" else ():
        if isinstance(key, Problem):
            yield key
            continue
        for action in _ENCRYPT:
            yield ServiceUse(
                arn=str(key.resource.arn),
                owner=key,
                principal=principal,
                action=action,
                # We know of no source keys that come with the use of a queue's key; of EventBridge
                # and encrypted topics SNS says that there are none. A condition on them might
                # never hold, so what may be sent is held by the policy of the queue.
                # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
                sends={},
                demands=frozenset(),
                why=f"{why}, encrypted by {key.resource.arn}",
            )


def _key_of(
    view: SystemView, located: Located, name: str, principal: str
) -> Iterator[Located | Problem]:
    """Find the customer key of a resource; none if it has none."""
    stated = located.resource.properties.get(name)
    if stated is None:
        return
    path = f"/Properties/{name}"
    if is_managed_by_aws(str(stated)):
        yield Problem(
            Code.MANAGED_KEY,
            located,
            path,
            f"is encrypted with {stated}, which {principal} cannot use",
            "encrypt it with a key of this system that admits the service, or one of the "
            "service's own (SqsManagedSseEnabled)",
        )
        return
    key = find_key(view, located.stack.region, str(stated))
    if key is None:
        yield unjudged(located, path, f"is encrypted with {stated}, no key of this system")
        return
    yield key


def _unknown_users_of_keys(view: SystemView) -> Iterator[Problem]:
    keys: set[str] = set()
    for key in view.resources("AWS::KMS::Key", "AWS::KMS::Alias"):
        keys |= {each for each in (key.resource.ref, key.resource.arn, key.resource.name) if each}
    for located in view.resources() if keys else ():
        kind = located.resource.type
        for path, text in located.resource.texts:
            if text not in keys or (kind, path) in _DERIVED_KEYS or derives_key(kind, path):
                continue
            name = path.rpartition("/")[2].lower()
            if "kms" in name or "encryption" in name:
                yield unjudged(located, path, f"is encrypted with {text}")


_USERS: Mapping[str, Callable[[SystemView, Located], Iterator[Outcome]]] = {
    "AWS::CloudFormation::CustomResource": _deploy_step,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::CompositeAlarm": _alarm,
    "AWS::DynamoDB::GlobalTable": _global_table,
    "AWS::Events::Rule": _rule,
    "AWS::Lambda::Url": url_uses,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
    **api_needs.USERS,
    **rest_api_needs.USERS,
}
