"""The rollout as a user types it, on the local engine: there, twice, on, back, away.

One project in a temporary folder, whose engine is its own; the commands run one after the other,
because each starts from what the one before left.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tap_templates.local import engine, environment

pytestmark = pytest.mark.engine
TAP = str(Path(sys.executable).with_name("tap"))
SLOW = "ONE_SECOND_MS = 1000"
LOCAL = ("--target", "local", "--system", "trading-events")


@pytest.fixture(scope="module")
def project(root, tmp_path_factory):
    path = tmp_path_factory.mktemp("rollout")
    for folder in ("templates", "handlers", "requirements", "build/templates"):
        shutil.copytree(root / folder, path / folder)
    made = environment.ensure(root)
    home = next(parent for parent in made.parents if parent.name.startswith("engine-"))
    (path / ".cache" / "tap").mkdir(parents=True)
    (path / ".cache" / "tap" / home.name).symlink_to(home)
    yield path
    engine.stop(path)


@pytest.fixture(scope="module")
def tap(project):
    def run(*arguments):
        return subprocess.run(
            [TAP, *arguments],
            cwd=project,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return run


def actions(plan: str) -> set[tuple[str, str]]:
    return {
        (change["stack"], change["action"])
        for change in json.loads(plan)["changes"]
        if change["action"] != "no-op"
    }


def test_a_rollout_there_and_back(project, tap):
    local = LOCAL

    asked = tap("deploy", *local)
    assert asked.returncode == 64
    assert "cannot be asked here" in asked.stderr
    assert "say --yes" in asked.stderr

    first = tap("deploy", *local, "--yes")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "bootstrap-roles in us-west-2: create" in first.stderr
    assert "done: every instance is CURRENT with the release" in first.stdout
    assert "87 of 87 resources live" in first.stdout

    document = tap("deploy", *local, "--yes", "--format", "json")
    assert json.loads(document.stdout)["schema"] == "tap.plan/1"
    again = tap("deploy", *local, "--yes")
    assert (again.returncode, again.stderr) == (0, "")
    assert "deploy trading-events: nothing to do" in again.stdout
    assert tap("plan", *local, "--exit-code").returncode == 0
    status = json.loads(tap("status", *local, "--format", "json").stdout)
    assert {(row["status"], row["is_ours"]) for row in status["rows"]} == {("CURRENT", True)}
    _all_systems_are_one_document(tap)
    other = tap("plan", *local, "--set", "AlarmEmail=a@example.com", "--format", "json")
    assert actions(other.stdout) == {("alerts", "update")}

    other = tap("deploy", *local, "--yes", "--account", "999999999999")
    assert other.returncode == 1
    assert "999999999999" in other.stderr

    _change_one_stack(project, tap)
    planned = tap("plan", *local, "--exit-code", "--format", "json")
    assert planned.returncode == 2
    assert actions(planned.stdout) == {("processing", "update")}
    one = tap("plan", *local, "--region", "us-west-2")
    assert "processing in us-east-1 stays as it is and will be OUTDATED" in one.stdout
    _interrupt_and_go_on(project, tap)

    back = tap("rollback", *local, "--yes")
    assert back.returncode == 0, back.stdout + back.stderr
    assert tap("drift", *local).returncode == 0

    gone = tap("destroy", *local, "--yes")
    assert gone.returncode == 1, "the retained table is left"
    assert "table-trading-transactions-dev" in gone.stdout
    assert "retained on purpose" in gone.stdout
    left = json.loads(tap("status", *local, "--format", "json").stdout)
    assert {row["status"] for row in left["rows"]} == {"ABSENT"}


def _all_systems_are_one_document(tap):
    everything = ("--target", "local", "--format", "json")
    plans = json.loads(tap("plan", *everything).stdout)
    assert plans["schema"] == "tap.plan/1"
    by_system = {plan["system"]: plan for plan in plans["systems"]}
    assert {"trading-events", "market-pipeline"} <= set(by_system)
    assert by_system["trading-events"]["steps"] == []
    rows = json.loads(tap("status", *everything).stdout)["rows"]
    states = {(row["system"], row["status"]) for row in rows}
    assert {("trading-events", "CURRENT"), ("market-pipeline", "ABSENT")} <= states


def _interrupt_and_go_on(project, tap):
    """Press Ctrl-C while AWS works: it goes on, and the same command joins it."""
    running = engine.status(project)
    engine.control(running, "hold", region="us-west-2")
    deploy = subprocess.Popen(
        [TAP, "deploy", *LOCAL, "--yes"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - see there
    )
    for line in deploy.stderr:
        if "us-west-2: RUNNING" in line:
            break
    os.killpg(deploy.pid, signal.SIGINT)
    _, error = deploy.communicate(timeout=60)
    assert deploy.returncode == 130
    assert "interrupted; processing goes on as tap-" in error
    assert "the same command joins it" in error
    engine.control(running, "release", region="us-west-2")
    again = tap("deploy", *LOCAL, "--yes")
    assert again.returncode == 0, again.stdout + again.stderr
    assert tap("plan", *LOCAL, "--exit-code").returncode == 0


def _change_one_stack(project, tap):
    module = project / "templates" / "trading_events" / "processing.py"
    text = module.read_text()
    assert SLOW in text
    module.write_text(text.replace(SLOW, "ONE_SECOND_MS = 900"))
    assert tap("templates", "--system", "trading-events").returncode == 0


def test_without_credentials_the_local_engine_is_named(project, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(project))
    done = subprocess.run(
        [TAP, "plan"], cwd=project, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "make deploy TARGET=local" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_environment_that_cannot_end_a_name_is_refused(tap):
    done = tap("plan", "--target", "local", "--env", "Dev_1")
    assert done.returncode == 64
    assert "environment 'Dev_1': cannot end a name" in done.stderr


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("AlarmMail=a@example.com", "setting 'AlarmMail': is no parameter of any stack"),
        ("AlarmEmail", "is no NAME=VALUE"),
    ],
)
def test_a_setting_that_would_do_nothing_is_refused(tap, setting, says):
    done = tap("plan", *LOCAL, "--set", setting)
    assert done.returncode == 64
    assert says in done.stderr


def test_a_plan_that_is_none_is_refused(project, tap):
    (project / "plan.json").write_text("{}")
    done = tap("deploy", "--target", "local", "--yes", "--plan", "plan.json")
    assert done.returncode == 1
    assert "tap plan --out" in done.stderr
