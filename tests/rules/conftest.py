"""Runs our rules on templates, in process, with the rules object made once."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cfnlint.config import ConfigMixIn
from cfnlint.decode import decode
from cfnlint.decode.cfn_yaml import loads
from cfnlint.rules._rules import Rules
from cfnlint.runner.template import run_template_by_data

from tap_templates.rules import RULES_DIR

TEMPLATES = Path(__file__).parent


@dataclass(frozen=True)
class Found:
    """What the linter says, as a test compares it."""

    id: str
    path: str
    message: str


Lint = Callable[..., list[Found]]


@pytest.fixture(scope="session")
def our_rules() -> Rules:
    return Rules.create_from_directory(str(RULES_DIR))


@pytest.fixture(scope="session")
def empty_config(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("config") / "empty.yaml"
    path.write_text("{}")
    return str(path)


@pytest.fixture(scope="session")
def lint(our_rules, empty_config) -> Lint:
    """Lint a template, given as path, text or object, with our rules (or others) alone."""

    def run(
        template: Any,
        *,
        regions: list[str] | None = None,
        parameters: list[dict[str, str]] | None = None,
        rules: Rules | None = None,
    ) -> list[Found]:
        config = ConfigMixIn(
            regions=regions or ["us-east-1"],
            parameters=parameters or [],
            include_checks=["E", "W"],
            config_file=empty_config,
        )
        if isinstance(template, Path):
            template, errors = decode(str(template))
            assert not errors
        elif isinstance(template, str):
            template = loads(template)
        matches = run_template_by_data(template, config, rules or our_rules)
        return [
            Found(m.rule.id, "/".join(map(str, getattr(m, "path", ()))), m.message) for m in matches
        ]

    return run
