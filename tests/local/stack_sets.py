"""A stack set of one queue, for the conformance tests: its template, and short words for calls."""

import json
from uuid import uuid4

import botocore.exceptions
import pytest
from local.rollout import finished

PRIMARY, SECONDARY = "us-east-1", "us-west-2"


def template(**changes):
    """A queue whose retention is a parameter; `changes` go to its properties."""
    return json.dumps(
        {
            "Parameters": {
                "Seconds": {"Type": "Number", "Default": 60},
                "Delay": {"Type": "Number", "Default": 0},
            },
            "Resources": {
                "Queue": {
                    "Type": "AWS::SQS::Queue",
                    "Properties": {
                        "MessageRetentionPeriod": {"Ref": "Seconds"},
                        "DelaySeconds": {"Ref": "Delay"},
                        **changes,
                    },
                }
            },
            "Outputs": {"Url": {"Value": {"Ref": "Queue"}}},
        }
    )


BROKEN = json.dumps(
    {
        "Resources": {
            "Fine": {"Type": "AWS::SQS::Queue"},
            "Broken": {
                "Type": "AWS::Events::Endpoint",
                "DependsOn": "Fine",
                "Properties": {"EventBuses": [], "RoutingConfig": {}},
            },
        }
    }
)


def parameters(**values):
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def previous(*names):
    return [{"ParameterKey": name, "UsePreviousValue": True} for name in names]


class StackSet:
    """A stack set on the engine, by a name of its own."""

    def __init__(self, clients, **options):
        self.clients, self.client = clients, clients("cloudformation")
        self.account = clients.engine.account
        self.name = f"set-{uuid4().hex[:8]}"
        if "TemplateURL" not in options:
            options = {"TemplateBody": template(), **options}
        self.id = self.client.create_stack_set(StackSetName=self.name, **options)["StackSetId"]

    def __getattr__(self, action):
        """Call an action with the stack set's name."""
        return lambda **request: getattr(self.client, action)(StackSetName=self.name, **request)

    @property
    def described(self):
        return self.describe_stack_set()["StackSet"]

    def targets(self, regions):
        return {"Accounts": [self.account], "Regions": list(regions)}

    def begin(self, action, *regions, **request):
        """Start an operation; give its id."""
        where = self.targets(regions) if regions else {}
        return getattr(self, action)(**where, **request)["OperationId"]

    def run(self, action, *regions, **request):
        """Start an operation, wait for its end, give it."""
        return self.wait(self.begin(action, *regions, **request))

    def wait(self, operation_id):
        return finished(self.client, self.name, operation_id)

    def create(self, *regions, **request):
        operation = self.run(
            "create_stack_instances", *(regions or (PRIMARY, SECONDARY)), **request
        )
        assert operation["Status"] == "SUCCEEDED", self.results(operation)
        return self

    def delete(self, *regions, retain=False):
        chosen = regions or (PRIMARY, SECONDARY)
        return self.run("delete_stack_instances", *chosen, RetainStacks=retain)

    def instance(self, region=PRIMARY):
        return self.describe_stack_instance(
            StackInstanceAccount=self.account, StackInstanceRegion=region
        )["StackInstance"]

    def status(self, *regions):
        found = [self.instance(region) for region in regions or (PRIMARY, SECONDARY)]
        return [(each["Status"], each["StackInstanceStatus"]["DetailedStatus"]) for each in found]

    def results(self, operation):
        found = self.list_stack_set_operation_results(OperationId=operation["OperationId"])
        return {each["Region"]: each for each in found["Summaries"]}

    def stack(self, region=PRIMARY):
        cloudformation = self.clients("cloudformation", region)
        return cloudformation.describe_stacks(StackName=self.instance(region)["StackId"])["Stacks"][
            0
        ]

    def queue(self, region=PRIMARY):
        """The attributes of the queue that is really there."""
        url = self.stack(region)["Outputs"][0]["OutputValue"]
        asked = {"QueueUrl": url, "AttributeNames": ["All"]}
        return self.clients("sqs", region).get_queue_attributes(**asked)["Attributes"]

    def retention(self, *regions):
        found = [self.queue(each)["MessageRetentionPeriod"] for each in regions]
        return found[0] if len(found) == 1 else found


def refusal(call, *args, **request):
    """Call, expect an error, and give its code."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(*args, **request)
    return caught.value.response["Error"]["Code"]
