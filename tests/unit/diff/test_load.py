"""What can be read, and how what cannot be is refused: always with a place and a way out."""

import json

import pytest

from tap_templates.diff.api import compare_templates
from tap_templates.diff.load import (
    LARGEST_BYTES,
    InputError,
    load,
    load_both,
    templates_from,
)
from tap_templates.errors import UsageError

BOMB = b"a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 9)
)
BAD = {
    "not json": ("t.json", b"{", "line 1 column 2", "broken JSON"),
    "not yaml": ("t.yaml", b"a: [1,\nb: 2", "t.yaml line", "broken YAML"),
    "a tab": ("t.yaml", b"Resources:\n\t- a", "t.yaml line 2", "broken YAML"),
    "no object": ("t.json", b"[1]", "t.json", "holds no object"),
    "nothing": ("t.yaml", b"", "t.yaml", "holds no object"),
    "no template": ("t.json", b'{"a": 1}', "t.json", "has no Resources"),
    "resources are a list": ("t.json", b'{"Resources": []}', "", None),
    "resources are texts": ("t.json", b'{"Resources": {"R": "x"}}', "/Resources/R", "has no Type"),
    "no type": ("t.yaml", b"Resources: {R: {}}", "/Resources/R", "has no Type"),
    "a type that is a list": ("t.yaml", b"Resources: {R: {Type: [a]}}", "/Resources/R", "no Type"),
    "properties are a text": (
        "t.yaml",
        b"Resources: {R: {Type: a, Properties: x}}",
        "/Resources/R/Properties",
        "is no object",
    ),
    "an order by a number": (
        "t.yaml",
        b"Resources: {R: {Type: a, DependsOn: [1]}}",
        "/Resources/R/DependsOn",
        "is no logical id",
    ),
    "a condition that is no name": (
        "t.yaml",
        b"Resources: {R: {Type: a, Condition: !Equals [a, b]}}",
        "/Resources/R/Condition",
        "is no name",
    ),
    "a manifest with a stack that is none": (
        "manifest.json",
        b'{"schema": "tap.manifest/1", "stacks": [{"name": 1}]}',
        "manifest.json /stacks/0",
        "is not what a manifest has there",
    ),
    "an output is a text": (
        "t.yaml",
        b"Resources: {}\nOutputs: {O: x}",
        "/Outputs/O",
        "is no object",
    ),
    "a section is a list": ("t.yaml", b"Resources: {}\nMappings: [a]", "/Mappings", "is no object"),
    "no utf-8": ("t.json", b'{"a": "\xff"}', "t.json", "no text in UTF-8"),
    "too large": ("t.json", b" " * (LARGEST_BYTES + 1), "t.json", "larger than"),
    "too deep": ("t.json", b'{"Resources": ' + b"[" * 200 + b"]" * 200 + b"}", "t.json", "nested"),
    "far too deep": ("t.json", b"[" * 100_000, "t.json", "nested"),
    "deep yaml": ("t.yaml", b"a: " + b"[" * 50_000, "t.yaml line 1", "nested"),
    "deep blocks": ("t.yaml", b"- " * 5_000 + b"a", "t.yaml line 1", "nested"),
    "an alias of itself": ("t.yaml", b"a: &x\n  b: *x", "t.yaml line 2", "holds itself"),
    "an alias of nothing": ("t.yaml", b"a: *x", "t.yaml line 1", "alias *x of nothing"),
    "a flood of aliases": ("t.yaml", BOMB, "t.yaml", "more than 500,000 values"),
    "a key twice in json": ("t.json", b'{"a": 1, "a": 2}', "t.json", "key 'a' twice"),
    "a key twice in yaml": ("t.yaml", b"a: 1\na: 2", "t.yaml line 2", "key 'a' twice"),
    "an unknown tag": ("t.yaml", b"a: !Foo x", "t.yaml line 1", "unknown tag !Foo"),
    "a second document": ("t.yaml", b"a: 1\n---\nb: 2", "t.yaml line 2", "second document"),
    "nan": ("t.json", b'{"a": NaN}', "t.json", "NaN"),
    "a key that is a list": ("t.yaml", b"? [a]\n: b", "t.yaml line 1", "key that is no text"),
    "a control character": ("t.yaml", b"a: \x01", "t.yaml", "broken YAML"),
    "a condition of itself": (
        "t.yaml",
        b"Resources: {}\nConditions: {A: !Not [!Condition B], B: !Or [!Condition A, !Condition A]}",
        "/Conditions/A",
        "A → B → A",
    ),
    "a manifest of something else": ("manifest.json", b'{"a": 1}', "manifest.json", "neither"),
    "a manifest without stacks": (
        "manifest.json",
        b'{"schema": "tap.manifest/1"}',
        "manifest.json /stacks",
        "is not what a manifest has there",
    ),
}


