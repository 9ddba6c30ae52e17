"""Patches: executions of state machines are counted, and stand still while their region is dead.

A branch of a Parallel state that fails does not stop the other branches here, as it does on AWS:
the state fails when all of them have ended.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ministack.core.responses import get_region
from ministack.services import cloudwatch, stepfunctions

from tap_engine.faults import FAULTS
from tap_engine.originals import patch

Execution = dict[str, Any]

_METRICS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "ABORTED": "ExecutionsAborted",
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
