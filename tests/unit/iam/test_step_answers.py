"""A deploy step in a VPC answers CloudFormation through the S3 endpoint, or waits for ever."""

import copy

import pytest
from conformance.committed import manifest_of, templates_of, view_of

from tap_templates.iam.endpoint_policies import check_endpoints

ANSWERS = 1  # the statement's place in the endpoint's policy


@pytest.fixture
def checked(root):
    manifest = manifest_of(root, "payments-dr")
    templates = copy.deepcopy(dict(templates_of(root, manifest)))

    def check(edit):
        endpoint = templates["primary"]["Resources"]["PaymentsS3Endpoint"]
        edit(endpoint["Properties"]["PolicyDocument"]["Statement"])
        found = check_endpoints(view_of(manifest, templates), ())
        return [problem for problem in found if problem.located.stack.stack == "primary"]

    return check


def test_with_its_statement_nothing_is_said(checked):
    assert checked(lambda statements: None) == []


def test_without_it_the_step_is_named(checked):
    (problem,) = checked(lambda statements: statements.pop(ANSWERS))
    assert problem.code.name == "ENDPOINT_REFUSES"
    assert "does not let SchemaFunction answer CloudFormation" in problem.what
    assert "deploy_steps=True" in problem.remedy


@pytest.mark.parametrize(
    "change",
    [
        {"Action": ["s3:PutObject", "s3:GetObject"]},
        {"Action": ["s3:*"]},
        {"Resource": ["*"]},
        {"Resource": [{"Fn::Sub": "arn:${AWS::Partition}:s3:::cloudformation-*/*"}]},
    ],
    ids=str,
)
def test_anything_wider_is_open(checked, change):
    codes = {problem.code.name for problem in checked(lambda s: s[ANSWERS].update(change))}
    assert codes == {"ENDPOINT_OPEN", "ENDPOINT_REFUSES"}
