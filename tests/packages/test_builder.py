"""What is in a package, when it is built, and what an interruption leaves: with no pip at all."""

import hashlib
import json
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tap_templates.compiler.package_zip import archive
from tap_templates.compiler.packages import Platform
from tap_templates.errors import PackageError
from tap_templates.model.package import Package


def names(built):
    with zipfile.ZipFile(built.path) as zipped:
        return zipped.namelist()


def leftovers(workshop):
    scratch = [folder for *_, folder in workshop.installer.started if folder.exists()]
    return [*scratch, *workshop.root.rglob("*.tmp")]


def test_a_package_holds_the_handler_and_what_its_dependencies_need_at_run_time(workshop):
    (workshop.folder / "rules").mkdir()
    (workshop.folder / "rules" / "limits.json").write_text("{}")
    (workshop.folder / "tests").mkdir()
    (workshop.folder / "tests" / "anything.bin").write_text("")
    (workshop.folder / "__pycache__").mkdir()
    (workshop.folder / "__pycache__" / "app.cpython-311.pyc").write_text("")
    (workshop.folder / "py.typed").write_text("")
    assert names(workshop.one()) == [
        "botocore/data/dynamodb/2012-08-10/service-2.json.gz",
        "botocore/data/endpoints.json",
        "left_pad-1.0.dist-info/METADATA",
        "left_pad-1.0.dist-info/licenses/LICENSE",
        "left_pad/__init__.py",
        "left_pad/data/table.json",
        "order_desk/__init__.py",
        "order_desk/app.py",
        "order_desk/rules/limits.json",
    ]


def test_shared_folders_are_in_every_zip_and_part_of_its_digest(workshop):
    shared = workshop.handlers / "desk_rules"
    shared.mkdir()
    (shared / "__init__.py").write_text("")
    (shared / "limits.py").write_text("MOST = 1\n")
    workshop.package = Package(
        name="order-desk", aws_services=("dynamodb",), shared=("desk_rules",)
    )
    before = workshop.one()
    assert {"desk_rules/__init__.py", "desk_rules/limits.py", "order_desk/app.py"} <= {
        *names(before)
    }
    (shared / "limits.py").write_text("MOST = 2\n")
    assert workshop.one().sha256 != before.sha256


def test_entries_show_nothing_of_the_machine(workshop):
    with zipfile.ZipFile(workshop.one().path) as zipped:
        assert zipped.comment == b""
        for entry in zipped.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert stat.S_IMODE(entry.external_attr >> 16) == 0o644
            assert (entry.create_system, entry.compress_type) == (3, zipfile.ZIP_STORED)
            assert (entry.extra, entry.comment, entry.is_dir()) == (b"", b"", False)


def test_the_bytes_of_a_zip_are_pinned():
    """Another digest here is another digest of every package, on every machine: say so loudly."""
    content = archive({"b/ü.py": b"1\n", "a.json": b"{}", "empty": b""})
    assert hashlib.sha256(content).hexdigest() == (
        "3c6593a7d0f092759186b60f2f8d5e691814ca62847f53e1e01aab50f4523c0d"
    )


def test_the_digest_is_of_the_file_and_names_it(workshop):
    built = workshop.one()
    digest = hashlib.sha256(built.path.read_bytes())
    assert built.sha256 == digest.hexdigest()
    assert built.path == workshop.into / f"order-desk-{built.sha256[:16]}.zip"
    assert built.size == built.path.stat().st_size
    assert len(built.code_sha256) == 44


def test_touching_and_opening_up_the_sources_changes_nothing(workshop):
    first = workshop.one()
    for path in workshop.folder.iterdir():
        path.chmod(0o777)
        os.utime(path, (2e9, 2e9))
    workshop.cache = workshop.root / "another-cache"
    before = os.umask(0o077)
    try:
        assert workshop.one().sha256 == first.sha256
    finally:
        os.umask(before)
    assert len(workshop.installer.started) == 2


def test_what_was_built_is_not_built_again(workshop):
    first = workshop.one()
    assert workshop.one() == first
    assert len(workshop.installer.started) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda w: (w.folder / "app.py").write_text("def handler(): 2\n"),
        lambda w: (w.folder / "new.py").write_text(""),
        lambda w: (
            (w.folder / "app.py").rename(w.folder / "old.py")
            and (w.folder / "app.py").write_text("def handler(): 1\n")
        ),
        lambda w: (w.folder / "requirements.txt").write_text(
            "left-pad==1.1 --hash=sha256:" + "1" * 64
        ),
        lambda w: setattr(w, "package", Package(name="order-desk", aws_services=("s3",))),
        lambda w: setattr(w, "package", Package(name="order-desk", architecture="x86_64")),
        lambda w: setattr(w, "package", Package(name="order-desk", runtime="python3.13")),
    ],
)
def test_a_changed_input_is_built_again(workshop, change):
    workshop.one()
    change(workshop)
    workshop.one()
    assert len(workshop.installer.started) == 2


def test_a_comment_in_the_lock_and_a_new_readme_are_no_changed_input(workshop):
    workshop.one()
    lock = workshop.folder / "requirements.txt"
    lock.write_text("# by uv\n" + lock.read_text())
    (workshop.folder / "README.md").write_text("# New\n")
    workshop.one()
    assert len(workshop.installer.started) == 1


