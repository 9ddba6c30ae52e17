"""Repeating what may be repeated: the policy (`Backoff`), and a `Cloud` that follows it.

Every call of `Cloud` has one effect however often it is made, so all are repeated alike. What is
still failing after the last try is raised: a rollout then stops with the reason.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from tap_templates.deploy.errors import TransientError
from tap_templates.deploy.ports import (
    AlarmFacts,
    DetectingCloud,
    DriftDetection,
    EventFacts,
    Identity,
    InstanceFacts,
    OperationFacts,
    RegionResult,
    ResourceDrift,
    ResourceFacts,
    StackFacts,
    StackSetFacts,
    StackSetRequest,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Wait `random() * min(base * 2**i, longest)` seconds before try i+1; i is 0-based.

    Full jitter: two deployers that were throttled together do not come back together.
    """

    sleep: Callable[[float], None]
    random: Callable[[], float]
    tries: int = 8
    base_seconds: float = 0.5
    longest_seconds: float = 20.0

    def __call__(self, call: Callable[[], T]) -> T:
        """Make the call until it succeeds, fails for good, or has been tried often enough."""
        for number in range(self.tries - 1):
            try:
                return call()
            except TransientError:
                longest = min(self.base_seconds * 2**number, self.longest_seconds)
                self.sleep(self.random() * longest)
        return call()


@dataclass(frozen=True, slots=True)
class RetryingCloud:
    """A cloud and detector whose calls are repeated with `again`."""

    cloud: DetectingCloud
    again: Backoff

    def identity(self) -> Identity:
        return self.again(self.cloud.identity)

    def role_exists(self, name: str) -> bool:
        return self.again(lambda: self.cloud.role_exists(name))

    def bucket_exists(self, region: str, bucket: str) -> bool:
        return self.again(lambda: self.cloud.bucket_exists(region, bucket))

    def object_sha256(self, region: str, bucket: str, key: str) -> str | None:
        return self.again(lambda: self.cloud.object_sha256(region, bucket, key))

    def read_object(self, region: str, bucket: str, key: str) -> bytes:
        return self.again(lambda: self.cloud.read_object(region, bucket, key))

    def stack_set(self, name: str) -> StackSetFacts | None:
        return self.again(lambda: self.cloud.stack_set(name))

    def stack_set_names(self) -> tuple[str, ...]:
        return self.again(self.cloud.stack_set_names)

    def instances(self, name: str) -> tuple[InstanceFacts, ...]:
        return self.again(lambda: self.cloud.instances(name))

    def operations(self, name: str) -> tuple[OperationFacts, ...]:
        return self.again(lambda: self.cloud.operations(name))

    def operation(self, name: str, operation_id: str) -> OperationFacts | None:
        return self.again(lambda: self.cloud.operation(name, operation_id))

    def operation_results(self, name: str, operation_id: str) -> tuple[RegionResult, ...]:
        return self.again(lambda: self.cloud.operation_results(name, operation_id))

    def stack(self, region: str, stack_id: str) -> StackFacts | None:
        return self.again(lambda: self.cloud.stack(region, stack_id))

    def stack_names(self, region: str, prefix: str) -> tuple[str, ...]:
        return self.again(lambda: self.cloud.stack_names(region, prefix))

    def stack_template(self, region: str, stack_id: str) -> str:
        return self.again(lambda: self.cloud.stack_template(region, stack_id))

    def stack_events(self, region: str, stack_id: str) -> tuple[EventFacts, ...]:
        return self.again(lambda: self.cloud.stack_events(region, stack_id))

    def resources(self, region: str, stack_id: str) -> tuple[ResourceFacts, ...]:
        return self.again(lambda: self.cloud.resources(region, stack_id))

    def alarms(self, region: str, names: tuple[str, ...]) -> tuple[AlarmFacts, ...]:
        return self.again(lambda: self.cloud.alarms(region, names))

    def pending_deletion(self, region: str, key_arn: str) -> bool:
        return self.again(lambda: self.cloud.pending_deletion(region, key_arn))

    def tagged(self, region: str, tags: Mapping[str, str]) -> tuple[str, ...]:
        return self.again(lambda: self.cloud.tagged(region, tags))

    def detect_drift(self, region: str, stack_id: str) -> str:
        return self.again(lambda: self.cloud.detect_drift(region, stack_id))

    def drift_detection(self, region: str, detection_id: str) -> DriftDetection:
        return self.again(lambda: self.cloud.drift_detection(region, detection_id))

    def resource_drifts(self, region: str, stack_id: str) -> tuple[ResourceDrift, ...]:
        return self.again(lambda: self.cloud.resource_drifts(region, stack_id))

    def put_object(self, region: str, bucket: str, key: str, *, data: bytes) -> None:
        return self.again(lambda: self.cloud.put_object(region, bucket, key, data=data))

    def create_stack_set(self, request: StackSetRequest) -> None:
        return self.again(lambda: self.cloud.create_stack_set(request))

    def update_stack_set(
        self, request: StackSetRequest, *, regions: tuple[str, ...], operation_id: str
    ) -> None:
        return self.again(
            lambda: self.cloud.update_stack_set(request, regions=regions, operation_id=operation_id)
        )

    def create_instances(
        self,
        name: str,
        *,
        regions: tuple[str, ...],
        overrides: Mapping[str, str],
        operation_id: str,
    ) -> None:
        return self.again(
            lambda: self.cloud.create_instances(
                name, regions=regions, overrides=overrides, operation_id=operation_id
            )
        )

    def update_instances(
        self,
        name: str,
        *,
        regions: tuple[str, ...],
        overrides: Mapping[str, str],
        operation_id: str,
    ) -> None:
        return self.again(
            lambda: self.cloud.update_instances(
                name, regions=regions, overrides=overrides, operation_id=operation_id
            )
        )

    def delete_instances(self, name: str, *, regions: tuple[str, ...], operation_id: str) -> None:
        return self.again(
            lambda: self.cloud.delete_instances(name, regions=regions, operation_id=operation_id)
        )

    def delete_stack_set(self, name: str) -> None:
        return self.again(lambda: self.cloud.delete_stack_set(name))

    def empty_bucket(self, region: str, bucket: str) -> int:
        return self.again(lambda: self.cloud.empty_bucket(region, bucket))
