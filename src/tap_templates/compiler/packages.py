"""Packages: handlers as reproducible zips, built only when an input changed.

The stages, in order:

1. `start` reads each handler's folder and lock and refuses what cannot be packaged. What was built
   before from the same inputs is taken from the cache; for the rest pip starts in subprocesses,
   one for all packages with the same requirements.
2. The caller does something else; linting takes about as long as pip.
3. `Pending.finish` waits, selects what ships, and puts the zips in place. Leaving the `with`
   block in any other way stops pip and leaves no file behind.

The same code makes the twin of a package for this machine (`Platform.HOST`), which tests run.
Touches: reads the handlers' folder, writes below `into` and `cache`, runs pip.
"""

import base64
import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tap_templates.compiler.package_contents import (
    combine,
    dependency_files,
    handler_files,
    handler_lock,
)
from tap_templates.compiler.package_install import Installation, Installer, Pip, Platform
from tap_templates.compiler.package_lock import parse_lock, requirements_for
from tap_templates.compiler.package_zip import archive
from tap_templates.errors import OutputError
from tap_templates.model.package import Package

__all__ = ["Built", "Pending", "Platform", "start"]

_INDEX = "packages.json"
_INDEX_ENTRIES_MAX = 256  # the newest; a forgotten entry costs one build
_BUILDER = ("packages", "package_contents", "package_install", "package_lock", "package_zip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A package as bytes on disk, named by their digest."""

    name: str
    sha256: str
    path: Path
    size: int

    @property
    def code_sha256(self) -> str:
        """The digest as Lambda reports it."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    package: Package
    inputs: str  # digest of everything the zip is made from
    own: dict[str, bytes]
    installation: Installation
    site: Path


@dataclass(slots=True, kw_only=True)
class Pending:
    """Packages being made. Use it in a `with` block, so that an interruption stops pip."""

    order: tuple[str, ...]
    into: Path
    index: Path
    built: dict[str, Built] = field(default_factory=dict)
    jobs: list[_Job] = field(default_factory=list)
    scratch: list[Path] = field(default_factory=list)

    def finish(self) -> dict[str, Built]:
        """Wait for the installations, write the zips, and give all packages by name.

        Raises PackageError for the first package, in the order given, that cannot be made; the
        zips of those before it stay.
        """
        try:
            for job in self.jobs:
                job.installation.finish()
                dependencies = dependency_files(job.site, job.package)
                content = archive(combine(job.own, dependencies, job.package))
                built = _put(content, job.package.name, self.into)
                _remember(self.index, job.inputs, built)
                self.built[built.name] = built
        finally:
            self.cancel()
        return {name: self.built[name] for name in self.order}

    def cancel(self) -> None:
        """Stop what still runs and remove what it left. Harmless after `finish`."""
        for job in self.jobs:
            job.installation.cancel()
        self.jobs.clear()
        for folder in self.scratch:
            shutil.rmtree(folder, ignore_errors=True)
        self.scratch.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cancel()


def start(
    packages: Iterable[Package],
    *,
    handlers: Path,
    into: Path,
    cache: Path,
    platform: Platform = Platform.LAMBDA,
    installer: Installer | None = None,
) -> Pending:
    """Begin to make `packages`; return while pip still works.

    Raises PackageError, before pip is started for any of them, if a folder or lock is wrong.
    """
    packages = tuple(packages)
    pending = Pending(
        order=tuple(package.name for package in packages), into=into, index=cache / _INDEX
    )
    known = _read_index(pending.index)
    todo = []
    for package in packages:
        own = handler_files(handlers, package)
        where = f"handlers/{package.folder}/requirements.txt"
        lock = parse_lock(handler_lock(handlers, package), where)
        wanted = requirements_for(lock, platform.environment(package), where)
        inputs = _digest_inputs(package, platform, wanted, own)
        hit = _cached(known.get(inputs), package.name, into)
        if hit:
            pending.built[package.name] = hit
        else:
            todo.append((package, inputs, own, wanted))

    install = installer or Pip()
    shared: dict[tuple[str, tuple[str, ...]], tuple[Installation, Path]] = {}
    with contextlib.ExitStack() as undo:
        undo.callback(pending.cancel)
        for package, inputs, own, wanted in todo:
            options = platform.pip_options(package)
            if (wanted, options) not in shared:
                scratch = _scratch(cache)
                pending.scratch.append(scratch)
                where = f"package {package.name}"
                running = install(wanted, options, scratch=scratch, where=where)
                shared[wanted, options] = running, scratch / "site"
            installation, site = shared[wanted, options]
            pending.jobs.append(
                _Job(package=package, inputs=inputs, own=own, installation=installation, site=site)
            )
        undo.pop_all()
    return pending


def _scratch(cache: Path) -> Path:
    """Make a folder for pip: in the cache, where a run that was killed leaves nothing elsewhere."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="package-", dir=cache))
    except OSError:
        return Path(tempfile.mkdtemp(prefix="tap-package-"))


def _digest_inputs(package: Package, platform: Platform, wanted: str, own: dict[str, bytes]) -> str:
    """Digest all a zip is made from, this builder's own source included."""
    here = Path(__file__).parent
    builder = [hashlib.sha256((here / f"{n}.py").read_bytes()).hexdigest() for n in _BUILDER]
    inputs = {
        "builder": builder,
        "package": dataclasses.asdict(package),
        "platform": [platform.value, *sorted(platform.environment(package).items())],
        "interpreter": sys.implementation.cache_tag if platform is Platform.HOST else None,
        "requirements": wanted,
        "own": {name: hashlib.sha256(data).hexdigest() for name, data in own.items()},
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def _cached(sha256: str | None, name: str, into: Path) -> Built | None:
    """Find the zip of a known digest, unless it is gone or its bytes are no longer those."""
    if sha256 is None:
        return None
    path = _path(into, name, sha256)
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(content).hexdigest() != sha256:
        return None
    return Built(name=name, sha256=sha256, path=path, size=len(content))


def _put(content: bytes, name: str, into: Path) -> Built:
    sha256 = hashlib.sha256(content).hexdigest()
    path = _path(into, name, sha256)
    try:
        _replace(path, content)
    except OSError as error:
        raise OutputError(
            f"build/{into.name}",
            f"cannot be written: {error.strerror or error}",
            "make it a folder that you may write to, and run again",
        ) from error
    return Built(name=name, sha256=sha256, path=path, size=len(content))


def _path(into: Path, name: str, sha256: str) -> Path:
    return into / f"{name}-{sha256[:16]}.zip"


def _read_index(path: Path) -> dict[str, str]:
    """Read which inputs gave which digest; a cache that cannot be read is an empty one."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(entries, dict):
        return {}
    return {key: value for key, value in entries.items() if isinstance(value, str)}


def _remember(path: Path, inputs: str, built: Built) -> None:
    """Add to the index. Of two processes that do so at once, one entry may be lost: a rebuild."""
    entries = _read_index(path)
    entries.pop(inputs, None)
    entries[inputs] = built.sha256
    newest = list(entries.items())[-_INDEX_ENTRIES_MAX:]
    with contextlib.suppress(OSError):  # an index that cannot be written costs a build next time
        _replace(path, json.dumps(dict(newest), indent=1).encode())


def _replace(path: Path, content: bytes) -> None:
    """Write all or nothing: a reader sees the old file or the new one, an interruption neither."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".tap-", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
