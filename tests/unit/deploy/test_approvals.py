"""Which edits lose state: a table with negative rows, and the schemas as a judge of the table."""

import copy
import json

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from tap_templates.deploy.approvals import CREATE_ONLY, Deployed, losses

BEFORE = {
    "Parameters": {"Name": {"Type": "String"}, "Size": {"Type": "String"}},
    "Conditions": {"IsBig": {"Fn::Equals": [{"Ref": "Size"}, "9"]}},
    "Mappings": {"M": {"a": {"b": "c"}}},
    "Resources": {
        "Table": {
            "Type": "AWS::DynamoDB::GlobalTable",
            "DeletionPolicy": "Retain",
            "Properties": {"TableName": {"Fn::Sub": "t-${Name}"}, "BillingMode": "PAY_PER_REQUEST"},
        },
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": {"Fn::FindInMap": ["M", "a", "b"]}},
        },
        "Maybe": {"Type": "AWS::SNS::Topic", "Condition": "IsBig"},
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {"Name": "r"}},
    },
}
VALUES = {"Name": "n", "Size": "1"}


def edit(path, value):
    def make(template):
        *parents, last = path.split("/")
        at = template
        for each in parents:
            at = at[each]
        if value is None:
            del at[last]
        else:
            at[last] = value

    return make


@pytest.mark.parametrize(
    ("change", "values", "lost"),
    [
        (edit("Description", "x"), VALUES, {}),
        (edit("Resources/Table/Properties/BillingMode", "PROVISIONED"), VALUES, {}),
        (edit("Resources/Rule/Properties/Name", "s"), VALUES, {}),
        (edit("Resources/Rule", None), VALUES, {}),
        (edit("Resources/Table/Properties/TableName", "u"), VALUES, {"Table": "TableName changes"}),
        (edit("Resources/Table/Properties/TableName", None), VALUES, {"Table": "is replaced"}),
        (edit("Resources/Table/Properties/KeySchema", []), VALUES, {"Table": "KeySchema"}),
        (edit("Resources/Table", None), VALUES, {"Table": "removed from the template; it stays"}),
        (edit("Resources/Queue", None), VALUES, {"Queue": "removed from the template"}),
        (edit("Resources/Queue/Type", "AWS::SNS::Topic"), VALUES, {"Queue": "removed"}),
        (edit("Description", "x"), {**VALUES, "Name": "m"}, {"Table": "is replaced"}),
        (edit("Description", "x"), {**VALUES, "Size": "9"}, {"Maybe": "condition"}),
        (edit("Mappings/M/a/b", "d"), VALUES, {"Queue": "is replaced"}),
        (edit("Resources/Maybe/Condition", None), VALUES, {"Maybe": "condition"}),
    ],
)
def test_losses(change, values, lost):
    after = copy.deepcopy(BEFORE)
    change(after)
    found = losses(
        Deployed(template=json.dumps(BEFORE), parameters=VALUES),
        Deployed(template=json.dumps(after), parameters=values),
    )
    assert {each.logical_id for each in found} == set(lost)
    assert all(lost[each.logical_id] in each.what for each in found)


def test_what_cannot_be_compared_needs_an_approval():
    (loss,) = losses(
        Deployed(template="Resources: {}", parameters={}), Deployed(template="{}", parameters={})
    )
    assert "cannot be compared" in loss.what


@pytest.mark.parametrize("kind", sorted(CREATE_ONLY))
def test_table_says_what_the_schema_says(kind):
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    assert set(CREATE_ONLY[kind]) == {
        path.split("/")[2] for path in schema.get("createOnlyProperties", [])
    }
