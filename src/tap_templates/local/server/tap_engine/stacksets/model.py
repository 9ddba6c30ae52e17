"""What StackSets remembers, and the errors it knows. Pure.

The records are mutable: they are the state of a service, changed by one event loop only.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

RUNNING_STATES = ("RUNNING", "STOPPING")


class StackSetError(Exception):
    """An error by its documented name, with the HTTP status that AWS's model gives it."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> StackSetError:
    """Say that a request makes no sense."""
    return StackSetError("ValidationError", message)


def now() -> str:
    """Spell this moment as CloudFormation does."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True, kw_only=True)
class Instance:
    """A stack of a stack set: one account, one region."""

    account: str
    region: str
    stack_name: str
    stack_id: str | None = None
    status: str = "OUTDATED"
    detailed: str = "PENDING"
    reason: str | None = None
    overrides: dict[str, str] = field(default_factory=dict)
    drift: str = "NOT_CHECKED"
    drift_checked: str | None = None
    last_operation: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.account, self.region


@dataclass(slots=True, kw_only=True)
class Result:
    """How an operation went for one instance."""

    account: str
    region: str
    status: str = "PENDING"
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """How an operation goes through the regions. `as_given` is what is shown to who asks."""

    region_order: tuple[str, ...] = ()
    parallel: bool = False
    tolerance_count: int = 0
    tolerance_percent: int | None = None
    as_given: dict[str, Any] = field(default_factory=dict)

    def tolerance(self, accounts: int) -> int:
        """Count the accounts that may fail in a region; a percentage is rounded down."""
        if self.tolerance_percent is None:
            return self.tolerance_count
        return accounts * self.tolerance_percent // 100

    def order(self, regions: set[str]) -> list[str]:
        """Order regions: those named first, as named, then the others by name."""
        named = [region for region in self.region_order if region in regions]
        return [*named, *sorted(regions - set(named))]


@dataclass(slots=True, kw_only=True)
class Operation:
    """A change to instances of a stack set."""

    id: str
    action: str
    preferences: Preferences
    retain: bool | None = None
    status: str = "RUNNING"
    reason: str | None = None
    created: str = field(default_factory=now)
    ended: str | None = None
    results: list[Result] = field(default_factory=list)

    @property
    def active(self) -> bool:
        return self.status in (*RUNNING_STATES, "QUEUED")


@dataclass(slots=True, kw_only=True)
class StackSet:
    """A template and its instances."""

    name: str
    id: str
    arn: str
    region: str
    account: str
    token: str
    template: str
    parameters: dict[str, str]
    tags: dict[str, str]
    capabilities: list[str]
    description: str | None
    administration_role: str
    execution_role: str
    managed: bool
    status: str = "ACTIVE"
    instances: dict[tuple[str, str], Instance] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)  # oldest first
    drift: dict[str, Any] | None = None

    def operation(self, operation_id: str) -> Operation:
        """Find an operation, or raise OperationNotFoundException."""
        for operation in self.operations:
            if operation.id == operation_id:
                return operation
        raise StackSetError(
            "OperationNotFoundException", f"Operation {operation_id} not found", 404
        )

    def instance(self, key: tuple[str, str]) -> Instance:
        """Find an instance, or raise StackInstanceNotFoundException."""
        found = self.instances.get(key)
        if found is None:
            raise StackSetError(
                "StackInstanceNotFoundException",
                f"Stack instance not found for account {key[0]} in region {key[1]}",
                404,
            )
        return found
