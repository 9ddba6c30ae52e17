"""All stacks of a system in both regions."""

import pytest

from tap_templates.rendered.resolve import ResolveError
from tap_templates.rendered.view import StackSource, resolve_system

EAST, WEST = "us-east-1", "us-west-2"
TABLE = StackSource(
    "table",
    {
        "Resources": {
            "Table": {
                "Type": "AWS::DynamoDB::GlobalTable",
                "Properties": {
                    "TableName": "t",
                    "Replicas": [{"Region": EAST}, {"Region": WEST}],
                },
            },
            "Key": {"Type": "AWS::KMS::Key"},
        },
        "Outputs": {"KeyArn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}},
    },
    (WEST,),
)
WORK = StackSource(
    "work",
    {
        "Parameters": {
            "Key": {"Type": "String"},
            "Code": {"Type": "String"},
            "Sha": {"Type": "String"},
            "Suffix": {"Type": "String", "Default": "dev"},
        },
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": {"Fn::Sub": "r-${Suffix}"},
                    "Uses": [
                        {"Ref": "Key"},
                        {"Fn::Sub": "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/t"},
                        "arn:aws:s3:::elsewhere",
                    ],
                    "Code": {"Ref": "Code"},
                    "Sha": {"Ref": "Sha"},
                },
            }
        },
    },
    (EAST, WEST),
    {
        "Key": {"output": {"stack": "table", "region": WEST, "name": "KeyArn"}},
        "Code": {"package": "trading-processor"},
        "Sha": {"package": "trading-processor", "value": "sha256"},
    },
)


def test_parameters_are_literals_packages_and_outputs_of_other_stacks():
    role = resolve_system("s", [TABLE, WORK]).stacks[1].resources["Role"]
    assert role.properties["Uses"][0] == (
        "arn:aws:kms:us-west-2:111122223333:key/<table.Key@us-west-2>"
    )
    assert role.properties["Code"] == "<package:trading-processor>"
    assert role.properties["Sha"] != role.properties["Code"]


def test_a_list_that_another_stack_hands_on_has_its_elements():
    network = StackSource(
        "network",
        {
            "Resources": {name: {"Type": "AWS::EC2::Subnet"} for name in ("A", "B")},
            "Outputs": {"Ids": {"Value": {"Fn::Join": [",", [{"Ref": "A"}, {"Ref": "B"}]]}}},
        },
        (EAST,),
    )
    uses = {
        "All": {"Ref": "Ids"},
        "Second": {"Fn::Sub": ["subnet/${Id}", {"Id": {"Fn::Select": [1, {"Ref": "Ids"}]}}]},
    }
    work = StackSource(
        "work",
        {
            "Parameters": {"Ids": {"Type": "List<AWS::EC2::Subnet::Id>"}},
            "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": uses}},
        },
        (EAST,),
        {"Ids": {"output": {"stack": "network", "region": "own", "name": "Ids"}}},
    )
    queue = resolve_system("s", [network, work]).stacks[1].resources["Queue"]
    ids = ["<network.A@us-east-1>", "<network.B@us-east-1>"]
    assert queue.properties == {"All": ids, "Second": f"subnet/{ids[1]}"}


def test_an_override_reaches_the_stacks_that_declare_it():
    view = resolve_system("s", [TABLE, WORK], overrides={"Suffix": "prod"})
    assert view.stacks[1].resources["Role"].name == "r-prod"


@pytest.mark.parametrize("value", [{"secret": "x"}, 3, {"package": 1}])
def test_a_parameter_value_of_another_form_is_refused(value):
    stack = StackSource("x", {"Parameters": {"P": {}}, "Resources": {}}, (EAST,), {"P": value})
    with pytest.raises(ResolveError, match="has the value"):
        resolve_system("s", [stack])


def test_an_output_that_is_not_there_yet_is_refused():
    with pytest.raises(ResolveError, match="not there before it"):
        resolve_system("s", [WORK, TABLE])


def test_an_arn_finds_its_resource_and_a_replica_finds_the_table():
    view = resolve_system("s", [TABLE, WORK])
    for region in (EAST, WEST):
        located = view.find(f"arn:aws:dynamodb:{region}:111122223333:table/t")
        assert located is not None
        assert located.place == "table Table in us-west-2"
    assert view.find("arn:aws:dynamodb:eu-west-1:111122223333:table/t") is None


def test_references_are_all_arns_and_what_they_lead_to():
    view = resolve_system("s", [TABLE, WORK])
    found = [
        (reference.source.stack.region, reference.path, reference.target is not None)
        for reference in view.references()
    ]
    assert found == [
        (region, f"/Properties/Uses/{index}", leads)
        for region in (EAST, WEST)
        for index, leads in enumerate([True, True, False])
    ]


def test_a_name_without_region_collides_in_a_namespace_that_regions_share():
    view = resolve_system("s", [TABLE, WORK])
    ((arn, located),) = view.collisions()
    assert arn == "arn:aws:iam::111122223333:role/r-dev"
    assert [each.stack.region for each in located] == [EAST, WEST]


def test_stacks_are_looked_up_by_name_and_region():
    view = resolve_system("s", [TABLE, WORK])
    assert view.regions() == (WEST, EAST)
    assert [stack.stack for stack in view.in_region(EAST)] == ["work"]
    assert view.stack("table", EAST) is None
    stack = view.stack("table", WEST)
    assert stack is not None
    assert stack.region == WEST
    assert len(list(view.resources("AWS::IAM::Role"))) == 2
    assert len(list(view.resources())) == 4
