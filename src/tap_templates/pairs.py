"""Another pair of regions than the one a system is declared for, as the command line names it.

Templates name no region, so a system compiles for any pair; what changes is its manifest, and what
the linter says of types that a region lacks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tap_templates.blocks.provisioning import known_regions
from tap_templates.errors import UsageError
from tap_templates.model.system import Regions, System


@dataclass(frozen=True, slots=True)
class Pair:
    """Two regions, and a third for systems that need a witness."""

    primary: str
    secondary: str
    witness: str | None = None

    @property
    def folder(self) -> str:
        return "+".join([self.primary, self.secondary, *([self.witness] if self.witness else [])])


def read_pair(text: str) -> Pair:
    """Read `PRIMARY,SECONDARY` or `PRIMARY,SECONDARY,WITNESS`; raise UsageError otherwise."""
    names = [each.strip() for each in text.split(",")]
    where = f"regions {text!r}"
    if len(names) not in (2, 3) or len(set(names)) != len(names):
        raise UsageError(
            where, "are not two or three different regions", "write PRIMARY,SECONDARY[,WITNESS]"
        )
    known = known_regions()
    for name in names:
        if name not in known:
            raise UsageError(
                where, f"name {name!r}, of which no resource type is known", "correct the name"
            )
    return Pair(*names)


def elsewhere(
    systems: Sequence[System],
    pair: Pair,
    again: Callable[[tuple[System, ...]], tuple[System, ...]] | None = None,
) -> tuple[System, ...]:
    """Declare `systems` for another pair; raise UsageError where one needs a witness.

    What an account needs once follows from where the others are: `again` puts it together from
    them, in place of what it was for the pair they are declared for.
    """
    moved = [
        each if each.once_per_account and again else replace(each, regions=_regions(each, pair))
        for each in systems
    ]
    if again is None or not any(each.once_per_account for each in systems):
        return tuple(moved)
    return again(tuple(each for each in moved if not each.once_per_account))


def _regions(system: System, pair: Pair) -> Regions:
    if system.regions.witness is None:
        return Regions(primary=pair.primary, secondary=pair.secondary)
    if pair.witness is None:
        raise UsageError(
            f"system {system.name!r}",
            "needs a third region, the witness of a strongly consistent table",
            f"name it: --regions {pair.primary},{pair.secondary},WITNESS",
        )
    return Regions(primary=pair.primary, secondary=pair.secondary, witness=pair.witness)


def compiled_folder(root: Path, pair: Pair | None) -> Path:
    """Name where compiled templates are: those of another pair are not for the repository."""
    build = root / "build"
    return build / "templates" if pair is None else build / "regions" / pair.folder
