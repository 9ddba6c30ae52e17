"""A replacement reaches whatever refers to the resource, wherever the reference stands."""

from typing import Any

import pytest

from tap_templates.diff.api import compare_templates
from tap_templates.diff.load import templates_from
from tap_templates.diff.model import Template


def network(cidr: str, **more: Any) -> dict[str, Any]:
    return {
        "Resources": {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}},
            **more.pop("Resources", {}),
        },
        **more,
    }


def replaced(**more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return network("10.0.0.0/16", **more), network("10.1.0.0/16", **more)


REFERENCES = [
    {"Ref": "Vpc"},
    {"Fn::GetAtt": ["Vpc", "VpcId"]},
    {"Fn::GetAtt": "Vpc.VpcId"},
    {"Fn::Sub": "${Vpc}"},
    {"Fn::Sub": "x-${Vpc.VpcId}-y"},
    {"Fn::Sub": ["${v}", {"v": {"Ref": "Vpc"}}]},
    {"Fn::Join": ["-", ["a", {"Ref": "Vpc"}]]},
    {"Fn::Select": [0, [{"Ref": "Vpc"}, "b"]]},
    {"Fn::Select": [0, {"Fn::Split": ["-", {"Ref": "Vpc"}]}]},
    {"Fn::If": ["East", {"Ref": "Vpc"}, "b"]},
    {"Fn::If": ["Open", "b", {"Ref": "Vpc"}]},
    {"Fn::If": ["East", {"Fn::Join": ["", ["a", {"Fn::Sub": "${Vpc}"}]]}, "b"]},
]
CONDITIONS = {
    "Parameters": {"P": {"Type": "String"}},
    "Conditions": {
        "East": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]},
        "Open": {"Fn::Equals": [{"Ref": "P"}, "x"]},
    },
}


@pytest.mark.parametrize("reference", REFERENCES)
def test_a_create_only_reference_replaces(changes, reference):
    subnet = {"S": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": reference}}}
    found = changes(*replaced(Resources=subnet, **CONDITIONS))
    assert found["Vpc"].direct
    change = found["S"]
    assert (change.action, change.replacement, change.direct) == ("modify", "always", False)
    assert (
        "/Properties/VpcId refers to Vpc, which is replaced, and is create-only" in change.because
    )


@pytest.mark.parametrize("reference", REFERENCES)
def test_a_reference_that_can_change_is_an_update(changes, reference):
    variables = {"Environment": {"Variables": {"V": reference}}}
    function = {"F": {"Type": "AWS::Lambda::Function", "Properties": variables}}
    change = changes(*replaced(Resources=function, **CONDITIONS))["F"]
    assert (change.replacement, change.direct, change.cosmetic) == ("never", False, False)
    assert "/Properties/Environment/Variables/V refers to Vpc" in change.because[0]


def test_no_reference_no_change(changes):
    others = {
        "A": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": "vpc-1"}},
        "B": {"Type": "AWS::SQS::Queue", "DependsOn": "Vpc"},
        "C": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Fn::Sub": "${!Vpc}"}}},
        "D": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Fn::If": ["East", "x", {"Ref": "Vpc"}]}},
        },
    }
    assert set(changes(*replaced(Resources=others, **CONDITIONS))) == {"Vpc"}


def test_an_update_in_place_reaches_nobody(changes):
    subnet = {"S": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}}}}
    before, after = (
        network("10.0.0.0/16", Resources=subnet),
        network("10.0.0.0/16", Resources=subnet),
    )
    after["Resources"]["Vpc"]["Properties"]["EnableDnsSupport"] = True
    assert set(changes(before, after)) == {"Vpc"}


def test_chains_end_where_a_reference_can_change(changes):
    resources = {
        "S": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}}},
        "I": {"Type": "AWS::EC2::Instance", "Properties": {"SubnetId": {"Ref": "S"}}},
        "A": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {"Dimensions": [{"Name": "x", "Value": {"Ref": "I"}}]},
        },
        "T": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "A"}}},
    }
    found = changes(*replaced(Resources=resources))
    assert found["S"].replacement == "always"
    assert found["I"].replacement in {"always", "may"}
    assert found["A"].replacement == "never"
    assert "T" not in found


def test_what_may_be_replaced_makes_others_maybe(changes):
    def stack(key: str) -> dict[str, Any]:
        keys = [{"AttributeName": key, "KeyType": "HASH"}]
        alias = {"AliasName": {"Fn::Sub": "alias/${T}"}}
        return {
            "Resources": {
                "T": {"Type": "AWS::DynamoDB::Table", "Properties": {"KeySchema": keys}},
                "A": {"Type": "AWS::KMS::Alias", "Properties": alias},
            }
        }

    found = changes(stack("a"), stack("b"))
    assert found["T"].replacement == found["A"].replacement == "may"
    assert "may be replaced" in found["A"].because[0]


