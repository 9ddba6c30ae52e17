"""What a rollout tells while it runs: a closed set of values, for whoever shows them."""

from dataclasses import dataclass
from typing import Protocol

from tap_templates.deploy.steps import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    number: int  # 1-based
    total: int
    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDone:
    number: int
    total: int
    step: Step
    skipped: bool = False  # there was nothing to change


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationSeen:
    """An operation started, was joined, or has another status than before."""

    stack: str
    operation_id: str
    status: str
    is_ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionSeen:
    """An operation has another status in a region than before."""

    stack: str
    region: str
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a region failed: the first resource that did, or what StackSets says if none did."""

    stack: str
    region: str
    status: str  # of the operation there, or of the instance after it
    logical_id: str = ""
    resource_type: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateWaiting:
    region: str
    reasons: tuple[str, ...]


Event = StepStarted | StepDone | OperationSeen | RegionSeen | Failure | GateWaiting


class Observer(Protocol):
    def saw(self, event: Event) -> None: ...


class Unobserved:
    """For whoever watches nothing."""

    def saw(self, event: Event) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    """All of it was done and verified. `nothing_to_do` if it was so before."""

    nothing_to_do: bool = False

    exit_code = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It stopped at a step; what came before is done, what comes after is as it was."""

    step: Step | None  # None: an earlier run's operation that was joined
    stack: str
    what: str
    failures: tuple[Failure, ...]
    remedy: str

    exit_code = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Detached:
    """Interrupted. AWS goes on with `operation_id`, if one runs; the next run joins it."""

    stack: str = ""
    operation_id: str = ""

    exit_code = 130


Outcome = Succeeded | Failed | Detached