@pytest.mark.parametrize(
    "harm",
    [
        lambda built: built.path.write_bytes(built.path.read_bytes()[:-1] + b"\0"),
        lambda built: built.path.write_bytes(b""),
        lambda built: built.path.unlink(),
    ],
)
def test_a_harmed_zip_is_built_again(workshop, harm):
    first = workshop.one()
    harm(first)
    assert workshop.one() == first
    assert hashlib.sha256(first.path.read_bytes()).hexdigest() == first.sha256


@pytest.mark.parametrize("text", ["", "{", "[]", '{"x": 1}', "\xff"])
def test_a_harmed_index_is_an_empty_one(workshop, text):
    first = workshop.one()
    (workshop.cache / "packages.json").write_text(text, encoding="latin-1")
    assert workshop.one() == first
    assert len(workshop.installer.started) == 2


def test_packages_with_the_same_requirements_share_an_installation(workshop):
    workshop.handler("other_desk")
    built = workshop.build(workshop.package, Package(name="other-desk", aws_services=("ec2",)))
    assert list(built) == ["order-desk", "other-desk"]
    assert len(workshop.installer.started) == 1
    assert any(name.startswith("botocore/data/ec2/") for name in names(built["other-desk"]))


def test_both_platforms_ask_for_their_own_wheels(workshop):
    workshop.one()
    workshop.one(platform=Platform.HOST)
    (_, for_lambda, _), (_, for_host, _) = workshop.installer.started
    assert for_host == ()
    assert "manylinux_2_28_aarch64" in for_lambda
    assert for_lambda[for_lambda.index("--python-version") + 1] == "3.14"
    assert "cp314" in for_lambda


@pytest.mark.parametrize(
    ("marker", "asked"),
    [
        ("python_version >= '3.14'", True),
        ("python_full_version < '3.14'", False),
        ("python_full_version == '3.14.0'", True),
        ("'3.9' < python_version", True),
        ("sys_platform == 'win32'", False),
        ("platform_machine == 'aarch64' and sys_platform == 'linux'", True),
        ("sys_platform == 'win32' or (os_name == 'posix' and platform_system != 'Darwin')", True),
        ("platform_python_implementation != 'PyPy'", True),
        ("sys_platform in 'linux darwin'", True),
        ("sys_platform not in 'linux darwin'", False),
    ],
)
def test_markers_are_decided_for_the_target(workshop, marker, asked):
    lock = f"left-pad==1.0 ; {marker} --hash=sha256:{'0' * 64}\n"
    (workshop.folder / "requirements.txt").write_text(lock)
    workshop.one()
    [(requirements, *_)] = workshop.installer.started
    assert ("left-pad" in requirements) is asked
    assert ";" not in requirements


@pytest.mark.parametrize(
    "marker",
    ["extra == 'x'", "platform_release > '5'", "python_version ~= '3.1'", "__import__('os')", "1"],
)
def test_a_marker_that_cannot_be_decided_is_refused(workshop, marker):
    lock = f"left-pad==1.0 ; {marker} --hash=sha256:{'0' * 64}\n"
    (workshop.folder / "requirements.txt").write_text(lock)
    assert "cannot be decided for the target" in str(workshop.refusal())


def test_a_failed_installation_leaves_nothing(workshop):
    workshop.installer.error = PackageError("package order-desk", "pip …", "…")
    assert workshop.refusal() is workshop.installer.error
    assert leftovers(workshop) == []
    assert workshop.installer.cancelled == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_an_interruption_stops_the_installation_and_leaves_nothing(workshop, error):
    with pytest.raises(error), workshop.start():
        raise error
    assert workshop.installer.cancelled == 1
    assert leftovers(workshop) == []
    assert not workshop.into.exists()
    workshop.installer.error = error()
    with pytest.raises(error):
        workshop.build()
    assert leftovers(workshop) == []
    assert not workshop.into.exists()


def test_an_interruption_while_writing_leaves_the_old_file(workshop, monkeypatch):
    first = workshop.one()
    (workshop.folder / "app.py").write_text("def handler(): 2\n")

    def interrupted(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        workshop.one()
    assert list(workshop.into.iterdir()) == [first.path]
    assert leftovers(workshop) == []


def test_importing_the_builder_is_cheap():
    """At most 10 ms on top of the standard library, the best of five."""
    code = (
        "import argparse,ast,base64,contextlib,dataclasses,hashlib,io,json,platform,shutil,stat,"
        "subprocess,tempfile,zipfile,typing,enum,sys,time;t=time.perf_counter();"
        "import tap_templates.compiler.packages;print(time.perf_counter()-t);"
        "print([m for m in sys.modules if m.split('.')[0] in"
        " {'troposphere','boto3','botocore','cfnlint','pip','packaging'}])"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(5)
    ]
    took, heavy = min(float(run.stdout.split()[0]) for run in runs), runs[0].stdout.split("\n")[1]
    assert heavy == "[]"
    assert took < 0.010


def test_the_index_is_small_json(workshop):
    built = workshop.one()
    index = json.loads((workshop.cache / "packages.json").read_text())
    assert list(index.values()) == [built.sha256]
