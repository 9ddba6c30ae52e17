"""Faults in how resources are tagged, encrypted and kept."""

from unit.invariants.planted import (
    Planted,
    add,
    attribute,
    both,
    drop,
    properties,
    put,
    remove,
)


def _no_deny(template):
    document = properties(template, "UndeliveredQueuePolicy")["PolicyDocument"]
    document["Statement"] = [each for each in document["Statement"] if each["Effect"] == "Allow"]


def _deny_with_a_way_out(template):
    document = properties(template, "FailedQueuePolicy")["PolicyDocument"]
    document["Statement"][0]["Condition"]["StringNotEquals"] = {"aws:username": "root"}


TAGS = (
    Planted(
        "TAP-TAG-01",
        "bus",
        lambda t: properties(t, "TradingBus")["Tags"].pop(1),
        logical_id="TradingBus",
        path="/Properties/Tags",
        says="lacks the tag DR-Tier, in both regions",
        remedy="leave tagging to the build stage",
    ),
    Planted(
        "TAP-TAG-01",
        "table",
        put("TransactionsTable", "Replicas.0.Tags.4.Value", {"Ref": "AWS::Region"}),
        logical_id="TransactionsTable",
        path="/Properties/Replicas/0/Tags",
        says="has the tag Region=us-west-2, but it is us-east-1",
    ),
    Planted(
        "TAP-TAG-01",
        "endpoint",
        drop("TradingHealthCheck", "HealthCheckTags"),
        logical_id="TradingHealthCheck",
        says="lacks the tags Application, DR-Tier, Environment, ManagedBy, Region",
    ),
    Planted(
        "TAP-TAG-02",
        "bus",
        add("Strange", "AWS::Kinesis::Stream"),
        logical_id="Strange",
        says="of which this check does not know whether it takes tags",
        remedy="add the type to TAGS_AT or NOT_TAGGABLE",
    ),
)
ENCRYPTION = (
    Planted(
        "TAP-ENC-01",
        "bus",
        put("UndeliveredQueue", "SqsManagedSseEnabled", value=False),
        logical_id="UndeliveredQueue",
        says="is not said to be encrypted",
        remedy="set SqsManagedSseEnabled",
    ),
    Planted(
        "TAP-ENC-01",
        "alerts",
        put("AlarmsTopic", "KmsMasterKeyId", "alias/aws/sns"),
        logical_id="AlarmsTopic",
        says="alarms cannot publish through alias/aws/sns",
        remedy="set KmsMasterKeyId to a key of the same region",
    ),
    Planted(
        "TAP-ENC-01",
        "processing",
        drop("ProcessorLog", "KmsKeyId"),
        logical_id="ProcessorLog",
        says="is not encrypted with a key of the system",
        remedy="set KmsKeyId",
    ),
    Planted(
        "TAP-ENC-01",
        "table",
        drop("TransactionsTable", "SSESpecification"),
        logical_id="TransactionsTable",
        says="is not said to be encrypted by KMS",
    ),
    Planted(
        "TAP-ENC-01",
        "bus",
        add("Audit", "AWS::S3::Bucket", BucketName="b"),
        logical_id="Audit",
        says="is not said to be encrypted",
        remedy="set BucketEncryption",
    ),
    Planted(
        "TAP-ENC-02",
        "bus",
        remove("HeartbeatQueuePolicy"),
        logical_id="HeartbeatQueue",
        says="has no resource policy",
        remedy="denies requests without TLS",
    ),
    Planted(
        "TAP-ENC-02",
        "bus",
        _no_deny,
        logical_id="UndeliveredQueue",
        says="does not refuse sqs:DeleteMessage, sqs:ReceiveMessage, sqs:SendMessage in plain text",
        remedy="add a Deny for everyone on it where aws:SecureTransport is false",
    ),
    Planted(
        "TAP-ENC-02",
        "processing",
        _deny_with_a_way_out,
        logical_id="FailedQueue",
        says="does not refuse",
    ),
    Planted(
        "TAP-ENC-02",
        "alerts",
        put("AlarmsTopicPolicy", "PolicyDocument.Statement.1.Action", ["sns:Subscribe"]),
        logical_id="AlarmsTopic",
        says="does not refuse sns:Publish in plain text",
    ),
    Planted(
        "TAP-ENC-02",
        "bus",
        add(
            "Second", "AWS::SQS::QueuePolicy", Queues=[{"Ref": "HeartbeatQueue"}], PolicyDocument={}
        ),
        logical_id="HeartbeatQueue",
        says="has two policies, HeartbeatQueuePolicy and Second",
        remedy="merge them",
    ),
)
RETENTION = (
    Planted(
        "TAP-RET-01",
        "bus",
        lambda t: t["Resources"]["TradingArchive"].pop("UpdateReplacePolicy"),
        logical_id="TradingArchive",
        says="does not say UpdateReplacePolicy",
        remedy="leave both to the build stage",
    ),
    Planted(
        "TAP-RET-01",
        "processing",
        attribute("FailedQueue", "DeletionPolicy", "Retain"),
        logical_id="FailedQueue",
        says="has DeletionPolicy Retain but UpdateReplacePolicy Delete",
    ),
    Planted(
        "TAP-RET-02",
        "table",
        both(
            attribute("TransactionsTable", "DeletionPolicy", "Delete"),
            attribute("TransactionsTable", "UpdateReplacePolicy", "Delete"),
        ),
        logical_id="TransactionsTable",
        path="/DeletionPolicy",
        says="has DeletionPolicy Delete, but the system says Retain for AWS::DynamoDB::GlobalTable",
        remedy="change `retain` in the system module",
    ),
    Planted(
        "TAP-RET-02",
        "bus",
        attribute("TradingBus", "DeletionPolicy", "Retain"),
        logical_id="TradingBus",
        says="has DeletionPolicy Retain, but the system says Delete",
    ),
)
PLANTED = (*TAGS, *ENCRYPTION, *RETENTION)
