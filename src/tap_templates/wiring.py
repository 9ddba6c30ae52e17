"""The composition root: finds the project, loads its systems, puts the parts together."""

import importlib
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from tap_templates.compiler.lint import Linter, LintJob
from tap_templates.compiler.pipeline import Compilation, Progress, Project
from tap_templates.errors import BuildError, TapError, UsageError
from tap_templates.model.findings import Finding
from tap_templates.model.system import System
from tap_templates.pairs import Pair, compiled_folder, elsewhere


def find_root(start: Path) -> Path:
    """Find the project: the nearest folder upwards with `templates/` and `handlers/`."""
    for folder in (start, *start.parents):
        if (folder / "templates" / "__init__.py").is_file() and (folder / "handlers").is_dir():
            return folder
    raise UsageError(
        str(start.name or start),
        "is not inside a project with templates/ and handlers/",
        "change into the project, or name it with --root",
    )


def load_systems(
    root: Path, wanted: Sequence[str] = (), pair: Pair | None = None
) -> tuple[System, ...]:
    """Import `templates` and pick the systems called `wanted`, or all; for `pair` if given."""
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    try:
        module = importlib.import_module("templates")
        systems: tuple[System, ...] = module.SYSTEMS
    except TapError:
        raise
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = getattr(error, "filename", None) or frame.filename
        line = getattr(error, "lineno", None) or frame.lineno
        raise BuildError(
            "templates",
            f"cannot be imported: {type(error).__name__}: {error}",
            f"mend {_below(Path(place), root)} line {line}",
        ) from error
    known = {system.name: system for system in systems}
    for name in wanted:
        if name not in known:
            raise UsageError(
                f"system {name!r}", "does not exist", f"the systems are {', '.join(sorted(known))}"
            )
    if pair is not None and not wanted:
        return elsewhere(systems, pair, getattr(module, "systems", None))
    chosen = tuple(system for system in systems if not wanted or system.name in wanted)
    return chosen if pair is None else elsewhere(chosen, pair)


def compilation(
    root: Path,
    systems: Sequence[System],
    progress: Progress,
    *,
    write: bool,
    pair: Pair | None = None,
) -> Compilation:
    """Put together a run of the compiler over `systems` of the project at `root`."""
    cache = root / ".cache" / "tap"
    return Compilation(
        systems=systems,
        project=Project(
            handlers=root / "handlers",
            templates=compiled_folder(root, pair),
            packages=root / "build" / "packages",
            cache=cache,
        ),
        linter=Linter(cache / "lint"),
        progress=progress,
        write=write,
    )


def _below(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else Path(path.name)


def lint_files(files: Sequence[Path], regions: Sequence[str], progress: Progress) -> list[Finding]:
    """Lint template files of anyone, JSON or YAML, as the lint stage would.

    Remembers no results: the files are not the project's.
    """
    jobs = []
    for path in files:
        try:
            body = path.read_bytes()
        except OSError as error:
            raise UsageError(
                str(path), f"cannot be read: {error.strerror}", "name a template file"
            ) from error
        jobs.append(LintJob("", str(path), tuple(regions), body))
    done = 0

    def one_done(_: LintJob) -> None:
        nonlocal done
        done += 1
        progress.linted(done, len(jobs))

    results = Linter(None).lint(jobs, one_done)
    return sorted(finding for result in results.values() for finding in result.findings)
