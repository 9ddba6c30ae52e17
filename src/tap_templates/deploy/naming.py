"""Names of what a rollout makes, and what is written where to be read back: a stability contract.

A *release* of a stack is its template's digest with its parameters' sources. The stack set's
description names the release it carries and those it carried before; templates and releases lie
by digest in the home region's artifact bucket. That is all the memory a rollback needs. It is no
tag, because tags of a stack set go to every resource: a digest there would touch them all on
every update.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tap_templates.model.names import ACCOUNT, ARTIFACT_BUCKET, MANAGED_BY, OWN_REGION

OPERATION_PREFIX = "tap-"
_LONGEST_HISTORY = 8  # releases; a description may have 1024 characters
_DESCRIPTION = re.compile(
    r"tap-templates: release (?P<release>[0-9a-f]{64})"
    r"(?P<undone> from undoing| of) build (?P<build>[0-9]+-[0-9a-f]{16})"
    r"(?: after (?P<before>[0-9a-f]{64}(?:,[0-9a-f]{64})*))?"
)


def digest(value: Any) -> str:
    """Digest a JSON value by its meaning: the order of keys and the spacing do not matter."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def content_sha256(template: str) -> str:
    """Digest what a template says: AWS may give a body back in other spacing than it got."""
    try:
        return digest(json.loads(template))
    except ValueError:  # YAML: somebody else's, hence equal to none of ours
        return hashlib.sha256(template.encode()).hexdigest()


def stack_set_name(system: str, stack: str, suffix: str) -> str:
    return f"{system}-{stack}-{suffix}"


def artifact_bucket(region: str, account: str) -> str:
    return ARTIFACT_BUCKET.replace(OWN_REGION, region).replace(ACCOUNT, account)


def template_key(system: str, stack: str, sha256: str) -> str:
    return f"templates/{system}/{stack}/{sha256}.json"


def release_key(system: str, stack: str, sha256: str) -> str:
    return f"releases/{system}/{stack}/{sha256}.json"


def tags(system: str, stack: str, suffix: str) -> dict[str, str]:
    """Name the tags of a stack set, which its stacks and their resources inherit."""
    own = system_tags(system, suffix)
    return {**own, "Stack": stack}


def system_tags(system: str, suffix: str) -> dict[str, str]:
    return {"EnvironmentSuffix": suffix, "ManagedBy": MANAGED_BY, "System": system}


def operation_id(plan_id: str, step: int, attempt: int) -> str:
    """Name an operation after what asks for it. Step is 0-based, attempt 1-based.

    Asking twice with one id is one operation; a new attempt is a deliberate retry.
    """
    return f"{OPERATION_PREFIX}{plan_id[:16]}-{step:03d}-{attempt}"


def is_ours(operation: str) -> bool:
    return operation.startswith(OPERATION_PREFIX)


@dataclass(frozen=True, slots=True)
class Record:
    """What a stack set's description says: its release, how it came to be, those before it.

    `is_undone` says that the release came by rolling `build` back, not by rolling it out: a
    rollback that was interrupted can tell what it did from what is left to do.
    """

    release: str
    build: str  # its number in the system's history, a dash, 16 digits of its fingerprint
    before: tuple[str, ...] = ()  # newest first
    is_undone: bool = False

    def followed_by(self, release: str, build: str) -> "Record":
        """Tell what to write when `release` takes the place of this one.

        Going back to an earlier release forgets what came after it: a release that was rolled
        back from is no candidate for the next rollback.
        """
        if release == self.release:
            return Record(release, build, self.before)
        if release in self.before:
            return Record(release, build, self.before[self.before.index(release) + 1 :])
        return Record(release, build, (self.release, *self.before)[:_LONGEST_HISTORY])

    @property
    def number(self) -> int:
        """Which build in the system's history it came with. 1-based."""
        return int(self.build.partition("-")[0])

    def text(self) -> str:
        how = "from undoing" if self.is_undone else "of"
        after = f" after {','.join(self.before)}" if self.before else ""
        return f"tap-templates: release {self.release} {how} build {self.build}{after}"


def name_build(records: Iterable[Record], fingerprint: str) -> str:
    """Name what is rolled out now: the newest build if it is that one, else the next.

    Runs that continue an interrupted one belong to its build. Times would not do: operations
    also happen on stacks whose release stays.
    """
    known = [*records]
    newest = max((each.number for each in known), default=0)
    short = fingerprint[:16]
    current = [each for each in known if each.number == newest]
    if current and all(
        each.build == f"{newest}-{short}" and not each.is_undone for each in current
    ):
        return f"{newest}-{short}"
    return f"{newest + 1}-{short}"


def read_record(description: str) -> Record | None:
    """Read a description back; None if it is not ours."""
    found = _DESCRIPTION.fullmatch(description)
    if not found:
        return None
    before = tuple(found["before"].split(",")) if found["before"] else ()
    is_undone = found["undone"] == " from undoing"
    return Record(found["release"], found["build"], before, is_undone)


def canonical(value: Mapping[str, Any]) -> bytes:
    """Write a JSON value the one way its digest is taken of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
