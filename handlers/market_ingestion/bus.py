"""The event bus. The only module that calls AWS, and it calls PutEvents alone."""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from aws_calls.answers import code_of, is_temporary, may_pass, name_of
from market_events.schema import DETAIL_TYPE, SOURCE, MarketEvent

# Retries end here, and the last call 1.5 s later: within the function's timeout of 10 s.
PATIENCE_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0
# The system's: environments that SnapStart restores from one snapshot share the state of `random`,
# and would all pause alike.
_chance = random.SystemRandom().random


class Miss(NamedTuple):
    """Why the bus does not have an event, as far as we know."""

    code: str  # AWS's code, or the class of botocore's error
    may_pass: bool


_UNREADABLE = Miss("UnreadableAnswer", may_pass=True)


class EventBridge(Protocol):
    """The call of boto3's client that is used."""

    def put_events(self, **kwargs: Any) -> Mapping[str, Any]:
        """Put entries; raise ClientError or BotoCoreError if the call fails as a whole."""


class Bus:
    """Puts events, each until the bus has it, refuses it, or patience ends."""

    def __init__(
        self,
        client: EventBridge,
        name: str,
        *,
        stopwatch: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = _chance,
    ) -> None:
        self._client = client
        self._name = name
        self._stopwatch = stopwatch
        self._sleep = sleep
        self._chance = chance

    def put(self, events: Sequence[MarketEvent]) -> dict[str, Miss]:
        """Put at most ten events of distinct ids; give those that failed, by id.

        A call whose answer is lost may have put its events: they are put again, under their ids,
        and those that are given as failed may have been put, too.
        """
        ends = self._stopwatch() + PATIENCE_SECONDS
        missed: dict[str, Miss] = {}
        waiting = list(events)
        attempt = 0
        while waiting:
            missed |= self._call(waiting)
            attempt += 1
            pause = self._pause(attempt)
            if self._stopwatch() + pause > ends:
                break
            waiting = [each for each in waiting if each.id in missed and missed[each.id].may_pass]
            if waiting:
                self._sleep(pause)
                for each in waiting:
                    del missed[each.id]
        return missed

    def _pause(self, attempt: int) -> float:
        """Wait half to all of a time that doubles, so that callers who failed together part."""
        longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1))
        return longest * (0.5 + self._chance() / 2)

    def _call(self, events: Sequence[MarketEvent]) -> dict[str, Miss]:
        try:
            response = self._client.put_events(
                Entries=[
                    {
                        "Source": SOURCE,
                        "DetailType": DETAIL_TYPE,
                        "EventBusName": self._name,
                        "Time": datetime.fromisoformat(event.occurred_at),
                        "Detail": json.dumps(event.canonical(), sort_keys=True),
                    }
                    for event in events
                ]
            )
        except (BotoCoreError, ClientError) as error:
            miss = Miss(code_of(error), may_pass(error))
            return {event.id: miss for event in events}
        results = response.get("Entries")
        if not isinstance(results, list) or len(results) != len(events):
            return {event.id: _UNREADABLE for event in events}
        misses = {event.id: _miss(said) for event, said in zip(events, results, strict=True)}
        return {event_id: miss for event_id, miss in misses.items() if miss is not None}


def _miss(result: Mapping[str, Any]) -> Miss | None:
    """Judge one entry of the answer: only an id of the bus's own says that the bus has it."""
    code = result.get("ErrorCode")
    if code is None:
        return None if result.get("EventId") else _UNREADABLE
    name = name_of(code)
    return Miss(name, is_temporary(name))
