"""A queue that feeds a function: deployed by CloudFormation, and really worked off."""

import json
import time
from uuid import uuid4

import pytest
from local.conftest import PRIMARY, SECONDARY, eventually
from local.lambdas import live_function
from local.reading import problems, spoiled
from local.stack_sets import StackSet

UNIQUE = uuid4().hex[:8]
CODE = """
import json

def handler(event, context):
    failed = [each for each in event["Records"] if "bad" in each["body"]]
    for each in event["Records"]:
        print(json.dumps({"handled": each["body"], "by": context.invoked_function_arn}))
    return {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in failed]}
"""
WORK, DEAD = f"work-{UNIQUE}", f"dead-{UNIQUE}"


def get(name, attribute="Arn"):
    return {"Fn::GetAtt": [name, attribute]}


def body(**feed):
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    source = {"Fn::Sub": f"arn:aws:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{WORK}"}
    resources = {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}
            },
        },
        **live_function(f"worker-{UNIQUE}", CODE, get("Role")),
        "Dead": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "QueueName": DEAD,
                "RedriveAllowPolicy": {
                    "redrivePermission": "byQueue",
                    "sourceQueueArns": [source],
                },
            },
        },
        "Work": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "QueueName": WORK,
                "VisibilityTimeout": 1,
                "RedrivePolicy": {"deadLetterTargetArn": get("Dead"), "maxReceiveCount": 2},
            },
        },
        "Feed": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "BatchSize": 5,
                "Enabled": {"Fn::If": ["IsPrimary", True, False]},
                "EventSourceArn": get("Work"),
                "FunctionName": {"Ref": "Alias"},
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "MaximumBatchingWindowInSeconds": 1,
                "ScalingConfig": {"MaximumConcurrency": 2},
                "Tags": [{"Key": "Owner", "Value": "tests"}],
                **feed,
            },
        },
    }
    return json.dumps(
        {
            "Conditions": {"IsPrimary": {"Fn::Equals": [{"Ref": "AWS::Region"}, PRIMARY]}},
            "Resources": resources,
            "Outputs": {
                "Feed": {"Value": {"Ref": "Feed"}},
                "Arn": {"Value": get("Feed", "EventSourceMappingArn")},
            },
        }
    )


@pytest.fixture(scope="module")
def stack_set(clients):
    made = StackSet(clients, TemplateBody=body(), Capabilities=["CAPABILITY_IAM"]).create()
    yield made
    assert made.delete()["Status"] == "SUCCEEDED"
    for region in (PRIMARY, SECONDARY):
        assert clients("lambda", region).list_event_source_mappings()["EventSourceMappings"] == []


class Worked:
    """The queue in a region, and what is done with it."""

    def __init__(self, clients, stack_set, region):
        self.clients, self.region = clients, region
        outputs = stack_set.stack(region)["Outputs"]
        self.ids = {each["OutputKey"]: each["OutputValue"] for each in outputs}

    def client(self, service):
        return self.clients(service, self.region)

    def url(self, queue):
        return self.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]

    def send(self, *texts):
        for text in texts:
            self.client("sqs").send_message(QueueUrl=self.url(WORK), MessageBody=text)

    def depth(self, queue):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        asked = {"QueueUrl": self.url(queue), "AttributeNames": names}
        found = self.client("sqs").get_queue_attributes(**asked)["Attributes"]
        return sum(int(each) for each in found.values())

    def switch(self, *, on):
        self.client("lambda").update_event_source_mapping(UUID=self.ids["Feed"], Enabled=on)

    def state(self):
        return self.client("lambda").get_event_source_mapping(UUID=self.ids["Feed"])["State"]


@pytest.fixture
def primary(clients, stack_set):
    return Worked(clients, stack_set, PRIMARY)


@pytest.fixture
def standby(clients, stack_set):
    return Worked(clients, stack_set, SECONDARY)


def test_it_is_on_where_its_template_says_so_and_read_back(stack_set, primary, standby):
    assert (primary.state(), standby.state()) == ("Enabled", "Disabled")
    assert primary.ids["Arn"].endswith(f"event-source-mapping:{primary.ids['Feed']}")
    tags = primary.client("lambda").list_tags(Resource=primary.ids["Arn"])["Tags"]
    assert tags["Owner"] == "tests"
    for region in (PRIMARY, SECONDARY):
        assert problems(stack_set, region, body()) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("Feed", {"BatchSize": 6}),
        ("Feed", {"Enabled": False}),
        ("Feed", {"FunctionResponseTypes": []}),
        ("Feed", {"ScalingConfig": {"MaximumConcurrency": 3}}),
        ("Work", {"RedrivePolicy": {"maxReceiveCount": 3}}),
        ("Dead", {"RedriveAllowPolicy": {"redrivePermission": "denyAll"}}),
    ],
)
def test_reading_back_notices_what_differs(stack_set, name, change):
    (problem,) = problems(stack_set, PRIMARY, spoiled(body(), name, change))
    assert f": {name} (" in problem


def test_what_fails_of_a_batch_comes_back_alone_and_ends_in_the_dead_letters(primary):
    primary.send("good 1", "bad 1", "good 2")
    eventually(lambda: primary.depth(DEAD) == 1 and primary.depth(WORK) == 0)
    asked = {"QueueUrl": primary.url(DEAD)}
    (message,) = primary.client("sqs").receive_message(**asked)["Messages"]
    assert message["Body"] == "bad 1"
    primary.client("sqs").purge_queue(**asked)


def test_a_queue_waits_until_its_region_is_switched_on(standby):
    standby.send("good")
    standby.switch(on=True)
    try:
        eventually(lambda: standby.depth(WORK) == 0)
    finally:
        standby.switch(on=False)
    standby.send("later")
    assert standby.depth(WORK) == 1
    standby.client("sqs").purge_queue(QueueUrl=standby.url(WORK))


def test_a_killed_region_uses_up_no_message(primary, control):
    asked = {"QueueUrl": primary.url(WORK), "MessageBody": "good", "DelaySeconds": 1}
    primary.client("sqs").send_message(**asked)
    control("kill", region=PRIMARY)
    time.sleep(4)  # were it received, it would be twice, and go to the dead letters
    control("heal", region=PRIMARY)
    eventually(lambda: primary.depth(WORK) == 0)
    assert primary.depth(DEAD) == 0


def test_an_update_changes_it_in_place(stack_set, primary):
    may = {"Capabilities": ["CAPABILITY_IAM"]}
    changed = body(BatchSize=1, Tags=[{"Key": "Owner", "Value": "others"}])
    assert stack_set.run("update_stack_set", TemplateBody=changed, **may)["Status"] == "SUCCEEDED"
    try:
        functions = primary.client("lambda")
        found = functions.get_event_source_mapping(UUID=primary.ids["Feed"])
        assert (found["BatchSize"], found["State"]) == (1, "Enabled")
        assert functions.list_tags(Resource=primary.ids["Arn"])["Tags"]["Owner"] == "others"
    finally:  # other tests, in whatever order, find it as it was
        back = stack_set.run("update_stack_set", TemplateBody=body(), **may)
        assert back["Status"] == "SUCCEEDED"
