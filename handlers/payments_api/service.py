"""One request, from payload to answer."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from payments_api.core import CardNumberRefusedError, Payment, Refused
from payments_api.doors import AskHealth, AskPayment, asked
from payments_api.health import Health
from payments_api.ledger import DatabaseUnavailableError, Ledger
from payments_api.sessions import SessionNotWrittenError, Sessions

_RETRY_AFTER_SECONDS = "5"


class Told(Protocol):
    """What is told of a request in logs, metrics and traces: `payments_database.watch.Watch`."""

    def say(
        self,
        message: str,
        *,
        payment_id: object = None,
        error: object = None,
        fields: list[str] = ...,
        took_ms: float | None = None,
    ) -> None:
        """Write a log line."""

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a metric that counts."""

    def time(self, name: str, took_ms: float) -> None:
        """Add to a metric of milliseconds."""

    def annotate(self, payment_id: str) -> None:
        """Make the trace findable."""


class Payments:
    """The payments of one region."""

    def __init__(
        self,
        ledger: Ledger,
        sessions: Sessions,
        health: Health,
        watch: Told,
        *,
        region: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._ledger = ledger
        self._sessions = sessions
        self._health = health
        self._watch = watch
        self._region = region
        self._now = now
        self._stopwatch = stopwatch

    def __call__(self, request: object, request_id: str) -> dict[str, Any]:
        """Answer a request. Raises only for defects of ours, nothing that a caller can send."""
        try:
            match asked(request):
                case AskHealth():
                    return self._say_health()
                case AskPayment(payment_id):
                    return self._show(payment_id)
                case Payment() as payment:
                    return self._book(payment, request_id)
        except Refused as refused:
            return self._refuse(refused)
        except DatabaseUnavailableError as unavailable:
            self._watch.count("DatabaseUnavailable")
            self._watch.say("database unavailable", error=f"Database{_camel(unavailable)}")
            body = json.dumps({"error": "DatabaseUnavailable"})
            return _rendered(503, body, {"retry-after": _RETRY_AFTER_SECONDS})

    def _book(self, payment: Payment, request_id: str) -> dict[str, Any]:
        started = self._stopwatch()
        now = self._now()
        self._watch.annotate(payment.id)
        booked = self._ledger.book(
            payment,
            answer=payment.answer(now, self._region),
            region=self._region,
            request=request_id,
        )
        took = (self._stopwatch() - started) * 1000
        self._watch.count("PaymentsReplayed" if booked.is_replay else "PaymentsBooked")
        self._watch.time("BookingTime", took)
        message = "payment replayed" if booked.is_replay else "payment booked"
        self._watch.say(message, payment_id=payment.id, took_ms=took)
        self._remember(payment, booked.answer)
        if booked.is_replay:
            return _rendered(200, booked.answer, {"idempotent-replay": "true"})
        return _rendered(201, booked.answer, {"location": f"/payments/{payment.id}"})

    def _remember(self, payment: Payment, answer: str) -> None:
        """Tell the session; also at a retry, as the first time may have failed."""
        if payment.session is None:
            return
        booked_at = datetime.fromisoformat(json.loads(answer)["bookedAt"])
        try:
            self._sessions.remember(payment.session, payment.id, booked_at)
        except SessionNotWrittenError as error:
            self._watch.count("SessionWriteFailures")
            self._watch.say("session not written", payment_id=payment.id, error=str(error))

    def _show(self, payment_id: str) -> dict[str, Any]:
        answer = self._ledger.find(payment_id)
        if answer is None:
            raise Refused(404, "PaymentNotFound")
        return _rendered(200, answer)

    def _say_health(self) -> dict[str, Any]:
        failing = self._health.failing()
        if failing:
            self._watch.count("HealthChecksFailed")
            self._watch.say("not healthy", error="NotHealthy", fields=failing)
        body = json.dumps({"healthy": not failing, "failing": failing})
        return _rendered(503 if failing else 200, body)

    def _refuse(self, refused: Refused) -> dict[str, Any]:
        self._watch.count("PaymentsRefused")
        if isinstance(refused, CardNumberRefusedError):
            self._watch.count("CardNumbersRefused")
        fields = [problem.field for problem in refused.problems]
        self._watch.say("request refused", error=refused.error, fields=fields)
        return _rendered(refused.status, refused.body(), refused.headers)


def _camel(error: DatabaseUnavailableError) -> str:
    return "".join(word.capitalize() for word in str(error).split("_"))


def _rendered(status: int, body: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Write an answer as both doors take it."""
    return {
        "statusCode": status,
        "headers": {
            "content-type": "application/json",
            "cache-control": "no-store",
            **(headers or {}),
        },
        "body": body,
        "isBase64Encoded": False,
    }
