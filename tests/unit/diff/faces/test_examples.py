"""The committed examples are what the faces write today."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
DOCS = ROOT / "docs" / "template-diff"


@pytest.fixture(scope="module")
def example():
    specification = importlib.util.spec_from_file_location(
        "example_diff", ROOT / "scripts" / "example_diff.py"
    )
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rendered(example, tmp_path_factory):
    return example.render(*example.make(tmp_path_factory.mktemp("example")))


@pytest.mark.parametrize("name", ["comment.md", "page.html"])
def test_the_examples_are_fresh(name, rendered):
    remedy = "run `python scripts/example_diff.py FOLDER --docs` and commit docs/template-diff/"
    assert (DOCS / name).read_text() == rendered[name], remedy


def test_the_example_is_one_danger_one_change_and_twenty_cosmetic(rendered):
    verdict = rendered["comment.md"].splitlines()[1]
    assert "1 of 2 changes dangerous; 20 cosmetic differences" in verdict
    assert verdict.startswith("### 🛑 Broader permissions")


def test_the_folders_are_the_same_every_time(example, tmp_path):
    trees = [
        {
            path.relative_to(side.parent).as_posix(): path.read_bytes()
            for side in example.make(tmp_path / name)
            for path in side.rglob("*.json")
        }
        for name in ("one", "two")
    ]
    assert trees[0] == trees[1]
