"""Lambda adapter: a task of the state machine in; what is known of the event out. Writes nothing.

What may be said in logs and traces is what `market_events.watch` lets through.
"""

import os
import time
from collections.abc import Callable
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from market_enrichment.core import enrich
from market_enrichment.reference import Reference
from market_events.failures import Failure, InvalidEvent
from market_events.patience import PATIENCE
from market_events.schema import parse
from market_events.watch import Watch


class Enricher:
    """One event, from payload to what is added to it."""

    def __init__(
        self,
        reference: Reference,
        watch: Watch,
        *,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._reference = reference
        self._watch = watch
        self._stopwatch = stopwatch

    def __call__(self, payload: dict[str, Any]) -> dict[str, str]:
        """Enrich `payload["event"]`; raise a failure of market_events, counted and logged."""
        started = self._stopwatch()
        event = None
        try:
            event = parse(payload.get("event"))
            self._watch.annotate(event.id, event.type)
            added = enrich(event, self._reference.instrument(event.symbol, event.date))
        except Failure as failure:
            self._watch.count("EnrichmentFailures")
            self._watch.say(
                "not enriched",
                event_id=event.id if event else None,
                event_type=event.type if event else None,
                error=failure.name,
                problems=failure.problems if isinstance(failure, InvalidEvent) else (),
            )
            raise
        took_ms = (self._stopwatch() - started) * 1000
        self._watch.count("EventsEnriched")
        if added["onTick"] == "false":
            self._watch.count("OffTickEvents")
        self._watch.time("EnrichmentTime", took_ms)
        self._watch.say("enriched", event_id=event.id, event_type=event.type, took_ms=took_ms)
        return added


watch = Watch()
_client = boto3.client("dynamodb", region_name=os.environ["AWS_REGION"], config=PATIENCE)
_enrich = Enricher(Reference(_client, os.environ["TABLE_NAME"]), watch)


@watch.around
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, str]:  # noqa: ARG001 - Lambda gives it
    """Enrich the event of one execution."""
    return _enrich(event)