@pytest.mark.parametrize(("path", "data", "where", "what"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_with_its_place(path, data, where, what):
    if what is None:  # an empty list is as good as nothing
        assert templates_from({path: data})
        return
    with pytest.raises(InputError) as refused:
        templates_from({path: data})
    assert where in refused.value.where
    assert what in refused.value.what
    assert refused.value.remedy
    assert refused.value.exit_code == 1


def test_a_circle_of_resources_is_refused():
    circle = {
        "A": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "${B}"}}},
        "B": {"Type": "AWS::SQS::Queue", "DependsOn": ["C"]},
        "C": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": {"Fn::Join": ["", [{"Ref": "A"}]]}},
        },
    }
    body = {"Resources": circle}
    after = templates_from({"t.json": json.dumps(body).encode()})
    before = templates_from({"t.json": b'{"Resources": {}}'})
    with pytest.raises(InputError, match="A → B → C → A"):
        compare_templates(before, after)


@pytest.mark.parametrize("right", ["b", {"Ref": "P"}])
def test_a_circle_that_conditions_break_is_none(right):
    """Also if nobody knows here whether they do."""
    equals = {"Fn::Equals": ["a", right]}
    chosen = {"Fn::If": ["C", {"Ref": "B"}, "x"]}
    circle = {
        "A": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": chosen}},
        "B": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "A"}}},
    }
    parameters = {"P": {"Type": "String"}}
    body = {"Parameters": parameters, "Conditions": {"C": equals}, "Resources": circle}
    after = templates_from({"t.json": json.dumps(body).encode()})
    assert compare_templates({}, after).templates


def test_short_forms_digits_and_dates():
    text = """
Resources:
  R:
    Type: AWS::SQS::Queue
    Properties:
      a: !Ref X
      b: !GetAtt A.B.C
      c: !Sub ["${x}", {x: !Select [0, !Split [",", "a,b"]]}]
      d: 2012-10-17
      e: 13.10
      f: 012
      g: yes
      h: "yes"
      i: !If [C, !Ref "AWS::NoValue", 1]
      j: 0x1F
      k: 190:20:30
      l: |
        {"a": 1}
      m: !Base64 {"Fn::Sub": x}
      111122223333: account
"""
    [template] = templates_from({"t.yml": text.encode()}).values()
    found = template.body["Resources"]["R"]["Properties"]
    assert found["e"].text == "13.10"
    assert {key: each for key, each in found.items() if key != "e"} == {
        "a": {"Ref": "X"},
        "b": {"Fn::GetAtt": ["A", "B.C"]},
        "c": {"Fn::Sub": ["${x}", {"x": {"Fn::Select": [0, {"Fn::Split": [",", "a,b"]}]}}]},
        "d": "2012-10-17",
        "f": "012",
        "g": True,
        "h": "yes",
        "i": {"Fn::If": ["C", {"Ref": "AWS::NoValue"}, 1]},
        "j": "0x1F",
        "k": "190:20:30",
        "l": '{"a": 1}\n',
        "m": {"Fn::Base64": {"Fn::Sub": "x"}},
        "111122223333": "account",
    }


