"""Dangerous changes that need somebody's word, each by a digest of exactly that change. Pure.

The digest covers the change as it is told, and the text of the resource with everything in its
template that it reaches, before and after; so a word given for one change is none for the next.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tap_templates.diff.model import Change, Diff, FlagName, Template
from tap_templates.errors import UsageError

LETTERS: Final = 16
Templates = Mapping[str, Template]
# Where what a resource mentions may be declared.
_SECTIONS: Final = ("Resources", "Parameters", "Conditions", "Mappings")
_INSERTED: Final = re.compile(r"\$\{([^!}.]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A change that nobody has agreed to."""

    path: str
    change: Change
    flags: tuple[FlagName, ...]  # those that were asked for
    digest: str


def flags_named(text: str) -> frozenset[FlagName]:
    """Read `data_loss,iam_broadening`; `all` means each that is dangerous. Raises UsageError."""
    found: set[FlagName] = set()
    for name in filter(None, (each.strip() for each in text.split(","))):
        if name == "all":
            found |= set(FlagName) - {FlagName.IAM_NARROWING}
        elif name in set(FlagName):
            found.add(FlagName(name))
        else:
            known = ", ".join([*FlagName, "all"])
            raise UsageError(f"--fail-on {name!r}", "is no flag", f"choose of {known}")
    if not found:
        raise UsageError("--fail-on", "names no flag", "name some, or leave it out")
    return frozenset(found)


def refusals(
    diff: Diff,
    sides: Sequence[Templates],
    *,
    fail_on: Collection[FlagName],
    approved: Collection[str] = (),
) -> tuple[Refusal, ...]:
    """List the changes with any of these flags whose digest is not approved."""
    found = []
    for path, change in diff.changes():
        flags = tuple(FlagName(name) for name in change.flag_names if FlagName(name) in fail_on)
        digest = digest_of(path, change, [side.get(path) for side in sides]) if flags else ""
        if flags and digest not in approved:
            found.append(Refusal(path=path, change=change, flags=flags, digest=digest))
    return tuple(found)


def digest_of(path: str, change: Change, sides: Iterable[Template | None]) -> str:
    """Give the digest of one change between two templates."""
    told = [
        (path, change.id, change.section, change.type, change.action, change.replacement),
        [(flag.name, flag.because, flag.witness, flag.certain) for flag in change.flags],
        (change.certain, change.direct, change.because),
        [(each.path, each.before, each.after) for each in change.properties],
        [_reached(template, change) for template in sides],
    ]
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:LETTERS]


def _reached(template: Template | None, change: Change) -> Any:
    """Give the changed piece and all that it names, at any remove, as the template has it."""
    if template is None:
        return None
    section, _, name = change.id.rpartition("/")
    found: dict[str, Any] = {}
    given: dict[str, Any] = {}
    waiting = [(section or "Resources", name)]
    while waiting:
        where, each = waiting.pop()
        declared = template.body.get(where)
        if f"{where}/{each}" in found or not isinstance(declared, Mapping) or each not in declared:
            continue
        found[f"{where}/{each}"] = declared[each]
        if where == "Parameters" and each in template.parameters:
            given[each] = template.parameters[each]
        names = set(_names(declared[each]))
        waiting += [(other, name) for other in _SECTIONS for name in names]
    return [found, given]


def _names(value: Any) -> Iterator[str]:
    """Iterate over all texts that may name something: too many rather than too few."""
    if isinstance(value, str):
        yield value
        yield value.partition(".")[0]
        for match in _INSERTED.finditer(value):
            yield match.group(1).strip()
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _names(each)
    elif isinstance(value, list):
        for each in value:
            yield from _names(each)
