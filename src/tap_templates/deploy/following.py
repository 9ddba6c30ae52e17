"""Follow an operation to its end, and find out why it failed. Reads AWS; waits.

Not the operation's summary but the first resource that failed in each region: what fails after it
is a consequence.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tap_templates.deploy import naming
from tap_templates.deploy.errors import DeployError
from tap_templates.deploy.events import Failure, Observer, OperationSeen, RegionSeen
from tap_templates.deploy.ports import EventFacts, OperationFacts, Reader, RegionResult

_STACK = "AWS::CloudFormation::Stack"
_BEGINNINGS = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How to wait. Injected, so that tests wait for nothing."""

    sleep: Callable[[float], None]
    clock: Callable[[], float]  # seconds, monotonic
    poll_seconds: float = 5.0
    operation_seconds: float = 4 * 3600.0  # longer than any stack of ours has a right to take
    gate_seconds: float = 600.0


def follow(
    reader: Reader,
    pace: Pace,
    observer: Observer,
    *,
    stack: str,
    stack_set: str,
    operation_id: str,
) -> OperationFacts:
    """Wait for the end of an operation; tell the observer each change of status on the way.

    Raises DeployError if it is not over in time: it runs on, and the next run joins it.
    """
    deadline = pace.clock() + pace.operation_seconds
    told: dict[str, str] = {}
    while True:
        operation = reader.operation(stack_set, operation_id)
        if operation is None:
            raise DeployError(
                f"{stack_set} operation {operation_id}", "is not known to AWS", "deploy again"
            )
        if told.get("") != operation.status:
            told[""] = operation.status
            observer.saw(
                OperationSeen(
                    stack=stack,
                    operation_id=operation_id,
                    status=operation.status,
                    is_ours=naming.is_ours(operation_id),
                )
            )
        for result in reader.operation_results(stack_set, operation_id):
            if told.get(result.region) != result.status:
                told[result.region] = result.status
                observer.saw(
                    RegionSeen(
                        stack=stack,
                        region=result.region,
                        status=result.status,
                        reason=result.reason,
                    )
                )
        if not operation.is_running:
            return operation
        if pace.clock() >= deadline:
            raise DeployError(
                f"{stack_set} operation {operation_id}",
                f"is still {operation.status} after {pace.operation_seconds:.0f} s",
                "it runs on; deploy again to join it",
            )
        pace.sleep(pace.poll_seconds)


def failures(
    reader: Reader, regions: Sequence[str], *, stack: str, stack_set: str, operation_id: str
) -> tuple[Failure, ...]:
    """Say for each of `regions` that did not succeed what failed first. Asks no other region."""
    stacks = {i.region: i.stack_id for i in reader.instances(stack_set) if i.region in regions}
    return tuple(
        _failure(reader, stack, result, stacks.get(result.region, ""))
        for result in reader.operation_results(stack_set, operation_id)
        if result.status != "SUCCEEDED" and result.region in regions
    )


def _failure(reader: Reader, stack: str, result: RegionResult, stack_id: str) -> Failure:
    first = None
    if stack_id and result.status == "FAILED":
        first = first_failure(reader.stack_events(result.region, stack_id))
    return Failure(
        stack=stack,
        region=result.region,
        status=result.status,
        logical_id=first.logical_id if first else "",
        resource_type=first.resource_type if first else "",
        reason=first.reason if first else result.reason,
    )


def first_failure(newest_first: Sequence[EventFacts]) -> EventFacts | None:
    """Find the first resource that failed in the last thing that was done to a stack."""
    first = None
    for event in newest_first:
        is_stack = event.resource_type == _STACK and event.physical_id.startswith("arn:")
        if event.status.endswith("_FAILED") and not is_stack:
            first = event
        if is_stack and event.status in _BEGINNINGS:
            break
    return first
