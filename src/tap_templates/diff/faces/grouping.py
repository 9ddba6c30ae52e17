"""What all faces tell: the verdict, dangerous changes by kind, other changes, cosmetic ones.

A change that several stacks have alike is told once; what is worst comes first everywhere.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Final

from tap_templates.diff.documented import NO_INTERRUPTION_DATA
from tap_templates.diff.faces.words import counted, listed, printable, sentence
from tap_templates.diff.model import Action, Change, Diff, Flag, FlagName, Replacement

Regions = Mapping[str, Sequence[str]]  # where each template is deployed, as far as known

_REGION = re.compile(r"(?<![a-z0-9])[a-z]{2}(?:-[a-z]+)+-[0-9](?![a-z0-9])")
# How the comparison begins its reason when a change is not alike everywhere.
NOT_EVERYWHERE: Final = "only in "


class Kind(StrEnum):
    """Why a change is where it is told: the worst that is true of it."""

    DATA_LOSS = "data_loss"
    EXPOSURE = "exposure"
    IAM_BROADENING = "iam_broadening"
    NETWORK_BROADENING = "network_broadening"
    RECOVERY_REGRESSION = "recovery_regression"
    EXPORT_CHANGED = "export_changed"
    REPLACED = "always"
    MAY_BE_REPLACED = "may"
    OTHER = "other"


TITLES: Final[Mapping[Kind, str]] = {
    Kind.DATA_LOSS: "Data loss",
    Kind.EXPOSURE: "Open to strangers",
    Kind.IAM_BROADENING: "Broader permissions",
    Kind.NETWORK_BROADENING: "Wider network access",
    Kind.RECOVERY_REGRESSION: "Weaker recovery",
    Kind.EXPORT_CHANGED: "Output that others take",
    Kind.REPLACED: "Replacement",
    Kind.MAY_BE_REPLACED: "Possible replacement",
    Kind.OTHER: "Other changes",
}
FLAG_TITLES: Final[Mapping[FlagName, str]] = {
    FlagName.DATA_LOSS: "data loss",
    FlagName.IAM_BROADENING: "broader permissions",
    FlagName.IAM_NARROWING: "narrower permissions",
    FlagName.NETWORK_BROADENING: "wider network access",
    FlagName.EXPORT_CHANGED: "output that others take",
    FlagName.RECOVERY_REGRESSION: "weaker recovery",
    FlagName.EXPOSURE: "open to strangers",
}
_FLAGGED: Final = tuple(list(Kind)[:6])
_DONE: Final = {Action.ADD: "added", Action.REMOVE: "removed", Action.MODIFY: "modified"}


class Level(StrEnum):
    """How a reviewer should feel about it, from worst to nothing."""

    DANGER = "danger"
    CAUTION = "caution"
    CHANGE = "change"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Told:
    """A change with all the templates that have it alike."""

    change: Change
    paths: tuple[str, ...]
    everywhere: str = ""  # `in both regions`, where that is known

    @property
    def kind(self) -> Kind:
        return kind_of(self.change)

    @property
    def where(self) -> str:
        """Say which templates, and in which regions if known."""
        shown = [printable(path) for path in self.paths]
        return f"{listed(shown)}{f', {self.everywhere}' if self.everywhere else ''}"

    @property
    def what(self) -> str:
        """Say what happens to it: `modified, replaced`."""
        parts = [_DONE[self.change.action]]
        if NO_INTERRUPTION_DATA in self.change.because:
            parts.append("in place (no interruption data)")
        if self.change.replacement is Replacement.ALWAYS:
            parts.append("replaced" if self.change.certain else "may be replaced")
        elif self.change.replacement is Replacement.MAY:
            parts.append("may be replaced")
        if not self.change.direct:
            parts.append("by what it depends on")
        if not self.change.certain:
            parts.append("not certain")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Group:
    kind: Kind
    told: tuple[Told, ...]

    @property
    def title(self) -> str:
        return TITLES[self.kind]


@dataclass(frozen=True, slots=True)
class Telling:
    """A result, ordered for a reader."""

    groups: tuple[Group, ...]  # dangerous ones, the worst first
    others: tuple[Told, ...]
    cosmetic: tuple[Told, ...]

    @property
    def dangerous(self) -> tuple[Told, ...]:
        return tuple(told for group in self.groups for told in group.told)

    @property
    def level(self) -> Level:
        if any(group.kind in _FLAGGED for group in self.groups):
            return Level.DANGER
        if self.groups:
            return Level.CAUTION
        return Level.CHANGE if self.others else Level.NONE

    @property
    def verdict(self) -> str:
        """Say the worst thing in one line."""
        cosmetic = counted(len(self.cosmetic), "cosmetic difference") if self.cosmetic else ""
        if self.level is Level.NONE:
            return f"No difference in meaning; {cosmetic}" if cosmetic else "No difference"
        changes = counted(len(self.dangerous) + len(self.others), "change")
        tail = f"; {cosmetic} besides" if cosmetic else ""
        if self.level is Level.CHANGE:
            return f"Nothing dangerous found in {changes}{tail}"
        worst = self.groups[0]
        title = worst.title
        if worst.kind in _FLAGGED and not any(_is_sure(each) for each in worst.told):
            title = f"Possibly {title[0].lower()}{title[1:]}"
        first = worst.told[0]
        more = f" and {len(worst.told) - 1:,} more" if len(worst.told) > 1 else ""
        line = f"{title}: {printable(first.change.id)} in {first.where}{more}"
        return f"{line}. {len(self.dangerous):,} of {changes} dangerous{tail}"


def tell(diff: Diff, regions: Regions | None = None) -> Telling:
    """Order a result for a reader."""
    told = _told(diff, regions or {})
    real = [each for each in told if not each.change.cosmetic]
    dangerous = sorted(
        (each for each in real if each.kind is not Kind.OTHER),
        key=lambda each: (list(Kind).index(each.kind), not _is_sure(each)),
    )
    return Telling(
        groups=tuple(
            Group(kind, tuple(each)) for kind, each in groupby(dangerous, lambda told: told.kind)
        ),
        others=tuple(each for each in real if each.kind is Kind.OTHER),
        cosmetic=tuple(each for each in told if each.change.cosmetic),
    )


def kind_of(change: Change) -> Kind:
    """Give the worst that is true of a change."""
    if change.cosmetic:
        return Kind.OTHER
    for kind in _FLAGGED:
        if kind.value in change.flag_names:
            return kind
    if change.replacement is Replacement.NEVER:
        return Kind.OTHER
    is_sure = change.replacement is Replacement.ALWAYS and change.certain
    return Kind.REPLACED if is_sure else Kind.MAY_BE_REPLACED


def reasons(change: Change) -> tuple[str, ...]:
    """List why it is so, besides what its flags and `Told.what` say."""
    told = (each for each in change.because if each != NO_INTERRUPTION_DATA)
    return tuple(dict.fromkeys(sentence(each) for each in told))


def witness(flag: Flag) -> str:
    """Give a flag's example, if its reason does not say it already."""
    shown = sentence(flag.witness)
    return "" if shown in sentence(flag.because) else shown


