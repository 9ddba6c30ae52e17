"""Reads a handler's sources: with `knowledge`, all the I/O of this package."""

from collections.abc import Iterable
from pathlib import Path


def read_sources(folder: Path, shared: Iterable[str] = ()) -> dict[str, str]:
    """Read the modules of a handler as `folder/module.py` → source, as Python imports them.

    `shared` names the folders beside it that its package has a copy of.
    """
    return {
        path.relative_to(folder.parent).as_posix(): path.read_text(encoding="utf-8")
        for each in (folder, *(folder.parent / name for name in shared))
        for path in sorted(each.rglob("*.py"))
    }
