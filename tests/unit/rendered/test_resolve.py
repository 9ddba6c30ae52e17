"""Intrinsic functions of a rendered template, resolved per region."""

from typing import Any

import pytest

from tap_templates.rendered.resolve import ResolveError, resolve_stack
from tap_templates.rendered.tokens import is_known, split_known

TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Suffix": {"Type": "String", "Default": "dev"},
        "Given": {"Type": "String"},
        "Unset": {"Type": "String"},
        "Subnets": {"Type": "CommaDelimitedList", "Default": "a, b"},
        "UnsetList": {"Type": "List<AWS::EC2::Subnet::Id>"},
        "Count": {"Type": "Number", "Default": 3},
        "Image": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/golden"},
    },
    "Mappings": {"Zone": {"us-east-1": {"Id": "Z1"}, "us-west-2": {"Id": "Z2"}}},
    "Conditions": {
        "IsEast": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]},
        "IsWest": {"Fn::Not": [{"Condition": "IsEast"}]},
        "Both": {"Fn::And": [{"Condition": "IsEast"}, {"Condition": "IsWest"}]},
        "Any": {"Fn::Or": [{"Condition": "IsEast"}, {"Condition": "IsWest"}]},
        "OnUnset": {"Fn::Equals": [{"Ref": "Unset"}, "x"]},
        "Same": {"Fn::Equals": [{"Ref": "Unset"}, {"Ref": "Unset"}]},
        "Loop": {"Fn::Not": [{"Condition": "Loop"}]},
        "Odd": {"Fn::Contains": [["a"], "a"]},
    },
    "Resources": {
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": {"Fn::Sub": "queue-x-${Suffix}"}},
        },
        "Key": {"Type": "AWS::KMS::Key", "Properties": {}},
        "OnlyWest": {"Type": "AWS::SNS::Topic", "Condition": "IsWest", "Properties": {}},
        "Odd": {"Type": "AWS::Odd::Thing", "Properties": {}},
        "Snake": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"TopicName": {"Fn::GetAtt": ["Tail", "TopicName"]}},
        },
        "Tail": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Snake"}}},
    },
}
QUEUE_ARN = "arn:aws:sqs:us-east-1:111122223333:queue-x-dev"


