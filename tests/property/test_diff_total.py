"""Whatever loads is compared: nothing a template may hold makes the comparison fall over."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tap_templates.diff.api import compare_templates
from tap_templates.diff.load import templates_from
from tap_templates.diff.render_json import dumps
from tap_templates.errors import TapError

KEYS = st.sampled_from(
    [
        *("Ref", "Condition", "Statement", "Action", "Principal", "Effect", "Resource", "Tags"),
        *("Key", "Value", "Name", "Id", "Sid", "a", "b", "PolicyDocument", "QueueName"),
        *("RedrivePolicy", "DefinitionString", "DefinitionSubstitutions", "Fn::If", "Fn::Sub"),
        *("Fn::Join", "Fn::Select", "Fn::Split", "Fn::GetAtt", "Fn::FindInMap", "Fn::Cidr"),
        *("Fn::GetAZs", "Fn::ImportValue", "Fn::Length", "Fn::ToJsonString", "Fn::Base64"),
        *("Fn::Transform", "Fn::Equals", "Fn::Not", "Fn::And"),
    ]
)
WORDS = st.sampled_from(
    ["A", "B", "P", "C", "M", "AWS::Region", "AWS::NoValue", "${A}", "${A.B}", "${!A}", "${", "",
     "1", "true", '{"a": "${A}"}', "[1", "{{resolve:ssm:/a}}", "\ue0001\ue002", "10.0.0.0/16", "*"]
)  # fmt: skip
SCALARS = st.one_of(WORDS, st.integers(-2, 300), st.booleans(), st.none(), st.just(1.5))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(KEYS, inner, max_size=3),
        st.builds(lambda key, value: {key: value}, KEYS, inner),
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)
TYPES = st.sampled_from(
    ["AWS::SQS::Queue", "AWS::IAM::Role", "AWS::EC2::SecurityGroup", "AWS::S3::Bucket", "Custom::X",
     "AWS::StepFunctions::StateMachine", "AWS::RDS::DBInstance", "AWS::Nothing::Known",
     "X::Y::Z::MODULE", "AWS::CloudFormation::Stack", "AWS::Events::Rule",
     "AWS::EC2::SecurityGroupIngress"]
)  # fmt: skip
NAMES = st.sampled_from(["A", "B", "C", "M", "P"])
RESOURCES = st.builds(
    lambda kind, properties, more: {**more, "Type": kind, "Properties": properties},
    TYPES,
    OBJECTS,
    st.fixed_dictionaries(
        {},
        optional={
            "DependsOn": NAMES | st.lists(NAMES, max_size=2),
            "Condition": NAMES,
            "DeletionPolicy": VALUES | st.sampled_from(["Retain", "Snapshot"]),
            "UpdateReplacePolicy": VALUES,
            "UpdatePolicy": VALUES,
            "Metadata": VALUES,
        },
    ),
)
BODIES = st.fixed_dictionaries(
    {"Resources": st.dictionaries(NAMES, RESOURCES, max_size=3)},
    optional={
        "Parameters": st.dictionaries(NAMES, VALUES, max_size=2),
        "Mappings": st.dictionaries(NAMES, VALUES, max_size=2),
        "Conditions": st.dictionaries(NAMES, VALUES, max_size=3),
        "Outputs": st.dictionaries(NAMES, OBJECTS, max_size=2),
        "Transform": VALUES,
        "Rules": VALUES,
    },
)
MANIFESTS = st.fixed_dictionaries(
    {
        "schema": st.just("tap.manifest/1"),
        "stacks": st.lists(
            st.fixed_dictionaries(
                {"template": st.just("t.json"), "name": NAMES},
                optional={
                    "regions": st.just(["us-east-1"]),
                    "parameters": st.dictionaries(
                        NAMES,
                        st.one_of(
                            VALUES,
                            st.builds(lambda name: {"package": name}, WORDS),
                            st.builds(
                                lambda name: {
                                    "output": {"stack": name, "region": "own", "name": name}
                                },
                                NAMES,
                            ),
                        ),
                    ),
                },
            ),
            max_size=2,
        ),
    },
    optional={"packages": st.dictionaries(WORDS, OBJECTS), "objectives": VALUES},
)


def files(body: Any, manifest: Any) -> dict[str, bytes]:
    found = {"t.json": json.dumps(body).encode()}
    return found if manifest is None else {**found, "manifest.json": json.dumps(manifest).encode()}


@given(
    before=BODIES,
    after=BODIES,
    manifests=st.tuples(st.none() | MANIFESTS, st.none() | MANIFESTS),
    regions=st.sampled_from([(), ("us-east-1",), ("us-east-1", "cn-north-1")]),
)
def test_nothing_falls_over(before, after, manifests, regions):
    try:
        sides = [
            templates_from(files(*pair)) for pair in zip((before, after), manifests, strict=True)
        ]
        diff = compare_templates(*sides, regions=regions)
    except TapError as error:
        refused = error
    else:
        json.loads(dumps(diff))
        assert compare_templates(sides[0], sides[0], regions=regions).templates == ()
        return
    assert refused.where
    assert refused.remedy
