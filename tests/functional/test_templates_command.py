"""`tap templates` as a user meets it: what it makes, and one clear message for each mistake."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TAP = str(Path(sys.executable).with_name("tap"))


def _linted(summary: str) -> str:
    """What the summary says of linting the one stack."""
    (row,) = [line for line in summary.splitlines() if line.startswith("tiny/alerts")]
    return re.split(r"\s{2,}", row.strip())[-1]


def test_it_compiles_and_says_what_it_wrote(project):
    done = project.tap("templates")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wrote build/templates/tiny/alerts.json" in done.stdout
    assert "wrote build/templates/tiny/manifest.json" in done.stdout
    assert done.stdout.rstrip().endswith("0 findings")
    assert sorted(project.tree()) == [
        "build/templates/tiny/alerts.json",
        "build/templates/tiny/manifest.json",
    ]
    assert done.stderr == ""


def test_the_second_run_changes_nothing_and_lints_nothing(project):
    project.tap("templates")
    before = project.tree()
    again = project.tap("templates")
    assert again.returncode == 0
    assert "build/templates/ is up to date" in again.stdout
    assert _linted(again.stdout) == "cached"
    assert project.tree() == before


def test_an_unchanged_run_imports_no_linter(project):
    project.tap("templates")
    trace = project.tap("templates", PYTHONPROFILEIMPORTTIME="1").stderr
    imported = {line.rpartition("|")[2].strip() for line in trace.splitlines()}
    assert "tap_templates.compiler.lint" in imported
    assert not {name for name in imported if name.split(".")[0] in {"cfnlint", "sympy", "boto3"}}


def test_json_is_one_document(project):
    document = json.loads(project.tap("templates", "--format", "json").stdout)
    assert document["schema"] == "tap.templates/1"
    assert document["findings"] == []
    assert document["changed"]["written"] == ["tiny/alerts.json", "tiny/manifest.json"]
    assert [(each["name"], each["regions"]) for each in document["stacks"]] == [
        ("alerts", ["eu-west-1", "eu-central-1"])
    ]


def test_check_writes_nothing_and_fails_while_the_build_is_stale(project):
    stale = project.tap("templates", "--check")
    assert stale.returncode == 1
    assert "stale: build/templates/tiny/alerts.json" in stale.stdout
    assert "run `make templates` and commit" in stale.stdout
    assert project.tree() == {}
    project.tap("templates")
    assert project.tap("templates", "--check").returncode == 0


def test_what_is_not_compiled_any_more_is_removed(project):
    project.tap("templates")
    left = project.path / "build" / "templates" / "tiny" / "gone.json"
    left.write_text("{}")
    done = project.tap("templates")
    assert "wrote build/templates/tiny/gone.json (removed)" in done.stdout
    assert not left.exists()


@pytest.mark.parametrize(
    ("before", "after", "code", "message"),
    [
        (
            "def alerts():\n",
            'def alerts():\n    raise KeyError("depth")\n',
            1,
            "error: tiny/alerts: KeyError: 'depth'\n  do: mend",
        ),
        ("SYSTEMS = (TINY,)", "SYSTEMS = (TINY", 1, "templates/__init__.py line"),
        (
            'parameters={"AlarmEmail": "alarms@example.com"},',
            "",
            1,
            "error: tiny/alerts parameter AlarmEmail: has no default and is given no value",
        ),
        (
            "where=Where.BOTH,",
            'where=Where.BOTH, depends_on=("tabel",),',
            1,
            "error: tiny/alerts: depends on stack 'tabel', which does not exist\n  do: the stacks",
        ),
        (
            "packages=(),",
            'packages=(Package(name="booker"),),',
            1,
            "handlers/booker",
        ),
    ],
    ids=["module raises", "syntax", "no value", "nowhere", "no handler"],
)
def test_a_mistake_gives_one_message_and_leaves_the_build_as_it_was(
    project, before, after, code, message
):
    project.tap("templates")
    tree = project.tree()
    project.edit(before, after)
    done = project.tap("templates")
    assert done.returncode == code, done.stdout + done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error: ") == 1
    assert project.tree() == tree


def test_findings_are_printed_like_a_compiler_and_nothing_is_written(project):
    project.edit(
        "    stack.add(*key, *topic)\n",
        "    topic.subscription.TopicArn = Ref('Nope')\n    stack.add(*key, *topic)\n",
    )
    done = project.tap("templates")
    assert done.returncode == 1
    assert "error[E1020] tiny/alerts AlarmsTopicEmail /Properties/TopicArn" in done.stdout
    assert "  do: " in done.stdout
    assert "build/templates/ is as it was" in done.stdout
    assert project.tree() == {}


def test_a_template_over_a_limit_is_told(project):
    project.edit(
        "    stack.add(*key, *topic)\n",
        "    stack.add(*key, *topic)\n"
        "    for n in range(201):\n"
        "        stack.output(f'Topic{n}', 'again', Ref(topic.topic))\n",
    )
    done = project.tap("templates")
    assert done.returncode == 1
    assert done.stderr == (
        "error: tiny/alerts: its module: declares 202 outputs, CloudFormation allows 200 in a "
        "template\n  do: split the stack into two\n"
    )
    assert project.tree() == {}


def test_an_unknown_system_is_a_usage_error_that_lists_them(project):
    done = project.tap("templates", "--system", "tinny")
    assert done.returncode == 64
    assert done.stderr == "error: system 'tinny': does not exist\n  do: the systems are tiny\n"


def test_an_error_is_one_document_too_for_whoever_asked_for_one(project):
    done = project.tap("templates", "--system", "tinny", "--format", "json")
    assert json.loads(done.stdout) == {
        "schema": "tap.error/1",
        "where": "system 'tinny'",
        "what": "does not exist",
        "remedy": "the systems are tiny",
    }


def test_an_unknown_option_is_a_usage_error(project):
    done = project.tap("templates", "--sistem", "tiny")
    assert done.returncode == 64
    assert "No such option" in done.stderr


def test_outside_a_project_it_says_so(tmp_path):
    done = subprocess.run(
        [TAP, "templates"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 64
    assert "is not inside a project" in done.stderr


def test_a_build_folder_that_cannot_be_written_is_told(project):
    (project.path / "build").write_text("a file where a folder should be")
    done = project.tap("templates")
    assert done.returncode == 1
    assert "error: build/templates: cannot be written" in done.stderr
    assert "make it a folder that you may write to" in done.stderr
    assert (project.path / "build").read_text() == "a file where a folder should be"


def _start(project) -> subprocess.Popen[str]:
    """Start `tap templates` in a process group of its own, as a terminal would."""
    return subprocess.Popen(
        [TAP, "templates"],
        cwd=project.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Whoever runs the tests in the background may have it ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one thread
    )


def test_ctrl_c_says_so_and_leaves_the_build_as_it_was(project):
    project.tap("templates")
    tree = project.tree()
    project.edit(
        "def alerts():\n",
        "def alerts():\n    import time; print('here', flush=True); time.sleep(60)\n",
    )
    running = _start(project)
    assert running.stdout.readline() == "here\n"
    os.killpg(running.pid, signal.SIGINT)
    _, error = running.communicate(timeout=30)
    assert running.returncode == 130
    assert error.strip() == "interrupted: build/ is as it was; run again to go on"
    assert project.tree() == tree


def test_being_terminated_is_like_being_interrupted(project):
    project.edit(
        "def alerts():\n",
        "def alerts():\n    import time; print('here', flush=True); time.sleep(60)\n",
    )
    running = _start(project)
    assert running.stdout.readline() == "here\n"
    os.killpg(running.pid, signal.SIGTERM)
    _, error = running.communicate(timeout=30)
    assert running.returncode == 143
    assert error == "terminated: build/ is as it was; run again to go on\n"
    assert project.tree() == {}


def test_ctrl_c_while_linting_ends_the_workers_too(project):
    project.edit(
        "        ),\n    ),\n)\nSYSTEMS",
        "        ),\n        *(Stack(name=f'copy{n}', build=alerts, where=Where.BOTH, "
        "parameters={'AlarmEmail': f'a{n}@example.com'}) for n in range(9)),\n    ),\n)\nSYSTEMS",
    )
    running = _start(project)
    time.sleep(1.0)  # importing the linter takes longer
    os.killpg(running.pid, signal.SIGINT)
    _, error = running.communicate(timeout=30)
    assert (running.returncode, error.strip()) == (
        130,
        "interrupted: build/ is as it was; run again to go on",
    )
    assert project.tree() == {}
    with pytest.raises(ProcessLookupError):  # no worker is left in the group
        os.killpg(running.pid, 0)


def test_a_damaged_cache_is_no_result(project):
    project.tap("templates")
    for stored in (project.path / ".cache" / "tap" / "lint").glob("*.json"):
        stored.write_text("{")
    done = project.tap("templates")
    assert done.returncode == 0
    assert re.fullmatch(r"\d+\.\d\d s", _linted(done.stdout))


def test_nothing_outside_the_project_decides_about_linting(project, tmp_path):
    home = tmp_path / "home"
    schemas = home / ".cache" / "aws" / "cfn-lint" / "schemas"
    schemas.mkdir(parents=True)
    (schemas / "version.json").write_text('{"schema_date": "2099-01-01T00:00:00Z"}')
    for folder in (home, project.path):
        (folder / ".cfnlintrc").write_text("ignore_checks: [E]\n")
    project.edit(
        "    stack.add(*key, *topic)\n",
        "    topic.subscription.TopicArn = Ref('Nope')\n    stack.add(*key, *topic)\n",
    )
    done = project.tap("templates", HOME=str(home))
    assert done.returncode == 1
    assert "error[E1020]" in done.stdout


def test_no_colour_and_no_animation_without_a_terminal(project):
    done = project.tap("templates")
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize("command", [(), ("templates",), ("check",), ("lint",)])
def test_every_command_has_help_with_an_example(command):
    done = subprocess.run([TAP, *command, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert not command or f"tap {command[0]}" in done.stdout.split("Example: ")[1]


def test_the_command_runs_without_the_script(project):
    done = subprocess.run(
        [sys.executable, "-c", "from tap_templates.cli import main; main()", "--version"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("tap, version ")
