"""The engine's own Python environment: its dependencies contradict ours.

Made on first use from `requirements/engine.txt`, with hashes and wheels only, below `.cache/tap/`;
its folder is named by the digest of the lock and of the interpreter, so a change of either makes a
new one. It appears under its name when it is complete: an interruption leaves nothing that looks
done.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tap_templates.errors import TapError

LOCK = Path("requirements") / "engine.txt"
_DIGITS = 16
_PIP = (
    *("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"),
    *("--require-hashes", "--only-binary", ":all:", "--requirement"),
)

Run = Callable[[Sequence[str]], str | None]


class EnvironmentFailedError(TapError):
    """The engine's environment cannot be made."""


def ensure(
    root: Path, *, say: Callable[[str], None] = lambda _: None, run: Run | None = None
) -> Path:
    """Give the interpreter of the engine's environment; make the environment if need be.

    `say` hears that it takes a moment; `run` starts a command and gives what it said if it failed.
    """
    run = run or _run
    lock = root / LOCK
    folder = root / ".cache" / "tap" / f"engine-{_digest(lock)}"
    python = folder / "bin" / "python"
    with alone(folder.with_suffix(".lock")):
        if python.exists():
            return python
        say("making the environment of the local engine, once ...")
        making = folder.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        for command in (
            (sys.executable, "-m", "venv", str(making)),
            (str(making / "bin" / "python"), *_PIP, str(lock)),
        ):
            failure = run(command)
            if failure is not None:
                shutil.rmtree(making, ignore_errors=True)
                raise EnvironmentFailedError(
                    "local engine",
                    f"its environment cannot be made: {failure}",
                    "see that pip reaches your package registry, then run again",
                )
        making.rename(folder)
    return python


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock between processes; wait for whoever has it. It ends with the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _digest(lock: Path) -> str:
    try:
        content = lock.read_bytes()
    except OSError as error:
        raise EnvironmentFailedError(
            str(LOCK), f"cannot be read: {error.strerror}", "restore it from version control"
        ) from error
    tag = f"{sys.implementation.cache_tag} {sys.platform} {os.uname().machine}"
    return hashlib.sha256(content + tag.encode()).hexdigest()[:_DIGITS]


def _run(command: Sequence[str]) -> str | None:
    # A variable that points Python at other packages would make the environment a mixed one.
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=clean)
    return None if ended.returncode == 0 else ended.stderr.strip()[-2000:] or "no reason given"
