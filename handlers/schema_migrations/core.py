"""Which migrations are to be applied, and which history is refused. Pure.

A migration is a file `v<number>_<name>.sql`, numbered from 1 without a gap. Applied is applied: its
digest is kept, and a file that has changed since is refused, as nobody can say what the database
that has the old one looks like.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_FILE = re.compile(r"v([0-9]{4})_[a-z0-9_]{1,60}")


class MigrationRefusedError(Exception):
    """The history does not fit the files. The text names versions, nothing of their content."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    version: int
    name: str  # the file's, without its ending
    sql: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do."""

    to_apply: tuple[Migration, ...]
    ahead: int  # versions of a newer release, which this one leaves alone


def migrations_of(files: Mapping[str, str]) -> tuple[Migration, ...]:
    """Order the files, given as name without ending → SQL; raise MigrationRefusedError."""
    found = []
    for name, sql in files.items():
        matched = _FILE.fullmatch(name)
        if not matched:
            raise MigrationRefusedError("a file has no name like v0001_ledger")
        found.append(Migration(int(matched[1]), name, sql))
    found.sort(key=lambda each: (each.version, each.name))
    if [each.version for each in found] != list(range(1, len(found) + 1)):
        raise MigrationRefusedError("versions are not 1, 2, 3, … once each")
    return tuple(found)


def plan(migrations: Sequence[Migration], applied: Mapping[int, str]) -> Plan:
    """Compare the files with what is applied, version → digest; raise MigrationRefusedError."""
    if sorted(applied) != list(range(1, len(applied) + 1)):
        raise MigrationRefusedError("the database has applied versions with a gap")
    for each in migrations:
        if applied.get(each.version, each.digest) != each.digest:
            raise MigrationRefusedError(f"{each.name} is applied and has changed since")
    to_apply = tuple(each for each in migrations if each.version not in applied)
    return Plan(to_apply, ahead=max(len(applied) - len(migrations), 0))