def test_stateful_dependants_lose_data_too(changes):
    def stack(name: str) -> dict[str, Any]:
        group = {"LogGroupName": {"Fn::Join": ["", ["/aws/lambda/", {"Ref": "F"}]]}}
        return {
            "Resources": {
                "F": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": name}},
                "L": {"Type": "AWS::Logs::LogGroup", "Properties": group},
            }
        }

    change = changes(stack("a"), stack("b"))["L"]
    assert (change.replacement, change.direct) == ("always", False)
    assert change.flag_names == ("data_loss",)


def test_a_text_that_only_looks_different_stays_indirect(changes):
    subnets = [
        {"S": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": reference}}}
        for reference in ({"Ref": "Vpc"}, {"Fn::Sub": "${Vpc}"})
    ]
    before = network("10.0.0.0/16", Resources=subnets[0])
    change = changes(before, network("10.1.0.0/16", Resources=subnets[1]))["S"]
    assert (change.replacement, change.direct, change.cosmetic) == ("always", False, False)


def test_a_new_dependant_is_just_new(changes):
    subnet = {"S": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}}}}
    found = changes(network("10.0.0.0/16"), network("10.1.0.0/16", Resources=subnet))
    assert (found["S"].action, found["S"].replacement) == ("add", "never")


class TestSources:
    """What a parameter, a mapping or a condition carries into a resource is not direct."""

    @pytest.mark.parametrize(
        ("place", "before", "after", "value"),
        [
            (
                "Parameters/P",
                {"Type": "String", "Default": "a"},
                {"Type": "String", "Default": "b"},
                {"Ref": "P"},
            ),
            (
                "Mappings/M",
                {"k": {"l": "a"}},
                {"k": {"l": "b"}},
                {"Fn::FindInMap": ["M", "k", "l"]},
            ),
            (
                "Conditions/C",
                {"Fn::Equals": ["a", "a"]},
                {"Fn::Equals": ["a", "b"]},
                {"Fn::If": ["C", "a", "b"]},
            ),
        ],
    )
    def test_they_reach_the_resource(self, changes, place, before, after, value):
        section, _, name = place.partition("/")
        queue = {"R": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": value}}}
        found = changes(
            {"Resources": queue, section: {name: before}},
            {"Resources": queue, section: {name: after}},
        )
        change = found["R"]
        assert (change.replacement, change.direct, change.certain) == ("always", False, True)
        kind = section.removesuffix("s").lower()
        assert f"it uses {kind} {name}, which changed" in change.because
        assert [(each.before, each.after) for each in change.properties] == [("a", "b")]
        assert not found[f"{section}/{name}"].cosmetic

    def test_a_condition_by_way_of_another(self, changes):
        def stack(default: str) -> dict[str, Any]:
            return {
                "Parameters": {"P": {"Type": "String", "Default": default}},
                "Conditions": {
                    "Inner": {"Fn::Equals": [{"Ref": "P"}, "x"]},
                    "Outer": {"Fn::Not": [{"Condition": "Inner"}]},
                },
                "Resources": {
                    "R": {
                        "Type": "AWS::SQS::Queue",
                        "Properties": {"DelaySeconds": {"Fn::If": ["Outer", 1, 2]}},
                    }
                },
            }

        change = changes(stack("x"), stack("y"))["R"]
        assert "it uses parameter P, which changed" in change.because

    def test_a_default_that_the_manifest_overrides_reaches_nothing(self, changes):
        def stack(default: str) -> dict[str, Any]:
            return {
                "Parameters": {"P": {"Type": "String", "Default": default}},
                "Resources": {
                    "R": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "P"}}}
                },
            }

        given = ({"P": "c"}, {"P": "c"})
        assert set(changes(stack("a"), stack("b"), given=given)) == {"Parameters/P"}
        change = changes(stack("a"), stack("a"), given=({"P": "c"}, {"P": "d"}))["R"]
        assert (change.replacement, change.direct) == ("always", False)
        assert any("which the manifest gives another value" in each for each in change.because)

    def test_a_template_that_only_one_side_has(self, changes):
        queue = {"Resources": {"R": {"Type": "AWS::SQS::Queue"}}, "Outputs": {"O": {"Value": "x"}}}
        assert {k: c.action for k, c in changes(None, queue).items()} == {
            "R": "add",
            "Outputs/O": "add",
        }
        found = changes(queue, None)
        assert {key: change.action for key, change in found.items()} == {
            "R": "remove",
            "Outputs/O": "remove",
        }
        assert found["R"].flag_names == ("data_loss",)


