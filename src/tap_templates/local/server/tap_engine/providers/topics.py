"""AWS::SNS::Topic: the engine's, with the key that it forgets."""

from tap_engine import loopback
from tap_engine.providers.provider import Made, Properties, Provider, engines_own

_topic = engines_own("AWS::SNS::Topic")


def _create(logical_id: str, properties: Properties, stack: str) -> Made:
    arn, attributes = _topic.create(logical_id, properties, stack)
    _encrypt(arn, properties)
    return arn, attributes


def _update(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
    arn, attributes = _topic.update(physical_id, old, new, stack, lid)
    if new.get("KmsMasterKeyId") != old.get("KmsMasterKeyId"):
        _encrypt(arn, new)
    return arn, attributes


def _encrypt(arn: str, properties: Properties) -> None:
    loopback.client("sns").set_topic_attributes(
        TopicArn=arn,
        AttributeName="KmsMasterKeyId",
        AttributeValue=properties.get("KmsMasterKeyId", ""),
    )


PROVIDERS = (
    Provider(type="AWS::SNS::Topic", create=_create, update=_update, delete=_topic.delete),
)
