"""What is not packaged, and what the user is told."""

import pytest

from tap_templates.compiler.package_install import explain
from tap_templates.model.package import Package


def plant(workshop, name, text="x"):
    path = workshop.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_missing_folder(workshop):
    workshop.package = Package(name="no-such")
    error = workshop.refusal()
    assert str(error) == "package no-such: there is no folder handlers/no_such"
    assert error.remedy == "create it or rename the package"


def test_a_missing_lock(workshop):
    (workshop.folder / "requirements.txt").unlink()
    error = workshop.refusal()
    assert "there is no lock handlers/order_desk/requirements.txt" in str(error)
    assert "make lock" in error.remedy
    assert workshop.installer.started == []


@pytest.mark.parametrize(
    ("line", "quoted"),
    [
        ("left-pad==1.0", "left-pad==1.0"),
        ("left-pad", "left-pad"),
        ("left-pad>=1.0 --hash=sha256:" + "0" * 64, "left-pad>=1.0"),
        ("left-pad==1.0 --hash=md5:" + "0" * 32, "left-pad==1.0"),
        ("left-pad==1.0 --hash=sha256:short", "left-pad==1.0"),
        ("--index-url https://example.com", "--index-url"),
        ("-e .", "-e"),
        ("left-pad @ https://example.com/x.whl --hash=sha256:" + "0" * 64, "left-pad"),
    ],
)
def test_an_unlocked_requirement(workshop, line, quoted):
    lock = workshop.folder / "requirements.txt"
    lock.write_text(lock.read_text() + line + "\n")
    error = workshop.refusal()
    assert str(error).startswith(f"handlers/order_desk/requirements.txt: {quoted!r} is not pinned")
    assert workshop.installer.started == []


@pytest.mark.parametrize("target", ["app.py", "../../outside"])
def test_a_symlink(workshop, target):
    (workshop.folder / "linked.py").symlink_to(target)
    assert "linked.py is a link or a special file" in str(workshop.refusal())


def test_a_linked_handler_folder(workshop):
    workshop.folder.rename(workshop.root / "elsewhere")
    workshop.folder.symlink_to(workshop.root / "elsewhere")
    assert "there is no folder handlers/order_desk" in str(workshop.refusal())


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        ".env",
        "key.pem",
        "dump.csv",
        "lib.so",
        "Dockerfile",
        "app.PY",
        "My-module.py",
        "sub/README.md",
        "sub-folder/x.py",
        ".hidden/x.py",
    ],
)
def test_a_file_that_is_no_part_of_a_handler(workshop, name):
    plant(workshop, name)
    error = workshop.refusal()
    assert "is no part of a handler" in str(error)
    assert "move it away" in error.remedy


@pytest.mark.parametrize("source", ["", "handler", "class handler: ...", "def handle(): ...", "("])
def test_an_app_without_handler(workshop, source):
    plant(workshop, "app.py", source)
    error = workshop.refusal()
    assert "app.py does not define `handler`" in str(error)
    assert "order_desk.app.handler" in error.remedy


@pytest.mark.parametrize("source", ["handler = make()", "handler: object = 1", "def handler(): 1"])
def test_an_app_with_handler(workshop, source):
    plant(workshop, "app.py", source)
    assert workshop.one()


def test_a_folder_that_shadows_a_dependency(workshop):
    for name in ("order_desk.py", "order_desk/__init__.py"):
        workshop.installer.site = {name: b""}
        assert "would shadow it" in str(workshop.refusal())


def test_a_shared_folder_that_is_not_there(workshop):
    workshop.package = Package(name="order-desk", shared=("desk_rules",))
    assert "shares handlers/desk_rules, which is no folder" in str(workshop.refusal())


def test_a_folder_that_shadows_python(workshop):
    workshop.package = Package(name="queue")
    workshop.handler("queue")
    assert "would shadow Python's own" in str(workshop.refusal())


def test_a_package_larger_than_lambda_takes(workshop):
    workshop.installer.site = {f"big/{n}.bin": bytes(2**26) for n in range(4)}
    error = workshop.refusal()
    assert "unzipped it has 256 MB, Lambda takes 250 MB" in str(error)


@pytest.mark.parametrize(
    "change", [{"runtime": "nodejs24.x"}, {"runtime": "python2.7"}, {"architecture": "riscv"}]
)
def test_a_runtime_there_are_no_wheels_for(workshop, change):
    workshop.package = Package(name="order-desk", **change)
    assert "order-desk: " in str(workshop.refusal())


def test_one_wrong_package_starts_no_installation_of_the_right_ones(workshop):
    workshop.handler("other_desk")
    (workshop.handlers / "other_desk" / "stray.txt").write_text("")
    with pytest.raises(Exception, match=r"stray\.txt"):
        workshop.build(workshop.package, Package(name="other-desk"))
    assert workshop.installer.started == []


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (
            (
                "ERROR: Could not find a version that satisfies the requirement x==1 (from …)\n"
                "ERROR: No matching distribution found for x==1\n"
            ),
            "No matching distribution found for x==1",
        ),
        (
            (
                "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If\n"
                "    six==1.17.0 from https://u:p@example.com/six.whl#sha256=4 (from -r r.txt):\n"
                "        Expected sha256 0000\n             Got        4721\n"
            ),
            "six==1.17.0 does not have the hash it is locked to",
        ),
        ("/usr/bin/python: No module named pip\n", "…: No module named pip"),
        ("WARNING: old pip\nOSError: no space on '/home/me/x y'\n", "OSError: no space on '… y'"),
        ("WARNING: only\n", "it said nothing"),
        ("", "it said nothing"),
        ("ERROR: https://user:secret@host/simple broke at C:\\me\\x\n", "… broke at …"),
    ],
)
def test_pips_last_words_are_told_without_paths_and_addresses(output, said):
    assert explain(output) == said