def evaluate(expression: Any, **changes: Any) -> Any:
    """Resolve `expression` as the one property of a resource, in us-east-1."""
    resources = {key: TEMPLATE["Resources"][key] for key in ("Queue", "Key", "OnlyWest", "Odd")}
    template = TEMPLATE | {
        "Resources": resources
        | {"It": {"Type": "AWS::Odd::Thing", "Properties": {"Value": expression}}}
        | changes
    }
    stack = resolve_stack(template, stack="s", region="us-east-1", parameters={"Given": "g"})
    return stack.resources["It"].properties.get("Value", "no value")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("text", "text"),
        (True, True),
        ([1, {"a": None}], [1, {"a": None}]),
        ({"Ref": "Suffix"}, "dev"),
        ({"Ref": "Given"}, "g"),
        ({"Ref": "Unset"}, "<s.Unset@us-east-1>"),
        ({"Ref": "Subnets"}, ["a", "b"]),
        ({"Ref": "UnsetList"}, ["<s.UnsetList.*@us-east-1>"]),
        ({"Ref": "Count"}, "3"),
        ({"Ref": "Image"}, "<s.Image.Value@us-east-1>"),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Ref": "AWS::AccountId"}, "111122223333"),
        ({"Ref": "AWS::Partition"}, "aws"),
        ({"Ref": "AWS::URLSuffix"}, "amazonaws.com"),
        ({"Ref": "AWS::StackName"}, "<s.AWS::StackName@us-east-1>"),
        ({"Ref": "AWS::StackId"}, "<s.AWS::StackId@us-east-1>"),
        ({"Ref": "AWS::NotificationARNs"}, ["<s.AWS::NotificationARNs.*@us-east-1>"]),
        ({"Ref": "AWS::NoValue"}, "no value"),
        (["a", {"Ref": "AWS::NoValue"}, "b"], ["a", "b"]),
        ({"Ref": "Queue"}, "https://sqs.us-east-1.amazonaws.com/111122223333/queue-x-dev"),
        ({"Ref": "Odd"}, "<s.Odd@us-east-1>"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, QUEUE_ARN),
        ({"Fn::GetAtt": "Queue.Arn"}, QUEUE_ARN),
        ({"Fn::GetAtt": ["Odd", "Deep.Er"]}, "<s.Odd.Deep.Er@us-east-1>"),
        ({"Fn::GetAtt": "Odd.Deep.Er"}, "<s.Odd.Deep.Er@us-east-1>"),
        ({"Fn::Sub": "${Suffix}-${Queue.Arn}-${!Kept}"}, f"dev-{QUEUE_ARN}-${{Kept}}"),
        ({"Fn::Sub": ["${It}-${Suffix}", {"It": {"Ref": "Given"}}]}, "g-dev"),
        ({"Fn::Sub": ["${Suffix}", {"Suffix": "mine"}]}, "mine"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Suffix"}, 1, True]]}, "a-dev-1-true"),
        ({"Fn::Join": [",", {"Ref": "Subnets"}]}, "a,b"),
        ({"Fn::Join": [",", {"Ref": "UnsetList"}]}, "<s.UnsetList.join(,)@us-east-1>"),
        ({"Fn::Select": [1, {"Ref": "Subnets"}]}, "b"),
        ({"Fn::Select": ["0", ["x", "y"]]}, "x"),
        ({"Fn::Select": [1, {"Fn::GetAZs": ""}]}, "<GetAZs(us-east-1).1@us-east-1>"),
        ({"Fn::Select": [0, {"Fn::Split": ["-", "a-b"]}]}, "a"),
        ({"Fn::Split": ["/", "a/b"]}, ["a", "b"]),
        ({"Fn::Split": ["/", {"Ref": "Unset"}]}, ["<split(/,(s.Unset@us-east-1)).*@us-east-1>"]),
        ({"Fn::Cidr": ["10.0.0.0/16", 3, 8]}, ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]),
        ({"Fn::Cidr": ["10.0.0.0/24", "2", "5"]}, ["10.0.0.0/27", "10.0.0.32/27"]),
        ({"Fn::Cidr": ["2001:db8::/56", 2, 64]}, ["2001:db8::/64", "2001:db8:0:1::/64"]),
        ({"Fn::Select": [1, {"Fn::Cidr": ["10.0.0.0/24", 2, 5]}]}, "10.0.0.32/27"),
        ({"Fn::Cidr": ["10.0.0.0/16", 1]}, ["<cidr(10.0.0.0/16,1).0@us-east-1>"]),
        (
            {"Fn::Cidr": [{"Ref": "Unset"}, 1, 8]},
            ["<cidr((s.Unset@us-east-1),1,8).0@us-east-1>"],
        ),
        ({"Fn::If": ["IsEast", "e", "w"]}, "e"),
        ({"Fn::If": ["IsWest", "w", {"Ref": "AWS::NoValue"}]}, "no value"),
        ({"Fn::If": ["Both", 1, 0]}, 0),
        ({"Fn::If": ["Any", 1, 0]}, 1),
        ({"Fn::If": ["Same", 1, 0]}, 1),
        ({"Fn::FindInMap": ["Zone", {"Ref": "AWS::Region"}, "Id"]}, "Z1"),
        ({"Fn::Base64": "abc"}, "YWJj"),
        ({"Fn::Base64": {"Ref": "Unset"}}, "<base64((s.Unset@us-east-1))@us-east-1>"),
    ],
)
def test_an_intrinsic_has_the_value_cloudformation_would_give_it(expression, expected):
    assert evaluate(expression) == expected


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ({"Fn::Transform": {"Name": "x"}}, "we do not evaluate"),
        ({"Fn::ImportValue": "x"}, "we do not evaluate"),
        ({"Fn::Sub": "${Nothing}"}, "does not have"),
        ({"Fn::Sub": ["${A}", {"A": ["list"]}]}, "a text is needed"),
        ({"Fn::Sub": [1]}, "needs a list of 2"),
        ({"Fn::Sub": 1}, "needs a text"),
        ({"Ref": "Nothing"}, "does not have"),
        ({"Ref": ["x"]}, "needs a name"),
        ({"Ref": "AWS::Nothing"}, "no pseudo parameter"),
        ({"Ref": "OnlyWest"}, "whose condition is false"),
        ({"Fn::GetAtt": ["Nothing", "Arn"]}, "does not have"),
        ({"Fn::GetAtt": ["Queue"]}, "needs a list of 2"),
        ({"Fn::Select": [2, ["a"]]}, "selects 2 of 1"),
        ({"Fn::Join": [",", "text"]}, "a list is needed"),
        ({"Fn::Split": ["", "text"]}, "needs a delimiter"),
        ({"Fn::Cidr": ["10.0.0.0/16", "many"]}, "has the count"),
        ({"Fn::Cidr": ["10.0.0.0/16", 1, "few"]}, "has the count"),
        ({"Fn::Cidr": ["10.0.0.0/24", 9, 5]}, "wants 9 blocks of 10.0.0.0/24, which has 8"),
        ({"Fn::Cidr": ["10.0.0.0/24", 1, 9]}, "cannot be cut"),
        ({"Fn::Cidr": ["10.0.0.1/24", 1, 5]}, "cannot be cut"),
        ({"Fn::Cidr": ["here", 1, 5]}, "cannot be cut"),
        ({"Fn::FindInMap": ["Zone", "moon", "Id"]}, "finds no 'moon'"),
        ({"Fn::If": ["Nothing", 1, 0]}, "names condition 'Nothing'"),
        ({"Fn::If": ["OnUnset", 1, 0]}, "hangs on an unknown value"),
        ({"Fn::If": ["Loop", 1, 0]}, "is a cycle"),
        ({"Fn::If": ["Odd", 1, 0]}, "we do not evaluate in a condition"),
        ({"Ref": "Queue", "Other": 1}, "beside other keys"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_its_place(expression, complaint):
    with pytest.raises(ResolveError, match=complaint) as caught:
        evaluate(expression)
    assert "s /" in caught.value.where
    assert "us-east-1" in caught.value.where


def test_names_that_depend_on_each_other_are_a_cycle():
    names = {key: TEMPLATE["Resources"][key] for key in ("Snake", "Tail")}
    with pytest.raises(ResolveError, match="cycle: name of Snake → name of Tail → name of Snake"):
        evaluate({"Ref": "Snake"}, **names)


def test_a_resource_or_output_whose_condition_is_false_is_absent():
    template = {
        "Conditions": TEMPLATE["Conditions"],
        "Resources": {"OnlyWest": TEMPLATE["Resources"]["OnlyWest"]},
        "Outputs": {
            "Topic": {
                "Condition": "IsWest",
                "Value": {"Ref": "OnlyWest"},
                "Export": {"Name": {"Fn::Sub": "topic-${AWS::Region}"}},
            }
        },
    }
    east, west = (
        resolve_stack(template | {"Conditions": conditions}, stack="s", region=r, parameters={})
        for conditions in [{k: TEMPLATE["Conditions"][k] for k in ("IsEast", "IsWest")}]
        for r in ("us-east-1", "us-west-2")
    )
    assert (east.resources, east.outputs, east.exports) == ({}, {}, {})
    assert west.outputs == {
        "Topic": "arn:aws:sns:us-west-2:111122223333:<s.OnlyWest@us-west-2>",
    }
    assert west.exports == {"Topic": "topic-us-west-2"}


def test_a_generated_value_differs_between_regions_but_not_between_its_uses():
    template = {"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {}}}}
    east, also_east, west = (
        resolve_stack(template, stack="s", region=region, parameters={}).resources["Key"]
        for region in ("us-east-1", "us-east-1", "us-west-2")
    )
    assert east.ref == also_east.ref != west.ref
    assert east.arn == f"arn:aws:kms:us-east-1:111122223333:key/{east.ref}"
    assert not is_known(east.arn)


def test_a_value_for_a_parameter_that_is_not_declared_is_refused():
    with pytest.raises(ResolveError, match="does not declare it"):
        resolve_stack({"Resources": {}}, stack="s", region="us-east-1", parameters={"Typo": "x"})


def test_an_output_without_a_value_is_refused():
    template = {"Resources": {}, "Outputs": {"It": {"Value": {"Ref": "AWS::NoValue"}}}}
    with pytest.raises(ResolveError, match="where a value is needed"):
        resolve_stack(template, stack="s", region="us-east-1", parameters={})


def test_other_partitions_have_their_own_suffix():
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    stack = resolve_stack(
        template, stack="s", region="cn-north-1", parameters={}, partition="aws-cn"
    )
    queue = stack.resources["Queue"]
    assert queue.ref.startswith("https://sqs.cn-north-1.amazonaws.com.cn/")
    assert queue.arn is not None
    assert queue.arn.startswith("arn:aws-cn:sqs:")


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("arn:aws:sqs:us-east-1:111122223333:q", True),
        ("more than 0 < 1 > visible", True),
        ("<b>bold</b>", True),
        ("key/<alerts.Key@us-east-1>", False),
        ("<package:trading-processor>", False),
        ("<package_sha256:trading-processor>", False),
        ("{{resolve:ssm:/x}}", False),
    ],
)
def test_known_is_what_aws_will_see(text, known):
    assert is_known(text) is known


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("a,b", ["a", "b"]),
        ("<n.A@us-east-1>,<n.B@us-east-1>", ["<n.A@us-east-1>", "<n.B@us-east-1>"]),
        ("x<join(,)@us-east-1>y,z", ["x<join(,)@us-east-1>y", "z"]),
        ("<cidr(a,1).0@us-east-1>", ["<cidr(a,1).0@us-east-1>"]),
        (",<n.A@us-east-1>,", ["", "<n.A@us-east-1>", ""]),
    ],
)
def test_a_token_is_not_split(text, parts):
    assert split_known(text, ",") == parts
