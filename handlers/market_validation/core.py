"""What validation makes of an event and of what the table knows under its id. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from market_events.failures import EventIdReused, InvalidEvent, Problem
from market_events.schema import MarketEvent, parse
from market_table.events import Status


@dataclass(frozen=True, slots=True)
class Known:
    """What the table holds under an event's id."""

    status: str | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A valid event, and whether all has been done for it."""

    event: MarketEvent
    is_recorded: bool

    def output(self) -> dict[str, Any]:
        """Write the verdict as the state machine hands it on."""
        return {
            "event": self.event.canonical(),
            "digest": self.event.digest,
            "recorded": self.is_recorded,
        }


def event_of(given: object) -> MarketEvent:
    """Read the event off the state machine's input; raise InvalidEvent.

    Its age is not judged: an event of the archive is replayed after any time.
    """
    if not isinstance(given, Mapping):
        raise InvalidEvent([Problem("event", "must be given in a JSON object")])
    return parse(given.get("event"))


def judge(event: MarketEvent, known: Known | None) -> Verdict:
    """Compare a valid event with what is known; raise EventIdReused for another content.

    An id means one content for ever, also after compensation. Only a recorded event is done: one
    that is stored belongs to an execution that ended early or still runs, one that is compensated
    may be tried again.
    """
    if known is None:
        return Verdict(event, is_recorded=False)
    if known.digest != event.digest:
        raise EventIdReused("eventId is already used by an event with another content")
    return Verdict(event, is_recorded=known.status == Status.RECORDED.value)
