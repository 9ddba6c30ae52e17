"""What a comparison is made of: the result, and what an analyser is given and gives back.

Values in this package are canonical (`values`): plain JSON in which every intrinsic function that
can be evaluated is gone, and what is left has one spelling. Equal meaning is therefore `==`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

SCHEMA = "tap.diff/1"


class Action(StrEnum):
    ADD = "add"
    REMOVE = "remove"
    MODIFY = "modify"


class Replacement(StrEnum):
    """What CloudFormation does to the physical resource, from harmless to worst."""

    NEVER = "never"
    MAY = "may"
    ALWAYS = "always"

    @property
    def rank(self) -> int:
        return list(Replacement).index(self)


class FlagName(StrEnum):
    DATA_LOSS = "data_loss"
    IAM_BROADENING = "iam_broadening"
    IAM_NARROWING = "iam_narrowing"
    NETWORK_BROADENING = "network_broadening"
    EXPORT_CHANGED = "export_changed"
    RECOVERY_REGRESSION = "recovery_regression"
    EXPOSURE = "exposure"


@dataclass(frozen=True, slots=True)
class Flag:
    """Something about a change that a reviewer must not miss."""

    name: FlagName
    because: str  # one plain sentence, shown as it is
    witness: str = ""  # an example that proves it, as `s3:GetObject on arn:aws:s3:::a/*`
    certain: bool = True  # False: depends on something that only the deployment knows


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """One place that differs. None stands for absent: a template has no null."""

    path: str  # JSON pointer below the resource, as /Properties/Tags/0/Value
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to one resource, output, parameter, mapping or condition."""

    id: str
    section: str
    type: str  # "" outside Resources
    action: Action
    replacement: Replacement = Replacement.NEVER
    flags: tuple[Flag, ...] = ()
    cosmetic: bool = False
    certain: bool = True
    direct: bool = True
    because: tuple[str, ...] = ()
    properties: tuple[PropertyChange, ...] = ()

    @property
    def flag_names(self) -> tuple[str, ...]:
        """List the flags' names in their fixed order, each once."""
        present = {flag.name for flag in self.flags}
        return tuple(str(name) for name in FlagName if name in present)


@dataclass(frozen=True, slots=True)
class TemplateDiff:
    """The changes of one template: resources first, by id."""

    path: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    """The whole result, templates by path; those without any change are not in it."""

    templates: tuple[TemplateDiff, ...]

    @property
    def is_cosmetic(self) -> bool:
        """Tell whether nothing differs but texts."""
        return all(change.cosmetic for _, change in self.changes())

    def changes(self) -> Iterator[tuple[str, Change]]:
        """Iterate over all changes with their template's path."""
        for template in self.templates:
            for change in template.changes:
                yield template.path, change


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource of one template in one region, normalised by its type's schema."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]  # canonical values
    attributes: Mapping[str, Any]  # canonical DependsOn, DeletionPolicy, UpdateReplacePolicy, …
    raw: Mapping[str, Any]  # as the template has it
    certain: bool  # False: its condition hangs on something unknown, so that it may not exist


class StackView(Protocol):
    """One template in one region, as an analyser may ask it. Answers are remembered."""

    @property
    def path(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def manifest(self) -> Mapping[str, Any]:
        """The system's manifest (objectives, regions, stacks); empty if there is none."""
        ...

    def ids(self) -> Iterable[str]:
        """List the logical ids of resources that exist here, or may."""
        ...

    def resource(self, logical_id: str) -> Resource | None:
        """Give a resource; None if there is none, or its condition is false here."""
        ...

    def of_type(self, *types: str) -> Iterator[Resource]:
        """Iterate over the resources of these types, by logical id."""
        ...

    def value(self, raw: Any) -> Any:
        """Evaluate any piece of this template into its canonical form."""
        ...

    def target(self, value: Any) -> Resource | None:
        """Give the resource that a canonical `Ref` or `Fn::GetAtt` means; else None."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What surrounds the resource an analyser is given; None where there is no such template."""

    path: str
    region: str
    before: StackView | None
    after: StackView | None


Analyser = Callable[[Resource | None, Resource | None, Context], Iterable[Flag]]
"""Judges one resource before and after; called once per region for every resource whose meaning
changed, was added (before is None) or removed (after is None), and for one whose dependency is
replaced. Pure; must not raise for any template that loads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One template as loaded, with what its manifest says about it."""

    path: str  # relative to the folder compared, with forward slashes
    body: Mapping[str, Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)  # in the manifest's three forms
    regions: tuple[str, ...] = ()  # () if no manifest names the template
    manifest: Mapping[str, Any] = field(default_factory=dict)


ManifestAnalyser = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterable[Flag]]
"""Flags what a system's manifest promises less than before."""
