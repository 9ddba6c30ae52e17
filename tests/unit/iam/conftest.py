"""A proven system to plant faults in: it looks like trading-events, cut down to its three roles."""

from copy import deepcopy

import pytest
from unit.iam.building import ACCOUNT, EAST, WEST, Case, admit, allow, arn, key, policy, role, trust
from unit.iam.market import market_pipeline
from unit.iam.payments import payments_dr

RULES = "rule/bus-dev/GlobalEndpointManagedRule-*"
GROUP = {
    "Type": "AWS::Logs::LogGroup",
    "Properties": {
        "LogGroupName": "/aws/lambda/processor-dev",
        "KmsKeyId": {"Fn::GetAtt": ["LogKey", "Arn"]},
    },
}
ENCRYPT_LOG = ["Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom"]
ALERTS = {
    "Resources": {
        "Key": key(
            admit(
                "cloudwatch.amazonaws.com",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                "*",
                StringEquals=ACCOUNT,
            )
        ),
        "Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"TopicName": "alarms-dev", "KmsMasterKeyId": {"Ref": "Key"}},
        },
        "TopicPolicy": policy(
            "AWS::SNS::TopicPolicy",
            "Topics",
            "Topic",
            admit(
                "cloudwatch.amazonaws.com",
                ["sns:Publish"],
                {"Ref": "Topic"},
                StringEquals=ACCOUNT,
                ArnLike={"aws:SourceArn": arn("cloudwatch", "alarm:alarm-*-dev")},
            ),
        ),
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": "alarm-lost-dev",
                "AlarmActions": [{"Ref": "Topic"}],
                "OKActions": [{"Ref": "Topic"}],
            },
        },
    }
}
TABLE = {
    "Resources": {
        "Table": {
            "Type": "AWS::DynamoDB::GlobalTable",
            "Properties": {
                "TableName": "transactions-dev",
                "Replicas": [{"Region": EAST}, {"Region": WEST}],
            },
        }
    }
}
PROCESSING = {
    "Parameters": {"CodeKey": {"Type": "String"}},
    "Resources": {
        "Failed": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "failed-dev"}},
        "Log": GROUP,
        "LogKey": key(
            admit(
                {"Fn::Sub": "logs.${AWS::Region}.amazonaws.com"},
                [f"kms:{each}" for each in [*ENCRYPT_LOG, "ReEncryptTo"]],
                "*",
                ArnEquals={
                    "kms:EncryptionContext:aws:logs:arn": arn(
                        "logs", "log-group:/aws/lambda/processor-dev"
                    )
                },
            )
        ),
        "Processor": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "processor-dev",
                "Code": {"S3Bucket": "artifacts", "S3Key": {"Ref": "CodeKey"}},
                "Environment": {"Variables": {"TABLE_NAME": "transactions-dev"}},
                "Handler": "trading_processor.app.handler",
                "LoggingConfig": {"LogGroup": {"Ref": "Log"}},
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "TracingConfig": {"Mode": "Active"},
            },
        },
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {"Name": "live", "FunctionName": {"Ref": "Processor"}},
        },
        "Failures": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "Properties": {
                "FunctionName": {"Ref": "Processor"},
                "Qualifier": "live",
                "DestinationConfig": {
                    "OnFailure": {"Destination": {"Fn::GetAtt": ["Failed", "Arn"]}}
                },
            },
        },
        "Role": role(
            "processor",
            trust("lambda.amazonaws.com"),
            allow(["dynamodb:PutItem"], arn("dynamodb", "table/transactions-dev")),
            allow(
                ["logs:CreateLogStream", "logs:PutLogEvents"],
                arn("logs", "log-group:/aws/lambda/processor-dev:*"),
            ),
            allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*"),
            allow(["sqs:SendMessage"], {"Fn::GetAtt": ["Failed", "Arn"]}),
        ),
    },
}
BUS = {
    "Resources": {
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "bus-dev"}},
        "Lost": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "lost-dev"}},
        "Undelivered": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": "undelivered-dev", "SqsManagedSseEnabled": True},
        },
        "UndeliveredPolicy": policy(
            "AWS::SQS::QueuePolicy",
            "Queues",
            "Undelivered",
            admit(
                "events.amazonaws.com",
                ["sqs:SendMessage"],
                {"Fn::GetAtt": ["Undelivered", "Arn"]},
                StringEquals=ACCOUNT,
                ArnEquals={"aws:SourceArn": arn("events", "rule/bus-dev/rule-dev")},
            ),
        ),
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": "rule-dev",
                "EventBusName": {"Ref": "Bus"},
                "Targets": [
                    {
                        "Id": "Target",
                        "Arn": arn("lambda", "function:processor-dev:live"),
                        "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Undelivered", "Arn"]}},
                    }
                ],
            },
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": arn("lambda", "function:processor-dev:live"),
                "Principal": "events.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]},
            },
        },
        "Beat": {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {
                "Name": "beat-dev",
                "Target": {
                    "Arn": {"Fn::GetAtt": ["Bus", "Arn"]},
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    "EventBridgeParameters": {"DetailType": "Beat", "Source": "tap"},
                    "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Lost", "Arn"]}},
                },
            },
        },
        "Role": role(
            "beat",
            trust(
                "scheduler.amazonaws.com",
                StringEquals=ACCOUNT,
                ArnEquals={"aws:SourceArn": arn("scheduler", "schedule-group/default")},
            ),
            {
                "Effect": "Allow",
                "Action": "events:PutEvents",
                "Resource": {"Fn::GetAtt": ["Bus", "Arn"]},
                "Condition": {
                    "ForAllValues:StringEquals": {
                        "events:detail-type": ["Beat"],
                        "events:source": ["tap"],
                    },
                    "Null": {"events:detail-type": False, "events:source": False},
                },
            },
            allow(["sqs:SendMessage"], {"Fn::GetAtt": ["Lost", "Arn"]}),
        ),
    }
}
ENDPOINT = {
    "Resources": {
        "Endpoint": {
            "Type": "AWS::Events::Endpoint",
            "Properties": {
                "Name": "endpoint-dev",
                "EventBuses": [
                    {"EventBusArn": arn("events", "event-bus/bus-dev", region)}
                    for region in (EAST, WEST)
                ],
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            },
        },
        "Role": role(
            "replication",
            trust("events.amazonaws.com", StringEquals=ACCOUNT),
            allow(
                ["events:PutEvents"],
                *(arn("events", "event-bus/bus-dev", region) for region in (EAST, WEST)),
            ),
            allow(
                [
                    "events:PutRule",
                    "events:PutTargets",
                    "events:DeleteRule",
                    "events:RemoveTargets",
                ],
                *(arn("events", RULES, region) for region in (EAST, WEST)),
            ),
            allow(
                ["iam:PassRole"],
                {
                    "Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:"
                    "role/replication-dev-${AWS::Region}"
                },
                StringEquals={"iam:PassedToService": "events.amazonaws.com"},
            ),
        ),
    }
}
LEDGER = """
class Ledger:
    def __init__(self, client, table):
        self._client = client
        self._table = table

    def claim(self, item):
        self._client.put_item(TableName=self._table, Item=item)
"""
APP = """
import os

import boto3

from trading_processor.ledger import Ledger

_ledger = Ledger(boto3.client("dynamodb"), os.environ["TABLE_NAME"])


def handler(event, context):
    _ledger.claim({"id": event["id"]})
"""


@pytest.fixture
def case() -> Case:
    templates = {
        "table": TABLE,
        "alerts": ALERTS,
        "processing": PROCESSING,
        "bus": BUS,
        "endpoint": ENDPOINT,
    }
    sources = {"trading_processor/app.py": APP, "trading_processor/ledger.py": LEDGER}
    return Case(
        deepcopy(templates),
        {"trading-processor": sources},
        {"table": (WEST,), "endpoint": (EAST,)},
        {"processing": {"CodeKey": {"package": "trading-processor"}}},
    )


@pytest.fixture
def market() -> Case:
    return market_pipeline()


@pytest.fixture
def payments() -> Case:
    return payments_dr()
