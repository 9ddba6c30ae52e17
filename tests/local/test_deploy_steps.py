"""Functions that CloudFormation runs while it deploys, and migrations, which nothing runs here."""

import json
from uuid import uuid4

import pytest
from local.conftest import PRIMARY, SECONDARY
from local.reading import problems, spoiled
from local.stack_sets import StackSet

from tap_templates.local import support

UNIQUE = uuid4().hex[:8]
BOTH = (PRIMARY, SECONDARY)
CODE = """
import json, urllib.request

def handler(event, context):
    wish = event["ResourceProperties"].get("Do")
    said = {
        "Status": "FAILED" if wish == "fail" else "SUCCESS",
        "Reason": "it cannot be done",
        "PhysicalResourceId": "step-" + event["ResourceProperties"].get("Id", "1"),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Said": event["RequestType"] + " " + str(wish)},
    }
    url, body = event["ResponseURL"], json.dumps(said).encode()
    urllib.request.urlopen(urllib.request.Request(url, data=body, method="PUT"))
"""


def body(do="this", kind="AWS::CloudFormation::CustomResource", attribute="Said", **more):
    outputs = {"Said": {"Value": {"Fn::GetAtt": ["Step", attribute]}}} if attribute else {}
    return json.dumps(
        {
            "Resources": {
                "Function": {
                    "Type": "AWS::Lambda::Function",
                    "Properties": {
                        "FunctionName": f"step-{UNIQUE}",
                        "Code": {"ZipFile": CODE},
                        "Handler": "index.handler",
                        "Runtime": "python3.14",
                        "Role": "arn:aws:iam::123456789012:role/any",
                    },
                },
                "Step": {
                    "Type": kind,
                    "Properties": {
                        "ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]},
                        "ServiceTimeout": "20",
                        "Do": do,
                        **more,
                    },
                },
            },
            "Outputs": outputs,
        }
    )


@pytest.fixture
def made(clients):
    made = StackSet(clients, TemplateBody=body()).create()
    yield made
    assert made.delete()["Status"] == "SUCCEEDED"


def said(made):
    return {made.stack(region)["Outputs"][0]["OutputValue"] for region in BOTH}


def test_its_function_runs_when_it_is_made_and_when_it_changes(made):
    assert said(made) == {"Create this"}
    for region in BOTH:
        assert problems(made, region, body()) == []
    assert made.run("update_stack_set", TemplateBody=body("that"))["Status"] == "SUCCEEDED"
    assert said(made) == {"Update that"}


def test_a_failure_of_the_function_fails_the_stack_with_its_reason(made):
    operation = made.run("update_stack_set", TemplateBody=body("fail"))
    reason = made.results(operation)[PRIMARY]["StatusReason"]
    assert "Step" in reason
    assert "it cannot be done" in reason


def test_reading_back_notices_that_its_function_is_gone(made):
    gone = {"ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:none"}
    (problem,) = problems(made, PRIMARY, spoiled(body(), "Step", gone))
    assert ": Step (" in problem


def test_migrations_are_not_run_and_that_is_said(clients):
    """A function that would fail is never asked; the stack goes on without it."""
    template = body("fail", "Custom::SchemaMigration", attribute=None)
    made = StackSet(clients, TemplateBody=template).create()
    listed = clients("cloudformation").list_stack_resources(StackName=made.instance()["StackId"])[
        "StackResourceSummaries"
    ]
    (step,) = [each for each in listed if each["LogicalResourceId"] == "Step"]
    assert step["PhysicalResourceId"].startswith("not-simulated-")
    assert problems(made, PRIMARY, template) == []
    found = support.not_simulated(json.loads(template))
    assert found.not_simulated == {"Custom::SchemaMigration": 1}
    assert "1 not simulated: 1 Custom::SchemaMigration (no database" in found.text
    again = body("again", "Custom::SchemaMigration", attribute=None)
    assert made.run("update_stack_set", TemplateBody=again)["Status"] == "SUCCEEDED"
    assert made.delete()["Status"] == "SUCCEEDED"


def test_reading_back_notices_something_where_nothing_was_to_be(made):
    """The stack has a step that ran, where the template has a migration."""
    found = problems(made, PRIMARY, body(kind="Custom::SchemaMigration", attribute=None))
    assert any("step-1, and was to be nothing" in each for each in found)


def test_what_a_migration_would_have_said_is_not_made_up(clients):
    made = StackSet(clients, TemplateBody=body(kind="Custom::SchemaMigration"))
    operation = made.run("create_stack_instances", PRIMARY)
    assert operation["Status"] == "FAILED"
    made.delete(PRIMARY)
