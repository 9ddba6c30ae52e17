"""State machines as lists of states."""

import pytest

from tap_templates.diff.faces.machines import is_machine, rows, states
from tap_templates.diff.faces.patterns import rows as pattern_rows

PARALLEL = {
    "StartAt": "First",
    "States": {
        "Last": {"Type": "Succeed"},
        "First": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}},
                {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}},
            ],
            "Next": "Last",
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
        },
        "Failed": {"Type": "Fail", "Error": "Bad"},
    },
}


def test_states_come_as_they_are_reached_with_their_branches():
    names = [each.name for each in states(PARALLEL)]
    assert names == ["First", "First ▸ branch 1 ▸ A", "First ▸ branch 2 ▸ A", "Last", "Failed"]


def test_a_state_says_where_it_leads():
    (choice,) = states(
        {
            "StartAt": "C",
            "States": {
                "C": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.x", "IsNull": True, "Next": "X"}],
                    "Default": "Y",
                }
            },
        }
    )
    assert choice.leads == ('if {"Variable": "$.x", "IsNull": true} → X', "otherwise → Y")
    first = next(states(PARALLEL))
    assert first.leads == ("→ Last", "on States.ALL → Failed")
    assert first.is_start


def test_a_map_shows_what_it_does_with_each():
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
    names = [
        each.name
        for each in states(
            {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": inner}}}
        )
    ]
    assert names == ["M", "M ▸ each ▸ I"]


@pytest.mark.parametrize("key", ["Retry", "Catch", "Choices", "Branches", "Iterator"])
def test_what_has_an_odd_shape_is_still_told(key):
    (state,) = states({"StartAt": "A", "States": {"A": {"Type": "Task", key: {"Fn::If": [1]}}}})
    assert any(fact.startswith(f"{key}: ") for fact in state.facts)


@pytest.mark.parametrize("value", [None, "text", {}, {"States": []}, {"States": {"A": 1}}, [1]])
def test_what_is_no_definition_has_no_states(value):
    assert list(states(value)) == []
    assert is_machine(value) is (value == {"States": {"A": 1}})


def test_rows_say_what_happened_to_each_state():
    after = {**PARALLEL, "States": {**PARALLEL["States"], "Last": {"Type": "Fail"}}}
    assert {row.name: row.change for row in rows(PARALLEL, after)}["Last"] == "changed"
    assert {row.change for row in rows(None, PARALLEL)} == {"added"}
    assert {row.change for row in rows(PARALLEL, PARALLEL)} == {"same"}


def test_a_pattern_is_rows_of_fields():
    found = pattern_rows({"a": {"b": ["x"]}, "$or": [{"c": [1]}]}, {"a": {"b": ["x", "y"]}})
    assert [(row.field, row.before, row.after) for row in found] == [
        ("$or", ('{"c": [1]}',), ()),
        ("a.b", ("x",), ("x", "y")),
    ]
