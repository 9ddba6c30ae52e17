"""Lambda adapter: an HTTP request in; events on the bus, a log line, metrics and an answer out."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from market_events.patience import ONE_ATTEMPT
from market_events.watch import Watch
from market_ingestion.authorization import JWT, Authorization
from market_ingestion.bus import Bus
from market_ingestion.core import Answer, Refused, body_of, events_of

_RETRY_AFTER_SECONDS = "2"


class Ingestion:
    """One request, from payload to answer."""

    def __init__(
        self,
        authorization: Authorization,
        bus: Bus,
        watch: Watch,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._authorization = authorization
        self._bus = bus
        self._watch = watch
        self._now = now
        self._stopwatch = stopwatch

    def __call__(self, request: object) -> Answer:
        """Answer a request. Raises nothing for what a caller can send or the bus can answer."""
        started = self._stopwatch()
        try:
            answer = self._take(request)
        except Refused as refused:
            self._watch.count("RequestsRefused")
            self._watch.say(
                "request refused",
                error=refused.error,
                problems=[problem for _, problem in refused.problems],
            )
            answer = refused.answer()
        self._watch.time("IngestionTime", (self._stopwatch() - started) * 1000)
        return answer

    def _take(self, request: object) -> Answer:
        now = self._now()
        if not self._authorization.admits(request, now):
            is_jwt = self._authorization.mode == JWT
            headers = {"www-authenticate": "Bearer"} if is_jwt else {}
            raise Refused(401, "Unauthorized", headers=headers)
        events = events_of(body_of(request), now)
        missed = self._bus.put(events)
        for event in events:
            miss = missed.get(event.id)
            self._watch.say(
                "not put" if miss else "accepted",
                event_id=event.id,
                event_type=event.type,
                error=miss.code if miss else None,
            )
        accepted = [event.id for event in events if event.id not in missed]
        self._watch.count("EventsAccepted", len(accepted))
        if not missed:
            return Answer(202, {"accepted": accepted}, {})
        self._watch.count("EventsNotPut", len(missed))
        # What AWS says of our bus is ours to know: callers learn whether waiting may help.
        failed = [
            {
                "eventId": event.id,
                "error": "TemporaryFailure" if missed[event.id].may_pass else "AwsRefused",
            }
            for event in events
            if event.id in missed
        ]
        body = {"error": "NotAllAccepted", "accepted": accepted, "failed": failed}
        return Answer(503, body, {"retry-after": _RETRY_AFTER_SECONDS})


_client = boto3.client("events", region_name=os.environ["AWS_REGION"], config=ONE_ATTEMPT)
_watch = Watch()
_ingest = Ingestion(
    Authorization(
        mode=os.environ["AUTHORIZATION"],
        issuer=os.environ.get("JWT_ISSUER", ""),
        audience=os.environ.get("JWT_AUDIENCE", ""),
    ),
    Bus(_client, os.environ["BUS_NAME"]),
    _watch,
)


@_watch.around
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda calls it with both
    """Answer one HTTP request."""
    return _ingest(event).rendered()
