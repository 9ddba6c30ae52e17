"""Templates of a commit, with git as a stranger would have it."""

import subprocess

import pytest

from tap_templates.diff.faces.git_base import run_git, templates_at
from tap_templates.diff.load import InputError
from tap_templates.errors import UsageError


@pytest.fixture
def git(tmp_path, monkeypatch):
    """Run git in a new repository that knows nothing of this machine's settings."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")

    def run(*arguments, at=tmp_path):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        command = ["git", *who, *arguments]
        subprocess.run(command, cwd=at, check=True, capture_output=True)

    run("init", "-q", "-b", "main")
    return run


@pytest.fixture
def root(tmp_path, git):
    folder = tmp_path / "build" / "templates" / "shop"
    folder.mkdir(parents=True)
    (folder / "a.json").write_bytes(b'{"Resources": {}}\n')
    (folder / "README.md").write_bytes(b"no template")
    (folder / "link.json").symlink_to("/etc/hostname")
    # An attribute that would change what a checkout or an archive has.
    (tmp_path / ".gitattributes").write_text("*.json export-ignore text eol=crlf\n")
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    (folder / "a.json").write_bytes(b'{"Resources": {"New": 1}}\n')
    (folder / "b.json").write_bytes(b"")
    git("add", "-A")
    git("commit", "-q", "-m", "two")
    return tmp_path


def test_files_come_as_they_are_stored_by_path_below_the_folder(root):
    assert templates_at("main~1", root) == {"shop/a.json": b'{"Resources": {}}\n'}
    assert sorted(templates_at("main", root)) == ["shop/a.json", "shop/b.json"]


def test_a_commit_without_templates_has_none(root, git):
    git("checkout", "-q", "--orphan", "empty")
    git("rm", "-rfq", "build")
    git("commit", "-q", "--allow-empty", "-m", "none")
    assert templates_at("empty", root) == {}


def test_the_project_may_be_below_the_repository(root, git):
    inner = root / "inner"
    (inner / "build" / "templates").mkdir(parents=True)
    (inner / "build" / "templates" / "c.json").write_bytes(b"{}")
    git("add", "-A")
    git("commit", "-q", "-m", "three")
    assert templates_at("HEAD", inner) == {"c.json": b"{}"}


@pytest.mark.parametrize("ref", ["nowhere", "origin/main", "", "--output=x", "-h", "main:build"])
def test_a_ref_that_is_not_there_is_said_with_what_to_do(ref, root):
    with pytest.raises(UsageError) as refused:
        templates_at(ref, root)
    assert refused.value.remedy


def test_a_shallow_clone_says_that_it_is_one_and_what_to_fetch(root, git, tmp_path_factory):
    clone = tmp_path_factory.mktemp("clone")
    git("clone", "-q", "--depth", "1", f"file://{root}", str(clone))
    assert sorted(templates_at("HEAD", clone)) == ["shop/a.json", "shop/b.json"]
    with pytest.raises(UsageError, match="it is shallow") as refused:
        templates_at("origin/release", clone)
    assert refused.value.remedy == (
        "git fetch --depth=1 origin +refs/heads/release:refs/remotes/origin/release"
    )


def test_a_folder_that_is_no_repository_is_named_as_such(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("plain")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder.parent))
    with pytest.raises(UsageError, match="needs a git repository"):
        templates_at("main", folder)


def test_a_machine_without_git_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="git: is not installed"):
        run_git(["status"], tmp_path, b"")


def test_a_blob_that_a_partial_clone_lacks_is_named(tmp_path):
    answers = {
        "rev-parse": b"c0ffee\n",
        "ls-tree": b"100644 blob abc\tbuild/templates/a.json\0",
        "cat-file": b"abc missing\n",
    }

    def run(arguments, root, given):
        return subprocess.CompletedProcess(arguments, 0, answers[arguments[0]], b"")

    with pytest.raises(InputError, match=r"HEAD:build/templates/a\.json: is not in this clone"):
        templates_at("HEAD", tmp_path, run)
