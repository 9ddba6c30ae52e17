"""Faults in what resources let services do, and what looks like one and is none."""

from collections.abc import Callable
from typing import Any

from tap_templates.iam.codes import Code

Edit = Callable[[Any], object]

OTHER = "999999999999"
OWN = "arn:aws:iam::111122223333:root"
RULE_ARN = {"Fn::GetAtt": ["Rule", "Arn"]}
QUEUE = {"Fn::GetAtt": ["Undelivered", "Arn"]}


def change(stack: str, logical_id: str, index: int, **changes: Any) -> Edit:
    """Change a statement of a key or a resource policy."""
    return lambda case: case.admitted(stack, logical_id)[index].update(changes)


def drop(stack: str, logical_id: str, index: int) -> Edit:
    return lambda case: case.admitted(stack, logical_id).pop(index)


def put(stack: str, logical_id: str, **changes: Any) -> Edit:
    return lambda case: case.properties(stack, logical_id).update(changes)


def add(stack: str, logical_id: str, kind: str, **properties: Any) -> Edit:
    return lambda case: case.add(stack, logical_id, kind, **properties)


def without(stack: str, logical_id: str, action: str) -> Edit:
    return lambda case: case.admitted(stack, logical_id)[0]["Action"].remove(action)


def also(stack: str, logical_id: str, *actions: str) -> Edit:
    return lambda case: case.admitted(stack, logical_id)[0]["Action"].extend(actions)


def repeat(stack: str, logical_id: str, **changes: Any) -> Edit:
    """Say the statement of the service again, with changes."""

    def plant(case: Any) -> None:
        statements = case.admitted(stack, logical_id)
        first = next(each for each in statements if "Service" in each["Principal"])
        statements.append(first | changes)

    return plant


def both(*edits: Edit) -> Edit:
    def plant(case: Any) -> None:
        for edit in edits:
            edit(case)

    return plant


def when(stack: str, logical_id: str, index: int, **condition: Any) -> Edit:
    return change(stack, logical_id, index, Condition=condition)


def alarms(pattern: str, account: str = "111122223333") -> dict[str, Any]:
    text = f"arn:aws:cloudwatch:${{AWS::Region}}:${{AWS::AccountId}}:{pattern}"
    return {
        "StringEquals": {"aws:SourceAccount": account},
        "ArnLike": {"aws:SourceArn": {"Fn::Sub": text}},
    }


FROM_OWN = {"StringEquals": {"aws:SourceAccount": "111122223333"}}
GROUP = "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:"
CONTEXT = "kms:EncryptionContext:aws:logs:arn"

