"""No template, however mangled, makes a rule raise: cfn-lint would report E0002."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tap_templates.rules._values import Node, arn, expression, may_match, must_differ, split

HERE = Path(__file__).parent
TEMPLATES = [
    json.loads(json.dumps(decode(str(path))[0], default=str))
    for path in sorted(HERE.glob("*/*/*.yaml"))
]
JUNK: list[Any] = [
    None,
    "",
    "text",
    "arn:aws:sqs",
    "arn:aws:sqs:us-east-1:111122223333:",
    "${",
    0,
    1.5,
    True,
    [],
    [[]],
    [None],
    {},
    {"Ref": "Nothing"},
    {"Ref": ["Queue"]},
    {"Ref": "AWS::NoValue"},
    {"Fn::GetAtt": "NoDot"},
    {"Fn::GetAtt": ["One"]},
    {"Fn::GetAtt": [{"Ref": "X"}, "Arn"]},
    {"Fn::Sub": ["${A}", {"A": {"Fn::If": ["C", 1]}}]},
    {"Fn::Sub": None},
    {"Fn::Join": ["", {"Ref": "List"}]},
    {"Fn::Join": "text"},
    {"Fn::If": ["C", {"Ref": "AWS::NoValue"}, []]},
    {"Fn::If": ["C"]},
    {"Fn::FindInMap": ["A", "B", "C"]},
    {"Fn::Transform": {"Name": "AWS::Include"}},
    {"Fn::ForEach::X": []},
    {"Service": ["a"], "AWS": None, 1: 2},
    {"Fn::Split": [",", "a,b"]},
]


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        return found + [p for key in value for p in _places(value[key], (*path, key))]
    if isinstance(value, list):
        return found + [p for i, item in enumerate(value) for p in _places(item, (*path, i))]
    return found


def _put(template: Any, path: tuple[Any, ...], junk: Any) -> Any:
    mangled = copy.deepcopy(template)
    place = mangled
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = copy.deepcopy(junk)
    return mangled


def _raised(template: Any, our_rules: Any) -> None:
    """Run the rules as they are, so that what they raise is seen here with its traceback."""
    from cfnlint.template.template import Template

    cfn = Template(None, template, ["us-east-1", "us-west-2"])
    for rule in our_rules.values():
        for match in rule.match(cfn):
            assert isinstance(match.message, str)
            cfn.get_location_yaml(cfn.template, match.path)


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_any_place_of_a_resource_may_hold_junk(junk, our_rules):
    for number, template in enumerate(TEMPLATES):
        places = [p for p in _places(template) if p[0] == "Resources" and len(p) > 1]
        for path in places[number % 7 :: 7]:
            _raised(_put(template, path, junk), our_rules)


@pytest.mark.parametrize("section", ["Resources", "Parameters", "Mappings", "Conditions"])
@pytest.mark.parametrize("junk", JUNK[:12], ids=repr)
def test_a_section_may_hold_junk(section, junk, lint):
    for template in TEMPLATES[::9]:
        found = lint({**copy.deepcopy(template), section: junk})

        assert [f for f in found if f.id == "E0002"] == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_several_places_may_hold_junk_at_once(data, our_rules):
    template = data.draw(st.sampled_from(TEMPLATES))
    for _ in range(data.draw(st.integers(1, 4))):
        places = [p for p in _places(template) if p[0] == "Resources" and len(p) > 1]
        if places:
            path, junk = data.draw(st.sampled_from(places)), data.draw(st.sampled_from(JUNK))
            template = _put(template, path, junk)

    _raised(template, our_rules)


VALUES = st.recursive(
    st.none() | st.booleans() | st.text(max_size=8) | st.sampled_from(JUNK),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Ref", "Fn::Sub", "Fn::If", "Fn::Join", "a"]), inner)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(one=VALUES, other=VALUES)
def test_values_are_taken_apart_without_complaint(one, other):
    left, right = expression(one), expression(other)

    assert may_match(left, left)
    assert not must_differ(left, left)
    assert must_differ(left, right) == must_differ(right, left)
    assert not (must_differ(left, right) and left == right)
    assert len(split(left, ":", 2)) <= 3
    arn(left)
    for _, elements in Node(one, ("here",)).lists():
        assert elements is None or all(e.path[0] == "here" for e in elements)
