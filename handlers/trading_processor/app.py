"""Lambda adapter: an EventBridge event in; a claim in the table, a log line and metrics out.

What may be logged and traced is what `_say` and `_annotate` name: ids, type, regions, outcome.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from trading_processor.core import Claim, Outcome, PoisonEvent, TradingEvent, known_type, parse
from trading_processor.ledger import ClaimFailed, Ledger

# Five attempts of 0.3 s to connect and 1.2 s to answer, and their pauses (25 ms, doubling, with
# jitter; 1 s when throttled), fit the function's timeout of 10 s. Standard mode retries
# ReplicatedWriteConflictException, because DynamoDB's model marks it retryable.
_PATIENCE = Config(
    connect_timeout=0.3,
    read_timeout=1.2,
    retries={"mode": "standard", "total_max_attempts": 5},
)

logger = Logger()
tracer = Tracer(patch_modules=("botocore",))  # patching all would import what is not used
metrics = Metrics()


class Processor:
    """One event, from envelope to outcome."""

    def __init__(
        self,
        ledger: Ledger,
        region: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._ledger = ledger
        self._region = region
        self._now = now
        self._stopwatch = stopwatch

    def __call__(self, envelope: object, request: str) -> Outcome:
        """Process one event; raise PoisonEvent or ClaimFailed, so that Lambda retries, then parks.

        Both are counted and logged here; their texts quote nothing of the event.
        """
        started = self._stopwatch()
        try:
            event = parse(envelope)
        except PoisonEvent as poison:
            self._refuse(poison, envelope)
            raise
        _annotate(event)
        claim = Claim(
            event=event,
            region=self._region,
            request=request,
            received_at=self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        )
        try:
            outcome = self._ledger.record(claim)
        except PoisonEvent as poison:
            self._refuse(poison, envelope, event.id)
            raise
        except ClaimFailed as failure:
            metrics.add_metric("ClaimFailures", MetricUnit.Count, 1)
            self._say("claim failed", event, reason=str(failure))
            raise
        took = (self._stopwatch() - started) * 1000
        name = "EventsProcessed" if outcome is Outcome.PROCESSED else "DuplicateEvents"
        metrics.add_metric(name, MetricUnit.Count, 1)
        metrics.add_metric("ProcessingTime", MetricUnit.Milliseconds, took)
        self._say(outcome.value, event, processing_ms=round(took, 3))
        return outcome

    def _refuse(self, poison: PoisonEvent, envelope: object, event_id: str | None = None) -> None:
        metrics.add_metric("PoisonEvents", MetricUnit.Count, 1)
        kind = known_type(envelope.get("detail-type")) if isinstance(envelope, dict) else None
        logger.error(
            "poison",
            event_id=event_id,
            event_type=kind,
            region=self._region,
            error=type(poison).__name__,
            reason=str(poison),
        )

    def _say(
        self,
        message: str,
        event: TradingEvent,
        *,
        reason: str | None = None,
        processing_ms: float | None = None,
    ) -> None:
        level = logger.info if reason is None else logger.error
        level(
            message,
            event_id=event.id,
            event_type=event.type,
            region=self._region,
            source_region=event.source_region,
            processing_ms=processing_ms,
            reason=reason,
        )


def _annotate(event: TradingEvent) -> None:
    tracer.put_annotation("eventId", event.id)
    tracer.put_annotation("eventType", event.type)


_region = os.environ["AWS_REGION"]
_client = boto3.client("dynamodb", region_name=_region, config=_PATIENCE)
_process = Processor(Ledger(_client, os.environ["TABLE_NAME"]), _region)


# Said out loud, because environment variables of Powertools could switch the capturing on.
@logger.inject_lambda_context(log_event=False, clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, str]:
    """Process one event of EventBridge. The answer is for tests; nobody waits for it."""
    return {"outcome": _process(event, context.aws_request_id).value}