OUTPUTS = {"Outputs": {"Id": {"Value": {"Ref": "Vpc"}, "Export": {"Name": "vpc"}}}}


class TestExports:
    def test_an_export_of_what_is_replaced(self, changes):
        change = changes(*replaced(**OUTPUTS))["Outputs/Id"]
        assert (change.action, change.direct, change.flag_names) == (
            "modify",
            False,
            ("export_changed",),
        )
        assert "refers to Vpc, which is replaced" in change.because[0]

    def test_an_export_of_what_stays(self, changes):
        before = network("10.0.0.0/16", **OUTPUTS)
        after = network("10.0.0.0/16", **OUTPUTS)
        after["Resources"]["Vpc"]["Properties"]["EnableDnsSupport"] = True
        assert "Outputs/Id" not in changes(before, after)

    @pytest.mark.parametrize(
        ("before", "after", "flags"),
        [
            ({"Value": "a", "Export": {"Name": "n"}}, {"Value": "b", "Export": {"Name": "n"}}, 1),
            ({"Value": "a", "Export": {"Name": "n"}}, {"Value": "a", "Export": {"Name": "m"}}, 1),
            ({"Value": "a", "Export": {"Name": "n"}}, {"Value": "a"}, 1),
            ({"Value": "a", "Export": {"Name": "n"}}, None, 1),
            ({"Value": "a"}, {"Value": "b"}, 0),
            ({"Value": "a"}, {"Value": "a", "Export": {"Name": "n"}}, 0),
            (None, {"Value": "a", "Export": {"Name": "n"}}, 0),
            (
                {"Value": "a", "Export": {"Name": "n"}, "Description": "x"},
                {"Value": "a", "Export": {"Name": "n"}},
                0,
            ),
        ],
    )
    def test_its_own_change(self, changes, before, after, flags):
        def stack(output: Any) -> dict[str, Any]:
            return {"Outputs": {"O": output}} if output else {}

        change = changes(stack(before), stack(after))["Outputs/O"]
        assert len(change.flags) == flags
        assert not change.cosmetic

    def test_an_export_by_another_spelling_is_cosmetic(self, changes):
        names = ({"Fn::Sub": "x-${AWS::Region}"}, "x-us-east-1")
        before, after = ({"Outputs": {"O": {"Value": 1, "Export": {"Name": n}}}} for n in names)
        assert changes(before, after)["Outputs/O"].cosmetic

    def test_importers_in_other_templates_may_be_replaced(self):
        imports = {"Fn::ImportValue": {"Fn::Sub": "vpc"}}
        subnet = {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": imports}}
        user = Template(path="b.json", body={"Resources": {"S": subnet}})
        old, new = replaced(**OUTPUTS)
        diff = compare_templates(
            {"a.json": Template(path="a.json", body=old), "b.json": user},
            {"a.json": Template(path="a.json", body=new), "b.json": user},
        )
        found = {change.id: change for path, change in diff.changes() if path == "b.json"}
        assert (found["S"].replacement, found["S"].certain, found["S"].direct) == (
            "may",
            False,
            False,
        )
        assert "output Id of a.json" in found["S"].because[0]

    def test_parameters_that_take_an_output_by_the_manifest(self):
        def files(cidr: str) -> dict[str, bytes]:
            import json

            network_body = network(cidr, Outputs={"Id": {"Value": {"Ref": "Vpc"}}})
            user = {
                "Parameters": {"VpcId": {"Type": "String"}},
                "Resources": {
                    "S": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "VpcId"}}},
                    "Q": {"Type": "AWS::SQS::Queue"},
                },
            }
            output = {"stack": "network", "region": "own", "name": "Id"}
            manifest = {
                "schema": "tap.manifest/1",
                "stacks": [
                    {"name": "network", "template": "network.json", "regions": ["us-east-1"]},
                    {
                        "name": "user",
                        "template": "user.json",
                        "regions": ["us-east-1"],
                        "parameters": {"VpcId": {"output": output}},
                    },
                ],
            }
            pairs = {"network": network_body, "user": user, "manifest": manifest}
            return {f"s/{name}.json": json.dumps(body).encode() for name, body in pairs.items()}

        diff = compare_templates(
            templates_from(files("10.0.0.0/16")), templates_from(files("10.1.0.0/16"))
        )
        found = {(path, change.id): change for path, change in diff.changes()}
        assert set(found) == {
            ("s/network.json", "Vpc"),
            ("s/network.json", "Outputs/Id"),
            ("s/user.json", "S"),
        }
        assert found["s/network.json", "Outputs/Id"].flag_names == ("export_changed",)
        assert found["s/user.json", "S"].replacement == "may"
        assert not found["s/user.json", "S"].certain
