"""From an HTTP request to valid events, or to a typed refusal. Pure: no client, no logging.

Input is the payload of format 2.0 as API Gateway hands it over. Nothing in it is believed, in this
order: who calls, what is called, how much is sent, and only then what it says. A refusal names
rules and fields of ours, never a value.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from json_requests.reading import check_type, loaded, mapping, only, text_of, told_by
from market_events.failures import InvalidEvent, Problem
from market_events.schema import MarketEvent, complete

PATH = "/ingest"
METHOD = "POST"
BODY_BYTES_MAX = 64 * 1024
EVENTS_MAX = 10  # the most entries of one PutEvents
OLDEST = timedelta(hours=24)
# Clocks of senders may run ahead of ours a little; an event of the future is a defect.
FARTHEST_AHEAD = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]

    def rendered(self) -> dict[str, Any]:
        """Write the answer as API Gateway takes it."""
        return {
            "statusCode": self.status,
            "headers": {
                "content-type": "application/json",
                "cache-control": "no-store",
                **self.headers,
            },
            "body": json.dumps(self.body),
            "isBase64Encoded": False,
        }


class Refused(Exception):  # noqa: N818  # an answer, not a defect
    """A request that is not taken. Nothing of it is on the bus."""

    def __init__(
        self,
        status: int,
        error: str,
        problems: Sequence[tuple[int, Problem]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.problems = tuple(problems)  # with the index of the event
        self.headers = headers or {}

    def answer(self) -> Answer:
        """Write the refusal as an answer."""
        body: dict[str, Any] = {"error": self.error}
        if self.problems:
            body["problems"] = [
                {"index": index, "field": problem.field, "rule": problem.rule}
                for index, problem in self.problems
            ]
        return Answer(self.status, body, self.headers)


@told_by(Refused)
def body_of(given: object) -> str:
    """Read the body as text, its size checked before anything is decoded; raise Refused."""
    request = mapping(given)
    _check_route(request)
    return text_of(request, BODY_BYTES_MAX)


def _check_route(request: Mapping[Any, Any]) -> None:
    context = mapping(request.get("requestContext"))
    path = request.get("rawPath")
    stage = context.get("stage")
    if isinstance(path, str) and isinstance(stage, str) and stage != "$default":
        path = path.removeprefix(f"/{stage}")
    if path != PATH:
        raise Refused(404, "NotFound")
    only(mapping(context.get("http")).get("method"), METHOD)
    headers = mapping(request.get("headers"))
    types = [
        value
        for name, value in headers.items()
        if isinstance(name, str) and name.lower() == "content-type"
    ]
    check_type(types[0] if len(types) == 1 else None)


def events_of(text: str, now: datetime) -> tuple[MarketEvent, ...]:
    """Read the events of a body, all or none; raise Refused.

    Every problem of every event is named. `now` must be aware.
    """
    given = _loaded(text)
    details = given if isinstance(given, list) else [given]
    if not details:
        raise Refused(400, "NoEvents")
    if len(details) > EVENTS_MAX:
        raise Refused(400, "TooManyEvents")
    events: list[MarketEvent] = []
    problems: list[tuple[int, Problem]] = []
    for index, detail in enumerate(details):
        try:
            events.append(complete(detail))
        except InvalidEvent as invalid:
            problems += [(index, problem) for problem in invalid.problems]
    if problems:
        raise Refused(400, "InvalidEvent", problems)
    _check_window(events, now)
    _check_distinct(events)
    return tuple(events)


def _check_window(events: Sequence[MarketEvent], now: datetime) -> None:
    """Refuse what is too old or of the future. Correct events at a wrong time, hence no 400."""
    now = now.astimezone(UTC)
    rule = "must be at most 24 hours old and 2 minutes ahead"
    late = [
        (index, Problem("occurredAt", rule))
        for index, event in enumerate(events)
        if not now - OLDEST <= datetime.fromisoformat(event.occurred_at) <= now + FARTHEST_AHEAD
    ]
    if late:
        raise Refused(422, "OutsideWindow", late)


def _check_distinct(events: Sequence[MarketEvent]) -> None:
    seen: set[str] = set()
    repeated: list[tuple[int, Problem]] = []
    for index, event in enumerate(events):
        if event.id in seen:
            repeated.append((index, Problem("eventId", "must not be that of an event before it")))
        seen.add(event.id)
    if repeated:
        raise Refused(400, "DuplicateEventId", repeated)


_NUMBER = object()  # stands for every JSON number, so that none becomes a float, or a huge int


@told_by(Refused)
def _loaded(text: str) -> object:
    return loaded(text, parse_float=_number, parse_int=_number)


def _number(_: str) -> object:
    return _NUMBER  # no field takes it: the refusal then names the field
