"""What the build stage adds to every stack alike, and how it refuses."""

from datetime import timedelta

import pytest
from troposphere import (
    GetAtt,
    If,
    Ref,
    Sub,
    Tags,
    apigatewayv2,
    dynamodb,
    ec2,
    route53,
    sns,
    sqs,
)

from tap_templates.blocks.stack import StackParameter, StackTemplate
from tap_templates.blocks.text import references
from tap_templates.compiler.build import build_stack
from tap_templates.errors import BuildError, ModelError
from tap_templates.model.system import Objectives, Regions, Stack, System, Where

TAGS = [
    {"Key": "Application", "Value": {"Ref": "Application"}},
    {"Key": "DR-Tier", "Value": {"Ref": "DrTier"}},
    {"Key": "Environment", "Value": {"Ref": "Environment"}},
    {"Key": "ManagedBy", "Value": "tap-templates"},
    {"Key": "Region", "Value": {"Ref": "AWS::Region"}},
]


def build(module, *, retain=()):
    stack = Stack(name="work", build=module, where=Where.BOTH)
    system = System(
        name="ledger",
        application="Ledger",
        regions=Regions(primary="eu-west-1", secondary="eu-central-1"),
        objectives=Objectives(rto=timedelta(minutes=15), rpo=timedelta(minutes=1)),
        stacks=(stack,),
        retain=frozenset(retain),
    )
    return build_stack(system, stack).template


def with_resources(*resources):
    def module():
        stack = StackTemplate("a ledger")
        stack.add(*resources)
        return stack

    return module


def test_every_resource_that_takes_tags_gets_the_five():
    template = build(
        with_resources(
            sqs.Queue("Q"),
            route53.HealthCheck(
                "H", HealthCheckConfig=route53.HealthCheckConfig(Type="CALCULATED")
            ),
        )
    )
    assert template["Resources"]["Q"]["Properties"]["Tags"] == TAGS
    assert template["Resources"]["H"]["Properties"]["HealthCheckTags"] == TAGS


def test_a_block_may_add_tags_of_its_own_but_not_change_ours():
    given = Tags(Name=Sub("vpc-${EnvironmentSuffix}"), ManagedBy="somebody")
    template = build(
        with_resources(
            ec2.VPC("V", CidrBlock="10.0.0.0/16", Tags=given),
            apigatewayv2.Api("A", Name="x", ProtocolType="HTTP"),
        )
    )
    name = {"Key": "Name", "Value": {"Fn::Sub": "vpc-${EnvironmentSuffix}"}}
    tags = template["Resources"]["V"]["Properties"]["Tags"]
    assert sorted(tags, key=lambda each: each["Key"]) == sorted(
        [*TAGS, name], key=lambda each: each["Key"]
    )
    # API Gateway spells them as a map.
    assert template["Resources"]["A"]["Properties"]["Tags"] == {
        each["Key"]: each["Value"] for each in TAGS
    }


def test_a_replica_is_tagged_with_its_own_region():
    replica = dynamodb.ReplicaSpecification(Region=Sub("${SecondaryRegion}"))
    table = build(with_resources(dynamodb.GlobalTable("T", Replicas=[replica])))["Resources"]["T"]
    assert table["Properties"]["Replicas"][0]["Tags"][-1] == {
        "Key": "Region",
        "Value": {"Fn::Sub": "${SecondaryRegion}"},
    }
    assert "Tags" not in table["Properties"]


def test_what_takes_no_tags_gets_none():
    policy = sns.TopicPolicy("P", PolicyDocument={}, Topics=["t"])
    assert "Tags" not in build(with_resources(policy))["Resources"]["P"]["Properties"]


@pytest.mark.parametrize(("retain", "policy"), [((), "Delete"), (("AWS::SQS::Queue",), "Retain")])
def test_what_holds_state_says_whether_it_stays(retain, policy):
    resource = build(with_resources(sqs.Queue("Q")), retain=retain)["Resources"]["Q"]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (policy, policy)


def test_what_holds_no_state_says_nothing():
    assert "DeletionPolicy" not in build(with_resources(sns.Topic("T")))["Resources"]["T"]


def test_standard_parameters_appear_where_they_are_referred_to():
    stack = build(with_resources(sqs.Queue("Q", QueueName=Sub("q-${EnvironmentSuffix}"))))
    assert set(stack["Parameters"]) == {"Application", "DrTier", "Environment", "EnvironmentSuffix"}
    assert stack["Parameters"]["Application"]["Default"] == "Ledger"


def test_regions_have_no_default():
    parameters = build(with_resources(sqs.Queue("Q", QueueName=Ref("PrimaryRegion"))))["Parameters"]
    assert "Default" not in parameters["PrimaryRegion"]


