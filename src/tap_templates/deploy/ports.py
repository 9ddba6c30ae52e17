"""What we use of AWS: facts that are read, requests that are sent, and protocols over both.

`Reader` has no method that writes, so whoever is given one cannot. All stack set calls go to the
home region; the others name their region. Implementations raise the errors of `errors`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    account: str
    arn: str


class Previous(Enum):
    """A parameter stays as the stack set has it (`UsePreviousValue`)."""

    VALUE = "previous"


Settings = Mapping[str, str | Previous]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSetRequest:
    """All of a stack set that we set: AWS resets on update what a request leaves out."""

    name: str
    description: str
    template: str
    template_bucket: str  # where the same text lies, for bodies that are too long for a request
    template_key: str
    parameters: Settings
    capabilities: tuple[str, ...]
    tags: Mapping[str, str]
    administration_role_arn: str
    execution_role_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSetFacts:
    name: str
    description: str
    template: str
    parameters: Mapping[str, str]
    capabilities: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    administration_role_arn: str = ""
    execution_role_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceFacts:
    account: str
    region: str
    status: str  # CURRENT, OUTDATED, INOPERABLE
    detailed_status: str  # PENDING … SUCCEEDED, CANCELLED, SKIPPED_SUSPENDED_ACCOUNT
    reason: str = ""
    stack_id: str = ""  # "" if no stack was made yet
    overrides: Mapping[str, str] = field(default_factory=dict)
    last_operation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFacts:
    operation_id: str
    action: str  # CREATE, UPDATE, DELETE, DETECT_DRIFT
    status: str
    reason: str = ""
    started: datetime | None = None

    @property
    def is_running(self) -> bool:
        return self.status in {"QUEUED", "RUNNING", "STOPPING"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionResult:
    """How an operation went in one region."""

    region: str
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackFacts:
    stack_id: str
    name: str
    status: str
    reason: str = ""
    drift: str = "NOT_CHECKED"  # as it was when somebody last asked
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    logical_id: str
    physical_id: str
    resource_type: str
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceFacts:
    logical_id: str
    physical_id: str
    resource_type: str
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmFacts:
    name: str
    state: str  # OK, ALARM, INSUFFICIENT_DATA
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyDifference:
    path: str
    kind: str  # ADD, REMOVE, NOT_EQUAL
    expected: str
    actual: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceDrift:
    logical_id: str
    resource_type: str
    status: str  # MODIFIED, DELETED
    differences: tuple[PropertyDifference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftDetection:
    """A detection that was asked for: `status` of the detection, `drift` of the stack."""

    status: str  # DETECTION_IN_PROGRESS, DETECTION_COMPLETE, DETECTION_FAILED
    drift: str  # IN_SYNC, DRIFTED, UNKNOWN, NOT_CHECKED
    reason: str = ""


class Reader(Protocol):
    """What can be asked. No method here changes anything."""

    def identity(self) -> Identity: ...
    def role_exists(self, name: str) -> bool: ...
    def bucket_exists(self, region: str, bucket: str) -> bool: ...
    def object_sha256(self, region: str, bucket: str, key: str) -> str | None: ...
    def read_object(self, region: str, bucket: str, key: str) -> bytes: ...
    def stack_set(self, name: str) -> StackSetFacts | None: ...
    def stack_set_names(self) -> tuple[str, ...]: ...
    def instances(self, name: str) -> tuple[InstanceFacts, ...]: ...
    def operations(self, name: str) -> tuple[OperationFacts, ...]:
        """List the newest operations, newest first."""
        ...

    def operation(self, name: str, operation_id: str) -> OperationFacts | None: ...
    def operation_results(self, name: str, operation_id: str) -> tuple[RegionResult, ...]: ...
    def stack(self, region: str, stack_id: str) -> StackFacts | None: ...
    def stack_names(self, region: str, prefix: str) -> tuple[str, ...]:
        """List the stacks that are not deleted and whose name starts with `prefix`."""
        ...

    def stack_template(self, region: str, stack_id: str) -> str: ...
    def stack_events(self, region: str, stack_id: str) -> tuple[EventFacts, ...]:
        """List events, newest first."""
        ...

    def resources(self, region: str, stack_id: str) -> tuple[ResourceFacts, ...]: ...
    def alarms(self, region: str, names: tuple[str, ...]) -> tuple[AlarmFacts, ...]: ...
    def pending_deletion(self, region: str, key_arn: str) -> bool:
        """Say whether a KMS key only waits for the end of its waiting period."""
        ...

    def tagged(self, region: str, tags: Mapping[str, str]) -> tuple[str, ...]:
        """List the ARNs of everything with all of `tags`."""
        ...


class Detector(Reader, Protocol):
    """A reader that can also have CloudFormation compare a stack with what is there.

    Detection changes no resource and no stack set; IAM lists it as a read.
    """

    def detect_drift(self, region: str, stack_id: str) -> str: ...
    def drift_detection(self, region: str, detection_id: str) -> DriftDetection: ...
    def resource_drifts(self, region: str, stack_id: str) -> tuple[ResourceDrift, ...]: ...


class Cloud(Reader, Protocol):
    """What can be done. Each call may be repeated: with the same token, id or content it is
    one effect, or says that it has been done.
    """

    def put_object(self, region: str, bucket: str, key: str, *, data: bytes) -> None: ...
    def create_stack_set(self, request: StackSetRequest) -> None: ...
    def update_stack_set(
        self, request: StackSetRequest, *, regions: tuple[str, ...], operation_id: str
    ) -> None:
        """Set all of the stack set and update its instances in `regions`; none if empty.

        `regions` may be empty only while the stack set has no instances: AWS reads no regions
        as all of them.
        """
        ...

    def create_instances(
        self,
        name: str,
        *,
        regions: tuple[str, ...],
        overrides: Mapping[str, str],
        operation_id: str,
    ) -> None: ...
    def update_instances(
        self,
        name: str,
        *,
        regions: tuple[str, ...],
        overrides: Mapping[str, str],
        operation_id: str,
    ) -> None: ...
    def delete_instances(
        self, name: str, *, regions: tuple[str, ...], operation_id: str
    ) -> None: ...
    def delete_stack_set(self, name: str) -> None: ...
    def empty_bucket(self, region: str, bucket: str) -> int:
        """Delete all versions of all objects; return how many."""
        ...


class DetectingCloud(Cloud, Detector, Protocol):
    """All of it: what an implementation offers, and nobody asks for."""
