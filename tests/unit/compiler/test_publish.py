"""Publishing writes all or nothing, and touches only what changed."""

import threading

import pytest

from tap_templates.compiler.publish import compare, publish
from tap_templates.errors import OutputError

FILES = {"a/one.json": b"1", "a/two.json": b"2"}
SYSTEMS = frozenset({"a"})


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def run(files, folder, systems=SYSTEMS):
    changes = compare(files, folder, systems=systems)
    publish(files, folder, changes)
    return changes


def test_new_files_are_written(tmp_path):
    assert run(FILES, tmp_path).written == ("a/one.json", "a/two.json")
    assert tree(tmp_path) == FILES


def test_equal_files_are_left_alone(tmp_path):
    run(FILES, tmp_path)
    before = (tmp_path / "a" / "one.json").stat().st_mtime_ns
    changes = run({**FILES, "a/two.json": b"3"}, tmp_path)
    assert (changes.written, changes.removed) == (("a/two.json",), ())
    assert (tmp_path / "a" / "one.json").stat().st_mtime_ns == before


def test_what_is_not_compiled_any_more_goes_and_other_systems_stay(tmp_path):
    run({"b/three.json": b"3"}, tmp_path, frozenset({"b"}))
    run(FILES, tmp_path)
    changes = run({"a/one.json": b"1"}, tmp_path)
    assert (changes.written, changes.removed) == ((), ("a/two.json",))
    assert tree(tmp_path) == {"a/one.json": b"1", "b/three.json": b"3"}


def test_a_file_that_cannot_be_written_leaves_all_as_it_was(tmp_path):
    (tmp_path / "a" / "two.json").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"cannot be written: two.json is a folder") as caught:
        run(FILES, tmp_path)
    assert "make it a folder that you may write to" in caught.value.remedy
    assert tree(tmp_path) == {}


class Interrupted(dict):
    """Files of which the last to be read is never there: somebody pressed Ctrl-C."""

    def __getitem__(self, path):
        if path == "a/two.json":
            raise KeyboardInterrupt
        return super().__getitem__(path)


def test_an_interruption_while_writing_leaves_all_as_it_was(tmp_path):
    run({"a/one.json": b"old"}, tmp_path)
    changes = compare(FILES, tmp_path, systems=SYSTEMS)
    with pytest.raises(KeyboardInterrupt):
        publish(Interrupted(FILES), tmp_path, changes)
    assert tree(tmp_path) == {"a/one.json": b"old"}


def test_what_was_replaced_is_put_back_when_a_later_file_fails(tmp_path):
    run({"a/one.json": b"old", "a/zero.json": b"0"}, tmp_path)
    changes = compare({"a/one.json": b"new"}, tmp_path, systems=SYSTEMS)
    (tmp_path / "a" / "zero.json").unlink()
    (tmp_path / "a" / "zero.json").mkdir()  # it cannot be removed as a file
    with pytest.raises(OutputError):
        publish({"a/one.json": b"new"}, tmp_path, changes)
    assert tree(tmp_path) == {"a/one.json": b"old"}


def test_two_runs_at_once_do_not_take_each_others_files(tmp_path):
    bodies = [{f"a/{n}.json": f"{who}{n}".encode() for n in range(20)} for who in "xy"]

    def many(files):
        for _ in range(30):
            run(files, tmp_path)

    threads = [threading.Thread(target=many, args=(files,)) for files in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = tree(tmp_path)
    assert set(written) == set(bodies[0])
    for path, body in written.items():
        assert body in {files[path] for files in bodies}


def test_nothing_to_do_is_told(tmp_path):
    run(FILES, tmp_path)
    assert not compare(FILES, tmp_path, systems=SYSTEMS)
