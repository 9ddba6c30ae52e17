"""What the workflows may do: one runs a pull request's code, the other has a token that writes."""

import re
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[4] / ".github" / "workflows"


def read(name):
    # YAML 1.1 takes `on` for true.
    document = yaml.safe_load((FOLDER / name).read_text())
    return {("on" if key is True else key): value for key, value in document.items()}


@pytest.fixture(scope="module")
def compare():
    return read("template-diff.yml")


@pytest.fixture(scope="module")
def comment():
    return read("template-diff-comment.yml")


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def scripts(workflow):
    return "\n".join(step.get("run", "") for step in steps(workflow))


def test_the_pull_requests_code_runs_on_pull_request_only(compare):
    assert list(compare["on"]) == ["pull_request"]


def test_the_pull_requests_code_has_a_token_that_reads_and_no_secret(compare):
    assert compare["permissions"] == {}
    assert [job["permissions"] for job in compare["jobs"].values()] == [{"contents": "read"}]
    text = (FOLDER / "template-diff.yml").read_text()
    code = "\n".join(line.partition("#")[0] for line in text.splitlines())
    assert not re.search(r"secrets\b|github\.token|GITHUB_TOKEN|GH_TOKEN|id-token", code)
    assert not any("env" in job for job in compare["jobs"].values())
    assert not any("env" in step for step in steps(compare))


def test_packages_are_wheels_by_hash_and_code_runs_without_a_network(compare):
    (fetch,) = (each["run"] for each in steps(compare) if "Fetch" in each.get("name", ""))
    assert "--require-hashes --only-binary :all:" in fetch
    assert "tap_templates" not in fetch
    assert not re.search(r"\bmake\b|--editable|-e \.", scripts(compare))
    (run,) = (each["run"] for each in steps(compare) if "Compile" in each.get("name", ""))
    assert "unshare --user --map-root-user --net" in run
    assert run.count("tap_templates") == run.count("offline env")
    assert "PIP_NO_INDEX=1" in run


def test_the_comparison_is_the_bases_code(compare):
    (run,) = (each["run"] for each in steps(compare) if "Compare" in each.get("name", ""))
    assert "PYTHONPATH=base/src venv-base/bin/python" in run
    assert "PYTHONPATH=head" not in run


def test_no_checkout_leaves_its_token_behind(compare, comment):
    checkouts = [
        each
        for workflow in (compare, comment)
        for each in steps(workflow)
        if "checkout" in each.get("uses", "")
    ]
    assert len(checkouts) == 2
    assert all(each["with"]["persist-credentials"] is False for each in checkouts)


def test_the_comment_is_written_after_a_run_for_a_pull_request_that_succeeded(comment):
    assert comment["on"] == {
        "workflow_run": {"workflows": ["template-diff"], "types": ["completed"]}
    }
    (job,) = comment["jobs"].values()
    assert "event == 'pull_request'" in job["if"]
    assert "conclusion == 'success'" in job["if"]


def test_the_comment_may_do_no_more_than_comment(comment):
    assert comment["permissions"] == {}
    (job,) = comment["jobs"].values()
    assert job["permissions"] == {"actions": "read", "contents": "read", "pull-requests": "write"}


def test_the_comment_checks_out_the_default_branch_and_nothing_else(comment):
    (checkout,) = (each for each in steps(comment) if "checkout" in each.get("uses", ""))
    assert checkout["with"]["ref"] == "${{ github.event.repository.default_branch }}"
    assert not re.search(r"git (clone|fetch|checkout|worktree)|gh pr checkout", scripts(comment))


def test_the_pull_requests_number_is_not_the_artifacts(comment):
    (find,) = (each["run"] for each in steps(comment) if each.get("id") == "find")
    assert "result" not in find
    assert ".head.sha == env.HEAD_SHA" in find
    assert "*[!0-9]*" in find
    for step in steps(comment):
        if "NUMBER" in step.get("env", {}):
            assert step["env"]["NUMBER"] == "${{ steps.find.outputs.number }}"


def test_the_artifact_is_bounded_before_it_is_read(comment):
    (fetch,) = (each["run"] for each in steps(comment) if "Fetch" in each.get("name", ""))
    assert "size_in_bytes <= 5000000" in fetch
    assert "head -c 10000001" in fetch
    assert "unzip -p" in fetch  # to a pipe: nothing of the archive chooses where it goes
    assert not re.search(r"unzip (?!-p)|tar |gh run download", fetch)


def test_the_step_that_reads_the_artifact_has_no_token(comment):
    (job,) = comment["jobs"].values()
    assert not any("TOKEN" in name for name in job["env"])
    (write,) = (each for each in steps(comment) if each.get("id") == "write")
    assert "env" not in write
    assert "--result" in write["run"]


@pytest.mark.parametrize("name", ["template-diff.yml", "template-diff-comment.yml"])
def test_no_text_of_an_event_becomes_part_of_a_script(name):
    assert "${{" not in scripts(read(name))


@pytest.mark.parametrize("name", ["template-diff.yml", "template-diff-comment.yml"])
def test_actions_are_pinned_by_commit(name):
    used = [each["uses"] for each in steps(read(name)) if "uses" in each]
    assert used
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", each) for each in used)


def test_pins_are_those_of_the_other_workflow():
    def pins(text):
        return dict(re.findall(r"uses: (\S+)@([0-9a-f]{40})", text))

    known = pins((FOLDER / "ci.yml").read_text())
    for name in ("template-diff.yml", "template-diff-comment.yml"):
        for action, commit in pins((FOLDER / name).read_text()).items():
            assert known.get(action, commit) == commit


def test_the_comment_is_found_by_the_marker_of_the_face(comment):
    from tap_templates.diff.faces.markdown import MARKER

    assert f'startswith("{MARKER}")' in scripts(comment)
    assert 'user.login == "github-actions[bot]"' in scripts(comment)


LINES = [
    ("aws-xray-sdk==2.15.0 \\", True),
    ("    --hash=sha256:" + "a" * 64 + " \\", True),
    ('six==1.16.0 ; python_version >= "3.11" \\', True),
    ("# via boto3", True),
    ("", True),
    ("--no-binary :all:", False),
    ("-e .", False),
    ("./evil", False),
    ("six @ file:///tmp/evil.whl", False),
    ("--index-url https://evil.example", False),
    ("-r other.txt", False),
    ("six==1.0 --config-settings=x", False),
]


@pytest.mark.parametrize(("line", "is_allowed"), LINES)
def test_a_lock_file_holds_packages_and_no_options(line, is_allowed, compare):
    import subprocess

    (fetch,) = (each["run"] for each in steps(compare) if "Fetch" in each.get("name", ""))
    pattern = "\n".join(each for each in fetch.splitlines() if each.lstrip().startswith("line="))
    script = f'{pattern}\nif grep -Evxq "$line"; then echo refused; fi'
    command = ["bash", "-c", script]
    done = subprocess.run(command, input=f"{line}\n", text=True, capture_output=True, check=True)
    assert (done.stdout == "") is is_allowed
