"""Operations on the instances of a stack set: one at a time, region by region.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html: the failure
tolerance counts accounts in a region; a region beyond it ends the operation, and the instances that
had not begun are cancelled. A stop lets the instance that is at work finish.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import uuid4

from tap_engine.stacksets.model import (
    Instance,
    Operation,
    Preferences,
    Result,
    StackSet,
    StackSetError,
    now,
)

Work = Callable[[Instance], Awaitable[None]]
Key = tuple[str, str]

# The newest operation of each stack set; the loop itself keeps no reference to what runs.
_newest: dict[str, asyncio.Task[None]] = {}


def begin(
    stack_set: StackSet,
    action: str,
    preferences: Preferences,
    *,
    operation_id: str | None,
    retain: bool | None = None,
) -> Operation:
    """Make an operation, or refuse it: its id was used, or another one runs.

    With managed execution it is queued instead of refused.
    """
    operation_id = operation_id or str(uuid4())
    if any(each.id == operation_id for each in stack_set.operations):
        raise StackSetError(
            "OperationIdAlreadyExistsException",
            f"Operation with id {operation_id} already exists",
            409,
        )
    busy = [each for each in stack_set.operations if each.active]
    if busy and not stack_set.managed:
        raise StackSetError(
            "OperationInProgressException",
            f"Another Operation on StackSet {stack_set.id} is in progress: {busy[0].id}",
            409,
        )
    operation = Operation(id=operation_id, action=action, preferences=preferences, retain=retain)
    if busy:
        operation.status = "QUEUED"
    stack_set.operations.append(operation)
    return operation


def start(
    stack_set: StackSet,
    operation: Operation,
    keys: Sequence[Key],
    work: Work,
    prepare: Callable[[], None] = lambda: None,
) -> None:
    """Run `work` for the instances `keys`, in the background, when earlier operations have ended.

    `prepare` changes the stack set right before: what a queued operation changes must not be seen
    by the one that runs. An instance that is not there any more by then is left out.
    """
    for account, region in keys:
        operation.results.append(Result(account=account, region=region))
    if operation.status == "RUNNING":
        prepare()
        prepared = True
    else:
        prepared = False
    earlier = _newest.get(stack_set.id)
    _newest[stack_set.id] = asyncio.get_running_loop().create_task(
        _run(stack_set, operation, work, None if prepared else prepare, earlier)
    )


def stop(operation: Operation) -> None:
    """Stop an operation: at once if it is queued, after the instances at work if it runs."""
    if operation.status == "QUEUED":
        for result in operation.results:
            result.status, result.reason = "CANCELLED", "Cancelled by user"
        operation.status, operation.ended = "STOPPED", now()
    elif operation.status == "RUNNING":
        operation.status = "STOPPING"
    else:
        raise StackSetError(
            "InvalidOperationException",
            f"Operation {operation.id} cannot be stopped: it is {operation.status}",
        )


async def _run(
    stack_set: StackSet,
    operation: Operation,
    work: Work,
    prepare: Callable[[], None] | None,
    earlier: asyncio.Task[None] | None,
) -> None:
    if earlier:
        await asyncio.wait([earlier])
    if operation.status == "STOPPED":
        return
    operation.status = "RUNNING"
    if prepare:
        prepare()
    exceeded: list[str] = []
    preferences = operation.preferences
    regions = preferences.order({result.region for result in operation.results})
    if preferences.parallel:
        await asyncio.gather(
            *(_region(stack_set, operation, work, region, exceeded) for region in regions)
        )
    else:
        for region in regions:
            await _region(stack_set, operation, work, region, exceeded)
    if operation.status == "STOPPING":
        operation.status = "STOPPED"
    elif exceeded:
        operation.status = "FAILED"
        operation.reason = f"The failure tolerance was exceeded in {', '.join(exceeded)}."
    else:
        operation.status = "SUCCEEDED"
    operation.ended = now()


async def _region(
    stack_set: StackSet, operation: Operation, work: Work, region: str, exceeded: list[str]
) -> None:
    results = [result for result in operation.results if result.region == region]
    tolerance = operation.preferences.tolerance(len(results))
    failures = 0
    for result in results:
        instance = stack_set.instances.get((result.account, result.region))
        if operation.status == "STOPPING" or exceeded:
            _cancel(result, instance, "Cancelled by user" if not exceeded else _TOO_MANY)
            continue
        if instance is None:
            result.status = "SUCCEEDED"
            continue
        result.status = instance.detailed = "RUNNING"
        instance.last_operation = operation.id
        try:
            await work(instance)
        except Exception as error:  # noqa: BLE001 - whatever went wrong is this instance's result
            result.status, result.reason = "FAILED", str(error) or type(error).__name__
            instance.detailed, instance.reason = "FAILED", result.reason
            failures += 1
            if failures > tolerance:
                exceeded.append(region)
        else:
            result.status = instance.detailed = "SUCCEEDED"
            instance.reason = None


_TOO_MANY = "Cancelled since failure tolerance has exceeded"


def _cancel(result: Result, instance: Instance | None, reason: str) -> None:
    result.status, result.reason = "CANCELLED", reason
    if instance:
        instance.detailed, instance.reason = "CANCELLED", reason
