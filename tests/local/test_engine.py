"""Engines start, run side by side, answer on the loopback alone, and stop without a trace."""

import itertools
import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from local.conftest import ROOT, eventually

from tap_templates.local import engine as engines
from tap_templates.local import environment
from tap_templates.local.engine import EngineError
from tap_templates.local.environment import EnvironmentFailedError

LISTENING = "0A"


def processes(group):
    """The processes of a group that are no zombies."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, pgrp = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(pgrp) == group and state != "Z":
            found.add(int(stat.parent.name))
    return found


def listening(group):
    """(address, port) of every listening TCP socket of a process group, as hex addresses."""
    inodes = set()
    for pid in processes(group):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                inodes.add(str(descriptor.readlink()))
            except OSError:
                continue
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and f"socket:[{fields[9]}]" in inodes:
                address, port = fields[1].split(":")
                found.append((address, int(port, 16)))
    return found


@pytest.fixture
def other():
    """A second engine, gone after the test."""
    engines.stop(ROOT, name="tests-other")
    yield engines.start(ROOT, name="tests-other")
    engines.stop(ROOT, name="tests-other")


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


@linux
def test_it_listens_on_the_loopback_alone(engine):
    assert listening(engine.pid) == [("0100007F", engine.port)]


def test_two_run_side_by_side_and_know_nothing_of_each_other(engine, clients, other):
    assert other.port != engine.port
    assert other.folder != engine.folder
    clients("sqs").create_queue(QueueName="only-here")
    theirs = type(clients)(other)
    assert not theirs("sqs").list_queues().get("QueueUrls")
    assert clients("sts").get_caller_identity()["Account"] == engines.ACCOUNT
    theirs.close()


@linux
def test_stop_leaves_no_process_no_socket_and_no_folder(other):
    assert processes(other.pid)
    assert engines.stop(ROOT, name="tests-other") is True
    assert processes(other.pid) == set()
    with socket.socket() as probe:
        assert probe.connect_ex((engines.HOST, other.port)) != 0
    assert not other.folder.exists()
    assert engines.stop(ROOT, name="tests-other") is False


@linux
def test_stop_ends_what_hangs(other):
    os.kill(other.pid, signal.SIGSTOP)
    seconds = itertools.count()
    clock = engines.Clock(now=lambda: float(next(seconds)))
    assert engines.stop(ROOT, name="tests-other", clock=clock) is True
    eventually(lambda: not processes(other.pid))


def test_it_is_found_by_name(engine):
    assert engines.status(ROOT, name="tests") == engine
    assert engines.ensure_started(ROOT, name="tests") == engine
    assert engines.status(ROOT, name="tests-nobody") is None


def test_it_starts_once(engine):
    with pytest.raises(EngineError, match="runs already") as caught:
        engines.start(ROOT, name="tests")
    assert engine.endpoint_url in str(caught.value)


def test_what_is_left_of_a_dead_one_is_no_engine(other):
    os.killpg(other.pid, signal.SIGKILL)
    eventually(lambda: engines.status(ROOT, name="tests-other") is None)
    again = engines.start(ROOT, name="tests-other")
    assert again.token != other.token
    assert engines.status(ROOT, name="tests-other") == again


def test_a_pid_that_is_used_again_is_left_alone(tmp_path):
    folder = tmp_path / ".cache" / "tap" / "local" / "default"
    folder.mkdir(parents=True)
    record = {
        "name": "default",
        "pid": os.getppid(),
        "port": 1,
        "account": "1",
        "token": "t",
        "folder": str(folder),
    }
    (folder / "engine.json").write_text(json.dumps(record))
    assert engines.status(tmp_path) is None
    assert engines.stop(tmp_path) is False
    os.kill(os.getppid(), 0)


def test_an_end_at_the_start_shows_the_log(engine):
    with pytest.raises(EngineError) as caught:
        engines.start(ROOT, name="tests-other", port=engine.port)
    assert "already in use" in str(caught.value)
    assert engines.status(ROOT, name="tests-other") is None
    engines.stop(ROOT, name="tests-other")


def test_a_start_that_takes_too_long_ends(tmp_path):
    """With a clock that jumps a minute a look, and an interpreter that says nothing."""
    lock = tmp_path / environment.LOCK
    lock.parent.mkdir()
    lock.write_text("")
    python = ready_made(tmp_path)
    python.write_text("#!/bin/sh\nexec sleep 60\n")
    python.chmod(0o755)
    minutes = iter(range(0, 6000, 60))
    clock = engines.Clock(now=lambda: next(minutes), sleep=lambda _: None)
    with pytest.raises(EngineError, match="not ready after 30 s"):
        engines.start(tmp_path, clock=clock)


@pytest.mark.parametrize("name", ["", "Upper", "../up", "a/b", "-", "x" * 40])
def test_a_name_is_a_plain_word(tmp_path, name):
    with pytest.raises(EngineError, match="is no name"):
        engines.start(tmp_path, name=name)


def test_functions_inherit_nothing_of_the_user(engine, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("HTTPS_PROXY", "proxy")
    made = engines._environment(engine.folder, 1, "t")
    assert not {"AWS_PROFILE", "HTTPS_PROXY", "USER"} & made.keys()
    assert made["BIND_HOST"] == "127.0.0.1"


def ready_made(root):
    """Make an environment that looks complete; give its interpreter."""
    return environment.ensure(root, run=pretend)


def pretend(command):
    """Do what `python -m venv` does, as far as anybody looks."""
    if "venv" in command:
        python = Path(command[-1]) / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text("")


class TestEnvironment:
    @pytest.fixture
    def project(self, tmp_path):
        lock = tmp_path / environment.LOCK
        lock.parent.mkdir()
        lock.write_text("ministack==1.5.33\n")
        return tmp_path

    def test_it_is_made_once(self, project):
        said = []
        first = environment.ensure(project, say=said.append, run=pretend)
        assert environment.ensure(project, say=said.append, run=None) == first
        assert len(said) == 1

    def test_another_lock_is_another_environment(self, project):
        first = ready_made(project)
        (project / environment.LOCK).write_text("ministack==1.5.34\n")
        assert ready_made(project) != first

    def test_a_half_made_one_is_made_again(self, project):
        def interrupted(command):
            pretend(command)
            if "pip" in command:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            environment.ensure(project, run=interrupted)
        assert ready_made(project).exists()

    def test_a_failure_says_what_pip_said_and_leaves_nothing(self, project):
        def failing(command):
            return "no such package" if "pip" in command else pretend(command)

        with pytest.raises(EnvironmentFailedError, match="no such package"):
            environment.ensure(project, run=failing)
        left = {path.suffix for path in (project / ".cache" / "tap").iterdir()}
        assert left == {".lock"}

    def test_it_is_installed_by_hash_from_wheels(self, project):
        seen = []
        environment.ensure(project, run=lambda command: seen.append(command) or pretend(command))
        assert {"--require-hashes", "--only-binary"} <= set(seen[1])

    def test_without_a_lock_there_is_none(self, tmp_path):
        with pytest.raises(EnvironmentFailedError, match="cannot be read"):
            environment.ensure(tmp_path)


def test_the_control_refuses_what_it_does_not_know(engine):
    with pytest.raises(EngineError, match="refuses nonsense"):
        engines.control(engine, "nonsense")
    with pytest.raises(EngineError, match="needs 'region'"):
        engines.control(engine, "kill")
