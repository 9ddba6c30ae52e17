"""One stack of a stack set: create, update, delete, look for drift, by the engine's own actions.

A coroutine ends when the stack has settled; it raises `StackFailedError` with the first failure.
"""

import asyncio
import contextvars
from typing import Any
from uuid import uuid4

from ministack.core.responses import request_scope
from ministack.services import iam
from ministack.services.cloudformation import _stack_events, handlers, helpers

from tap_engine import loopback
from tap_engine.faults import FAULTS
from tap_engine.originals import patch
from tap_engine.stacksets.model import Instance, StackSet
from tap_engine.stacksets.requests import declared_parameters
from tap_engine.stacksets.wire import flatten, read

_POLL_SECONDS = 0.02
_GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
# A stack that failed at its creation can only be deleted.
_STILLBORN = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")
_own_call = contextvars.ContextVar("tap_own_call", default=False)


class StackFailedError(Exception):
    """A stack did not become what it should; the text is the instance's status reason."""


def install() -> None:
    """Let templates from S3, which may have 1 MB, pass through the engine's CreateStack."""
    patch(
        helpers,
        "_template_body_problem",
        "6ca9c5bc716f",
        lambda original: lambda body: None if _own_call.get() else original(body),
        why="a stack set's template comes from S3 and may be larger than a request's",
    )


async def apply(stack_set: StackSet, instance: Instance) -> None:
    """Bring an instance's stack to the stack set's template, creating it if need be."""
    await _begin(stack_set, instance)
    with request_scope(instance.account, instance.region):
        status = _status(instance)
        if status in _STILLBORN:
            _call("DeleteStack", {"StackName": instance.stack_id})
            await _settled(instance)
            status = "DELETE_COMPLETE"
        fresh = status in (None, "DELETE_COMPLETE")
        if fresh and instance.stack_id:
            instance.stack_name = new_name(stack_set.name)  # AWS takes no name twice
        values = stack_set.parameters | instance.overrides
        declared = declared_parameters(stack_set.template)
        request = {
            "StackName": instance.stack_name if fresh else instance.stack_id,
            "TemplateBody": stack_set.template,
            "Capabilities": stack_set.capabilities,
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in values.items()
                if key in declared
            ],
            "Tags": [{"Key": key, "Value": value} for key, value in stack_set.tags.items()],
        }
        if fresh:
            instance.stack_id = read(_call("CreateStack", request), "StackId")
        elif not _update(request):
            return
        status = await _settled(instance)
        if status not in _GOOD:
            raise StackFailedError(_first_failure(instance, status))


async def remove(stack_set: StackSet, instance: Instance) -> None:
    """Delete an instance's stack."""
    await _begin(stack_set, instance)
    with request_scope(instance.account, instance.region):
        if _status(instance) in (None, "DELETE_COMPLETE"):
            return
        _call("DeleteStack", {"StackName": instance.stack_id})
        status = await _settled(instance)
        if status not in (None, "DELETE_COMPLETE"):
            raise StackFailedError(_first_failure(instance, status))


async def detect_drift(stack_set: StackSet, instance: Instance) -> str:
    """Compare an instance's stack with the world; give IN_SYNC or DRIFTED."""
    await _begin(stack_set, instance)
    with request_scope(instance.account, instance.region):
        client = loopback.client("cloudformation")

    def detect() -> str:
        started = client.detect_stack_drift(StackName=instance.stack_id)
        query = {"StackDriftDetectionId": started["StackDriftDetectionId"]}
        while True:
            found = client.describe_stack_drift_detection_status(**query)
            if found["DetectionStatus"] != "DETECTION_IN_PROGRESS":
                return str(found.get("StackDriftStatus", "UNKNOWN"))

    return await asyncio.to_thread(detect)


def new_name(stack_set: str) -> str:
    """Name a stack as StackSets does."""
    return f"StackSet-{stack_set}-{uuid4()}"


def administration_problem(stack_set: StackSet) -> str | None:
    """Say why StackSets cannot act for this stack set at all, if so."""
    name = stack_set.administration_role.rsplit("/", 1)[-1]
    if _trusts(name, "cloudformation.amazonaws.com"):
        return None
    return (
        f"Account {stack_set.account} should have '{name}' role with trust relationship to "
        "CloudFormation service."
    )


async def _begin(stack_set: StackSet, instance: Instance) -> None:
    """Wait while a test holds the region; fail if one asked for it, or if a role is missing."""
    await FAULTS.wait_while_held(instance.region)
    reason = FAULTS.take_failure(instance.region)
    if reason:
        raise StackFailedError(reason)
    administrator = stack_set.administration_role.rsplit("/", 1)[-1]
    account_root = f"arn:aws:iam::{stack_set.account}:root"
    trusted = (stack_set.administration_role, account_root, stack_set.account)
    if not any(_trusts(stack_set.execution_role, who) for who in trusted):
        raise StackFailedError(
            f"Account {instance.account} should have '{stack_set.execution_role}' role with trust "
            f"relationship to Role '{administrator}'."
        )


def _trusts(role: str, principal: str) -> bool:
    record = iam._roles.get(role)
    document = (record or {}).get("AssumeRolePolicyDocument") or ""
    return f'"{principal}"' in (document if isinstance(document, str) else str(document))


def _call(action: str, request: dict[str, Any]) -> bytes:
    """Call an action of the engine's CloudFormation; raise StackFailedError with its message."""
    token = _own_call.set(True)
    try:
        status, _, body = handlers._ACTION_HANDLERS[action](flatten("", request))
    finally:
        _own_call.reset(token)
    content: bytes = body if isinstance(body, bytes) else str(body).encode()
    if status >= 400:
        raise StackFailedError(read(content, "Message") or f"{action} failed")
    return content


def _update(request: dict[str, Any]) -> bool:
    """Begin an update; say whether there is anything to do."""
    try:
        _call("UpdateStack", request)
    except StackFailedError as error:
        if "No updates are to be performed" in str(error):
            return False
        raise
    return True


def _status(instance: Instance) -> str | None:
    record = handlers._resolve_stack(instance.stack_id) if instance.stack_id else None
    return None if record is None else str(record["StackStatus"])


async def _settled(instance: Instance) -> str | None:
    await asyncio.sleep(0)  # a deletion says that it is in progress when it has its first turn
    while True:
        status = _status(instance)
        if status is None or not status.endswith("_IN_PROGRESS"):
            return status
        await asyncio.sleep(_POLL_SECONDS)


def _first_failure(instance: Instance, status: str | None) -> str:
    """Name the resource that failed first in the stack's last operation."""
    events = _stack_events.get(instance.stack_id) or []
    begun = max(
        (
            position
            for position, event in enumerate(events)
            if event["ResourceType"] == "AWS::CloudFormation::Stack"
            and event["ResourceStatus"] in _BEGINNINGS
        ),
        default=0,
    )
    for event in events[begun:]:
        kind = event["ResourceType"]
        if event["ResourceStatus"].endswith("_FAILED") and kind != "AWS::CloudFormation::Stack":
            return (
                f"ResourceLogicalId:{event['LogicalResourceId']}, ResourceType:{kind}, "
                f"ResourceStatusReason:{event['ResourceStatusReason']}."
            )
    record = handlers._resolve_stack(instance.stack_id)
    return f"{status}: {(record or {}).get('StackStatusReason', '')}"


_BEGINNINGS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
