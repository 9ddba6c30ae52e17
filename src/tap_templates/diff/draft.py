"""A change in the making: in one region, before regions are told as one."""

from dataclasses import dataclass, field

from tap_templates.diff.compare import Difference
from tap_templates.diff.model import Action, Flag, Replacement, Resource
from tap_templates.diff.view import View


@dataclass(slots=True, kw_only=True)
class Draft:
    """What later steps add to; `before` and `after` are there for resources."""

    id: str
    section: str
    action: Action
    type: str = ""
    before: Resource | None = None
    after: Resource | None = None
    differences: list[Difference] = field(default_factory=list)
    replacement: Replacement = Replacement.NEVER
    flags: list[Flag] = field(default_factory=list)
    cosmetic: bool = False
    certain: bool = True
    direct: bool = True
    because: list[str] = field(default_factory=list)

    def explain(self, reason: str) -> None:
        """Add a reason, once."""
        if reason not in self.because:
            self.because.append(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One template in one region, before and after; None where it is not deployed."""

    path: str
    region: str
    before: View | None
    after: View | None
    drafts: dict[str, Draft]
