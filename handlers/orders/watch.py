"""Logs, metrics and traces of a function: what may be said, and no way to say more.

A value that does not look like what its field is for is left out, not shortened. Nothing of an
order but its id passes: no owner, symbol, quantity, price or session; no message of AWS or
PostgreSQL.
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

from orders.failures import Failure, UnexpectedError

_WORDS = re.compile(r"[a-z][a-z -]{0,59}")
_ERROR = re.compile(r"[A-Z][A-Za-z0-9_]{0,79}")
_FINDING = re.compile(r"[A-Za-z][A-Za-z0-9 ._-]{0,79}")
_VERSION = re.compile(r"v[0-9]{4}_[a-z0-9_]{1,60}")
_ORDER = re.compile(r"o-[0-9a-f]{32}")
_RUN = re.compile(r"failover-[0-9]{1,9}|failback-[0-9]{1,9}")
# Folders of our own code in a package: `order_…` of one function, and those they share.
_OURS = ("order", "aurora_access", "schema_migrations")

_Answer = TypeVar("_Answer")
_Handler = Callable[[Any, LambdaContext], _Answer]


class _Emitter(Protocol):
    def send_entity(self, entity: Any) -> None: ...


class NamesOnly:
    """An emitter of traces that drops the messages of errors: those of AWS may quote an item."""

    def __init__(self, emitter: _Emitter) -> None:
        self._emitter = emitter

    def send_entity(self, entity: Any) -> None:
        """Send a segment or subsegment, and those below it, with names of errors alone."""
        _forget_messages(entity)
        self._emitter.send_entity(entity)

    def __getattr__(self, name: str) -> Any:  # the SDK sets and reads the daemon's address
        return getattr(self._emitter, name)


def _forget_messages(entity: Any) -> None:
    cause = entity.cause
    for each in cause.get("exceptions", ()) if isinstance(cause, dict) else ():
        each.message = None
    for below in entity.subsegments:
        _forget_messages(below)


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
        order_id: object = None,
        error: object = None,
        findings: Iterable[object] = (),
        operation: object = None,
        run: object = None,
        epoch: int | None = None,
        version: object = None,
        place: str | None = None,
        count: int | None = None,
        took_ms: float | None = None,
    ) -> None:
        """Write one log line: an error if there is an `error`, else information.

        `message` is lower-case words; `error` the name of a class or of one of our errors;
        `findings` are names of fields or of checks.
        """
        said = {
            "order_id": _matching(_ORDER, order_id),
            "error": _matching(_ERROR, error),
            "findings": sorted({_matching(_FINDING, each) or "withheld" for each in findings})
            or None,
            "operation": _matching(_WORDS, operation),
            "run": _matching(_RUN, run),
            "epoch": epoch,
            "version": _matching(_VERSION, version),
            "place": place,
            "count": count,
            "took_ms": None if took_ms is None else round(took_ms, 3),
            "region": self._region,
        }
        level = self._logger.info if error is None else self._logger.error
        kept = {name: value for name, value in said.items() if value is not None}
        # The location in the line is that of our caller.
        level(_matching(_WORDS, message) or "withheld", stacklevel=3, extra=kept)

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a metric that counts."""
        self._metrics.add_metric(name, MetricUnit.Count, amount)

    def time(self, name: str, took_ms: float) -> None:
        """Add to a metric of milliseconds."""
        self._metrics.add_metric(name, MetricUnit.Milliseconds, took_ms)

    def annotate(self, order_id: str) -> None:
        """Make the trace findable by the order."""
        if _ORDER.fullmatch(order_id):
            self._tracer.put_annotation("orderId", order_id)

    def around(self, handler: _Handler[_Answer]) -> _Handler[_Answer]:
        """Decorate the function's handler: log context, trace, metrics, and no foreign error.

        A `Failure` leaves as it is, logged by its name: machines route by it. Any other exception
        leaves as UnexpectedError, as Lambda writes its text down.
        """

        @functools.wraps(handler)
        def guarded(event: Any, context: LambdaContext) -> _Answer:
            try:
                return handler(event, context)
            except Failure as failure:
                self.count("Failures")
                self.say("failed", error=type(failure).__name__, findings=failure.findings)
                raise
            except Exception as error:  # noqa: BLE001 - its message may quote an order
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
    ours = [each for each in frames if Path(each.filename).parent.name.startswith(_OURS)]
    if not ours:
        return None
    file = Path(ours[-1].filename)
    return f"{file.parent.name}/{file.name}:{ours[-1].lineno}"
