"""Every rule on templates with a planted fault and on templates without.

A faulty template says in `Metadata.Expect` where the fault is and what the message must contain,
the remedy; `Metadata.Regions` are the regions it is linted for (us-east-1 if not given).
"""

from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode
from cfnlint.rules._rules import Rules

from tap_templates.rules import rule_classes

HERE = Path(__file__).parent
IDS = [rule.id for rule in rule_classes()]


def _cases(kind: str) -> list[Path]:
    return sorted(path for path in (HERE / kind).glob("*/*") if path.suffix in {".yaml", ".json"})


def _metadata(path: Path) -> dict[str, Any]:
    template, errors = decode(str(path))
    assert not errors
    return template.get("Metadata", {})


def _name(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", _cases("bad"), ids=_name)
def test_a_planted_fault_is_found_at_its_place_with_a_remedy(path, lint):
    metadata = _metadata(path)

    found = [f for f in lint(path, regions=metadata.get("Regions")) if f.id == path.parent.name]

    assert sorted(e["Path"] for e in metadata["Expect"]) == sorted(f.path for f in found)
    messages = {f.path: f.message for f in found}
    for expected in metadata["Expect"]:
        assert expected["Says"] in messages[expected["Path"]]


@pytest.mark.parametrize("path", _cases("good"), ids=_name)
def test_a_rule_is_silent_on_a_good_template(path, lint):
    found = lint(path, regions=_metadata(path).get("Regions"))

    assert [f for f in found if f.id in {path.parent.name, "E0002"}] == []


@pytest.fixture(scope="session")
def linters_own_rules() -> Rules:
    from cfnlint.rules import __file__ as rules_package

    return Rules.create_from_directory(str(Path(rules_package).parent))


@pytest.mark.parametrize("path", _cases("good"), ids=_name)
def test_a_good_template_is_valid_by_the_linters_own_errors(path, lint, linters_own_rules):
    """Else a rule might be silent only because the template makes no sense."""
    found = lint(path, regions=_metadata(path).get("Regions"), rules=linters_own_rules)

    assert [f for f in found if f.id.startswith("E")] == []


@pytest.mark.parametrize("rule_id", IDS)
def test_every_rule_has_a_planted_fault_and_a_silent_template(rule_id):
    for kind in ("bad", "good"):
        assert rule_id in {path.parent.name for path in _cases(kind)}, (
            f"add tests/rules/{kind}/{rule_id}/<case>.yaml"
        )


def test_no_template_is_for_a_rule_that_does_not_exist():
    folders = {path.parent.name for kind in ("bad", "good") for path in _cases(kind)}

    assert set() == folders - set(IDS)
