"""Lambda adapter: a task of the state machine in; an item in the table, an object in the bucket.

What may be said in logs and traces is what `market_events.watch` lets through.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from market_events.failures import Failure, InvalidEvent
from market_events.patience import PATIENCE
from market_events.watch import Watch
from market_storage.audit import Audit
from market_storage.core import Operation, Outcome, Task, audit_record, read_task
from market_storage.ledger import Ledger


class Storage:
    """One write, from payload to outcome."""

    def __init__(
        self,
        ledger: Ledger,
        audit: Audit,
        watch: Watch,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._ledger = ledger
        self._audit = audit
        self._watch = watch
        self._now = now
        self._stopwatch = stopwatch

    def __call__(self, payload: dict[str, Any]) -> dict[str, str]:
        """Store or record an event; raise a failure of market_events, counted and logged."""
        started = self._stopwatch()
        task = None
        try:
            task = read_task(payload)
            self._watch.annotate(task.event.id, task.event.type)
            outcome = self._write(task)
        except Failure as failure:
            self._watch.count("StorageFailures")
            self._watch.say(
                "not stored" if task is None else f"no {task.operation.value}",
                event_id=task.event.id if task else None,
                event_type=task.event.type if task else None,
                execution=task.execution if task else None,
                error=failure.name,
                problems=failure.problems if isinstance(failure, InvalidEvent) else (),
            )
            raise
        took_ms = (self._stopwatch() - started) * 1000
        self._watch.count(_COUNTED[outcome])
        self._watch.time("StorageTime", took_ms)
        self._watch.say(
            f"{task.operation.value} {outcome.value}",
            event_id=task.event.id,
            event_type=task.event.type,
            execution=task.execution,
            took_ms=took_ms,
        )
        return {"outcome": outcome.value}

    def _write(self, task: Task) -> Outcome:
        at = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if task.operation is Operation.STORE:
            return self._ledger.store(task, at)
        # The item first: an object without an item would say that something happened that did not.
        # A crash in between is mended by the retry, which finds the item and comes here again.
        outcome, recorded = self._ledger.record(task, at)
        if self._audit.ensure(audit_record(recorded)):
            self._watch.count("AuditRecords")
        return outcome


_COUNTED = {
    Outcome.STORED: "EventsStored",
    Outcome.RECORDED: "EventsRecorded",
    Outcome.SAME: "RepeatedWrites",
}

watch = Watch()
_region = os.environ["AWS_REGION"]
_store = Storage(
    Ledger(
        boto3.client("dynamodb", region_name=_region, config=PATIENCE),
        os.environ["TABLE_NAME"],
        _region,
    ),
    Audit(
        boto3.client("s3", region_name=_region, config=PATIENCE),
        os.environ["BUCKET_NAME"],
    ),
    watch,
)


@watch.around
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, str]:  # noqa: ARG001 - Lambda gives it
    """Store or record the event of one execution."""
    return _store(event)
