"""The manifest, templates and packages as one value; and what is refused."""

import base64
import hashlib
import json
from pathlib import Path

import pytest
from deploy_fakes import ZIP, changed, desired, parts

from tap_templates.deploy.desired import PackageFile, Release, Target, desired_state
from tap_templates.deploy.errors import DeployError
from tap_templates.deploy.naming import Record, name_build, read_record
from tap_templates.deploy.values import Known, Output, value_from_json

TARGET = Target(
    account="123456789012",
    suffix="dev",
    administration_role_arn="arn:aws:iam::123456789012:role/role-stackset-administration",
    execution_role_name="role-stackset-execution",
)


def built(root):
    folder = root / "build/templates/trading-events"
    manifest = json.loads((folder / "manifest.json").read_bytes())
    templates = {e["name"]: (folder / e["template"]).read_bytes() for e in manifest["stacks"]}
    packages = {
        name: PackageFile(path=Path(f"{name}.zip"), sha256=each["sha256"])
        for name, each in manifest["packages"].items()
    }
    return manifest, templates, packages


def test_trading_events_as_committed(root):
    wanted = desired_state(*built(root), TARGET)
    assert wanted.home == "us-west-2"
    processing = wanted.stack("processing")
    package = wanted.packages["trading-processor"]
    assert processing.stack_set == "trading-events-processing-dev"
    assert processing.literals["CodeKey"] == f"packages/trading-processor-{package.sha256[:16]}.zip"
    assert processing.literals["CodeSha256"] == package.code_sha256
    assert processing.packages == ("trading-processor",)
    assert wanted.stack("monitoring").outputs == {
        "EndpointHealthCheckId": Output("endpoint", "us-east-1", "HealthCheckId")
    }


def test_a_twin_of_the_package_brings_its_own_key_and_digest(root):
    manifest, templates, packages = built(root)
    twin = PackageFile(path=Path("twin.zip"), sha256=hashlib.sha256(ZIP).hexdigest())
    wanted = desired_state(manifest, templates, {**packages, "trading-processor": twin}, TARGET)
    literals = wanted.stack("processing").literals
    assert literals["CodeKey"] == f"packages/trading-processor-{twin.sha256[:16]}.zip"
    assert literals["CodeSha256"] == base64.b64encode(hashlib.sha256(ZIP).digest()).decode()


def test_a_template_that_is_not_the_manifests_is_refused(root):
    manifest, templates, packages = built(root)
    with pytest.raises(DeployError, match="the manifest says"):
        desired_state(manifest, {**templates, "bus": b"{}"}, packages, TARGET)


def test_a_missing_package_is_refused(root):
    manifest, templates, _ = built(root)
    with pytest.raises(DeployError, match="was not built"):
        desired_state(manifest, templates, {}, TARGET)


def test_a_manifest_of_another_schema_is_refused():
    with pytest.raises(DeployError, match="schema"):
        desired_state({"schema": "tap.manifest/9"}, {}, {}, TARGET)


def test_a_setting_that_no_stack_declares_is_refused():
    with pytest.raises(DeployError, match="no stack declares"):
        desired(settings={"Sise": "1"})


def test_settings_win_over_the_manifest_but_not_over_outputs():
    board = desired(settings={"Place": "here", "Check": "mine"}).stack("board")
    assert board.literals["Place"] == "here"
    assert "Check" in board.outputs


def test_a_parameter_without_value_is_refused():
    stacks = changed()
    del stacks["board"][2]["Place"]
    with pytest.raises(DeployError, match="parameter Place"):
        desired(stacks)


def test_a_region_that_is_not_of_the_pair_is_refused():
    stacks = parts()
    stacks["table"] = (("eu-north-1",), *stacks["table"][1:])
    with pytest.raises(DeployError, match="not of the pair"):
        desired(stacks)


def test_a_release_survives_being_stored():
    release = desired().stack("board").release
    assert Release.from_json(json.loads(json.dumps(release.to_json()))) == release


@pytest.mark.parametrize(
    "record",
    [
        Record("a" * 64, "12-" + "b" * 16),
        Record("a" * 64, "12-" + "b" * 16, ("c" * 64, "d" * 64)),
        Record("a" * 64, "12-" + "b" * 16, ("c" * 64,), is_undone=True),
        Record("a" * 64, "12-" + "b" * 16, tuple("c" * 64 for _ in range(8)), is_undone=True),
    ],
)
def test_a_record_survives_a_description(record):
    assert read_record(record.text()) == record
    assert len(record.text()) <= 1024


@pytest.mark.parametrize("text", ["", "my stack set", "tap-templates: release x of build y"])
def test_a_description_of_somebody_else_is_no_record(text):
    assert read_record(text) is None


def test_history_forgets_what_was_rolled_back_from():
    a, b, c = "a" * 64, "b" * 64, "c" * 64
    record = (
        Record(a, "1-" + "b" * 16).followed_by(b, "2-" + "b" * 16).followed_by(c, "3-" + "b" * 16)
    )
    assert record.before == (b, a)
    assert record.followed_by(b, "4-" + "b" * 16).before == (a,)
    assert record.followed_by(c, "4-" + "b" * 16).before == (b, a)


def test_builds_are_numbered_and_a_continued_run_keeps_its_number():
    one, two = "a" * 64, "b" * 64
    first = name_build([], one)
    records = [Record("c" * 64, first)]
    assert name_build(records, one) == first == f"1-{one[:16]}"
    second = name_build(records, two)
    assert second == f"2-{two[:16]}"
    records.append(Record("d" * 64, second))
    assert name_build(records, two) == second
    assert name_build(records, one) == f"3-{one[:16]}"
    records.append(Record("d" * 64, second, is_undone=True))
    assert name_build(records, two) == f"3-{two[:16]}"


@pytest.mark.parametrize("data", [{}, {"value": 1}, {"value": "x", "more": 1}, {"previous": False}])
def test_what_is_no_value_is_refused(data):
    with pytest.raises(ValueError, match="no parameter value"):
        value_from_json(data)
    assert value_from_json({"value": "x"}) == Known("x")
