"""Logs, metrics and traces of the processor: ids, type, regions, outcome, and what failed.

What is handed over has been checked where it was read (`core`), or is a text of our own failures,
which names fields, rules and error codes.
"""

from telemetry import watch
from telemetry.watch import rounded
from trading_processor.core import PoisonEvent, TradingEvent
from trading_processor.ledger import ClaimFailed


class Watch(watch.Watch):
    """What the processor may say. Make it where its client is made, once."""

    ours = "trading_"
    expected = (PoisonEvent, ClaimFailed)

    def say(
        self,
        message: str,
        event: TradingEvent,
        *,
        reason: str | None = None,
        processing_ms: float | None = None,
    ) -> None:
        """Write one log line of a valid event: an error if there is a `reason`."""
        said = {
            "event_id": event.id,
            "event_type": event.type,
            "source_region": event.source_region,
            "processing_ms": rounded(processing_ms),
            "reason": reason,
        }
        self._write(message, said, is_error=reason is not None)

    def say_poison(
        self, poison: PoisonEvent, *, event_id: str | None, event_type: str | None
    ) -> None:
        """Write one log line of an event that no retry makes valid."""
        said = {
            "event_id": event_id,
            "event_type": event_type,
            "error": type(poison).__name__,
            "reason": str(poison),
        }
        self._write("poison", said, is_error=True)

    def annotate(self, event: TradingEvent) -> None:
        """Make the trace findable by the event."""
        self._tracer.put_annotation("eventId", event.id)
        self._tracer.put_annotation("eventType", event.type)
