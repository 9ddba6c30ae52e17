"""One change for all regions where it is one, and which region where it is not."""

import json
from typing import Any

from tap_templates.diff.api import compare_pair, compare_templates
from tap_templates.diff.load import templates_from
from tap_templates.diff.model import Template

PAIR = ("us-east-1", "us-west-2")


def queue(**properties: Any) -> dict[str, Any]:
    return {"Resources": {"R": {"Type": "AWS::SQS::Queue", "Properties": properties}}}


def test_the_same_in_all_regions_is_told_once(changes):
    change = changes(queue(DelaySeconds=1), queue(DelaySeconds=2), regions=PAIR)["R"]
    assert change.certain
    assert len(change.properties) == 1
    assert not any("region" in each for each in change.because)


def test_values_that_only_name_their_region_are_told_once(changes):
    before, after = (queue(QueueName={"Fn::Sub": f"{n}-${{AWS::Region}}"}) for n in "ab")
    change = changes(before, after, regions=PAIR)["R"]
    assert change.certain
    assert [(each.before, each.after) for each in change.properties] == [
        ("a-us-east-1", "b-us-east-1")
    ]


def test_a_change_of_one_region_says_which(changes):
    def stack(value: int) -> dict[str, Any]:
        condition = {"West": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-west-2"]}}
        return {**queue(DelaySeconds={"Fn::If": ["West", value, 0]}), "Conditions": condition}

    change = changes(stack(1), stack(2), regions=PAIR)["R"]
    assert not change.certain
    assert change.because[0].startswith("only in us-west-2")
    assert changes(stack(1), stack(2), regions=("us-east-1",))["R"].cosmetic


def test_a_resource_that_one_region_loses(changes):
    def stack(region: str) -> dict[str, Any]:
        condition = {"C": {"Fn::Equals": [{"Ref": "AWS::Region"}, region]}}
        return {
            "Resources": {"R": {"Type": "AWS::SQS::Queue", "Condition": "C"}},
            "Conditions": condition,
        }

    change = changes(stack("us-east-1"), stack("us-west-2"), regions=PAIR)["R"]
    assert (change.action, change.certain, change.flag_names) == ("remove", False, ("data_loss",))
    assert change.flags[0].because.startswith("in us-east-1: ")


def test_a_mapping_entry_of_a_region_that_is_not_ours(changes):
    def stack(value: str) -> dict[str, Any]:
        name = {"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "n"]}
        mapping = {r: {"n": value if r == "eu-west-1" else "x"} for r in (*PAIR, "eu-west-1")}
        return {**queue(QueueName=name), "Mappings": {"M": mapping}}

    assert set(changes(stack("a"), stack("b"), regions=PAIR)) == {"Mappings/M"}
    assert changes(stack("a"), stack("b"), regions=("eu-west-1",))["R"].replacement == "always"


class TestAssumed:
    """Nobody says where the template is deployed."""

    def change(self, before: dict[str, Any], after: dict[str, Any]) -> Any:
        diff = compare_pair(Template(path="t", body=before), Template(path="t", body=after))
        return next((c for _, c in diff.changes() if c.id == "R"), None)

    def test_a_region_by_name_is_equal_in_that_region_only(self):
        names = ({"Fn::Sub": "a-${AWS::Region}"}, "a-us-east-1")
        change = self.change(*(queue(QueueName=each) for each in names))
        assert (change.cosmetic, change.certain) == (True, False)
        assert "nothing says where this is deployed" in change.because[-1]

    def test_what_hangs_on_no_region_is_certain(self):
        names = ({"Fn::Sub": "a-${AWS::Region}"}, {"Fn::Sub": "b-${AWS::Region}"})
        change = self.change(*(queue(QueueName=each) for each in names))
        assert (change.replacement, change.certain) == ("always", True)

    def test_what_hangs_on_a_region_is_not(self):
        condition = {"C": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}}
        pair = [
            {**queue(QueueName={"Fn::If": ["C", name, "x"]}), "Conditions": condition}
            for name in "ab"
        ]
        change = self.change(*pair)
        assert (change.replacement, change.certain) == ("always", False)


def manifest(regions: tuple[str, ...]) -> bytes:
    stacks = [{"name": "t", "template": "t.json", "regions": regions, "parameters": {}}]
    return json.dumps({"schema": "tap.manifest/1", "stacks": stacks}).encode()


def test_the_manifest_says_where_and_a_region_given_up_is_a_removal():
    body = json.dumps(queue()).encode()
    before = templates_from({"s/t.json": body, "s/manifest.json": manifest(PAIR)})
    after = templates_from({"s/t.json": body, "s/manifest.json": manifest(PAIR[:1])})
    [(path, change)] = compare_templates(before, after).changes()
    assert (path, change.id, change.action, change.certain) == ("s/t.json", "R", "remove", False)
    assert change.flag_names == ("data_loss",)
    assert "only in us-west-2" in change.because[0]
    assert compare_templates(before, before).templates == ()
    assert compare_templates(before, after, regions=("us-east-1",)).templates == ()


def test_a_package_of_other_content_reaches_the_function():
    def files(digest: str) -> dict[str, bytes]:
        code = {"S3Bucket": "b", "S3Key": {"Ref": "CodeKey"}}
        body = {
            "Parameters": {"CodeKey": {"Type": "String"}},
            "Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Code": code}}},
        }
        about = {
            "schema": "tap.manifest/1",
            "stacks": [
                {
                    "name": "t",
                    "template": "t.json",
                    "regions": ["us-east-1"],
                    "parameters": {"CodeKey": {"package": "p"}},
                }
            ],
            "packages": {"p": {"sha256": digest * 64}},
        }
        return {"t.json": json.dumps(body).encode(), "manifest.json": json.dumps(about).encode()}

    before, after = templates_from(files("a")), templates_from(files("b"))
    [(_, change)] = compare_templates(before, after).changes()
    assert (change.id, change.replacement, change.direct) == ("F", "never", False)
    assert change.properties[0].after == f"p-{'b' * 16}.zip"
    assert any("parameter CodeKey, which the manifest gives" in each for each in change.because)
