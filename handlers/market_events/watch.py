"""Logs, metrics and traces of a function: what is allowed to be said, and no way to say more.

Every value is checked here, whoever hands it over: an id must be a UUID, a type one of ours, an
error a name, a field a field of the schema. What does not pass is left out, not shortened.
"""

import functools
import os
import re
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from market_events.failures import Failure, Problem, UnexpectedError
from market_events.schema import FIELDS, is_event_id, is_type

_MESSAGE = re.compile(r"[a-z][a-z ]{0,59}")  # letters alone: no value of an event is that plain
_ERROR = re.compile(r"[A-Z][A-Za-z]{0,79}(\.[A-Z][A-Za-z0-9]{0,79})?")
_PLACE = re.compile(r"market_[a-z]+/[a-z_]+\.py:[0-9]{1,4}")
# As EventBridge and Step Functions name executions. A name given by hand may say anything.
_EXECUTION = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?"
)
# What the functions are given beside an event's fields, and may find wrong.
_FIELDS = FIELDS | {"digest", "enrichment", "error", "event", "execution", "operation"}

_Answer = TypeVar("_Answer")
_Handler = Callable[[Any, LambdaContext], _Answer]


class _Emitter(Protocol):
    def send_entity(self, entity: Any) -> None: ...


class NamesOnly:
    """An emitter of traces that keeps the classes of errors and drops their messages.

    The X-Ray SDK records the message of every error that AWS answers; those of DynamoDB and S3 may
    quote what was written.
    """

    def __init__(self, emitter: _Emitter) -> None:
        self._emitter = emitter

    def send_entity(self, entity: Any) -> None:
        """Send a segment or subsegment, and those below it, without messages."""
        _drop_messages(entity)
        self._emitter.send_entity(entity)

    def __getattr__(self, name: str) -> Any:  # the SDK sets and reads the daemon's address
        return getattr(self._emitter, name)


def _drop_messages(entity: Any) -> None:
    cause = entity.cause
    for each in cause.get("exceptions", ()) if isinstance(cause, dict) else ():
        each.message = None  # left out of the document, as everything empty
    for below in entity.subsegments:
        _drop_messages(below)


class Watch:
    """What one function may say. Make it where the function's clients are made, once."""

    def __init__(self) -> None:
        self._region = os.environ.get("AWS_REGION")
        self._logger = Logger()
        self._metrics = Metrics()
        self._tracer = Tracer(patch_modules=("botocore",))  # all would import what is not used
        if not self._tracer.disabled:
            recorder: Any = self._tracer.provider
            if not isinstance(recorder.emitter, NamesOnly):
                recorder.emitter = NamesOnly(recorder.emitter)

    def say(
        self,
        message: str,
        *,
        event_id: object = None,
        event_type: object = None,
        execution: object = None,
        error: object = None,
        problems: Iterable[Problem] = (),
        place: object = None,
        count: int | None = None,
        took_ms: float | None = None,
    ) -> None:
        """Write one log line: an error if there is an `error`, else information.

        `message` is lower-case letters and spaces; `error` is a class name, or a failure's `name`.
        """
        said = {
            "event_id": event_id if is_event_id(event_id) else None,
            "event_type": event_type if is_type(event_type) else None,
            "execution": _matching(_EXECUTION, execution),
            "error": _matching(_ERROR, error),
            "fields": sorted({each.field for each in problems} & _FIELDS) or None,
            "place": _matching(_PLACE, place),
            "count": count,
            "took_ms": None if took_ms is None else round(took_ms, 3),
            "region": self._region,
        }
        level = self._logger.info if error is None else self._logger.error
        kept = {name: value for name, value in said.items() if value is not None}
        # The location in the line is that of our caller.
        level(_matching(_MESSAGE, message) or "withheld", stacklevel=3, extra=kept)

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a metric that counts."""
        self._metrics.add_metric(name, MetricUnit.Count, amount)

    def time(self, name: str, took_ms: float) -> None:
        """Add to a metric of milliseconds."""
        self._metrics.add_metric(name, MetricUnit.Milliseconds, took_ms)

    def annotate(self, event_id: str, event_type: str) -> None:
        """Make the trace findable by the event."""
        if is_event_id(event_id) and is_type(event_type):
            self._tracer.put_annotation("eventId", event_id)
            self._tracer.put_annotation("eventType", event_type)

    def around(self, handler: _Handler[_Answer]) -> _Handler[_Answer]:
        """Decorate the function's handler: log context, trace, metrics, and no foreign error.

        An exception that is no `Failure` leaves as UnexpectedError, as Lambda writes its text down.
        """

        @functools.wraps(handler)
        def guarded(event: Any, context: LambdaContext) -> _Answer:
            try:
                return handler(event, context)
            except Failure:
                raise
            except Exception as error:  # noqa: BLE001 - its message may quote the event
                name = type(error).__name__
                self.count("UnexpectedErrors")
                self.say("unexpected error", error=name, place=_place(error))
                raise UnexpectedError(name) from None

        # Said out loud, because environment variables of Powertools could switch capturing on.
        counted = self._metrics.log_metrics(guarded, capture_cold_start_metric=True)
        traced = self._tracer.capture_lambda_handler(
            counted, capture_response=False, capture_error=False
        )
        logged: _Handler[_Answer] = self._logger.inject_lambda_context(
            traced, log_event=False, clear_state=True
        )
        return logged


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _place(error: Exception) -> str | None:
    """Name the deepest line of our own code that an exception came through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [each for each in frames if Path(each.filename).parent.name.startswith("market_")]
    if not ours:
        return None
    file = Path(ours[-1].filename)
    return f"{file.parent.name}/{file.name}:{ours[-1].lineno}"
