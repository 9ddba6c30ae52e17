"""Which events go together, and which way they go. Pure: no client, no clock, no randomness.

Sending an event twice is safe and sending it nowhere is not: every event carries an id that never
changes, and the processors of both regions claim it in one strongly consistent table. So whatever
is in doubt is sent again, and past a failing endpoint if need be.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

SOURCE = "trading-system"

ENTRIES_MAX = 10  # of a PutEvents call: docs.aws.amazon.com/eventbridge/latest/APIReference
# "The total entry size must be less than 1MB" (botocore 1.44.5, PutEvents). Which megabyte is not
# said: the smaller one is right either way.
BYTES_MAX = 1_000_000 - 1
_DETAIL_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9 ._-]{0,127}")
_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-7][0-9A-HJKMNP-TV-Z]{25}"
)
# What EventBridge says of an entry that the same entry will not survive: it is not sent again.
_FINAL_CODES = frozenset(
    {
        "InvalidArgument",
        "InvalidEventBusName",
        "MalformedDetail",
        "RequestEntityTooLargeException",
        "ValidationException",
    }
)


class InvalidEventError(ValueError):
    """An event that cannot be published. The text names the field, never its value."""


class Route(Enum):
    """The way an event takes."""

    ENDPOINT = "endpoint"  # the global endpoint, which picks the region
    SECONDARY = "secondary"  # straight to the bus of the secondary region


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event, checked, under the id it keeps in every attempt."""

    id: str
    detail_type: str
    detail: str  # JSON, the id included

    def entry(self, bus: str) -> dict[str, str]:
        """Write the PutEvents entry."""
        return {
            "Source": SOURCE,
            "DetailType": self.detail_type,
            "Detail": self.detail,
            "EventBusName": bus,
        }

    @property
    def size(self) -> int:
        """Count bytes as EventBridge does: UTF-8 of source, detail type and detail."""
        return sum(len(text.encode()) for text in (SOURCE, self.detail_type, self.detail))


def event(detail_type: object, detail: object, *, new_id: str) -> Event:
    """Check an event; use `new_id` if its detail has no `eventId`. Raises InvalidEventError."""
    if not isinstance(detail_type, str) or not _DETAIL_TYPE.fullmatch(detail_type):
        raise InvalidEventError("detailType: is not a name of 1 to 128 characters")
    if not isinstance(detail, Mapping):
        raise InvalidEventError("detail: is no JSON object")
    event_id = detail.get("eventId", new_id)
    if not isinstance(event_id, str) or not _ID.fullmatch(event_id):
        raise InvalidEventError("detail.eventId: is not a lower-case UUID or a ULID")
    try:
        body = json.dumps({**detail, "eventId": event_id}, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        raise InvalidEventError("detail: cannot be written as JSON") from None
    made = Event(id=event_id, detail_type=detail_type, detail=body)
    if made.size > BYTES_MAX:
        raise InvalidEventError("detail: is larger than EventBridge takes (1 MB)")
    return made


def batches(events: Iterable[Event]) -> Iterator[tuple[Event, ...]]:
    """Group events, in order, into what one PutEvents call takes."""
    batch: list[Event] = []
    size = 0
    for each in events:
        if batch and (len(batch) == ENTRIES_MAX or size + each.size > BYTES_MAX):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(each)
        size += each.size
    if batch:
        yield tuple(batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """EventBridge has the event."""

    id: str
    route: Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """No attempt succeeded. EventBridge may still have the event: send it again under this id."""

    id: str
    reason: str  # an error code


Result = Published | Failed


def is_final(code: str) -> bool:
    """Tell whether an entry that failed with `code` would fail again."""
    return code in _FINAL_CODES


def codes(response: Mapping[str, Any], count: int) -> tuple[str | None, ...]:
    """Read what became of each entry of a PutEvents call: an error code, or None for accepted."""
    entries = response.get("Entries") or []
    if len(entries) != count:  # an answer that does not fit proves nothing: send again
        return ("UnexpectedResponse",) * count
    return tuple(
        None if "EventId" in entry else str(entry.get("ErrorCode", "Unknown")) for entry in entries
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """Decides between endpoint and secondary. A value: every report gives a new one.

    Closed, calls go to the endpoint. After `threshold` failures in a row it opens, and they go to
    the secondary. `cool_down` seconds later the next call probes the endpoint: success closes the
    circuit, failure opens it for another `cool_down`.
    """

    threshold: int = 3
    cool_down: float = 30.0
    failures: int = 0
    open_until: float | None = None

    def __post_init__(self) -> None:
        if self.threshold < 1 or self.cool_down < 0:
            raise ValueError("threshold must be at least 1 and cool_down not negative")

    def route(self, now: float) -> Route:
        """Choose the way of a call made at `now` (seconds of a monotonic clock)."""
        if self.open_until is not None and now < self.open_until:
            return Route.SECONDARY
        return Route.ENDPOINT

    def endpoint_answered(self) -> "Circuit":
        """Learn that the endpoint took a call."""
        return replace(self, failures=0, open_until=None)

    def endpoint_failed(self, now: float) -> "Circuit":
        """Learn that the endpoint did not take a call."""
        failures = self.failures + 1
        if self.open_until is None and failures < self.threshold:
            return replace(self, failures=failures)
        return replace(self, failures=failures, open_until=now + self.cool_down)


def pause(attempt: int, chance: float) -> float:
    """Seconds to wait after the `attempt`-th (from 1) failed call; `chance` is in [0, 1)."""
    return chance * min(0.1 * 2.0 ** (attempt - 1), 5.0)
