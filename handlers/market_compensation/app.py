"""Lambda adapter: a failed execution in; its item taken back, and operators told.

What may be said in logs, traces and messages is ids and names of errors.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from market_compensation.core import Outcome, notice, read_compensation
from market_compensation.ledger import Ledger
from market_compensation.notices import Notices
from market_events.failures import Failure, InvalidEvent
from market_events.patience import PATIENCE
from market_events.watch import Watch


class Compensator:
    """One failed execution, from payload to notice."""

    def __init__(
        self,
        ledger: Ledger,
        notices: Notices,
        watch: Watch,
        region: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._ledger = ledger
        self._notices = notices
        self._watch = watch
        self._region = region
        self._now = now
        self._stopwatch = stopwatch

    def __call__(self, payload: dict[str, Any]) -> dict[str, str]:
        """Undo and tell; raise a failure of market_events, counted and logged.

        The table first: operators are not told of what may not be so. A retry finds the mark and
        tells again, so a notice comes at least once.
        """
        started = self._stopwatch()
        compensation = None
        try:
            compensation = read_compensation(payload)
            event = compensation.event
            self._watch.annotate(event.id, event.type)
            at = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
            outcome = self._ledger.compensate(compensation, at)
            self._notices.tell(notice(compensation, outcome, self._region))
        except Failure as failure:
            self._watch.count("CompensationFailures")
            self._watch.say(
                "not compensated",
                event_id=compensation.event.id if compensation else None,
                event_type=compensation.event.type if compensation else None,
                execution=compensation.execution if compensation else None,
                error=failure.name,
                problems=failure.problems if isinstance(failure, InvalidEvent) else (),
            )
            raise
        took_ms = (self._stopwatch() - started) * 1000
        self._watch.count(_COUNTED[outcome])
        self._watch.time("CompensationTime", took_ms)
        # Not an error of this function; what failed is in the state machine's own log.
        self._watch.say(
            f"compensated {outcome.value}",
            event_id=event.id,
            event_type=event.type,
            execution=compensation.execution,
            took_ms=took_ms,
        )
        return {"outcome": outcome.value}


_COUNTED = {
    Outcome.UNDONE: "EventsCompensated",
    Outcome.MARKED: "EventsCompensated",
    Outcome.REPEATED: "RepeatedCompensations",
    Outcome.NOTHING: "NothingToCompensate",
}

watch = Watch()
_region = os.environ["AWS_REGION"]
_compensate = Compensator(
    Ledger(
        boto3.client("dynamodb", region_name=_region, config=PATIENCE),
        os.environ["TABLE_NAME"],
        _region,
    ),
    Notices(
        boto3.client("sns", region_name=_region, config=PATIENCE),
        os.environ["TOPIC_ARN"],
    ),
    watch,
    _region,
)


@watch.around
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, str]:  # noqa: ARG001 - Lambda gives it
    """Compensate one execution."""
    return _compensate(event)
