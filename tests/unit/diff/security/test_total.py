"""No analyser raises, whatever a template that loads may hold."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_templates.diff.model import Context, Template
from tap_templates.diff.security.analysers import ANALYSERS
from tap_templates.diff.view import View

BUILT = Path(__file__).parents[4] / "build" / "templates"
TEMPLATES = [
    json.loads(path.read_text()) for path in sorted(BUILT.glob("*/*.json"))
    if path.name != "manifest.json"
]  # fmt: skip
ODD = [
    None, [], {}, "", 0, -1, 1.5, True, "*", [[]], [{}], {"a": {}}, {"Ref": "AWS::NoValue"},
    {"Ref": "Nothing"}, {"Fn::If": ["C", "a", {"Ref": "AWS::NoValue"}]}, {"Fn::If": ["C", [1], {}]},
    {"Fn::GetAtt": "X"}, {"Fn::GetAtt": ["A", "B"]}, {"Fn::Join": ["", ["a", {"Ref": "Nothing"}]]},
    ["*", {"Ref": "Nothing"}], {"Fn::Transform": {"Name": "x"}}, 10**30, "\ue000\uf8f0",
    "${aws:username}", {"Statement": {"Effect": "Allow"}},
]  # fmt: skip


def _spoil(draw, value):
    """Put something odd in the place of one value, at any depth."""
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 7)) == 0:
        return copy.deepcopy(draw(st.sampled_from(ODD)))
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = draw(st.sampled_from(keys))
    spoiled = copy.copy(value)
    spoiled[key] = _spoil(draw, value[key])
    return spoiled


@st.composite
def spoiled_templates(draw):
    body = copy.deepcopy(draw(st.sampled_from(TEMPLATES)))
    for _ in range(draw(st.integers(0, 4))):
        resource = body["Resources"][draw(st.sampled_from(sorted(body["Resources"])))]
        properties = _spoil(draw, resource.get("Properties", {}))
        resource["Properties"] = properties if isinstance(properties, dict) else {}
    return body


@settings(max_examples=min(80, settings().max_examples))  # each takes long
@given(spoiled_templates(), st.data())
def test_odd_values_are_no_errors(after, data):
    before = data.draw(st.sampled_from(TEMPLATES))
    views = [View(Template(path="a.json", body=each, regions=("us-east-1",)), "us-east-1")
             for each in (before, after)]  # fmt: skip
    context = Context(path="a.json", region="us-east-1", before=views[0], after=views[1])
    for name in sorted({*before["Resources"], *after["Resources"]}):
        sides = [view.resource(name) for view in views]
        for analyse in ANALYSERS:
            flags = list(analyse(*sides, context))
            assert all(flag.because for flag in flags)


@pytest.mark.parametrize("body", TEMPLATES, ids=range(len(TEMPLATES)))
def test_the_same_template_has_no_flags(body):
    views = [View(Template(path="a.json", body=copy.deepcopy(body), regions=("us-east-1",)),
                  "us-east-1") for _ in range(2)]  # fmt: skip
    context = Context(path="a.json", region="us-east-1", before=views[0], after=views[1])
    for name in body["Resources"]:
        sides = [view.resource(name) for view in views]
        assert [flag for each in ANALYSERS for flag in each(*sides, context)] == []
