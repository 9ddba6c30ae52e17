"""A plan: what will be done to which stack where, why, and in which steps. Data, and nothing else.

`changes` and their reasons are for people; `steps` alone are carried out. A plan is made from one
observed state and is good for that one only, so it carries that state's digest. Saved as
`tap.plan/1` and read back it is equal to itself.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from tap_templates.deploy import naming
from tap_templates.deploy.errors import DeployError
from tap_templates.deploy.steps import Step, step_from_json, step_to_json

SCHEMA = "tap.plan/1"


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    NO_OP = "no-op"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to one stack in one region, and why."""

    stack: str
    region: str
    action: Action
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A loss that somebody has to agree to, by the digest of exactly this loss."""

    stack: str
    regions: tuple[str, ...]
    logical_id: str
    resource_type: str
    what: str
    digest: str
    approved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """A resource that stays when its stack goes."""

    stack: str
    region: str
    logical_id: str
    physical_id: str
    resource_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    verb: str  # deploy, rollback, destroy
    made: str  # part of the plan's id, and so of its operations' ids: AWS remembers those
    system: str
    account: str
    suffix: str
    desired: str  # fingerprint of what it leads to
    observed: str  # fingerprint of what it starts from
    changes: tuple[Change, ...]
    approvals: tuple[Approval, ...]
    retained: tuple[Retained, ...]
    outdated: tuple[tuple[str, str], ...]  # (stack, region) that it leaves OUTDATED
    steps: tuple[Step, ...]  # none if anything is blocked

    @property
    def blocked(self) -> tuple[Change, ...]:
        return tuple(each for each in self.changes if each.action is Action.BLOCKED)

    @property
    def unapproved(self) -> tuple[Approval, ...]:
        return tuple(each for each in self.approvals if not each.approved)

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to do and nothing in the way of doing it."""
        return not self.steps and not self.blocked

    @property
    def plan_id(self) -> str:
        return naming.digest(self._body())

    def to_json(self) -> dict[str, Any]:
        return {"schema": SCHEMA, "id": self.plan_id, **self._body()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Plan":
        """Read a saved plan. Raises DeployError if it is none, or was edited."""
        try:
            plan = cls._read(data)
        except (KeyError, TypeError, ValueError) as error:
            raise DeployError(
                "plan", f"cannot be read: {error}", "make a new one with `tap plan --out`"
            ) from error
        if data.get("schema") != SCHEMA or data.get("id") != plan.plan_id:
            raise DeployError(
                "plan",
                "its id is not the digest of its content: it was edited or is of another version",
                "make a new one with `tap plan --out`",
            )
        return plan

    def _body(self) -> dict[str, Any]:
        return {
            "verb": self.verb,
            "made": self.made,
            "system": self.system,
            "account": self.account,
            "suffix": self.suffix,
            "desired": self.desired,
            "observed": self.observed,
            "changes": [asdict(each) for each in self.changes],
            "approvals": [
                {**asdict(each), "regions": list(each.regions)} for each in self.approvals
            ],
            "retained": [asdict(each) for each in self.retained],
            "outdated": [list(each) for each in self.outdated],
            "steps": [step_to_json(each) for each in self.steps],
        }

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> "Plan":
        return cls(
            **{
                key: str(data[key])
                for key in ("verb", "made", "system", "account", "suffix", "desired", "observed")
            },
            changes=tuple(
                Change(**{**each, "action": Action(each["action"])}) for each in data["changes"]
            ),
            approvals=tuple(
                Approval(**{**each, "regions": tuple(each["regions"])})
                for each in data["approvals"]
            ),
            retained=tuple(Retained(**each) for each in data["retained"]),
            outdated=tuple((str(stack), str(region)) for stack, region in data["outdated"]),
            steps=tuple(step_from_json(each) for each in data["steps"]),
        )