def test_aliases_and_merges_are_written_out():
    text = b"Resources:\n  A: &a {Type: x, Properties: {p: 1}}\n  B: {<<: *a, Type: y}\n  C: *a"
    [template] = templates_from({"t.yaml": text}).values()
    assert template.body["Resources"]["B"] == {"Type": "y", "Properties": {"p": 1}}
    assert template.body["Resources"]["C"] == template.body["Resources"]["A"]


class TestPaths:
    @pytest.fixture
    def folders(self, tmp_path):
        template = '{"Resources": {"R": {"Type": "AWS::SQS::Queue"}}}'
        for side, names in (("before", ["s/a.json", "s/b.yaml"]), ("after", ["s/a.json", "c.yml"])):
            for name in names:
                file = tmp_path / side / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(template)
            (tmp_path / side / "README.md").write_text("no template")
            (tmp_path / side / ".hidden").mkdir()
            (tmp_path / side / ".hidden" / "x.json").write_text("{")
        return tmp_path / "before", tmp_path / "after"

    def test_folders_are_paired_by_path(self, folders):
        before, after = load_both(*folders)
        assert sorted(before) == ["s/a.json", "s/b.yaml"]
        diff = compare_templates(before, after)
        assert [(path, change.action) for path, change in diff.changes()] == [
            ("c.yml", "add"),
            ("s/b.yaml", "remove"),
        ]

    def test_files_are_one_template_whatever_they_are_called(self, folders):
        before, after = load_both(folders[0] / "s" / "b.yaml", folders[1] / "c.yml")
        assert list(before) == list(after) == ["c.yml"]

    def test_a_file_and_a_folder_are_no_pair(self, folders):
        with pytest.raises(UsageError, match="a folder and a file"):
            load_both(folders[0], folders[1] / "c.yml")

    def test_what_is_not_there(self, folders):
        with pytest.raises(UsageError, match="does not exist") as refused:
            load_both(folders[0], folders[1] / "none.json")
        assert refused.value.exit_code == 64
        with pytest.raises(UsageError):
            load(folders[0] / "none.json")

    def test_the_name_of_a_broken_file_is_its_path_as_given(self, folders):
        broken = folders[0] / "broken.json"
        broken.write_text("{")
        with pytest.raises(InputError, match=r"broken\.json line 1"):
            load_both(broken, folders[1] / "c.yml")

    def test_a_manifest_beside_a_file_is_read_with_it(self, folders):
        about = {"name": "a", "template": "a.json", "regions": ["eu-west-1"]}
        manifest = json.dumps({"schema": "tap.manifest/1", "stacks": [about]})
        (folders[1] / "s" / "manifest.json").write_text(manifest)
        (folders[0] / "s" / "manifest.json").write_text('{"version": "of another tool"}')
        before, after = load_both(*(folder / "s" / "a.json" for folder in folders))
        assert before["a.json"].regions == ()
        assert after["a.json"].regions == ("eu-west-1",)
        with pytest.raises(InputError, match="is a manifest"):
            load(folders[1] / "s" / "manifest.json")

    def test_a_large_file_is_not_read_to_its_end(self, tmp_path):
        file = tmp_path / "large.json"
        with file.open("wb") as stream:
            stream.truncate(10 * 1024 * 1024)
        with pytest.raises(InputError, match="larger than 4,000,000 bytes"):
            load(file)


def test_the_manifest_beside_a_template_belongs_to_it():
    manifest = {
        "schema": "tap.manifest/1",
        "stacks": [
            {"name": "a", "template": "a.json", "regions": ["eu-west-1"], "parameters": {"P": "x"}}
        ],
    }
    files = {
        "s/a.json": b'{"Resources": {}}',
        "t/a.json": b'{"Resources": {}}',
        "s/manifest.json": json.dumps(manifest).encode(),
    }
    found = templates_from(files)
    assert sorted(found) == ["s/a.json", "t/a.json"]
    assert found["s/a.json"].regions == ("eu-west-1",)
    assert found["s/a.json"].parameters == {"P": "x"}
    assert found["t/a.json"].regions == ()
