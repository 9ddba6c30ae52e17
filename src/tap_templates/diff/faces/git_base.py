"""Compiled templates as a git commit has them, read without a checkout.

Blobs are read as they are stored, so that no attribute and no filter of the repository changes
them. Works in a shallow clone for whatever is there.
"""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tap_templates.diff.load import InputError
from tap_templates.errors import UsageError

FOLDER: Final = "build/templates"
_SECONDS: Final = 60
Run = Callable[[Sequence[str], Path, bytes], "subprocess.CompletedProcess[bytes]"]


def run_git(
    arguments: Sequence[str], root: Path, given: bytes
) -> "subprocess.CompletedProcess[bytes]":
    """Run git in a folder; raise InputError if it cannot be started, or never ends."""
    try:
        return subprocess.run(
            ["git", *arguments],  # noqa: S607 - whichever git the user has
            cwd=root,
            input=given,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
    except FileNotFoundError:
        raise InputError("git", "is not installed", "install it, or give two folders") from None
    except subprocess.TimeoutExpired:
        raise InputError("git", f"took longer than {_SECONDS} s", "try again") from None


def templates_at(ref: str, root: Path, run: Run = run_git) -> dict[str, bytes]:
    """Read all files below `build/templates/` of a commit, by path below that folder.

    Raises UsageError for a ref that is not there, InputError if git fails.
    """
    commit = _commit(ref, root, run)
    listing = _done(run(["ls-tree", "-r", "-z", commit, "--", f"{FOLDER}/"], root, b""), ref)
    blobs = [
        (meta.split()[2].decode(), path.decode("utf-8", "surrogateescape"))
        for meta, path in (row.split(b"\t", 1) for row in listing.split(b"\0") if row)
        if meta.split()[1] == b"blob" and meta.split()[0] != b"120000"  # no symbolic links
    ]
    wanted = "".join(f"{digest}\n" for digest, _ in blobs).encode()
    stored = _done(run(["cat-file", "--batch"], root, wanted), ref)
    found: dict[str, bytes] = {}
    for _, path in blobs:
        head, _, rest = stored.partition(b"\n")
        size = head.split()[-1]
        if not size.isdigit():  # `missing`: a partial clone without a network
            raise InputError(f"{ref}:{path}", "is not in this clone", _fetch(ref))
        found[path.removeprefix(f"{FOLDER}/")] = rest[: int(size)]
        stored = rest[int(size) + 1 :]
    return {path: data for path, data in found.items() if path.endswith(".json")}


def _commit(ref: str, root: Path, run: Run) -> str:
    if not ref or ref.startswith("-"):
        raise UsageError(f"--base {ref!r}", "is no git ref", "name a branch, tag or commit")
    done = run(["rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"], root, b"")
    if done.returncode == 0:
        return done.stdout.decode().strip()
    if run(["rev-parse", "--git-dir"], root, b"").returncode:
        raise UsageError(
            "--base", "needs a git repository, and this is none", "give two folders instead"
        )
    shallow = run(["rev-parse", "--is-shallow-repository"], root, b"").stdout.strip() == b"true"
    why = ": it is shallow, and has only the latest commits" if shallow else ""
    raise UsageError(f"--base {ref!r}", f"is no commit of this clone{why}", _fetch(ref))


def _fetch(ref: str) -> str:
    remote, slash, branch = ref.partition("/")
    if slash and remote == "origin" and branch:
        return f"git fetch --depth=1 origin +refs/heads/{branch}:refs/remotes/origin/{branch}"
    return f"git fetch --depth=1 origin {ref}, or name another"


def _done(done: "subprocess.CompletedProcess[bytes]", ref: str) -> bytes:
    if done.returncode:
        why = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise InputError(f"git at {ref}", (why or ["failed"])[-1], "mend the clone, then try again")
    return done.stdout
