"""Logs, metrics and traces of a function, without the words of a foreign error.

Each system makes its own `Watch` of this one, and says there what may be said.
"""

import functools
import os
import re
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.traces import names_only_tracer

# Letters alone: no value of an event is that plain.
_MESSAGE = re.compile(r"[a-z][a-z, -]{0,59}")
_CLASS = re.compile(r"[A-Z][A-Za-z]{0,79}")

_Answer = TypeVar("_Answer")
_Handler = Callable[[Any, LambdaContext], _Answer]


class UnexpectedError(Exception):
    """A defect of ours. Its text is the name of a class, as Lambda writes it into the log."""


class Watch:
    """What one function may say. Make it where the function's clients are made, once."""

    ours: ClassVar[str | tuple[str, ...]]  # how the names of the folders with our code begin
    expected: ClassVar[tuple[type[Exception], ...]] = ()  # what leaves a handler as it is
    unexpected: ClassVar[type[Exception]] = UnexpectedError  # what any other exception leaves as

    def __init__(self) -> None:
        self._region = os.environ.get("AWS_REGION")
        self._logger = Logger()
        self._metrics = Metrics()
        self._tracer = names_only_tracer()

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a metric that counts."""
        self._metrics.add_metric(name, MetricUnit.Count, amount)

    def time(self, name: str, took_ms: float) -> None:
        """Add to a metric of milliseconds."""
        self._metrics.add_metric(name, MetricUnit.Milliseconds, took_ms)

    def around(self, handler: _Handler[_Answer]) -> _Handler[_Answer]:
        """Decorate the function's handler: log context, trace, metrics, and no foreign error.

        An exception that is not `expected` leaves as `unexpected`, with the name of its class for
        a text: Lambda writes that text down, and counts an error, so that the alarm rings.
        """

        @functools.wraps(handler)
        def guarded(event: Any, context: LambdaContext) -> _Answer:
            try:
                return handler(event, context)
            except self.expected as failure:
                self.told(failure)
                raise
            except Exception as error:  # noqa: BLE001 - its message may quote the event
                self._tell(error)
                raise self.unexpected(type(error).__name__) from None

        # Said out loud, because environment variables of Powertools could switch capturing on.
        counted = self._metrics.log_metrics(guarded, capture_cold_start_metric=True)
        traced = self._tracer.capture_lambda_handler(
            counted, capture_response=False, capture_error=False
        )
        logged: _Handler[_Answer] = self._logger.inject_lambda_context(
            traced, log_event=False, clear_state=True
        )
        return logged

    def told(self, failure: Exception) -> None:
        """Say what is to be said of an `expected` failure that leaves; by default, nothing."""

    def _write(self, message: str, said: Mapping[str, object], *, is_error: bool) -> None:
        """Write one log line; what is None is left out.

        For methods that are called by who has something to say: theirs is the line's location.
        """
        level = self._logger.error if is_error else self._logger.info
        kept = {name: value for name, value in said.items() if value is not None}
        if self._region is not None:
            kept["region"] = self._region
        level(matching(_MESSAGE, message) or "withheld", stacklevel=4, extra=kept)

    def _tell(self, error: Exception) -> None:
        self.count("UnexpectedErrors")
        name = matching(_CLASS, type(error).__name__)
        said = {"error": name, "place": self._place(error)}
        self._write("unexpected error", said, is_error=True)

    def _place(self, error: Exception) -> str | None:
        """Name the deepest line of our own code that an exception came through."""
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            file = Path(frame.filename)
            if file.parent.name.startswith(self.ours):
                return f"{file.parent.name}/{file.name}:{frame.lineno}"
        return None


def matching(pattern: re.Pattern[str], value: object) -> str | None:
    """Give a text that looks like what its field is for, whole; nothing else passes."""
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def rounded(took_ms: float | None) -> float | None:
    """Give milliseconds to the microsecond."""
    return None if took_ms is None else round(took_ms, 3)
