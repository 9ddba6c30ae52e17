"""Patches: executions of state machines are counted, and stand still while their region is dead.

A branch of a Parallel state that fails does not stop the other branches here, as it does on AWS:
the state fails when all of them have ended.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from ministack.core.responses import get_region
from ministack.services import cloudwatch, stepfunctions

from tap_engine import loopback
from tap_engine.faults import FAULTS
from tap_engine.originals import patch

Execution = dict[str, Any]

_METRICS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "ABORTED": "ExecutionsAborted",
}
# The operation as the SDK spells it, and the client's method. Their identifier is `Uuid` to Step
# Functions, which writes names of the API in its own case.
_MAPPINGS = {
    "getEventSourceMapping": "get_event_source_mapping",
    "updateEventSourceMapping": "update_event_source_mapping",
}


def install() -> None:
    """Make the patches."""
    patch(
        stepfunctions,
        "_emit_execution_status_event",
        "9c89e45693e3",
        _counted,
        why="executions have no metrics, so that no alarm rings for a failed one",
    )
    patch(
        stepfunctions,
        "_add_event",
        "b1db143ccd21",
        _while_alive,
        why="the executions of a killed region go on as if nothing had happened",
    )
    patch(
        stepfunctions,
        "_dispatch_aws_sdk_lambda_rest",
        "9b0878077473",
        _with_mappings,
        why="tasks cannot ask for event source mappings, nor switch them",
    )
    patch(
        stepfunctions,
        "_invoke_resource",
        "a85d2be9a858",
        _with_failed_entries,
        why="a task that put events succeeds although the bus did not take one of them",
    )


def _counted(original: Callable[[Execution], None]) -> Callable[[Execution], None]:
    def emit(execution: Execution) -> None:
        dimensions = {"StateMachineArn": execution["stateMachineArn"]}
        name = _METRICS.get(execution["status"])
        if name:
            cloudwatch.record_metric("AWS/States", name, 1, "Count", dimensions)
        if execution.get("stopDate"):
            started, ended = (
                datetime.fromisoformat(execution[each]) for each in ("startDate", "stopDate")
            )
            milliseconds = (ended - started).total_seconds() * 1000
            cloudwatch.record_metric(
                "AWS/States", "ExecutionTime", milliseconds, "Milliseconds", dimensions
            )
        original(execution)

    return emit


def _while_alive(original: Callable[..., Any]) -> Callable[..., Any]:
    def add(execution: Execution, event_type: str, details: Any = None) -> Any:
        # Every step of an execution is written down first, in the thread that takes it.
        FAULTS.wait_until_alive(get_region())
        return original(execution, event_type, details)

    return add


def _with_mappings(original: Callable[..., Any]) -> Callable[..., Any]:
    def dispatch(service: Any, name: str, action: str, given: dict[str, Any] | None) -> Any:
        if action not in _MAPPINGS:
            return original(service, name, action, given)
        request = {("UUID" if key == "Uuid" else key): each for key, each in (given or {}).items()}
        if "UUID" in (given or {}):
            said = 'The field "UUID" is not supported by Step Functions: it is spelled Uuid'
            raise stepfunctions._ExecutionError("States.Runtime", said)
        try:
            answer = getattr(loopback.client("lambda"), _MAPPINGS[action])(**request)
        except ClientError as refused:
            error = refused.response["Error"]
            raise stepfunctions._ExecutionError(
                stepfunctions._prefix_sdk_error(name, error["Code"]), error["Message"]
            ) from refused
        answer.pop("ResponseMetadata")
        return stepfunctions._convert_keys_to_sfn_convention(answer)

    return dispatch


def _with_failed_entries(original: Callable[..., Any]) -> Callable[..., Any]:
    """Fail the task, as AWS does for its own integration with EventBridge, not for the SDK's.

    https://docs.aws.amazon.com/step-functions/latest/dg/connect-eventbridge.html
    """

    def invoke(resource: str, given: Any) -> Any:
        answer = original(resource, given)
        if resource.endswith(":::events:putEvents") and answer.get("FailedEntryCount"):
            raise stepfunctions._ExecutionError("EventBridge.FailedEntry", json.dumps(answer))
        return answer

    return invoke
