"""Parameters, mappings, conditions, outputs and remarks: what deployers notice."""

from typing import Any

import pytest

CASES: list[tuple[str, dict[str, Any], dict[str, Any], str, str, bool]] = [
    # id, before, after, action, cosmetic
    ("Parameters/P", {}, {"Parameters": {"P": {"Type": "String"}}}, "add", "", False),
    (
        "Parameters/P",
        {},
        {"Parameters": {"P": {"Type": "String", "Default": "x"}}},
        "add",
        "",
        True,
    ),
    (
        "Parameters/P",
        {"Parameters": {"P": {"Type": "String", "Default": "x"}}},
        {},
        "remove",
        "",
        False,
    ),
    (
        "Parameters/P",
        {"Parameters": {"P": {"Type": "String", "Default": "x"}}},
        {"Parameters": {"P": {"Type": "String", "Default": "y"}}},
        "modify",
        "/Default",
        False,
    ),
    (
        "Parameters/P",
        {"Parameters": {"P": {"Type": "Number", "Default": 1}}},
        {"Parameters": {"P": {"Type": "Number", "Default": "1"}}},
        "modify",
        "",
        True,
    ),
    (
        "Parameters/P",
        {"Parameters": {"P": {"Type": "String", "Description": "a"}}},
        {"Parameters": {"P": {"Type": "String", "Description": "b"}}},
        "modify",
        "",
        True,
    ),
    (
        "Parameters/P",
        {"Parameters": {"P": {"Type": "String", "AllowedPattern": "a"}}},
        {"Parameters": {"P": {"Type": "String", "AllowedPattern": "b"}}},
        "modify",
        "/AllowedPattern",
        False,
    ),
    ("Mappings/M", {}, {"Mappings": {"M": {"a": {"b": "c"}}}}, "add", "", True),
    (
        "Mappings/M",
        {"Mappings": {"M": {"a": {"b": "c"}}}},
        {"Mappings": {"M": {"a": {"b": "d"}}}},
        "modify",
        "/a/b",
        False,
    ),
    (
        "Mappings/M",
        {"Mappings": {"M": {"a": {"b": 1}}}},
        {"Mappings": {"M": {"a": {"b": "1"}}}},
        "modify",
        "",
        True,
    ),
    ("Conditions/C", {}, {"Conditions": {"C": {"Fn::Equals": ["a", "b"]}}}, "add", "", True),
    (
        "Conditions/C",
        {"Conditions": {"C": {"Fn::Equals": ["a", "b"]}}},
        {"Conditions": {"C": {"Fn::Not": [{"Fn::Equals": ["b", "b"]}]}}},
        "modify",
        "",
        True,
    ),
    (
        "Conditions/C",
        {"Conditions": {"C": {"Fn::Equals": ["a", "b"]}}},
        {"Conditions": {"C": {"Fn::Equals": ["a", "a"]}}},
        "modify",
        "",
        False,
    ),
    (
        "Outputs/O",
        {"Outputs": {"O": {"Value": "1"}}},
        {"Outputs": {"O": {"Value": 1}}},
        "modify",
        "",
        True,
    ),
    (
        "Outputs/O",
        {"Outputs": {"O": {"Value": "1"}}},
        {"Outputs": {"O": {"Value": "2"}}},
        "modify",
        "/Value",
        False,
    ),
    ("Outputs/O", {}, {"Outputs": {"O": {"Value": "1"}}}, "add", "", False),
    ("Description", {"Description": "a"}, {"Description": "b"}, "modify", "", True),
    ("Metadata", {}, {"Metadata": {"a": "b"}}, "add", "", True),
    ("Rules", {}, {"Rules": {"R": {"Assertions": []}}}, "add", "", False),
    ("Transform", {}, {"Transform": "Mine"}, "add", "", False),
]


@pytest.mark.parametrize("case", CASES)
def test_one_edit_of_a_section(changes, case):
    name, before, after, action, path, is_cosmetic = case
    [change] = changes(before, after).values()
    assert (change.id, change.section, change.type) == (name, name.partition("/")[0], "")
    assert (change.action, change.cosmetic) == (action, is_cosmetic)
    if path:
        assert [each.path for each in change.properties] == [path]


def test_an_output_with_a_false_condition_is_not_there(changes):
    def stack(right: str) -> dict[str, Any]:
        return {
            "Conditions": {"C": {"Fn::Equals": ["a", right]}},
            "Outputs": {"O": {"Value": "x", "Condition": "C", "Export": {"Name": "n"}}},
        }

    change = changes(stack("a"), stack("b"))["Outputs/O"]
    assert (change.action, change.direct, change.flag_names) == (
        "remove",
        False,
        ("export_changed",),
    )
    assert changes(stack("b"), stack("a"))["Outputs/O"].action == "add"


def test_a_macro_makes_everything_uncertain(changes):
    def stack(transform: Any) -> dict[str, Any]:
        return {"Transform": transform}

    def pair(transform: Any) -> list[dict[str, Any]]:
        return [
            {
                "Transform": transform,
                "Resources": {"R": {"Type": "AWS::SQS::Queue", "Properties": p}},
            }
            for p in ({"QueueName": "a"}, {"QueueName": "b"})
        ]

    change = changes(*pair(["Mine"]))["R"]
    assert not change.certain
    assert any("a transform still changes the template" in each for each in change.because)
    assert changes(*pair("AWS::LanguageExtensions"))["R"].certain


def test_a_loop_is_not_expanded_and_says_so(changes):
    def stack(name: str) -> dict[str, Any]:
        loop = [
            "X",
            ["a", "b"],
            {"Q${X}": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}},
        ]
        return {"Resources": {"Fn::ForEach::Queues": loop}}

    [change] = changes(stack("a"), stack("b")).values()
    assert (change.replacement, change.certain, change.cosmetic) == ("may", False, False)
    assert "not expanded" in change.because[0]
    assert changes(stack("a"), stack("a")) == {}
