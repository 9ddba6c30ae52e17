"""A state machine, what it invokes and what starts it: a template, and what one does with it."""

import json
from uuid import uuid4

from local.conftest import eventually
from local.lambdas import live_function

UNIQUE = uuid4().hex[:8]
SOURCE = "tests.workflows"
CODE = """
class Refused(Exception): ...
class Busy(Exception): ...

def handler(event, context):
    wish, retries = event["do"], event["retries"]
    if wish == "refuse":
        raise Refused("no")
    if wish == "always busy" or wish == "busy" and retries < 2:
        raise Busy("later")
    return {"known": wish == "known", "retries": retries, "execution": event["execution"]}
"""


def get(name, attribute="Arn"):
    return {"Fn::GetAtt": [name, attribute]}


def role(service, action, resource):
    """A role that `service` may take, to do one thing."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    may = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [
                {
                    "PolicyName": "It",
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": [may]},
                }
            ],
        },
    }


def invoke(wish, **more):
    """A task that invokes the function by its alias."""
    payload = {
        "do.$": wish,
        "execution.$": "$$.Execution.Name",
        "retries.$": "$$.State.RetryCount",
    }
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": {"Ref": "Alias"}, "Payload": payload},
        "TimeoutSeconds": 20,
        **more,
    }


def park(following):
    """A task that sends the event and the name of the error to the queue."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Parameters": {
            "QueueUrl": {"Ref": "Failed"},
            "MessageBody": {"event.$": "$.detail", "error.$": "$.error.Error"},
        },
        "ResultPath": None,
        "Next": following,
    }


def catch(errors, following):
    return [{"ErrorEquals": errors, "ResultPath": "$.error", "Next": following}]


def branch(wish):
    task = invoke(wish, OutputPath="$.Payload.execution", End=True)
    return {"StartAt": "Go", "States": {"Go": task}}


DEFINITION = {
    "StartAt": "Validate",
    "States": {
        "Validate": invoke(
            "$.detail.do",
            ResultSelector={"said.$": "$.Payload"},
            ResultPath="$.validated",
            Retry=[
                {
                    "ErrorEquals": ["Busy"],
                    "IntervalSeconds": 1,
                    "MaxAttempts": 2,
                    "BackoffRate": 2,
                }
            ],
            Catch=catch(["Refused"], "Reject"),
            Next="Known",
        ),
        "Known": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.validated.said.known", "BooleanEquals": True, "Next": "Nothing"}
            ],
            "Default": "Both",
        },
        "Nothing": {"Type": "Succeed", "OutputPath": "$.validated.said"},
        "Both": {
            "Type": "Parallel",
            "Branches": [branch("$.detail.left"), branch("$.detail.right")],
            "ResultSelector": {"left.$": "$[0]", "right.$": "$[1]"},
            "ResultPath": "$.both",
            "Catch": catch(["States.ALL"], "Undo"),
            "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
        "Undo": park("Undone"),
        "Undone": {"Type": "Fail", "Error": "Compensated", "Cause": "undone"},
        "Reject": park("Rejected"),
        "Rejected": {"Type": "Fail", "Error": "Rejected", "Cause": "refused"},
    },
}


def alarm(namespace, metric, dimension, value):
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": dimension, "Value": value}],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        },
    }


RESOURCES = {
    **live_function(f"workflow-{UNIQUE}", CODE, get("MachineRole"), Timeout=10),
    "Failed": {"Type": "AWS::SQS::Queue"},
    "Undelivered": {"Type": "AWS::SQS::Queue"},
    "Log": {"Type": "AWS::Logs::LogGroup"},
    "MachineRole": role("states.amazonaws.com", "lambda:InvokeFunction", "*"),
    "Machine": {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "StateMachineName": f"machine-{UNIQUE}",
            "Definition": DEFINITION,
            "RoleArn": get("MachineRole"),
            "LoggingConfiguration": {
                "Level": "ERROR",
                "IncludeExecutionData": False,
                "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": get("Log")}}],
            },
            "TracingConfiguration": {"Enabled": True},
        },
    },
    "RuleRole": role("events.amazonaws.com", "states:StartExecution", {"Ref": "Machine"}),
    "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": f"workflow-{UNIQUE}"}},
    "Rule": {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Name": f"workflow-{UNIQUE}",
            "EventBusName": {"Ref": "Bus"},
            "EventPattern": {"source": [SOURCE]},
            "Targets": [
                {
                    "Id": "machine",
                    "Arn": {"Ref": "Machine"},
                    "RoleArn": get("RuleRole"),
                    "DeadLetterConfig": {"Arn": get("Undelivered")},
                }
            ],
        },
    },
    "Archive": {
        "Type": "AWS::Events::Archive",
        "Properties": {
            "ArchiveName": f"workflow-{UNIQUE}",
            "SourceArn": get("Bus"),
            "RetentionDays": 30,
        },
    },
    "MachineAlarm": alarm("AWS/States", "ExecutionsFailed", "StateMachineArn", {"Ref": "Machine"}),
    "FunctionAlarm": alarm("AWS/Lambda", "Errors", "FunctionName", {"Ref": "Function"}),
}
OUTPUTS = ("Machine", "Bus", "Failed", "Undelivered", "MachineAlarm", "FunctionAlarm", "RuleRole")
BODY = json.dumps(
    {
        "Resources": RESOURCES,
        "Outputs": {name: {"Value": {"Ref": name}} for name in OUTPUTS},
    }
)


class Workflow:
    """The template in one region, and what one does with it."""

    def __init__(self, clients, stack_set, region):
        self.clients, self.region = clients, region
        outputs = stack_set.stack(region)["Outputs"]
        self.ids = {each["OutputKey"]: each["OutputValue"] for each in outputs}

    def client(self, service):
        return self.clients(service, self.region)

    def run(self, **detail):
        """Start an execution as the rule would, wait for its end, give it."""
        states = self.client("stepfunctions")
        started = states.start_execution(
            stateMachineArn=self.ids["Machine"], input=json.dumps({"detail": detail})
        )
        return self.ended(started["executionArn"])

    def ended(self, arn):
        def described():
            found = self.client("stepfunctions").describe_execution(executionArn=arn)
            return None if found["status"] == "RUNNING" else found

        return eventually(described)

    def executions(self):
        listed = self.client("stepfunctions").list_executions(stateMachineArn=self.ids["Machine"])
        return {each["executionArn"] for each in listed["executions"]}

    def put(self, **detail):
        entry = {
            "EventBusName": self.ids["Bus"],
            "Source": SOURCE,
            "DetailType": "tests",
            "Detail": json.dumps(detail),
        }
        answer = self.client("events").put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0

    def received(self, queue, **asked):
        """Wait for a message of a queue, and take it."""
        sqs, request = self.client("sqs"), {"QueueUrl": self.ids[queue], **asked}
        (message,) = eventually(lambda: sqs.receive_message(**request).get("Messages"))
        sqs.delete_message(QueueUrl=self.ids[queue], ReceiptHandle=message["ReceiptHandle"])
        return message

    def rings(self, alarm):
        cloudwatch, asked = self.client("cloudwatch"), {"AlarmNames": [self.ids[alarm]]}
        eventually(
            lambda: cloudwatch.describe_alarms(**asked)["MetricAlarms"][0]["StateValue"] == "ALARM"
        )
