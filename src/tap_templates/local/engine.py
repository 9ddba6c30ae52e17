"""Start, find and stop local engines. Several run side by side, each with a name and a folder.

All that an engine keeps is in `.cache/tap/local/<name>/`: who runs (`engine.json`), its log, S3's
objects, what functions unpack. An engine forgets everything when it stops; `start` empties the
folder. It listens on 127.0.0.1 alone. Touches: processes, that folder, the loopback.
"""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tap_templates.errors import TapError
from tap_templates.local import environment

ACCOUNT = "123456789012"
HOST = "127.0.0.1"
SERVER = Path(__file__).parent / "server"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.05
_LOG_LINES = 15
_READING = ("dns", "faults", "health", "patches", "support")
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ")


class EngineError(TapError):
    """A local engine does not start, or is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A running engine. `token` tells it from another process that has its port or its pid."""

    name: str
    pid: int
    port: int
    account: str
    token: str
    folder: Path

    @property
    def endpoint_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "log"


@dataclass(frozen=True, slots=True)
class Clock:
    """The time that waiting takes."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def start(
    root: Path,
    *,
    name: str = "default",
    port: int | None = None,
    clock: Clock | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Engine:
    """Start an engine, on a free port unless one is given; raise EngineError if it runs already."""
    _check_name(name)
    with environment.alone(_folder(root, name).with_suffix(".lock")):
        running = status(root, name=name)
        if running:
            raise EngineError(
                f"local engine {name!r}",
                f"runs already, at {running.endpoint_url}",
                "use it, or stop it first",
            )
        return _start(root, name, port, clock or Clock(), say)


def ensure_started(
    root: Path, *, name: str = "default", say: Callable[[str], None] = lambda _: None
) -> Engine:
    """Give the engine that runs, or start it."""
    _check_name(name)
    with environment.alone(_folder(root, name).with_suffix(".lock")):
        return status(root, name=name) or _start(root, name, None, Clock(), say)


def status(root: Path, *, name: str = "default") -> Engine | None:
    """Find a running engine. What is left of one that died is not one."""
    engine = _recorded(root, name)
    return engine if engine and _answers(engine) else None


def stop(root: Path, *, name: str = "default", clock: Clock | None = None) -> bool:
    """Stop an engine and all it started; say whether there was one. Its folder goes too."""
    _check_name(name)
    with environment.alone(_folder(root, name).with_suffix(".lock")):
        engine = _recorded(root, name)
        alive = engine is not None and (_answers(engine) or _is_engine(engine.pid))
        if engine and alive:
            _end(engine.pid, clock or Clock())
        shutil.rmtree(_folder(root, name), ignore_errors=True)
        return alive


def control(engine: Engine, command: str, **query: str) -> dict[str, object]:
    """Ask for something of `/_tap/`: `kill`, `heal`, `dns`, `fail`, `hold`, `support`, ...

    What changes nothing is fetched, the others are posted.
    """
    asked = "&".join(f"{key}={urllib.parse.quote(value)}" for key, value in query.items())
    url = f"{engine.endpoint_url}/_tap/{command}?{asked}"
    reading = command in _READING
    request = urllib.request.Request(url, method="GET" if reading else "POST")  # noqa: S310 - our own loopback address
    try:
        with _direct().open(request, timeout=5) as answer:
            said: dict[str, object] = json.load(answer)
            return said
    except urllib.error.HTTPError as error:
        with error:
            what = error.read().decode()
        raise EngineError("local engine", f"refuses {command}: {what}", "mend the call") from error
    except OSError as error:
        raise EngineError(
            "local engine", f"does not answer at {engine.endpoint_url}", "start it again"
        ) from error


def _folder(root: Path, name: str) -> Path:
    return root / ".cache" / "tap" / "local" / name


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise EngineError(
            f"local engine {name!r}",
            "is no name of lower-case letters, digits and inner dashes",
            "choose another",
        )


def _start(
    root: Path, name: str, port: int | None, clock: Clock, say: Callable[[str], None]
) -> Engine:
    python = environment.ensure(root, say=say)
    folder = _folder(root, name)
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("s3", "state", "tmp"):
        (folder / part).mkdir(parents=True)
    port = port or _free_port()
    token = secrets.token_hex(8)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(python), "-m", "tap_engine"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=_environment(folder, port, token),
            start_new_session=True,  # so that it outlives us, and ends with all it started
        )
    engine = Engine(
        name=name, pid=process.pid, port=port, account=ACCOUNT, token=token, folder=folder
    )
    record = {**asdict(engine), "folder": str(folder)}
    (folder / "engine.json").write_text(json.dumps(record), encoding="utf-8")
    try:
        _wait_until_ready(engine, process, clock)
    except BaseException:
        _end(process.pid, clock)
        process.wait()
        (folder / "engine.json").unlink(missing_ok=True)
        raise
    # It is nobody's child from here on: whoever starts it may be gone when it ends.
    process.returncode = 0
    return engine


def _environment(folder: Path, port: int, token: str) -> dict[str, str]:
    """Make the variables of the engine, and with them those of the functions it runs.

    Nothing of the user's own: no credentials, no profile, no proxy, no Docker.
    """
    kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
    nowhere = os.devnull
    return kept | {
        "AWS_CONFIG_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "BIND_HOST": HOST,
        "DOCKER_HOST": f"unix://{folder}/no-docker",
        "GATEWAY_PORT": str(port),
        "HOME": str(folder),
        "IOT_MTLS_ENABLED": "0",  # it would listen on 0.0.0.0:8883
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_HOST": "localhost",
        "PYTHONPATH": str(SERVER),
        "PYTHONUNBUFFERED": "1",
        "S3_DATA_DIR": str(folder / "s3"),
        "SFN_WAIT_SCALE": "0.1",  # what a state machine waits, before a retry or in a Wait state
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(folder / "state"),
        "TAP_TOKEN": token,
        "TMPDIR": str(folder / "tmp"),
    }


def _wait_until_ready(engine: Engine, process: subprocess.Popen[bytes], clock: Clock) -> None:
    deadline = clock.now() + _START_SECONDS
    while not _answers(engine):
        ended = process.poll()
        if ended is not None:
            raise EngineError(
                f"local engine {engine.name!r}",
                f"ended with {ended} at its start; the end of its log:\n{_tail(engine.log)}",
                "see the log, mend the cause, start it again",
            )
        if clock.now() > deadline:
            raise EngineError(
                f"local engine {engine.name!r}",
                f"is not ready after {_START_SECONDS:g} s; the end of its log:\n"
                f"{_tail(engine.log)}",
                "start it again when the machine is less busy",
            )
        clock.sleep(_POLL_SECONDS)


def _answers(engine: Engine) -> bool:
    try:
        with _direct().open(f"{engine.endpoint_url}/_tap/health", timeout=2) as answer:
            return bool(json.load(answer).get("token") == engine.token)
    except (OSError, ValueError, AttributeError):
        return False


def _direct() -> urllib.request.OpenerDirector:
    """Open URLs without any proxy of the environment: the loopback is never behind one."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _recorded(root: Path, name: str) -> Engine | None:
    try:
        record = json.loads((_folder(root, name) / "engine.json").read_text(encoding="utf-8"))
        return Engine(**{**record, "folder": Path(record["folder"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _is_engine(pid: int) -> bool:
    """Look whether a process is an engine: pids are used again."""
    found = subprocess.run(
        ["ps", "-p", str(pid), "-o", "args="],  # noqa: S607 - a standard command
        capture_output=True,
        text=True,
        check=False,
    )
    return "-m tap_engine" in found.stdout


def _end(pid: int, clock: Clock) -> None:
    """End a process group: ask first, insist after a while."""
    for number, patience in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _STOP_SECONDS)):
        try:
            os.killpg(pid, number)
        except (ProcessLookupError, PermissionError):
            return
        deadline = clock.now() + patience
        while clock.now() < deadline:
            try:
                if os.waitpid(pid, os.WNOHANG)[0]:  # it is our child: take it off the table
                    continue
            except ChildProcessError:
                pass
            try:
                os.killpg(pid, 0)
            except (ProcessLookupError, PermissionError):
                return
            clock.sleep(_POLL_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _tail(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "(no log)"
    return "\n".join(lines[-_LOG_LINES:])
