"""`tap diff` as a process: what it says, where, and with which exit code."""

import json
import subprocess

import pytest

QUEUE = {"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 1}}}}
TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "TableName": "one",
        "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
    },
}


def with_table(name, **properties):
    return {
        "Resources": {
            "T": {**TABLE, "Properties": {**TABLE["Properties"], "TableName": name, **properties}}
        }
    }


@pytest.fixture
def pair(project):
    """Write two templates; give the arguments that name them."""

    def write(before, after):
        for name, body in (("before.json", before), ("after.json", after)):
            text = body if isinstance(body, str) else json.dumps(body)
            (project.path / name).write_text(text)
        return ("diff", "before.json", "after.json")

    return write


@pytest.fixture
def dangerous(pair):
    return pair(with_table("one"), with_table("two"))


def test_equal_templates_differ_in_nothing(project, pair):
    done = project.tap(*pair(QUEUE, QUEUE), "--exit-code")
    assert (done.returncode, done.stdout, done.stderr) == (0, "OK  No difference\n", "")


def test_the_exit_code_tells_differences_from_errors_when_asked(project, dangerous):
    assert project.tap(*dangerous).returncode == 0
    assert project.tap(*dangerous, "--exit-code").returncode == 2


def test_cosmetic_differences_are_none(project, pair):
    text = json.dumps(QUEUE).replace(": 1}", ': "1"}')
    done = project.tap(*pair(QUEUE, text), "--exit-code")
    assert done.returncode == 0
    assert done.stdout.startswith("OK  No difference in meaning; 1 cosmetic difference\n")


@pytest.mark.parametrize(
    ("form", "beginning"),
    [
        ("text", "DANGER  Data loss: T in after.json"),
        ("markdown", "<!-- tap-diff -->\n### 🛑 Data loss: T in `after.json`"),
        ("html", "<!DOCTYPE html>\n"),
        ("json", '{\n  "schema": "tap.diff/1"'),
    ],
)
def test_each_face_goes_to_standard_output_or_into_a_file(form, beginning, project, dangerous):
    done = project.tap(*dangerous, "--format", form)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(beginning)
    there = project.tap(*dangerous, "--format", form, "--out", "told")
    assert (there.stdout, there.stderr) == ("", "wrote told\n")
    assert (project.path / "told").read_text() == done.stdout


def test_a_pipe_gets_no_colours(project, dangerous):
    assert "\x1b" not in project.tap(*dangerous, FORCE_COLOR="", TERM="xterm-256color").stdout


def test_a_result_can_be_shown_from_its_json(project, dangerous):
    project.tap(*dangerous, "--format", "json", "--out", "r.json")
    shown = project.tap("diff", "--result", "r.json", "--format", "markdown", "--exit-code")
    assert shown.returncode == 2
    assert shown.stdout == project.tap(*dangerous, "--format", "markdown").stdout


def test_a_flag_that_is_not_agreed_to_is_refused_and_named(project, dangerous):
    done = project.tap(*dangerous, "--fail-on", "data_loss,iam_broadening", "--exit-code")
    assert done.returncode == 3
    assert "after.json T: data_loss" in done.stderr
    digest = done.stderr.rpartition("--approve ")[2].strip()
    agreed = project.tap(*dangerous, "--fail-on", "data_loss", "--approve", digest)
    assert (agreed.returncode, agreed.stderr) == (0, "")


def test_an_approval_is_for_one_change(project, dangerous, pair):
    done = project.tap(*dangerous, "--fail-on", "all")
    digest = done.stderr.rpartition("--approve ")[2].strip()
    other = pair(with_table("one"), with_table("three"))
    assert project.tap(*other, "--fail-on", "all", "--approve", digest).returncode == 3


def test_a_flag_that_is_not_there_refuses_nothing(project, dangerous):
    assert project.tap(*dangerous, "--fail-on", "iam_broadening").returncode == 0


def test_json_stays_one_document_when_refused(project, dangerous):
    done = project.tap(*dangerous, "--format", "json", "--fail-on", "data_loss")
    assert done.returncode == 3
    assert json.loads(done.stdout)["summary"]["data_loss"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["before.json"], 64, "one side only"),
        ([], 64, "compares one thing"),
        (["before.json", "after.json", "--base", "main"], 64, "compares one thing"),
        (["before.json", "nowhere.json"], 64, "does not exist"),
        (["before.json", "."], 64, "a folder and a file"),
        (["before.json", "broken.json"], 1, "broken JSON"),
        (["before.json", "broken.yaml"], 1, "broken.yaml"),
        (["before.json", "list.json"], 1, "list.json"),
        (["before.json", "deep.json"], 1, "deep.json"),
        (["before.json", "cycle.json"], 1, "cycle.json"),
        (["before.json", "after.json", "--fail-on", "nothing"], 64, "is no flag"),
        (["before.json", "after.json", "--approve", "abc"], 64, "--fail-on"),
        (["before.json", "after.json", "--format", "xml"], 64, "xml"),
        (["before.json", "after.json", "--out", "no/such/folder"], 1, "cannot be written"),
        (["--base", "nowhere"], 64, "--base"),
        (["--result", "nowhere.json"], 64, "cannot be read"),
        (["--result", "before.json"], 1, "is no object with just"),
        (["--result", "before.json", "--fail-on", "all", "--approve", "a"], 64, "the templates"),
    ],
)
def test_bad_input_gets_a_message_and_its_code(arguments, code, says, project, pair):
    pair(QUEUE, QUEUE)
    depends = {"Type": "AWS::SNS::Topic"}
    files = {
        "broken.json": "{",
        "broken.yaml": "a: [",
        "list.json": "[]",
        "deep.json": '{"Resources":' + "[" * 5_000 + "]" * 5_000 + "}",
        "cycle.json": json.dumps(
            {"Resources": {"A": {**depends, "DependsOn": "B"}, "B": {**depends, "DependsOn": "A"}}}
        ),
    }
    for name, text in files.items():
        (project.path / name).write_text(text)
    done = project.tap("diff", *arguments, GIT_CEILING_DIRECTORIES=str(project.path.parent))
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_lacks_letters_is_no_error(encoding, project, dangerous):
    done = project.tap(*dangerous, PYTHONIOENCODING=encoding)
    assert done.returncode == 0
    assert "one → two" in done.stdout


def test_the_base_is_read_from_git_without_a_checkout(project):
    folder = project.path / "build" / "templates" / "tiny"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(json.dumps(with_table("one")))

    def git(*arguments):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        command = ["git", *who, *arguments]
        subprocess.run(command, cwd=project.path, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "base")
    same = project.tap("diff", "--base", "main", "--exit-code")
    assert (same.returncode, same.stdout) == (0, "OK  No difference\n")
    (folder / "a.json").write_text(json.dumps(with_table("two")))
    done = project.tap("diff", "--base", "HEAD", "--exit-code", "--fail-on", "data_loss")
    assert done.returncode == 3
    assert "Data loss: T in tiny/a.json" in done.stdout
    shallow = project.tap("diff", "--base", "origin/main")
    assert shallow.returncode == 64
    assert "is no commit of this clone" in shallow.stderr


def test_help_has_an_example(project):
    done = project.tap("diff", "--help")
    assert done.returncode == 0
    assert "Example: tap diff --base origin/main" in done.stdout
