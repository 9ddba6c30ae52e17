"""Lambda adapter: an EventBridge event in; a claim in the table, a log line and metrics out."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from trading_processor.core import Claim, Outcome, PoisonEvent, known_type, parse
from trading_processor.ledger import ClaimFailed, Ledger
from trading_processor.watch import Watch

# Five attempts of 0.3 s to connect and 1.2 s to answer, and their pauses (25 ms, doubling, with
# jitter; 1 s when throttled), fit the function's timeout of 10 s. Standard mode retries
# ReplicatedWriteConflictException, because DynamoDB's model marks it retryable.
_PATIENCE = Config(
    connect_timeout=0.3,
    read_timeout=1.2,
    retries={"mode": "standard", "total_max_attempts": 5},
)


class Processor:
    """One event, from envelope to outcome."""

    def __init__(
        self,
        ledger: Ledger,
        watch: Watch,
        region: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._ledger = ledger
        self._watch = watch
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
        self._watch.annotate(event)
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
            self._watch.count("ClaimFailures")
            self._watch.say("claim failed", event, reason=str(failure))
            raise
        took = (self._stopwatch() - started) * 1000
        name = "EventsProcessed" if outcome is Outcome.PROCESSED else "DuplicateEvents"
        self._watch.count(name)
        self._watch.time("ProcessingTime", took)
        self._watch.say(outcome.value, event, processing_ms=took)
        return outcome

    def _refuse(self, poison: PoisonEvent, envelope: object, event_id: str | None = None) -> None:
        self._watch.count("PoisonEvents")
        kind = known_type(envelope.get("detail-type")) if isinstance(envelope, dict) else None
        self._watch.say_poison(poison, event_id=event_id, event_type=kind)


watch = Watch()
_region = os.environ["AWS_REGION"]
_client = boto3.client("dynamodb", region_name=_region, config=_PATIENCE)
_process = Processor(Ledger(_client, os.environ["TABLE_NAME"]), watch, _region)


@watch.around
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, str]:
    """Process one event of EventBridge. The answer is for tests; nobody waits for it."""
    return {"outcome": _process(event, context.aws_request_id).value}
