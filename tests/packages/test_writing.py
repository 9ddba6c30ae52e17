"""Where packages cannot be written: one clear message; where the index cannot: a later build."""

import shutil

import pytest

from tap_templates.compiler.packages import Built, _put, _remember
from tap_templates.errors import OutputError


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "packages").write_text("a file where a folder should be")
    with pytest.raises(OutputError, match="build/packages: cannot be written") as caught:
        _put(b"zip", "booker", tmp_path / "packages")
    assert "make it a folder that you may write to" in caught.value.remedy


def test_an_index_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "cache").write_text("a file where a folder should be")
    built = Built(name="booker", sha256="00", path=tmp_path / "booker.zip", size=1)
    _remember(tmp_path / "cache" / "packages.json", "inputs", built)
    assert (tmp_path / "cache").read_text() == "a file where a folder should be"


@pytest.mark.package
@pytest.mark.parametrize("blocked", ["build", "build/packages", ".cache"])
def test_a_blocked_folder_never_ends_in_a_traceback(root, tmp_path, tap, blocked):
    for folder in ("templates", "handlers"):
        shutil.copytree(root / folder, tmp_path / folder)
    place = tmp_path / blocked
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("a file where a folder should be")
    done = tap("templates", "--system", "trading-events", cwd=tmp_path)
    assert "Traceback" not in done.stderr
    if blocked == ".cache":
        assert done.returncode == 0
    else:
        assert done.returncode == 1
        assert done.stderr.startswith("error: build/")
    assert place.read_text() == "a file where a folder should be"
