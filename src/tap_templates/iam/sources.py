"""Reads a handler's sources: with `knowledge`, all the I/O of this package."""

from pathlib import Path


def read_sources(folder: Path) -> dict[str, str]:
    """Read the modules of a handler as `folder/module.py` → source, as Python imports them."""
    return {
        path.relative_to(folder.parent).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.py"))
    }
