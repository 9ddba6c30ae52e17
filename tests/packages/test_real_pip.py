"""trading-processor as it ships, by the real pip: a few installations shared by all tests."""

import os
import shutil
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

from tap_templates.compiler.packages import Platform, start
from tap_templates.errors import PackageError
from templates.trading_events.shared import PROCESSOR_PACKAGE as PROCESSOR

pytestmark = pytest.mark.package

ROOT = Path(__file__).parents[2]
ELSEWHERE = """
    import os, sys
    from pathlib import Path
    os.umask(0o077)
    from tap_templates.compiler.packages import Platform, start
    from tap_templates.model.package import Package
    root = Path(sys.argv[1])
    package = Package(
        name="trading-processor", aws_services=("dynamodb",), shared=("telemetry",)
    )
    with start([package], handlers=root / "handlers", into=root / "o", cache=root / "c") as pending:
        print(pending.finish()[package.name].sha256)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The package and its twin, made at the same time."""
    folder = tmp_path_factory.mktemp("packages")
    made = {}
    options = {"handlers": ROOT / "handlers", "cache": folder / "cache"}
    with (
        start([PROCESSOR], into=folder / "packages", **options) as real,
        start([PROCESSOR], into=folder / "twins", platform=Platform.HOST, **options) as twin,
    ):
        made[Platform.LAMBDA] = real.finish()[PROCESSOR.name]
        made[Platform.HOST] = twin.finish()[PROCESSOR.name]
    return made


def contents(built):
    with zipfile.ZipFile(built.path) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


def test_the_same_bytes_in_another_folder_umask_zone_locale_and_hash_seed(built, tmp_path):
    shutil.copytree(
        ROOT / "handlers",
        tmp_path / "handlers",
        ignore=shutil.ignore_patterns("__pycache__"),
        copy_function=shutil.copyfile,
    )
    environment = {
        **os.environ,
        "TZ": "Pacific/Chatham",
        "LANG": "tr_TR.UTF-8",
        "LC_ALL": "C",
        "SOURCE_DATE_EPOCH": "1",
        "PYTHONHASHSEED": "7",
    }
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(ELSEWHERE), str(tmp_path)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stderr == ""
    assert run.stdout.strip() == built[Platform.LAMBDA].sha256


def test_the_twin_differs_in_compiled_files_alone(built):
    real, twin = contents(built[Platform.LAMBDA]), contents(built[Platform.HOST])
    compiled = {name for name in real | twin if name.endswith(".so")}
    assert {name.split(".")[-2] for name in compiled & real.keys()} == {
        "cpython-314-aarch64-linux-gnu"
    }
    assert compiled & twin.keys()
    assert real.keys() - compiled == twin.keys() - compiled
    assert [name for name in real.keys() - compiled if real[name] != twin[name]] == []


def test_the_package_is_small_and_calls_no_undeclared_service(built):
    package = built[Platform.LAMBDA]
    assert package.size < 12_000_000
    names = contents(package)
    services = {name.split("/")[2] for name in names if name.startswith("botocore/data/")}
    assert services == {
        *("dynamodb", "endpoints.json", "partitions.json"),
        *("sdk-default-configuration.json", "_retry.json"),
    }
    assert "trading_processor/app.py" in names
    assert not [n for n in names if n.startswith("bin/") or n.endswith((".pyc", "/RECORD"))]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (
            lambda text: text.replace("sha256:", "sha256:" + "0" * 8, 1)[: text.index("\n") + 200],
            "is not pinned",
        ),
        (lambda _: f"six==1.17.0 --hash=sha256:{'0' * 64}\n", "does not have the hash"),
        (lambda _: f"six==0.0.1 --hash=sha256:{'0' * 64}\n", "No matching distribution found"),
    ],
)
def test_a_lock_that_cannot_be_installed(tmp_path, edit, said):
    for folder in (PROCESSOR.folder, *PROCESSOR.shared):
        shutil.copytree(ROOT / "handlers" / folder, tmp_path / "handlers" / folder)
    lock = tmp_path / "handlers" / PROCESSOR.folder / "requirements.txt"
    lock.write_text(edit(lock.read_text()))
    with (
        pytest.raises(PackageError, match=said) as caught,
        start(
            [PROCESSOR],
            handlers=tmp_path / "handlers",
            into=tmp_path / "o",
            cache=tmp_path / "c",
        ) as pending,
    ):
        pending.finish()
    shown = f"{caught.value} {caught.value.remedy}"
    assert "://" not in shown
    assert str(tmp_path) not in shown
    assert not (tmp_path / "o").exists()


def test_pip_is_stopped_when_the_compiler_is(tmp_path):
    pending = start(
        [PROCESSOR], handlers=ROOT / "handlers", into=tmp_path / "o", cache=tmp_path / "c"
    )
    [job] = pending.jobs
    assert job.installation.process.poll() is None
    with pytest.raises(KeyboardInterrupt), pending:
        raise KeyboardInterrupt
    assert job.installation.process.poll() is not None
    assert not job.site.parent.exists()


def test_an_interpreter_without_pip(tmp_path):
    from tap_templates.compiler.package_install import Pip

    bare = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    for python, said in ((bare / "bin" / "python", "No module named pip"), ("/none", "started")):
        with (
            pytest.raises(PackageError, match=said),
            start(
                [PROCESSOR],
                handlers=ROOT / "handlers",
                into=tmp_path / "o",
                cache=tmp_path / "c",
                installer=Pip(str(python)),
            ) as pending,
        ):
            pending.finish()