def test_every_parameter_has_a_group_a_label_and_a_constraint():
    def module():
        stack = StackTemplate("a ledger")
        stack.parameter(
            StackParameter(
                name="Depth",
                group="Work",
                label="Depth",
                description="How deep.",
                type="Number",
                at_least=1,
                at_most=9,
                constraint="1 to 9",
            )
        )
        stack.add(sqs.Queue("Q", QueueName=Sub("${Depth}-${EnvironmentSuffix}")))
        return stack

    template = build(module)
    assert template["Parameters"]["Depth"] == {
        "Type": "Number",
        "Description": "How deep.",
        "ConstraintDescription": "must be 1 to 9",
        "MinValue": 1,
        "MaxValue": 9,
    }
    form = template["Metadata"]["AWS::CloudFormation::Interface"]
    assert [
        (group["Label"]["default"], group["Parameters"]) for group in form["ParameterGroups"]
    ] == [
        ("Environment", ["EnvironmentSuffix"]),
        ("Work", ["Depth"]),
        ("Tags", ["Application", "DrTier", "Environment"]),
    ]
    assert set(form["ParameterLabels"]) == set(template["Parameters"])


def test_a_parameter_that_accepts_anything_is_refused():
    with pytest.raises(ModelError, match="accepts any value"):
        StackParameter(name="P", group="G", label="L", description="D", constraint="any")


def test_an_output_is_exported_under_a_name_with_the_suffix():
    def module():
        stack = StackTemplate("a ledger")
        queue = sqs.Queue("Q")
        stack.add(queue)
        stack.output("QueueUrl", "Where work waits", Ref(queue))
        return stack

    assert build(module)["Outputs"]["QueueUrl"] == {
        "Description": "Where work waits",
        "Value": {"Ref": "Q"},
        "Export": {"Name": {"Fn::Sub": "ledger-work-QueueUrl-${EnvironmentSuffix}-${AWS::Region}"}},
    }


@pytest.mark.parametrize(
    "twice", ["resource", "parameter", "output", "condition", "parameter and resource"]
)
def test_one_logical_id_is_one_thing(twice):
    stack = StackTemplate("a ledger")
    parameter = StackParameter(
        name="X", group="G", label="L", description="D", pattern="x", constraint="x"
    )
    act = {
        "resource": lambda: stack.add(sqs.Queue("X")),
        "parameter": lambda: stack.parameter(parameter),
        "output": lambda: stack.output("X", "d", "v"),
        "condition": lambda: stack.condition("X", If("a", "b", "c")),
        "parameter and resource": lambda: (stack.parameter(parameter), stack.add(sqs.Queue("X"))),
    }[twice]
    with pytest.raises(ModelError, match=r"is declared twice"):
        (act(), act())


def test_a_module_that_raises_is_named_with_its_line():
    def module():
        return {}["absent"]

    with pytest.raises(BuildError) as caught:
        build(module)
    assert str(caught.value) == "ledger/work: KeyError: 'absent'"
    assert "test_build.py line" in caught.value.remedy


def test_a_missing_required_property_is_an_error_of_the_stack():
    with pytest.raises(BuildError, match=r"ledger/work: ValueError: .*Protocol"):
        build(with_resources(sns.SubscriptionResource("S", TopicArn="t")))


def test_a_refusal_of_ours_keeps_its_remedy():
    def module():
        raise ModelError("queue x", "is wrong", "mend it")

    with pytest.raises(BuildError, match="ledger/work: queue x: is wrong") as caught:
        build(module)
    assert caught.value.remedy == "mend it"


def test_a_module_must_return_its_template():
    with pytest.raises(BuildError, match="returned NoneType"):
        build(lambda: None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "A"}, ["A"]),
        ({"Fn::Sub": "${A}-${B.Arn}-${!C}"}, ["A", "B"]),
        ({"Fn::Sub": ["${A}${B}", {"B": {"Ref": "C"}}]}, ["A", "C"]),
        ({"x": [{"Fn::Join": ["", [{"Ref": "A"}, "text"]]}]}, ["A"]),
        ({"Fn::GetAtt": ["A", "Arn"]}, []),
        ("${A}", []),
        (None, []),
    ],
)
def test_references_are_found_wherever_they_stand(value, expected):
    assert list(references(value)) == expected


def test_references_of_a_template_are_those_of_its_parts():
    queue = sqs.Queue("Q", QueueName=Sub("q-${EnvironmentSuffix}"))
    assert "EnvironmentSuffix" in set(references(queue.to_dict()))
    assert list(references(GetAtt(queue, "Arn").to_dict())) == []
