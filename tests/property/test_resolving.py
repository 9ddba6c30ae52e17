"""Laws of resolving: total over what a template may say, deterministic, and nothing left over."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tap_templates.rendered.resolve import resolve_stack
from tap_templates.rendered.view import StackSource, resolve_system

REGIONS = ("us-east-1", "us-west-2")
BUILT = Path(__file__).parents[2] / "build" / "templates"

texts = st.sampled_from(["", "a", "b-c", "x/y", "${!Kept}"])
references = st.sampled_from(
    ["Given", "Unset", "AWS::Region", "AWS::AccountId", "AWS::StackName", "Queue", "Key"]
).map(lambda name: {"Ref": name})
attributes = st.sampled_from(
    [{"Fn::GetAtt": ["Queue", "Arn"]}, {"Fn::GetAtt": "Key.Arn"}, {"Fn::GetAtt": ["Key", "Odd"]}]
)
substitutions = st.sampled_from(
    ["${Given}", "${AWS::Region}-${Unset}", "${Queue.Arn}", "${!Kept}-${Key}", "plain"]
).map(lambda text: {"Fn::Sub": text})


def _composed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda items: {"Fn::Join": ["-", items]}, lists),
        st.builds(lambda items: {"Fn::Select": [0, items]}, lists),
        st.builds(lambda item: {"Fn::Select": [0, {"Fn::Split": ["-", item]}]}, inner),
        st.builds(lambda yes, no: {"Fn::If": ["IsEast", yes, no]}, inner, inner),
        st.builds(lambda item: {"Fn::Sub": ["${It}!", {"It": item}]}, inner),
        st.builds(lambda item: {"Fn::Base64": item}, inner),
    )


scalars = st.recursive(st.one_of(texts, references, attributes, substitutions), _composed)
no_value = st.just({"Ref": "AWS::NoValue"})
properties = st.recursive(
    st.one_of(scalars, no_value, st.integers(), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["Name", "Of", "It"]), inner, max_size=3),
    ),
)


def _template(stated: Any) -> dict[str, Any]:
    return {
        "Parameters": {
            "Given": {"Type": "String", "Default": "given"},
            "Unset": {"Type": "String"},
        },
        "Conditions": {"IsEast": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}},
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}},
            "Key": {"Type": "AWS::KMS::Key"},
            "It": {"Type": "AWS::Odd::Thing", "Properties": {"Stated": stated}},
        },
    }


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for each in value.values():
            yield from _keys(each)
    elif isinstance(value, list):
        for each in value:
            yield from _keys(each)


@given(properties, st.sampled_from(REGIONS))
def test_resolving_is_total_and_deterministic_and_leaves_no_intrinsic(stated, region):
    template = _template(stated)
    before = json.dumps(template)
    once, again = (
        resolve_stack(template, stack="s", region=region, parameters={}).resources["It"].properties
        for _ in range(2)
    )
    assert once == again
    assert json.dumps(template) == before
    assert not [key for key in _keys(once) if key == "Ref" or key.startswith("Fn::")]
    assert "<object" not in json.dumps(once)


@given(scalars, st.sampled_from(REGIONS))
def test_what_is_resolved_once_is_resolved(stated, region):
    """Resolving the result changes nothing: no text of ours is read as a template again."""
    stack = resolve_stack(_template(stated), stack="s", region=region, parameters={})
    resolved = stack.resources["It"].properties
    again = resolve_stack(
        _template(resolved.get("Stated")), stack="s", region=region, parameters={}
    )
    assert again.resources["It"].properties == resolved


def test_every_compiled_system_resolves_and_leaves_no_intrinsic():
    manifests = sorted(BUILT.glob("*/manifest.json"))
    assert manifests
    for path in manifests:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        sources = [
            StackSource(
                stack["name"],
                json.loads((path.parent / stack["template"]).read_text(encoding="utf-8")),
                stack["regions"],
                stack.get("parameters", {}),
            )
            for stack in manifest["stacks"]
        ]
        once, again = (resolve_system(manifest["system"], sources) for _ in range(2))
        assert once == again
        assert list(once.collisions()) == []
        for located in once.resources():
            keys = _keys(located.resource.properties)
            assert not [key for key in keys if key == "Ref" or key.startswith("Fn::")]
