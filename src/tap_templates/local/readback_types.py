"""How each resource type is read back from its own service.

Networks, APIs, databases and names have modules of their own; `CHECKS` has all types.
"""

import json
from collections.abc import Mapping
from typing import Any

from tap_templates.local import (
    readback_apis,
    readback_databases,
    readback_names,
    readback_network,
    readback_rest_apis,
    readback_settings,
)
from tap_templates.local.readback_compare import (
    Check,
    Missing,
    Place,
    Properties,
    differences,
    only,
    same,
)


def _alarm(place: Place, properties: Properties) -> list[str]:
    found = place.client("cloudwatch").describe_alarms(AlarmNames=[place.id])["MetricAlarms"]
    if not found:
        raise Missing(place.id)
    return differences(
        only(
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
    return differences(only(properties, "DashboardName"), found)


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
            **only(properties, "KeySchema", "MultiRegionConsistency"),
            "indexes": _indexes(properties),
            "expiry": _expiry(properties.get("TimeToLiveSpecification", {})),
            "replicas": sorted(set(regions) - {region}),
            "witnesses": [each["Region"] for each in properties.get("GlobalTableWitnesses", [])],
            "recovery": replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"],
            "DeletionProtectionEnabled": replica.get("DeletionProtectionEnabled", False),
        }
        expiry = dynamodb.describe_time_to_live(TableName=place.id)["TimeToLiveDescription"]
        found = table | {
            "indexes": _indexes(table),
            "expiry": _expiry(expiry),
            "replicas": others,
            "witnesses": [each["RegionName"] for each in table.get("GlobalTableWitnesses", [])],
            "recovery": recovery["PointInTimeRecoveryStatus"] == "ENABLED",
        }
        if "StreamSpecification" in properties:
            wanted |= {"StreamSpecification": properties["StreamSpecification"]}
        problems += [f"in {region}: {each}" for each in differences(wanted, found)]
    return problems


def _indexes(table: Properties) -> list[dict[str, Any]]:
    """Give the global secondary indexes, by name: their keys and what they project."""
    indexes = table.get("GlobalSecondaryIndexes", [])
    listed = [only(each, "IndexName", "KeySchema", "Projection") for each in indexes]
    return sorted(listed, key=lambda each: str(each["IndexName"]))


def _expiry(said: Properties) -> str | None:
    """Give the attribute by which items expire, from a template or from the service."""
    enabled = str(said.get("Enabled", said.get("TimeToLiveStatus"))).lower()
    return said.get("AttributeName") if enabled in ("true", "enabled", "enabling") else None


def _archive(place: Place, properties: Properties) -> list[str]:
    found = place.client("events").describe_archive(ArchiveName=place.id)
    wanted = only(properties, "RetentionDays") | {"EventSourceArn": properties["SourceArn"]}
    if "EventPattern" in properties:
        found |= {"EventPattern": json.loads(found["EventPattern"])}
        wanted |= only(properties, "EventPattern")
    return differences(wanted, found)


def _endpoint(place: Place, properties: Properties) -> list[str]:
    found = place.client("events").describe_endpoint(Name=place.id)
    names = ("EventBuses", "ReplicationConfig", "RoleArn", "RoutingConfig")
    return differences(only(properties, *names), found)


def _event_bus(place: Place, properties: Properties) -> list[str]:
    found = place.client("events").describe_event_bus(Name=place.id)
    return differences(only(properties, "Name", "Description"), found)


def _rule(place: Place, properties: Properties) -> list[str]:
    events = place.client("events")
    where = {"EventBusName": properties["EventBusName"]}
    found = events.describe_rule(Name=properties["Name"], **where)
    targets = events.list_targets_by_rule(Rule=properties["Name"], **where)["Targets"]
    found |= {"EventPattern": json.loads(found["EventPattern"]), "Targets": targets}
    return differences(only(properties, "EventPattern", "State", "Targets"), found)


def _role(place: Place, properties: Properties) -> list[str]:
    iam = place.client("iam")
    found = iam.get_role(RoleName=place.id)["Role"]
    problems = differences(only(properties, "AssumeRolePolicyDocument", "RoleName"), found)
    for policy in properties.get("Policies", []):
        known = {"RoleName": place.id, "PolicyName": policy["PolicyName"]}
        problems += differences(only(policy, "PolicyDocument"), iam.get_role_policy(**known))
    return problems


def _key(place: Place, properties: Properties) -> list[str]:
    kms = place.client("kms")
    found = kms.describe_key(KeyId=place.id)["KeyMetadata"]
    policy = kms.get_key_policy(KeyId=place.id, PolicyName="default")["Policy"]
    rotation = kms.get_key_rotation_status(KeyId=place.id)["KeyRotationEnabled"]
    found |= {"KeyPolicy": json.loads(policy), "EnableKeyRotation": rotation}
    return differences(only(properties, "KeyPolicy", "EnableKeyRotation", "Description"), found)


def _key_alias(place: Place, properties: Properties) -> list[str]:
    pages = place.client("kms").get_paginator("list_aliases").paginate()
    names = {each["AliasName"] for page in pages for each in page["Aliases"]}
    return [] if properties["AliasName"] in names else [f"{properties['AliasName']} is not there"]


def _function(place: Place, properties: Properties) -> list[str]:
    found = place.client("lambda").get_function(FunctionName=place.id)
    reserved = found.get("Concurrency", {}).get("ReservedConcurrentExecutions")
    names = ("Environment", "Handler", "MemorySize", "Role", "Runtime", "Timeout", "TracingConfig")
    also = ("Architectures", "ReservedConcurrentExecutions", "VpcConfig")
    wanted = only(properties, *names, *also)
    found = found["Configuration"] | {"ReservedConcurrentExecutions": reserved}
    problems = differences(wanted, found)
    return problems if found["CodeSize"] else [*problems, "has no code"]


def _version(place: Place, properties: Properties) -> list[str]:
    found = place.client("lambda").get_function_configuration(FunctionName=place.id)
    return differences(only(properties, "CodeSha256", "Description"), found)


def _alias(place: Place, properties: Properties) -> list[str]:
    function, name = properties["FunctionName"], properties["Name"]
    found = place.client("lambda").get_alias(FunctionName=function, Name=name)
    return differences(only(properties, "Name", "FunctionVersion"), found)


def _invoke_config(place: Place, properties: Properties) -> list[str]:
    known = only(properties, "FunctionName", "Qualifier")
    found = place.client("lambda").get_function_event_invoke_config(**known)
    names = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
    return differences(only(properties, *names), found)


def _permission(place: Place, properties: Properties) -> list[str]:
    function, _, qualifier = properties["FunctionName"].partition(":function:")[2].partition(":")
    known = {"FunctionName": function or properties["FunctionName"]}
    known |= {"Qualifier": qualifier} if qualifier else {}
    policy = json.loads(place.client("lambda").get_policy(**known)["Policy"])
    for statement in policy["Statement"]:
        source = statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn")
        by_url = statement.get("Condition", {}).get("StringEquals", {})
        through_url = statement.get("Condition", {}).get("Bool", {})
        through = str(properties.get("InvokedViaFunctionUrl", "")).lower()
        if (
            same(properties.get("SourceArn", "None"), source)
            and properties["Action"] == statement["Action"]
            and properties["Principal"] in str(statement["Principal"])
            and properties.get("FunctionUrlAuthType") == by_url.get("lambda:FunctionUrlAuthType")
            and through == through_url.get("lambda:InvokedViaFunctionUrl", "")
        ):
            return []
    raise Missing("no statement of the function's policy")


def _url(place: Place, properties: Properties) -> list[str]:
    known = {"FunctionName": str(properties["TargetFunctionArn"])}
    known |= only(properties, "Qualifier")
    found = place.client("lambda").get_function_url_config(**known)
    return differences(only(properties, "AuthType", "InvokeMode"), found)


def _custom_resource(place: Place, properties: Properties) -> list[str]:
    """Look for the function alone: what it made is nobody's business but its own."""
    place.client("lambda").get_function(FunctionName=str(properties["ServiceToken"]))
    return []


def _log_group(place: Place, properties: Properties) -> list[str]:
    pages = place.client("logs").describe_log_groups(logGroupNamePrefix=place.id)["logGroups"]
    found = next((each for each in pages if each["logGroupName"] == place.id), None)
    if found is None:
        raise Missing(place.id)
    wanted = {"retentionInDays": properties.get("RetentionInDays")}
    return differences({key: value for key, value in wanted.items() if value}, found)


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
    if "ReplicationConfiguration" in properties:
        problems += _replication(s3, place.id, properties["ReplicationConfiguration"])
    return problems


def _replication(s3: Any, bucket: str, wanted: Properties) -> list[str]:
    found = s3.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"]
    rules = [
        only(rule, "DeleteMarkerReplication", "Destination", "Priority", "Status")
        for rule in wanted["Rules"]
    ]
    return differences({"Role": wanted["Role"], "Rules": rules}, found)


def _bucket_policy(place: Place, properties: Properties) -> list[str]:
    found = place.client("s3").get_bucket_policy(Bucket=properties["Bucket"])["Policy"]
    return differences(only(properties, "PolicyDocument"), {"PolicyDocument": json.loads(found)})


def _feed(place: Place, properties: Properties) -> list[str]:
    found = place.client("lambda").get_event_source_mapping(UUID=place.id)
    found |= {"Enabled": found["State"].startswith("Enabl")}
    names = (
        "BatchSize",
        "Enabled",
        "EventSourceArn",
        "FunctionResponseTypes",
        "MaximumBatchingWindowInSeconds",
        "ScalingConfig",
    )
    wanted = only(properties, *names)
    name = str(properties["FunctionName"])
    return differences(wanted | ({"FunctionArn": name} if name.startswith("arn:") else {}), found)


def _topic(place: Place, properties: Properties) -> list[str]:
    found = place.client("sns").get_topic_attributes(TopicArn=place.id)["Attributes"]
    return differences(only(properties, "KmsMasterKeyId"), found)


def _subscription(place: Place, properties: Properties) -> list[str]:
    topic = next(each for each in place.neighbours.values() if ":sns:" in each)
    listed = place.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    endpoints = {(each["Protocol"], each["Endpoint"]) for each in listed}
    wanted = properties["Protocol"], properties["Endpoint"]
    return [] if wanted in endpoints else [f"{wanted} is not subscribed"]


def _topic_policy(place: Place, properties: Properties) -> list[str]:
    topic = next(each for each in place.neighbours.values() if ":sns:" in each)
    found = place.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    return differences(only(properties, "PolicyDocument"), {"PolicyDocument": json.loads(found)})


def _queue(place: Place, properties: Properties) -> list[str]:
    asked = {"QueueUrl": place.id, "AttributeNames": ["All"]}
    found = place.client("sqs").get_queue_attributes(**asked)["Attributes"]
    names = ("MessageRetentionPeriod", "SqsManagedSseEnabled", "VisibilityTimeout", "DelaySeconds")
    redrives = ("RedriveAllowPolicy", "RedrivePolicy")
    found |= {name: json.loads(found[name]) for name in redrives if found.get(name)}
    return differences(only(properties, *names, *redrives), found)


def _queue_policy(place: Place, properties: Properties) -> list[str]:
    queue = properties["Queues"][0]
    url = next((each for each in place.neighbours.values() if each == queue), None)
    if url is None:  # a token: the queue is a neighbour, known by the resource its policy names
        name = str(properties["PolicyDocument"]["Statement"][0]["Resource"][0]).rsplit(":", 1)[-1]
        url = next(each for each in place.neighbours.values() if each.endswith(f"/{name}"))
    asked = {"QueueUrl": url, "AttributeNames": ["Policy"]}
    found = json.loads(place.client("sqs").get_queue_attributes(**asked)["Attributes"]["Policy"])
    return differences(only(properties, "PolicyDocument"), {"PolicyDocument": found})


def _schedule(place: Place, properties: Properties) -> list[str]:
    known = only(properties, "Name", "GroupName")
    found = place.client("scheduler").get_schedule(**known)
    names = ("ScheduleExpression", "State", "Target", "FlexibleTimeWindow")
    return differences(only(properties, *names), found)


def _schedule_group(place: Place, _: Properties) -> list[str]:
    place.client("scheduler").get_schedule_group(Name=place.id)
    return []


def _state_machine(place: Place, properties: Properties) -> list[str]:
    asked = {"stateMachineArn": place.id}
    found = place.client("stepfunctions").describe_state_machine(**asked)
    found |= {"definition": json.loads(found["definition"])}
    definition = properties.get("Definition") or json.loads(properties["DefinitionString"])
    wanted = {"definition": definition, "roleArn": properties["RoleArn"], "status": "ACTIVE"}
    for name, key in (
        ("LoggingConfiguration", "loggingConfiguration"),
        ("StateMachineName", "name"),
        ("StateMachineType", "type"),
        ("TracingConfiguration", "tracingConfiguration"),
    ):
        if name in properties:
            wanted[key] = _in_words_of_the_api(properties[name])
    return differences(wanted, found)


def _in_words_of_the_api(value: Any) -> Any:
    """Give settings as Step Functions says them: its words begin with a small letter."""
    if isinstance(value, Mapping):
        return {
            f"{key[:1].lower()}{key[1:]}": _in_words_of_the_api(each) for key, each in value.items()
        }
    return [_in_words_of_the_api(each) for each in value] if isinstance(value, list) else value


CHECKS: Mapping[str, Check] = {
    **readback_apis.CHECKS,
    **readback_databases.CHECKS,
    **readback_names.CHECKS,
    **readback_network.CHECKS,
    **readback_settings.CHECKS,
    **readback_rest_apis.CHECKS,
    "AWS::CloudFormation::CustomResource": _custom_resource,
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
    "AWS::Lambda::EventSourceMapping": _feed,
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::Permission": _permission,
    "AWS::Lambda::Url": _url,
    "AWS::Lambda::Version": _version,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::Scheduler::ScheduleGroup": _schedule_group,
    "AWS::StepFunctions::StateMachine": _state_machine,
}
