"""Stage publish: put what was compiled into `build/templates/`, all of it or nothing.

Every file is first written beside its place; only when all are there do they take it, by rename.
A run that fails or is interrupted before leaves `build/` as it was.
"""

import contextlib
import errno
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tap_templates.errors import OutputError

_PART = ".tap-part"


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
        if path.is_file() and path.relative_to(folder).as_posix() not in files
    ]
    return Changes(tuple(sorted(written)), tuple(sorted(removed)))


def publish(files: Mapping[str, bytes], folder: Path, changes: Changes) -> None:
    """Carry out `changes`.

    Raises OutputError, with everything as it was, if a file cannot be written.
    """
    parts: list[Path] = []
    try:
        for path in changes.written:
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.is_dir():
                raise IsADirectoryError(errno.EISDIR, f"{path} is a folder")
            part = place.with_name(place.name + _PART)
            parts.append(part)
            part.write_bytes(files[path])
        for part in parts:
            part.replace(part.with_name(part.name.removesuffix(_PART)))
        for path in changes.removed:
            (folder / path).unlink()
            with contextlib.suppress(OSError):  # not empty yet
                (folder / path).parent.rmdir()
    except OSError as error:
        raise OutputError(
            "build/templates",
            f"cannot be written: {error.strerror or error}",
            "make it a folder that you may write to, and run again",
        ) from error
    finally:
        for part in parts:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
