"""Schedules that invoke functions: fired, refused without the grant, silent in a dead region."""

import json
from uuid import uuid4

import pytest
from local.conftest import PRIMARY, eventually
from local.lambdas import live_function
from local.reading import problems
from local.stack_sets import StackSet
from local.workflows import get, role

UNIQUE = uuid4().hex[:8]
CODE = """
import json
import os
import boto3

def handler(event, context):
    queue = boto3.client("sqs").get_queue_url(QueueName=os.environ["QUEUE"])["QueueUrl"]
    said = {"event": event, "version": context.function_version}
    boto3.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(said))
"""
GIVEN = json.dumps({"operation": "sweep"})


def body(expression="rate(1 minute)", action="lambda:InvokeFunction"):
    resources = {
        "Said": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": f"said-{UNIQUE}"}},
        "Lost": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": f"lost-{UNIQUE}"}},
        "Role": role("lambda.amazonaws.com", "sqs:*", "*"),
        **live_function(
            f"swept-{UNIQUE}",
            CODE,
            get("Role"),
            Environment={"Variables": {"QUEUE": f"said-{UNIQUE}"}},
        ),
        "SweepRole": role("scheduler.amazonaws.com", action, {"Ref": "Alias"}),
        "Group": {
            "Type": "AWS::Scheduler::ScheduleGroup",
            "Properties": {"Name": f"sweeps-{UNIQUE}"},
        },
        "Schedule": {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {
                "Name": f"sweep-{UNIQUE}",
                "GroupName": {"Ref": "Group"},
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "ScheduleExpression": expression,
                "Target": {
                    "Arn": {"Ref": "Alias"},
                    "RoleArn": get("SweepRole"),
                    "Input": GIVEN,
                    "DeadLetterConfig": {"Arn": get("Lost")},
                },
            },
        },
    }
    return json.dumps({"Resources": resources})


@pytest.fixture
def made(clients):
    found = []

    def make(template):
        stack_set = StackSet(clients, TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
        found.append(stack_set.create(PRIMARY))
        return found[-1]

    yield make
    for each in found:
        assert each.delete(PRIMARY)["Status"] == "SUCCEEDED"


def received(clients, queue):
    sqs = clients("sqs")
    url = sqs.get_queue_url(QueueName=f"{queue}-{UNIQUE}")["QueueUrl"]
    asked = {"QueueUrl": url, "MessageAttributeNames": ["All"]}
    (message,) = eventually(lambda: sqs.receive_message(**asked).get("Messages"))
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return message


def test_the_live_alias_is_invoked_with_the_input(clients, made):
    template = body()
    stack_set = made(template)
    said = json.loads(received(clients, "said")["Body"])
    assert said["event"] == {"operation": "sweep"}
    assert said["version"] == "1"
    assert problems(stack_set, PRIMARY, template) == []


def test_what_the_role_may_not_is_kept(clients, made):
    made(body(action="lambda:GetFunction"))
    message = received(clients, "lost")
    assert message["Body"] == GIVEN
    attributes = {key: each["StringValue"] for key, each in message["MessageAttributes"].items()}
    assert attributes["ERROR_CODE"] == "AccessDeniedException"
    assert attributes["TARGET_ARN"].endswith(":live")
