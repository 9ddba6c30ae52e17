"""Stage lint: cfn-lint over the rendered bytes, once for each body.

Results are kept on disk by a digest of everything they depend on, so an unchanged template is not
linted again and the linter is not even imported (it costs more than compiling). What is new goes
to two worker processes that share one set of rules each. Hermetic: no configuration and no schema
from outside the repository and its locked packages.
"""

import hashlib
import importlib.util
import json
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from multiprocessing.pool import Pool
from pathlib import Path

from tap_templates.errors import TapError
from tap_templates.model.findings import Finding, Severity
from tap_templates.rules import RULES_DIR

WORKERS = 2
FEW = 1  # so many are linted here: a second process would cost more than it saves

CONFIGURATION = Path(__file__).with_name("cfnlintrc.yaml")


@dataclass(frozen=True, slots=True)
class LintJob:
    """A body to lint for the regions its stack set has instances in."""

    system: str
    stack: str
    regions: tuple[str, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class LintResult:
    findings: tuple[Finding, ...]
    seconds: float  # CPU time it took when it was linted
    cached: bool


class LintError(TapError):
    """The linter itself failed: what it did not check counts as unchecked."""


@dataclass(frozen=True)
class Linter:
    """cfn-lint with our rules and a store of results in `cache`, if there is one."""

    cache: Path | None

    def lint(
        self, jobs: Sequence[LintJob], progress: Callable[[LintJob], None]
    ) -> dict[tuple[str, str], LintResult]:
        """Lint what is not in the store; returns results by (system, stack)."""
        results: dict[tuple[str, str], LintResult] = {}
        missing: list[LintJob] = []
        for job in jobs:
            if known := self._load(job):
                results[job.system, job.stack] = known
                progress(job)
            else:
                missing.append(job)
        for job, result in _lint_all(missing):
            self._store(job, result)
            results[job.system, job.stack] = result
            progress(job)
        return results

    @cached_property
    def fingerprint(self) -> str:
        """Digest what a result depends on besides body and regions: linter, schemas, our rules."""
        spec = importlib.util.find_spec("cfnlint")
        if spec is None or not spec.submodule_search_locations:
            raise LintError("lint", "cfn-lint is not installed", "run `make setup`")
        package = Path(spec.submodule_search_locations[0])
        digest = hashlib.sha256()
        for path in (
            package / "version.py",
            package / "data" / "schemas" / "version.json",
            *sorted(RULES_DIR.glob("*.py")),
            CONFIGURATION,
            Path(__file__),
            Path(__file__).with_name("linter.py"),
        ):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()

    def _path(self, cache: Path, job: LintJob) -> Path:
        digest = hashlib.sha256(self.fingerprint.encode())
        digest.update("\0".join((job.system, job.stack, *job.regions)).encode() + b"\0" + job.body)
        return cache / f"{digest.hexdigest()}.json"

    def _load(self, job: LintJob) -> LintResult | None:
        if self.cache is None:
            return None
        try:
            stored = json.loads(self._path(self.cache, job).read_bytes())
            found = tuple(
                Finding(**{**each, "severity": Severity(each["severity"])})
                for each in stored["findings"]
            )
            return LintResult(found, float(stored["seconds"]), cached=True)
        except (OSError, ValueError, KeyError, TypeError):
            return None  # no result, or none that can be read: lint again

    def _store(self, job: LintJob, result: LintResult) -> None:
        if self.cache is None:
            return
        stored = {
            "seconds": result.seconds,
            "findings": [asdict(finding) for finding in result.findings],
        }
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            path = self._path(self.cache, job)
            part = path.with_suffix(".part")
            part.write_text(json.dumps(stored))
            part.replace(path)
        except OSError:
            return  # a store that cannot be written costs time on the next run, nothing else


def _lint_all(jobs: Sequence[LintJob]) -> Iterator[tuple[LintJob, LintResult]]:
    if not jobs:
        return
    from tap_templates.compiler import linter  # noqa: PLC0415 - imported only when there is work

    if len(jobs) <= FEW:
        for job in jobs:
            yield job, linter.lint(job)
        return
    with _workers(min(WORKERS, len(jobs)), linter.load) as pool:
        # The largest first: the last to finish is then a small one.
        ordered = sorted(jobs, key=lambda job: (-len(job.body), job.system, job.stack))
        yield from zip(ordered, pool.imap(linter.lint, ordered), strict=True)


@contextmanager
def _workers(count: int, load: Callable[[], object]) -> Iterator[Pool]:
    """Start workers that have the rules loaded, and end them whatever happens.

    Forked workers inherit the rules; where forking is unsafe each loads its own.
    """
    if sys.platform == "linux":
        load()
        context = multiprocessing.get_context("fork")
    else:
        context = multiprocessing.get_context("spawn")
    with context.Pool(count, initializer=_leave_signals_to_the_parent) as pool:
        yield pool


def _leave_signals_to_the_parent() -> None:
    # Ctrl-C reaches the whole process group, but the parent answers for all; it ends its workers
    # by SIGTERM, for which they have inherited the parent's handler.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