FAULTS: list[tuple[Code, Edit]] = [
    # The review's own.
    (Code.SERVICE_MISSING, drop("alerts", "TopicPolicy", 0)),
    (Code.SERVICE_MISSING, drop("alerts", "Key", 1)),
    (Code.SERVICE_MISSING, change("alerts", "Key", 1, Action=["kms:Decrypt"])),
    (Code.SERVICE_MISSING, drop("processing", "LogKey", 1)),
    (
        Code.SERVICE_MISSING,
        change("processing", "LogKey", 1, Principal={"Service": "logs.amazonaws.com"}),
    ),
    (
        Code.SERVICE_CONDITION_DIFFERS,
        when("processing", "LogKey", 1, ArnEquals={CONTEXT: {"Fn::Sub": f"{GROUP}/other"}}),
    ),
    (Code.KEY_ADMINISTRATION, without("alerts", "Key", "kms:PutKeyPolicy")),
    (Code.KEY_ADMINISTRATION, without("alerts", "Key", "kms:UpdateAlias")),
    (Code.KEY_ADMINISTRATION, without("processing", "LogKey", "kms:DisableKeyRotation")),
    (Code.MANAGED_KEY, put("bus", "Undelivered", KmsMasterKeyId="alias/aws/sqs")),
    (
        Code.MANAGED_KEY,
        put("bus", "Undelivered", KmsMasterKeyId="arn:aws:kms:us-east-1:1:alias/aws/sqs"),
    ),
    (Code.MANAGED_KEY, put("alerts", "Topic", KmsMasterKeyId="alias/aws/sns")),
    # What a service needs.
    (Code.SERVICE_MISSING, drop("bus", "UndeliveredPolicy", 0)),
    (Code.SERVICE_MISSING, put("bus", "UndeliveredPolicy", Queues=[])),
    (
        Code.SERVICE_MISSING,
        lambda case: case.templates["bus"]["Resources"].pop("Permission"),
    ),
    (Code.SERVICE_MISSING, put("alerts", "Alarm", AlarmName="lost-dev")),
    (
        Code.SERVICE_MISSING,
        lambda case: (_encrypt_by_service(case), case.admitted("bus", "QueueKey").pop()),
    ),
    (
        Code.SERVICE_MISSING,
        add(
            "alerts",
            "Feed",
            "AWS::SNS::Subscription",
            Protocol="sqs",
            TopicArn={"Ref": "Topic"},
            Endpoint="arn:aws:sqs:us-east-1:111122223333:undelivered-dev",
        ),
    ),
    # What none needs.
    (
        Code.SERVICE_UNUSED,
        change("bus", "UndeliveredPolicy", 0, Action=["sqs:SendMessage", "sqs:ReceiveMessage"]),
    ),
    (Code.SERVICE_UNUSED, change("alerts", "Key", 1, Principal={"Service": ["s3.amazonaws.com"]})),
    (
        Code.SERVICE_UNUSED,
        add(
            "bus",
            "Idle",
            "AWS::Lambda::Permission",
            Action="lambda:InvokeFunction",
            FunctionName="processor-dev",
            Principal="events.amazonaws.com",
            SourceArn=RULE_ARN,
        ),
    ),
    (Code.SERVICE_UNUSED, put("bus", "Permission", Action="lambda:GetFunction")),
    (Code.REPEATED, repeat("bus", "UndeliveredPolicy")),
    (Code.REPEATED, also("alerts", "Key", "kms:PutKeyPolicy")),
    (Code.WILDCARD_ACTION, change("bus", "UndeliveredPolicy", 0, Action="sqs:*")),
    (Code.WILDCARD_ACTION, also("alerts", "Key", "kms:*")),
    (Code.UNKNOWN_ACTION, change("bus", "UndeliveredPolicy", 0, Action="sqs:SendIt")),
    (Code.UNKNOWN_ACTION, also("alerts", "Key", "kms:ManageKey")),
    (Code.KEY_DELEGATES, also("alerts", "Key", "kms:CreateGrant")),
    (Code.KEY_DELEGATES, also("processing", "LogKey", "kms:Decrypt")),
    (
        Code.KEY_ADMINISTRATION,
        when("alerts", "Key", 0, Bool={"aws:SecureTransport": True}),
    ),
    # What is wider, or on behalf of others.
    (Code.SERVICE_BROADER, change("bus", "UndeliveredPolicy", 0, Resource="*")),
    (
        Code.SERVICE_BROADER,
        when(
            "bus",
            "UndeliveredPolicy",
            0,
            **FROM_OWN,
            ArnLike={"aws:SourceArn": {"Fn::Sub": "arn:aws:events:${AWS::Region}:*:rule/*"}},
        ),
    ),
    *(
        (Code.SERVICE_BROADER, change("alerts", "TopicPolicy", 0, Condition=alarms(pattern)))
        for pattern in ("alarm:*", "alarm:alarm-*", "alarm:a*-dev", "alarm:alarm-*-de?", "*")
    ),
    (Code.SERVICE_NO_CONDITION, change("bus", "UndeliveredPolicy", 0, Condition=FROM_OWN)),
    (Code.SERVICE_NO_CONDITION, change("alerts", "TopicPolicy", 0, Condition=FROM_OWN)),
    (Code.SERVICE_NO_CONDITION, change("alerts", "Key", 1, Condition={})),
    (Code.SERVICE_NO_CONDITION, change("processing", "LogKey", 1, Condition={})),
    (
        Code.SERVICE_NO_CONDITION,
        lambda case: case.properties("bus", "Permission").pop("SourceArn"),
    ),
    (
        Code.SERVICE_CONDITION_DIFFERS,
        change("alerts", "TopicPolicy", 0, Condition=alarms("alarm:alarm-*-dev", OTHER)),
    ),
    (
        Code.SERVICE_CONDITION_DIFFERS,
        when("alerts", "Key", 1, **FROM_OWN, StringLike={"kms:ViaService": "sns.*"}),
    ),
    (
        Code.SERVICE_CONDITION_DIFFERS,
        when("alerts", "Key", 1, StringEqualsIfExists={"aws:SourceAccount": "111122223333"}),
    ),
    # Who else.
    (Code.PRINCIPAL_UNEXPLAINED, change("alerts", "Key", 1, Principal="*")),
    (Code.PRINCIPAL_UNEXPLAINED, repeat("alerts", "Key", Principal={"AWS": OTHER})),
    (Code.PRINCIPAL_UNEXPLAINED, repeat("bus", "UndeliveredPolicy", Principal={"AWS": OWN})),
    (Code.PRINCIPAL_UNEXPLAINED, put("bus", "Permission", Principal=OTHER)),
    (
        Code.PRINCIPAL_UNEXPLAINED,
        both(
            add("table", "Bucket", "AWS::S3::Bucket", BucketName="b"),
            add(
                "table",
                "BucketPolicy",
                "AWS::S3::BucketPolicy",
                Bucket={"Ref": "Bucket"},
                PolicyDocument={
                    "Statement": {
                        "Effect": "Allow",
                        "Principal": "*",
                        "Action": "s3:GetObject",
                        "Resource": "*",
                    }
                },
            ),
        ),
    ),
    (Code.RESOURCE_DENIES, change("alerts", "TopicPolicy", 1, Condition={})),
    (Code.RESOURCE_DENIES, repeat("alerts", "Key", Effect="Deny")),
    # What we cannot judge.
    (Code.MALFORMED, put("alerts", "Key", KeyPolicy=None)),
    (Code.BANNED_ELEMENT, change("alerts", "Key", 1, NotPrincipal="*")),
    (Code.UNJUDGED, put("alerts", "Alarm", AlarmActions=["arn:aws:automate:us-east-1:ec2:stop"])),
    (Code.UNJUDGED, put("alerts", "Topic", KmsMasterKeyId="alias/other")),
    (Code.UNJUDGED, put("bus", "UndeliveredPolicy", Queues=["https://elsewhere"])),
    (Code.UNJUDGED, put("bus", "Rule", Targets=[{"Id": "x", "Arn": "arn:aws:logs:r:1:x"}])),
    (Code.UNJUDGED, add("bus", "Open", "AWS::Events::EventBusPolicy", StatementId="x")),
    (Code.UNJUDGED, put("alerts", "Alarm", KmsKeyId={"Ref": "Key"})),
    (
        Code.UNJUDGED,
        put("table", "Table", Replicas=[{"Region": "us-west-2", "ResourcePolicy": {}}]),
    ),
    (
        Code.UNJUDGED,
        put("alerts", "Topic", Subscription=[{"Protocol": "email", "RedrivePolicy": "{}"}]),
    ),
]


