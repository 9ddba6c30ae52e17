"""Install locked dependencies into a folder: pip in a subprocess, for Lambda or for this machine.

pip is the registry client the machine is set up for, so its configuration is left alone: no host
is named here. Only wheels are taken, and only with the hashes of the lock; no code of a package
runs while it is installed.
"""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from tap_templates.errors import PackageError
from tap_templates.model.package import Package

_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}  # Lambda's name to Linux's
_RUNTIME = re.compile(r"python(3)\.(\d+)")
_ADDRESS = re.compile(r"\b[a-z+]+://\S+|(?<![\w.])(?:[A-Za-z]:\\|[/~])[^\s:'\"]+")
_OPTIONS = (
    *("--quiet", "--no-input", "--no-color", "--progress-bar", "off"),
    *("--disable-pip-version-check", "--root-user-action", "ignore", "--no-user"),
    *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-compile"),
)


class Platform(Enum):
    """Where a package is to run."""

    LAMBDA = "lambda"  # the runtime and architecture the package names
    HOST = "host"  # this interpreter: the twin that tests and the local engine run

    def environment(self, package: Package) -> Mapping[str, str]:
        """Give the values of environment markers. Lambda's patch version is AWS's choice: 0."""
        if self is Platform.HOST:
            return {
                "implementation_name": sys.implementation.name,
                "os_name": os.name,
                "platform_machine": platform.machine(),
                "platform_python_implementation": platform.python_implementation(),
                "platform_system": platform.system(),
                "python_full_version": ".".join(map(str, sys.version_info[:3])),
                "python_version": ".".join(map(str, sys.version_info[:2])),
                "sys_platform": sys.platform,
            }
        version = ".".join(_runtime(package))
        return {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": _machine(package),
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{version}.0",
            "python_version": version,
            "sys_platform": "linux",
        }

    def pip_options(self, package: Package) -> tuple[str, ...]:
        """Say for pip which wheels fit. Amazon Linux 2023 has glibc 2.34."""
        if self is Platform.HOST:
            return ()
        major, minor = _runtime(package)
        machine = _machine(package)
        return (
            *("--platform", f"manylinux2014_{machine}", "--platform", f"manylinux_2_28_{machine}"),
            *("--implementation", "cp", "--python-version", f"{major}.{minor}"),
            *("--abi", f"cp{major}{minor}", "--abi", "abi3", "--abi", "none"),
        )


class Installation(Protocol):
    """An installation under way."""

    def finish(self) -> None:
        """Wait for it; raise PackageError if it failed."""

    def cancel(self) -> None:
        """Stop it and wait until nothing of it runs. Harmless when it has ended."""


class Installer(Protocol):
    """Starts installations."""

    def __call__(
        self, requirements: str, options: tuple[str, ...], *, scratch: Path, where: str
    ) -> Installation:
        """Start installing into `scratch`/site; return at once."""


@dataclass(frozen=True, slots=True)
class Pip:
    """The pip of an interpreter."""

    python: str = sys.executable

    def __call__(
        self, requirements: str, options: tuple[str, ...], *, scratch: Path, where: str
    ) -> Installation:
        """Start pip; raise PackageError if the interpreter itself cannot be started."""
        wanted, log = scratch / "requirements.txt", scratch / "pip.log"
        wanted.write_text(requirements, encoding="utf-8")
        target = scratch / "site"
        target.mkdir()
        # -I: neither the current folder nor PYTHONPATH decides which pip this is.
        command = [self.python, "-I", "-m", "pip", "install", *_OPTIONS, *options]
        command += ["--target", str(target), "--requirement", str(wanted)]
        try:
            # A file, not a pipe: nobody reads while the compiler does other work.
            with log.open("wb") as out:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
                )
        except OSError as error:
            raise PackageError(
                where, "the Python interpreter for pip cannot be started", "run `make setup`"
            ) from error
        return _Running(process, log, where)


@dataclass(frozen=True, slots=True)
class _Running:
    process: "subprocess.Popen[bytes]"
    log: Path
    where: str

    def finish(self) -> None:
        if self.process.wait() == 0:
            return
        reason = explain(self.log.read_text(encoding="utf-8", errors="replace"))
        remedy = "see that the registry has the locked wheels for the target; `make lock` pins anew"
        if "No module named pip" in reason:
            remedy = "run `python -m ensurepip` in the environment, or `make clean setup`"
        raise PackageError(self.where, f"pip could not install the lock: {reason}", remedy)

    def cancel(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()


def explain(output: str) -> str:
    """Pick from pip's output the line that says what is wrong, without paths and addresses."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    if any("DO NOT MATCH THE HASHES" in error for error in errors):
        pin = next((line.split(" from ")[0] for line in lines if " from " in line), "a download")
        return f"{pin} does not have the hash it is locked to"
    said = errors or [line for line in lines if not line.startswith("WARNING: ")]
    return _ADDRESS.sub("…", said[-1])[:300] if said else "it said nothing"


def _runtime(package: Package) -> tuple[str, str]:
    match = _RUNTIME.fullmatch(package.runtime)
    if match is None:
        raise PackageError(
            f"package {package.name}",
            f"cannot package for {package.runtime}",
            "use a Python 3 runtime",
        )
    return match[1], match[2]


def _machine(package: Package) -> str:
    try:
        return _MACHINES[package.architecture]
    except KeyError:
        raise PackageError(
            f"package {package.name}",
            f"Lambda has no architecture {package.architecture!r}",
            "use arm64 or x86_64",
        ) from None