def flag_words(flag: Flag) -> str:
    """Name a flag for a reader: `possibly data loss`."""
    return f"{'' if flag.certain else 'possibly '}{FLAG_TITLES[flag.name]}"


def flags_by_weight(change: Change) -> tuple[Flag, ...]:
    """List a change's flags, the worst first."""
    order = [kind.value for kind in Kind]
    weight = {name: order.index(name.value) for name in FlagName if name.value in order}
    return tuple(
        sorted(
            change.flags,
            key=lambda flag: (weight.get(flag.name, len(order)), flag.name, not flag.certain),
        )
    )


def flags_shown(change: Change, most: int) -> Iterator[tuple[Flag, int]]:
    """Iterate over so many flags of each name, the worst first, with how many the last stands for.

    The number is 0 but where some of a name are not shown.
    """
    for _, same in groupby(flags_by_weight(change), lambda flag: flag.name):
        flags = list(same)
        for number, flag in enumerate(flags[:most], 1):
            yield flag, len(flags) - most if number == most < len(flags) else 0


def _is_sure(told: Told) -> bool:
    flags = [flag for flag in told.change.flags if flag.name.value == told.kind.value]
    return told.change.certain and (not flags or any(flag.certain for flag in flags))


def _told(diff: Diff, regions: Regions) -> list[Told]:
    """Tell alike changes of several templates once, in the order of the first."""
    alike: dict[str, list[tuple[str, Change]]] = {}
    for path, change in diff.changes():
        alike.setdefault(_key(path, change), []).append((path, change))
    return [
        Told(found[0][1], tuple(path for path, _ in found), _everywhere(found, regions))
        for found in alike.values()
    ]


def _key(path: str, change: Change) -> str:
    """Write all that is told of a change; where its folder or file is a region's, without it."""
    text = json.dumps(
        [
            (change.id, change.section, change.type, change.action, change.replacement),
            [(flag.name, flag.because, flag.witness, flag.certain) for flag in change.flags],
            (change.cosmetic, change.certain, change.direct, change.because),
            [(each.path, each.before, each.after) for each in change.properties],
        ],
        sort_keys=True,
        default=str,
    )
    for region in _REGION.findall(path):
        text = text.replace(region, "${AWS::Region}")
    return text


def _everywhere(found: Sequence[tuple[str, Change]], regions: Regions) -> str:
    """Say `in both regions` of what is alike in all regions of its templates."""
    if any(reason.startswith(NOT_EVERYWHERE) for _, each in found for reason in each.because):
        return ""
    named = {region for path, _ in found for region in _REGION.findall(path)}
    known = {len(regions.get(path, ())) for path, _ in found}
    number = len(named) if named else known.pop() if len(known) == 1 else 0
    if number < 2:
        return ""
    return "in both regions" if number == 2 else f"in all {number} regions"
