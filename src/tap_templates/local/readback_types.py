"""How each resource type is read back from its own service.

A check gives what is wrong, as texts; it raises `Missing`, or lets the service's error through, if
the resource is not there. What AWS generates is a token in the resolved properties and is not
compared.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tap_templates.rendered.tokens import is_known

Properties = Mapping[str, Any]


class Missing(Exception):  # noqa: N818 - it says what the resource is
    """The service does not have the resource."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource is: its region, its physical id, those of its neighbours."""

    clients: Callable[[str, str], Any]
    region: str
    id: str
    neighbours: Mapping[str, str]

    def client(self, service: str, region: str | None = None) -> Any:
        return self.clients(service, region or self.region)


Check = Callable[[Place, Properties], list[str]]


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Compare what is wanted with what is found: numbers and truths as text, tokens not at all."""
    return [
        f"{key} is {found.get(key)!r} and not {value!r}"
        for key, value in wanted.items()
        if not _same(value, found.get(key))
    ]


def _same(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, str) and (not is_known(wanted) or wanted == found):
        return True
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            _same(value, found.get(key)) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(wanted) == len(found)
            and all(_same(one, other) for one, other in zip(wanted, found, strict=True))
        )
    return bool(_plain(wanted) == _plain(found))


def _plain(value: Any) -> Any:
    """Give a number as a number, whether it is one or a text of one; anything else as text."""
    try:
        return float(value) if not isinstance(value, bool) else str(value).lower()
    except (TypeError, ValueError):
        return str(value).lower()


def _only(properties: Properties, *names: str) -> dict[str, Any]:
    return {name: properties[name] for name in names if name in properties}


def _alarm(place: Place, properties: Properties) -> list[str]:
    found = place.client("cloudwatch").describe_alarms(AlarmNames=[place.id])["MetricAlarms"]
    if not found:
        raise Missing(place.id)
    return differences(
        _only(
            properties,
            *("AlarmActions", "OKActions", "Dimensions", "EvaluationPeriods", "MetricName"),
            *("Namespace", "Period", "Statistic", "ExtendedStatistic", "Threshold"),
            *("ComparisonOperator", "TreatMissingData", "DatapointsToAlarm"),
        ),
        found[0],
    )


def _dashboard(place: Place, properties: Properties) -> list[str]:
    found = place.client("cloudwatch").get_dashboard(DashboardName=place.id)
    json.loads(found["DashboardBody"])
    return differences(_only(properties, "DashboardName"), found)


def _global_table(place: Place, properties: Properties) -> list[str]:
    problems = []
    regions = [each["Region"] for each in properties["Replicas"]]
    for replica in properties["Replicas"]:
        region = replica["Region"]
        dynamodb = place.client("dynamodb", region)
        table = dynamodb.describe_table(TableName=place.id)["Table"]
        others = sorted(each["RegionName"] for each in table.get("Replicas", []))
        backups = dynamodb.describe_continuous_backups(TableName=place.id)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        wanted = {
            **_only(properties, "KeySchema", "MultiRegionConsistency"),
            "replicas": sorted(set(regions) - {region}),
            "witnesses": [each["Region"] for each in properties.get("GlobalTableWitnesses", [])],
            "recovery": replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"],
            "DeletionProtectionEnabled": replica.get("DeletionProtectionEnabled", False),
        }
        found = table | {
            "replicas": others,
            "witnesses": [each["RegionName"] for each in table.get("GlobalTableWitnesses", [])],
            "recovery": recovery["PointInTimeRecoveryStatus"] == "ENABLED",
        }
        problems += [f"in {region}: {each}" for each in differences(wanted, found)]
    return problems


def _archive(place: Place, properties: Properties) -> list[str]:
    found = place.client("events").describe_archive(ArchiveName=place.id)
    wanted = _only(properties, "RetentionDays") | {"EventSourceArn": properties["SourceArn"]}
    if "EventPattern" in properties:
        found |= {"EventPattern": json.loads(found["EventPattern"])}
        wanted |= _only(properties, "EventPattern")
    return differences(wanted, found)


def _endpoint(place: Place, properties: Properties) -> list[str]:
    found = place.client("events").describe_endpoint(Name=place.id)
    names = ("EventBuses", "ReplicationConfig", "RoleArn", "RoutingConfig")
    return differences(_only(properties, *names), found)


def _event_bus(place: Place, properties: Properties) -> list[str]:
    found = place.client("events").describe_event_bus(Name=place.id)
    return differences(_only(properties, "Name", "Description"), found)


def _rule(place: Place, properties: Properties) -> list[str]:
    events = place.client("events")
    where = {"EventBusName": properties["EventBusName"]}
    found = events.describe_rule(Name=properties["Name"], **where)
    targets = events.list_targets_by_rule(Rule=properties["Name"], **where)["Targets"]
    found |= {"EventPattern": json.loads(found["EventPattern"]), "Targets": targets}
    return differences(_only(properties, "EventPattern", "State", "Targets"), found)


def _role(place: Place, properties: Properties) -> list[str]:
    iam = place.client("iam")
    found = iam.get_role(RoleName=place.id)["Role"]
    problems = differences(_only(properties, "AssumeRolePolicyDocument", "RoleName"), found)
    for policy in properties.get("Policies", []):
        known = {"RoleName": place.id, "PolicyName": policy["PolicyName"]}
        problems += differences(_only(policy, "PolicyDocument"), iam.get_role_policy(**known))
    return problems


def _key(place: Place, properties: Properties) -> list[str]:
    kms = place.client("kms")
    found = kms.describe_key(KeyId=place.id)["KeyMetadata"]
    policy = kms.get_key_policy(KeyId=place.id, PolicyName="default")["Policy"]
    rotation = kms.get_key_rotation_status(KeyId=place.id)["KeyRotationEnabled"]
    found |= {"KeyPolicy": json.loads(policy), "EnableKeyRotation": rotation}
    return differences(_only(properties, "KeyPolicy", "EnableKeyRotation", "Description"), found)


def _key_alias(place: Place, properties: Properties) -> list[str]:
    pages = place.client("kms").get_paginator("list_aliases").paginate()
    names = {each["AliasName"] for page in pages for each in page["Aliases"]}
    return [] if properties["AliasName"] in names else [f"{properties['AliasName']} is not there"]


def _function(place: Place, properties: Properties) -> list[str]:
    found = place.client("lambda").get_function(FunctionName=place.id)
    reserved = found.get("Concurrency", {}).get("ReservedConcurrentExecutions")
    names = ("Environment", "Handler", "MemorySize", "Role", "Runtime", "Timeout", "TracingConfig")
    wanted = _only(properties, *names, "Architectures", "ReservedConcurrentExecutions")
    found = found["Configuration"] | {"ReservedConcurrentExecutions": reserved}
    problems = differences(wanted, found)
    return problems if found["CodeSize"] else [*problems, "has no code"]


def _version(place: Place, properties: Properties) -> list[str]:
    found = place.client("lambda").get_function_configuration(FunctionName=place.id)
    return differences(_only(properties, "CodeSha256", "Description"), found)


def _alias(place: Place, properties: Properties) -> list[str]:
    function, name = properties["FunctionName"], properties["Name"]
    found = place.client("lambda").get_alias(FunctionName=function, Name=name)
    return differences(_only(properties, "Name", "FunctionVersion"), found)


def _invoke_config(place: Place, properties: Properties) -> list[str]:
    known = _only(properties, "FunctionName", "Qualifier")
    found = place.client("lambda").get_function_event_invoke_config(**known)
    names = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
    return differences(_only(properties, *names), found)


def _permission(place: Place, properties: Properties) -> list[str]:
    function, _, qualifier = properties["FunctionName"].partition(":function:")[2].partition(":")
    known = {"FunctionName": function or properties["FunctionName"]}
    known |= {"Qualifier": qualifier} if qualifier else {}
    policy = json.loads(place.client("lambda").get_policy(**known)["Policy"])
    for statement in policy["Statement"]:
        source = statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn")
        if _same(properties.get("SourceArn", "None"), source) and (
            properties["Principal"] in str(statement["Principal"])
        ):
            return []
    raise Missing("no statement of the function's policy")


def _log_group(place: Place, properties: Properties) -> list[str]:
    pages = place.client("logs").describe_log_groups(logGroupNamePrefix=place.id)["logGroups"]
    found = next((each for each in pages if each["logGroupName"] == place.id), None)
    if found is None:
        raise Missing(place.id)
    wanted = {"retentionInDays": properties.get("RetentionInDays")}
    return differences({key: value for key, value in wanted.items() if value}, found)


def _health_check(place: Place, properties: Properties) -> list[str]:
    found = place.client("route53").get_health_check(HealthCheckId=place.id)["HealthCheck"]
    return differences(properties["HealthCheckConfig"], found["HealthCheckConfig"])


def _bucket(place: Place, properties: Properties) -> list[str]:
    s3 = place.client("s3")
    s3.head_bucket(Bucket=place.id)
    problems = []
    if "VersioningConfiguration" in properties:
        found = s3.get_bucket_versioning(Bucket=place.id)
        problems += differences(properties["VersioningConfiguration"], found)
    if "LifecycleConfiguration" in properties:
        rules = s3.get_bucket_lifecycle_configuration(Bucket=place.id)["Rules"]
        if len(rules) != len(properties["LifecycleConfiguration"]["Rules"]):
            problems.append(f"has {len(rules)} lifecycle rules")
    if "PublicAccessBlockConfiguration" in properties:
        found = s3.get_public_access_block(Bucket=place.id)["PublicAccessBlockConfiguration"]
        problems += differences(properties["PublicAccessBlockConfiguration"], found)
    if "BucketEncryption" in properties:
        s3.get_bucket_encryption(Bucket=place.id)
    return problems


def _bucket_policy(place: Place, properties: Properties) -> list[str]:
    found = place.client("s3").get_bucket_policy(Bucket=properties["Bucket"])["Policy"]
    return differences(_only(properties, "PolicyDocument"), {"PolicyDocument": json.loads(found)})


def _topic(place: Place, properties: Properties) -> list[str]:
    found = place.client("sns").get_topic_attributes(TopicArn=place.id)["Attributes"]
    return differences(_only(properties, "KmsMasterKeyId"), found)


def _subscription(place: Place, properties: Properties) -> list[str]:
    topic = next(each for each in place.neighbours.values() if ":sns:" in each)
    listed = place.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    endpoints = {(each["Protocol"], each["Endpoint"]) for each in listed}
    wanted = properties["Protocol"], properties["Endpoint"]
    return [] if wanted in endpoints else [f"{wanted} is not subscribed"]


def _topic_policy(place: Place, properties: Properties) -> list[str]:
    topic = next(each for each in place.neighbours.values() if ":sns:" in each)
    found = place.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    return differences(_only(properties, "PolicyDocument"), {"PolicyDocument": json.loads(found)})


def _queue(place: Place, properties: Properties) -> list[str]:
    asked = {"QueueUrl": place.id, "AttributeNames": ["All"]}
    found = place.client("sqs").get_queue_attributes(**asked)["Attributes"]
    names = ("MessageRetentionPeriod", "SqsManagedSseEnabled", "VisibilityTimeout", "DelaySeconds")
    return differences(_only(properties, *names), found)


def _queue_policy(place: Place, properties: Properties) -> list[str]:
    queue = properties["Queues"][0]
    url = next((each for each in place.neighbours.values() if each == queue), None)
    if url is None:  # a token: the queue is a neighbour, known by the resource its policy names
        name = str(properties["PolicyDocument"]["Statement"][0]["Resource"][0]).rsplit(":", 1)[-1]
        url = next(each for each in place.neighbours.values() if each.endswith(f"/{name}"))
    asked = {"QueueUrl": url, "AttributeNames": ["Policy"]}
    found = json.loads(place.client("sqs").get_queue_attributes(**asked)["Attributes"]["Policy"])
    return differences(_only(properties, "PolicyDocument"), {"PolicyDocument": found})


def _schedule(place: Place, properties: Properties) -> list[str]:
    known = _only(properties, "Name", "GroupName")
    found = place.client("scheduler").get_schedule(**known)
    names = ("ScheduleExpression", "State", "Target", "FlexibleTimeWindow")
    return differences(_only(properties, *names), found)


def _schedule_group(place: Place, _: Properties) -> list[str]:
    place.client("scheduler").get_schedule_group(Name=place.id)
    return []


CHECKS: Mapping[str, Check] = {
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::DynamoDB::GlobalTable": _global_table,
    "AWS::Events::Archive": _archive,
    "AWS::Events::Endpoint": _endpoint,
    "AWS::Events::EventBus": _event_bus,
    "AWS::Events::Rule": _rule,
    "AWS::IAM::Role": _role,
    "AWS::KMS::Alias": _key_alias,
    "AWS::KMS::Key": _key,
    "AWS::Lambda::Alias": _alias,
    "AWS::Lambda::EventInvokeConfig": _invoke_config,
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::Permission": _permission,
    "AWS::Lambda::Version": _version,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::Route53::HealthCheck": _health_check,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::Scheduler::ScheduleGroup": _schedule_group,
}
