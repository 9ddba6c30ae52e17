"""P-04, P-05, P-06, P-08: what the platform promises of every system, on what is committed."""

import hashlib
import json

import pytest
from conformance.committed import templates_of, view_of
from mutants import survivors

import templates
from tap_templates.compiler.lint import Linter, LintJob
from tap_templates.iam.proof import prove
from tap_templates.iam.sources import read_sources

SYSTEMS = [system.name for system in templates.SYSTEMS]
BY_NAME = {system.name: system for system in templates.SYSTEMS}

every_system = pytest.mark.parametrize("system", SYSTEMS)


@pytest.fixture
def folder(root, system):
    return root / "build" / "templates" / system


@pytest.fixture
def manifest(folder):
    return json.loads((folder / "manifest.json").read_bytes())


@pytest.fixture
def handlers(root, system):
    return {
        package.name: {
            path: text
            for folder in (package.folder, *package.shared)
            for path, text in read_sources(root / "handlers" / folder).items()
        }
        for package in BY_NAME[system].packages
    }


@pytest.fixture
def view(root, manifest):
    return view_of(manifest, templates_of(root, manifest))


@every_system
def test_p04_what_is_committed_is_what_the_sources_compile_to(rendered, folder, system):
    committed = {path.stem: path.read_bytes() for path in folder.glob("*.json")}
    manifest = committed.pop("manifest")
    assert committed == {name: stack.body for name, stack in rendered[system].items()}
    digests = {each["name"]: each["sha256"] for each in json.loads(manifest)["stacks"]}
    assert digests == {name: hashlib.sha256(body).hexdigest() for name, body in committed.items()}


@every_system
def test_p05_the_linter_has_nothing_to_say(folder, manifest, system, tmp_path):
    jobs = [
        LintJob(
            system, each["name"], tuple(each["regions"]), (folder / each["template"]).read_bytes()
        )
        for each in manifest["stacks"]
    ]
    results = Linter(tmp_path).lint(jobs, lambda job: None)
    assert {key: result.findings for key, result in results.items() if result.findings} == {}
    assert len(results) == len(jobs)


@every_system
def test_p06_stacks_are_in_rollout_order(manifest, system):
    seen = set()
    for stack in manifest["stacks"]:
        assert set(stack["depends_on"]) <= seen
        seen.add(stack["name"])


@every_system
def test_p08_every_role_may_do_exactly_what_is_needed(view, handlers, system):
    assert prove(view, handlers, BY_NAME[system].operated_roles) == []


each_workload = pytest.mark.parametrize("system", [each.name for each in templates.WORKLOADS])


def _mutants(view, handlers, system, capsys, about):
    operated = BY_NAME[system].operated_roles
    alive, count = survivors(view, handlers, operated, about=about)
    with capsys.disabled():
        print(f"\n{system}: {count - len(alive)} of {count} policy mutants found")
    assert alive == []
    assert count > 150


@each_workload
def test_p08_what_is_changed_about_a_policy_is_found(view, handlers, system, capsys):
    """As many as take seconds; `make bench` tries all."""
    _mutants(view, handlers, system, capsys, about=200)


@pytest.mark.bench
@each_workload
def test_p08_whatever_is_changed_about_a_policy_is_found(view, handlers, system, capsys):
    _mutants(view, handlers, system, capsys, about=None)
