"""Rendering is a contract: customary order, sorted, LF, the same bytes every time."""

import json
import os
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from tap_templates.compiler.render import _in_order, to_json

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_sections_and_attributes_stand_in_the_customary_order(rendered):
    for stacks in rendered.values():
        for stack in stacks.values():
            sections = list(stack.template)
            assert sections[:2] == ["AWSTemplateFormatVersion", "Description"]
            assert sections[-2:] == ["Resources", "Outputs"]
            for resource in stack.template["Resources"].values():
                assert next(iter(resource)) == "Type"


def test_resources_and_parameters_are_sorted(rendered):
    for stacks in rendered.values():
        for stack in stacks.values():
            for section in ("Resources", "Parameters", "Outputs"):
                assert list(stack.template[section]) == sorted(stack.template[section])


def test_the_bytes_end_with_one_newline_and_have_no_carriage_return(rendered):
    for stacks in rendered.values():
        for stack in stacks.values():
            assert stack.body.endswith(b"}\n")
            assert b"\r" not in stack.body


@given(properties=st.dictionaries(st.text(), ANY_JSON))
def test_order_of_insertion_does_not_matter(properties):
    def template(items):
        return {"Resources": {"R": {"Properties": dict(items), "Type": "T"}}}

    forwards = to_json(_in_order(template(properties.items())))
    backwards = to_json(_in_order(template(reversed(properties.items()))))
    assert forwards == backwards
    assert json.loads(forwards)["Resources"]["R"]["Properties"] == properties


def test_another_process_with_another_hash_seed_renders_the_same_bytes(rendered, root):
    code = (
        "import hashlib, templates\n"
        "from tap_templates.compiler.build import build_stack\n"
        "from tap_templates.compiler.render import render_stack\n"
        "print(*(render_stack(build_stack(y, s)).sha256"
        " for y in templates.SYSTEMS for s in y.stacks))"
    )
    expected = [stack.sha256 for stacks in rendered.values() for stack in stacks.values()]
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root), "TZ": "Asia/Tokyo"}
        out = subprocess.run(
            [sys.executable, "-c", code], env=env, check=True, capture_output=True, text=True
        )
        assert out.stdout.split() == expected