def _encrypt_by_role(case: Any) -> None:
    """Encrypt the failure queue, to which only a role sends."""
    administer = case.admitted("processing", "LogKey")[0]
    through = {"StringEquals": {"kms:ViaService": {"Fn::Sub": "sqs.${AWS::Region}.amazonaws.com"}}}
    for_all = administer | {"Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Condition": through}
    case.add(
        "processing",
        "QueueKey",
        "AWS::KMS::Key",
        KeyPolicy={"Statement": [administer, for_all]},
    )
    case.properties("processing", "Failed")["KmsMasterKeyId"] = {"Ref": "QueueKey"}
    case.statements("processing").append(
        {
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": {"Fn::GetAtt": ["QueueKey", "Arn"]},
            "Condition": through,
        }
    )


def _encrypt_by_service(case: Any) -> None:
    """Encrypt the queue that a rule sends to with a key that admits EventBridge."""
    administer = case.admitted("processing", "LogKey")[0]
    use = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
    }
    case.add("bus", "QueueKey", "AWS::KMS::Key", KeyPolicy={"Statement": [administer, use]})
    case.properties("bus", "Undelivered")["KmsMasterKeyId"] = {"Ref": "QueueKey"}


def _subscribe(case: Any) -> None:
    """Let a topic deliver to a queue and to a function."""
    topic = {"Fn::Sub": "arn:aws:sns:${AWS::Region}:${AWS::AccountId}:alarms-dev"}
    live = {"Fn::Sub": "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:processor-dev"}
    for name, protocol, endpoint in (("A", "sqs", QUEUE), ("B", "lambda", live)):
        case.add(
            "bus",
            name,
            "AWS::SNS::Subscription",
            Protocol=protocol,
            TopicArn=topic,
            Endpoint=endpoint,
            RedrivePolicy={"deadLetterTargetArn": QUEUE},
        )
    repeat(
        "bus",
        "UndeliveredPolicy",
        Principal={"Service": "sns.amazonaws.com"},
        Condition={"ArnEquals": {"aws:SourceArn": topic}},
    )(case)
    case.add(
        "bus",
        "FromTopic",
        "AWS::Lambda::Permission",
        Action="lambda:InvokeFunction",
        FunctionName="processor-dev",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )


