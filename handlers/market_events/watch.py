"""Logs, metrics and traces of a function: what is allowed to be said, and no way to say more.

Every value is checked here, whoever hands it over: an id must be a UUID, a type one of ours, an
error a name, a field a field of the schema. What does not pass is left out, not shortened.
"""

import re
from collections.abc import Iterable

from market_events.failures import Failure, Problem, UnexpectedError
from market_events.schema import FIELDS, is_event_id, is_type
from telemetry import watch
from telemetry.watch import matching, rounded

_ERROR = re.compile(r"[A-Z][A-Za-z]{0,79}(\.[A-Z][A-Za-z0-9]{0,79})?")
# As EventBridge and Step Functions name executions. A name given by hand may say anything.
_EXECUTION = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?"
)
# What the functions are given beside an event's fields, and may find wrong.
_FIELDS = FIELDS | {"digest", "enrichment", "error", "event", "execution", "operation"}


class Watch(watch.Watch):
    """What one function may say. Make it where the function's clients are made, once."""

    ours = "market_"
    expected = (Failure,)
    unexpected = UnexpectedError

    def say(
        self,
        message: str,
        *,
        event_id: object = None,
        event_type: object = None,
        execution: object = None,
        error: object = None,
        problems: Iterable[Problem] = (),
        count: int | None = None,
        took_ms: float | None = None,
    ) -> None:
        """Write one log line: an error if there is an `error`, else information.

        `message` is lower-case letters and spaces; `error` is a class name, or a failure's `name`.
        """
        said = {
            "event_id": event_id if is_event_id(event_id) else None,
            "event_type": event_type if is_type(event_type) else None,
            "execution": matching(_EXECUTION, execution),
            "error": matching(_ERROR, error),
            "fields": sorted({each.field for each in problems} & _FIELDS) or None,
            "count": count,
            "took_ms": rounded(took_ms),
        }
        self._write(message, said, is_error=error is not None)

    def annotate(self, event_id: str, event_type: str) -> None:
        """Make the trace findable by the event."""
        if is_event_id(event_id) and is_type(event_type):
            self._tracer.put_annotation("eventId", event_id)
            self._tracer.put_annotation("eventType", event_type)
