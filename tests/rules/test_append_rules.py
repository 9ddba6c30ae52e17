"""The folder as others use it: by path or by name, with `tap_templates` installed or not."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tap_templates.rules import RULES_DIR

TEMPLATE = Path(__file__).with_name("someone_elses.yaml")

# Line in TEMPLATE and rule. E3006 and the like of cfn-lint's own are not what is tested here.
EXPECTED = {(10, "E9106"), (18, "E9102"), (18, "W9101"), (24, "E9010"), (24, "E9013")}

# Stands between Python and `tap_templates`, whether that is installed, editable or in the cwd.
BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "tap_templates":
            raise ModuleNotFoundError(f"No module named {name!r} (blocked by the test)", name=name)

sys.meta_path.insert(0, Blocker())
sys.argv = ["cfn-lint", *sys.argv[1:]]
before = list(sys.path)
try:
    from cfnlint.runner import main
    main()
finally:
    assert sys.path == before, "the rules changed sys.path"
    assert not [name for name in sys.modules if name.startswith("tap_templates")]
"""


def _lint(cwd: Path, *command: str) -> set[tuple[int, str]]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [*command, "--format", "parseable", "--", str(TEMPLATE)],
        cwd=cwd,
        env={**environment, "HOME": str(cwd)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    found = re.findall(r":(\d+):\d+:\d+:\d+:([EWI]\d+):", done.stdout)
    return {(int(line), rule) for line, rule in found if rule[1] == "9" or rule == "E0002"}


@pytest.mark.parametrize("rules", [str(RULES_DIR), "tap_templates.rules"], ids=["path", "name"])
def test_where_the_package_is_installed(rules, tmp_path):
    run = "from cfnlint.runner import main; main()"
    assert _lint(tmp_path, sys.executable, "-c", run, "--append-rules", rules) == EXPECTED


def test_where_only_a_copy_of_the_folder_is_at_hand(tmp_path):
    copy = tmp_path / "lint rules"
    shutil.copytree(RULES_DIR, copy, ignore=shutil.ignore_patterns("__pycache__"))
    script = tmp_path / "blocked.py"
    script.write_text(BLOCKER)

    command = (sys.executable, "-I", str(script), "--append-rules", str(copy))
    assert _lint(tmp_path, *command) == EXPECTED


def test_the_blocker_blocks(tmp_path):
    """Else the test above would prove nothing."""
    script = tmp_path / "blocked.py"
    script.write_text(BLOCKER.partition("sys.argv =")[0] + "import tap_templates")

    done = subprocess.run(
        [sys.executable, "-I", str(script)], capture_output=True, text=True, check=False
    )

    assert "blocked by the test" in done.stderr
