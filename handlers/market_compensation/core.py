"""What is taken back of an event, and what is said of it. Pure."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from market_events.failures import InvalidEvent, Problem
from market_events.schema import MarketEvent, parse
from market_table.attributes import Item, Stored
from market_table.events import LIVE_ATTRIBUTES, Status, status_of

_EXECUTION_LONGEST = 80  # Step Functions' limit for a name
_ERROR = re.compile(
    r"[A-Z][A-Za-z]{0,79}(\.[A-Za-z]{1,40})?"
)  # `UnknownInstrument`, `States.Timeout`
UNNAMED = "UnnamedError"  # what did not look like a name of an error, and may be a text of one

# The first failure is the one that is kept and listed: a repetition changes nothing.
_KEPT = ("GSI1PK", "GSI1SK", "failedAt", "reason")


class Outcome(StrEnum):
    """What there was to take back."""

    UNDONE = "undone"  # what this execution stored or recorded
    MARKED = "marked"  # nothing was there; a write still under way will find the mark and stop
    REPEATED = "repeated"  # this execution is compensated already
    NOTHING = "nothing"  # the item is another execution's, and stays as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Compensation:
    """What an execution asks to have taken back, and why."""

    event: MarketEvent
    execution: str
    error: str  # a name


@dataclass(frozen=True, slots=True)
class Update:
    """An update expression with what it refers to."""

    expression: str
    names: dict[str, str]
    values: Item


def read_compensation(payload: dict[str, Any]) -> Compensation:
    """Read the payload; raise InvalidEvent."""
    event = parse(payload.get("event"))
    execution, error = payload.get("execution"), payload.get("error")
    problems = []
    if payload.get("digest") != event.digest:
        problems.append(Problem("digest", "must be that of the event"))
    if not isinstance(execution, str) or not 0 < len(execution) <= _EXECUTION_LONGEST:
        problems.append(Problem("execution", "must be the name of an execution"))
    if problems:
        raise InvalidEvent(problems)
    is_name = isinstance(error, str) and _ERROR.fullmatch(error) is not None
    return Compensation(
        event=event, execution=str(execution), error=str(error) if is_name else UNNAMED
    )


def update(marker: Item) -> Update:
    """Spell the update that leaves of an item its key and the marker, and nothing else of ours.

    Names all go through `#`, since half of them are reserved words.
    """
    names = {f"#{name}": name for name in sorted(marker.keys() | LIVE_ATTRIBUTES)}
    sets = ", ".join(
        f"#{name} = if_not_exists(#{name}, :{name})" if name in _KEPT else f"#{name} = :{name}"
        for name in sorted(marker)
    )
    removed = ", ".join(f"#{name}" for name in sorted(LIVE_ATTRIBUTES - marker.keys()))
    values = {f":{name}": value for name, value in sorted(marker.items())}
    return Update(f"SET {sets} REMOVE {removed}", names, values)


def outcome_of(before: Stored) -> Outcome:
    """Say what was taken back, by the item that the update found."""
    if not before:
        return Outcome.MARKED
    return Outcome.REPEATED if status_of(before) is Status.COMPENSATED else Outcome.UNDONE


def notice(compensation: Compensation, outcome: Outcome, region: str) -> str:
    """Write the message to operators: ids and names, nothing of the event's content."""
    said = {
        "eventId": compensation.event.id,
        "execution": compensation.execution,
        "error": compensation.error,
        "outcome": outcome.value,
        "region": region,
    }
    return json.dumps(said, sort_keys=True)
