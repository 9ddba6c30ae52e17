"""What a drill has shown: values, their verdict, and the JSON of them (`tap.drill/1`). Pure.

Times are in seconds since the moment that an act is about: the kill of the region, or the start of
the return. They are of one machine, where AWS is simulated, and say nothing of how long AWS takes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tap_templates.drill.tally import Tally

SCHEMA = "tap.drill/1"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    at: float  # seconds; before the moment it is negative
    who: str  # a region, the drill, clients, …
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """How long something took, beside what the compile allows for it on AWS."""

    path: str  # traffic, database
    name: str
    seconds: float | None  # None: it never happened
    budget_seconds: int | None = None
    budget: str = "not bounded"  # what the budget is of, or why there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """What the database of the surviving region lacked when it was promoted, and who brought it."""

    lost: int  # applied in the region that died, and not copied
    waiting: int  # acknowledged, and not applied by then
    restored: int  # applied again by the replayer, as it says
    replayed: int  # applied by it in all


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act of a drill: the failover, the return."""

    name: str
    timeline: tuple[Event, ...]
    terms: tuple[Term, ...]
    tally: Tally
    losses: Losses | None = None
    problems: tuple[str, ...] = ()  # what did not come about, apart from orders

    @property
    def faults(self) -> tuple[str, ...]:
        return (*self.problems, *self.tally.faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A drill of a system, from its rollout to when nothing was left of it."""

    system: str
    acts: tuple[Act, ...]
    is_control: bool = False  # the replay was left out: orders must be missing
    shortened: Mapping[str, str] = field(default_factory=dict)  # parameters that differ, and why
    simulated: tuple[str, ...] = ()  # what is not the real thing
    left: tuple[str, ...] = ()  # what was there after all was destroyed

    @property
    def faults(self) -> tuple[str, ...]:
        """Say what speaks against the system, or against the drill itself."""
        left = tuple(f"left after all was destroyed: {each}" for each in self.left)
        if not self.acts:
            return ("no act was played", *left)
        if not self.is_control:
            return (*(fault for act in self.acts for fault in act.faults), *left)
        (act, *_) = self.acts
        if act.tally.is_only_short:
            return (*act.problems, *left)
        said = act.tally.faults or ("no order is missing though none was replayed",)
        return (*act.problems, f"the control has failed: {'; '.join(said)}", *left)

    @property
    def passes(self) -> bool:
        return not self.faults

    @property
    def verdict(self) -> str:
        """Say in one sentence what came of it."""
        if self.faults:
            return f"FAILED: {'; '.join(self.faults)}"
        if self.is_control:
            short = len(self.acts[0].tally.missing)
            return f"the drill can fail: without the replay {short} acknowledged orders are missing"
        told = sum(self.acts[-1].tally.acknowledged.values())
        return f"all {told} acknowledged orders are there, each once, and the positions are right"

    def to_json(self) -> dict[str, Any]:
        """Give the document that `tap drill --format json` prints."""
        return {
            "schema": SCHEMA,
            "system": self.system,
            "passes": self.passes,
            "verdict": self.verdict,
            "faults": list(self.faults),
            "control": self.is_control,
            "acts": [_act(each) for each in self.acts],
            "shortened": dict(self.shortened),
            "simulated": list(self.simulated),
            "left": list(self.left),
        }


def _act(act: Act) -> dict[str, Any]:
    return {
        "name": act.name,
        "timeline": [asdict(each) for each in act.timeline],
        "terms": [asdict(each) for each in act.terms],
        "orders": asdict(act.tally) | {"whole": act.tally.is_whole},
        "losses": asdict(act.losses) if act.losses else None,
        "problems": list(act.problems),
    }


def timeline(events: Iterable[Event], *, since: float) -> tuple[Event, ...]:
    """Put events in the order of their time, counted from `since`; what is told twice is once.

    What came at once stays in the order in which it was told.
    """
    counted = (Event(round(each.at - since, 3), each.who, each.what) for each in events)
    return tuple(sorted(dict.fromkeys(counted), key=lambda each: each.at))


def between(since: float | None, until: float | None) -> float | None:
    """Say how long something took; None if it never began or never came."""
    return None if since is None or until is None else round(until - since, 2)
