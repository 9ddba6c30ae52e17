"""One request, from payload to answer."""

import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol, assert_never

from order_api.acceptance import RETRY_AFTER_SECONDS, Acceptance, Journals
from order_api.answers import Answer, Refused, accepted, shown
from order_api.doors import AskFlag, AskHealth, AskOrder, AskSession, PutSession, asked
from order_api.health import Health
from order_api.sessions import Sessions
from orders.failures import TemporaryFailure
from orders.order import Order


class Told(Protocol):
    """What is told of a request in logs, metrics and traces: `orders.watch.Watch`."""

    def say(
        self,
        message: str,
        *,
        order_id: object = None,
        error: object = None,
        findings: Iterable[object] = (),
        took_ms: float | None = None,
    ) -> None:
        """Write a log line."""

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a metric that counts."""

    def time(self, name: str, took_ms: float) -> None:
        """Add to a metric of milliseconds."""

    def annotate(self, order_id: str) -> None:
        """Make the trace findable."""


class OrderApi:
    """The API of one region."""

    def __init__(
        self,
        acceptance: Acceptance,
        journal: Journals,
        sessions: Sessions,
        health: Health,
        watch: Told,
        *,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._acceptance = acceptance
        self._journal = journal
        self._sessions = sessions
        self._health = health
        self._watch = watch
        self._stopwatch = stopwatch

    def __call__(self, request: object) -> dict[str, Any]:
        """Answer a request. Raises only for defects of ours, nothing that a caller can send."""
        try:
            return self._answer(request).rendered()
        except Refused as refused:
            self._watch.count("RequestsRefused")
            self._watch.say(
                "request refused",
                error=refused.error,
                findings=[each.field for each in refused.problems],
            )
            return refused.answer().rendered()
        except TemporaryFailure as failure:
            self._watch.count("TablesUnavailable")
            self._watch.say("not answered", error=str(failure))
            headers = {"retry-after": RETRY_AFTER_SECONDS}
            return Answer(503, {"error": "TemporarilyUnavailable"}, headers).rendered()

    def _answer(self, request: object) -> Answer:
        wanted = asked(request)
        match wanted:
            case Order():
                return self._accept(wanted)
            case AskOrder():
                return self._show(wanted)
            case AskSession():
                return self._sessions.show(wanted)
            case PutSession():
                return self._sessions.write(wanted)
            case AskFlag():
                return self._health.flag()
            case AskHealth():
                return self._health.deep() if wanted.is_deep else self._health.shallow()
        assert_never(wanted)

    def _accept(self, order: Order) -> Answer:
        started = self._stopwatch()
        self._watch.annotate(order.id)
        is_new = self._acceptance.accept(order)
        took = (self._stopwatch() - started) * 1000
        self._watch.count("OrdersAccepted" if is_new else "OrdersRepeated")
        self._watch.time("AcceptanceTime", took)
        message = "order accepted" if is_new else "order repeated"
        self._watch.say(message, order_id=order.id, took_ms=took)
        return accepted(order.id)

    def _show(self, wanted: AskOrder) -> Answer:
        entry = self._journal.find_order(wanted.order_id)
        if entry is None or entry.order.owner != wanted.owner:
            raise Refused(404, "OrderNotFound")  # the same for both: nobody learns of others
        return shown(entry)
