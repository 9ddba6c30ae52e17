"""Lambda adapter: the first state of the pipeline; an event in, a verdict out."""

import os
import time
from collections.abc import Callable
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from market_events.failures import (
    AwsRefused,
    EventIdReused,
    Failure,
    InvalidEvent,
    TemporaryFailure,
)
from market_events.patience import PATIENCE
from market_events.schema import MarketEvent
from market_events.watch import Watch
from market_validation.core import Verdict, event_of, judge
from market_validation.table import EventTable

_METRICS = {
    InvalidEvent: "InvalidEvents",
    EventIdReused: "EventIdsReused",
    TemporaryFailure: "TemporaryFailures",
    AwsRefused: "AwsRefusals",
}


class Validation:
    """One event, from the state machine's input to a verdict."""

    def __init__(
        self,
        table: EventTable,
        watch: Watch,
        *,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._table = table
        self._watch = watch
        self._stopwatch = stopwatch

    def __call__(self, given: object) -> Verdict:
        """Judge one event. Raises InvalidEvent, EventIdReused, TemporaryFailure or AwsRefused.

        All are counted and logged here; their texts quote nothing of the event.
        """
        started = self._stopwatch()
        execution = given.get("execution") if isinstance(given, dict) else None
        event: MarketEvent | None = None
        try:
            event = event_of(given)
            self._watch.annotate(event.id, event.type)
            verdict = judge(event, self._table.known(event.id))
        except Failure as failure:
            self._refuse(failure, event, execution)
            raise
        self._watch.count("EventsAlreadyRecorded" if verdict.is_recorded else "EventsValidated")
        took = (self._stopwatch() - started) * 1000
        self._watch.time("ValidationTime", took)
        self._watch.say(
            "already recorded" if verdict.is_recorded else "valid",
            event_id=event.id,
            event_type=event.type,
            execution=execution,
            took_ms=took,
        )
        return verdict

    def _refuse(self, failure: Failure, event: MarketEvent | None, execution: object) -> None:
        self._watch.count(_METRICS.get(type(failure), "OtherFailures"))
        self._watch.say(
            "not validated",
            event_id=event.id if event else None,
            event_type=event.type if event else None,
            execution=execution,
            error=failure.name,
            problems=failure.problems if isinstance(failure, InvalidEvent) else (),
        )


_client = boto3.client("dynamodb", region_name=os.environ["AWS_REGION"], config=PATIENCE)
_watch = Watch()
_validate = Validation(EventTable(_client, os.environ["TABLE_NAME"]), _watch)


@_watch.around
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda calls it with both
    """Judge one event of the state machine."""
    return _validate(event).output()
