"""Stage publish: put what was compiled into `build/templates/`, all of it or nothing.

Every file is first written beside its place; only when all are there do they take it, by rename.
A run that fails or is interrupted before leaves `build/` as it was.
"""

import contextlib
import errno
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tap_templates.errors import OutputError

_PART = ".tap-part-"


@dataclass(frozen=True, slots=True)
class Changes:
    """Files that differ from what was compiled, as paths below `build/templates/`, sorted."""

    written: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.written or self.removed)


def compare(files: Mapping[str, bytes], folder: Path, *, systems: frozenset[str]) -> Changes:
    """Find what publishing `files` would change.

    Of the folders of `systems`, everything is ours: what is not compiled any more is removed.
    """
    written = [path for path, body in files.items() if _read(folder / path) != body]
    removed = [
        path.relative_to(folder).as_posix()
        for system in sorted(systems)
        for path in (folder / system).rglob("*")
        if path.is_file()
        and not path.name.startswith(_PART)  # of another run that is writing now
        and path.relative_to(folder).as_posix() not in files
    ]
    return Changes(tuple(sorted(written)), tuple(sorted(removed)))


def publish(files: Mapping[str, bytes], folder: Path, changes: Changes) -> None:
    """Carry out `changes`.

    Raises OutputError, with everything as it was, if a file cannot be written. An interruption
    puts back what was already replaced; only a kill in between can leave some files new, and then
    `tap templates --check` tells and a run mends.
    """
    parts: dict[str, Path] = {}
    replaced: dict[str, bytes | None] = {}
    try:
        for path in changes.written:
            parts[path] = _write_beside(folder / path, files[path])
        for path in sorted(parts, key=_manifest_last):
            replaced[path] = _read(folder / path)
            parts[path].replace(folder / path)
        for path in changes.removed:
            replaced[path] = _read(folder / path)
            (folder / path).unlink(missing_ok=True)
    except BaseException as error:
        for path, before in replaced.items():
            _put_back(folder / path, before)
        if isinstance(error, OSError):
            raise OutputError(
                "build/templates",
                f"cannot be written: {error.strerror or error}",
                "make it a folder that you may write to, and run again",
            ) from error
        raise
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    for path in changes.removed:
        with contextlib.suppress(OSError):  # not empty
            (folder / path).parent.rmdir()


def _manifest_last(path: str) -> tuple[bool, str]:
    # It carries the digests of the others: while it is the old one, a mixture shows.
    return path.endswith("manifest.json"), path


def _write_beside(place: Path, body: bytes) -> Path:
    """Write under a name that no other run uses; the file takes its place by rename."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir():
        raise IsADirectoryError(errno.EISDIR, f"{place.name} is a folder")
    descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=_PART)
    with os.fdopen(descriptor, "wb") as out:
        out.write(body)
    part = Path(name)
    part.chmod(0o644)
    return part


def _put_back(place: Path, before: bytes | None) -> None:
    with contextlib.suppress(OSError):  # the first error is the one to tell
        if before is None:
            place.unlink(missing_ok=True)
        else:
            place.write_bytes(before)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