def _second_rule(case: Any) -> None:
    """Let another rule use the queue, admitted by a statement of its own."""
    dead = {"Id": "x", "Arn": QUEUE}
    case.add("bus", "Second", "AWS::Events::Rule", Name="second-dev", Targets=[dead])
    second = {"Fn::GetAtt": ["Second", "Arn"]}
    condition = FROM_OWN | {"ArnEquals": {"aws:SourceArn": second}}
    repeat("bus", "UndeliveredPolicy", Condition=condition)(case)


# Whom it looks like, and what is right all the same.
SILENT: dict[str, Edit] = {
    "SERVICE_MISSING: the pattern AWS documents is the action": change(
        "alerts", "Key", 1, Action=["kms:Decrypt", "kms:GenerateDataKey*"]
    ),
    "SERVICE_UNUSED: a subscribed topic explains two statements and a permission": _subscribe,
    "SERVICE_BROADER: alarms may share whole words": change(
        "alerts", "TopicPolicy", 0, Condition=alarms("alarm:alarm-*-dev")
    ),
    "SERVICE_BROADER: or be named": change(
        "alerts", "TopicPolicy", 0, Condition=alarms("alarm:alarm-lost-dev")
    ),
    "SERVICE_NO_CONDITION: a key is held to the account, or to the alarms too": change(
        "alerts", "Key", 1, Condition=alarms("alarm:alarm-*-dev")
    ),
    "SERVICE_NO_CONDITION: for EventBridge no condition on a key would hold": _encrypt_by_service,
    "SERVICE_CONDITION_DIFFERS: an operator of the same meaning": when(
        "processing",
        "LogKey",
        1,
        StringEquals={CONTEXT: {"Fn::Sub": f"{GROUP}/aws/lambda/processor-dev"}},
    ),
    "PRINCIPAL_UNEXPLAINED: the account by its number": change(
        "alerts", "Key", 0, Principal={"AWS": "111122223333"}
    ),
    "REPEATED: two rules, a statement each": _second_rule,
    "RESOURCE_DENIES: plain text is refused for every action": change(
        "alerts", "TopicPolicy", 1, Action="sns:*"
    ),
    "RESOURCE_DENIES: plain text is refused to every account": change(
        "alerts", "TopicPolicy", 1, Principal={"AWS": "*"}
    ),
    "MANAGED_KEY: a role may use it": put("processing", "Failed", KmsMasterKeyId="alias/aws/sqs"),
    "KEY_ADMINISTRATION: in two statements": both(
        without("alerts", "Key", "kms:PutKeyPolicy"),
        lambda case: case.admitted("alerts", "Key").append(
            case.admitted("alerts", "Key")[0] | {"Action": "kms:PutKeyPolicy"}
        ),
    ),
    "KEY_DELEGATES: what a role needs of the key": _encrypt_by_role,
    "UNJUDGED: an address is told by e-mail": add(
        "alerts",
        "Mail",
        "AWS::SNS::Subscription",
        Protocol="email",
        TopicArn={"Ref": "Topic"},
        Endpoint="a@example.com",
    ),
}
