"""One readiness test: look at everything, and say all of it."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from order_readiness.clusters import Asks
from order_readiness.core import Seen, failed, findings
from orders.failures import Failure


class Told(Protocol):
    """What is told of a test in logs and metrics: `orders.watch.Watch`."""

    def say(self, message: str, *, error: object = None, findings: Sequence[str] = ...) -> None:
        """Write a log line."""

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a metric that counts."""


class Readiness:
    """The test of one region. What cannot be looked at has failed; the others are looked at."""

    def __init__(
        self,
        *,
        own: Asks,
        other: Asks,
        own_api: Callable[[], bool],
        other_api: Callable[[], bool],
        configured: Callable[[], frozenset[str]],
        wanted: Collection[str],
        watch: Told,
    ) -> None:
        self._own = own
        self._other = other
        self._own_api = own_api
        self._other_api = other_api
        self._configured = configured
        self._wanted = wanted
        self._watch = watch

    def __call__(self) -> dict[str, Any]:
        """Answer the names of the checks that passed and of those that failed.

        The metric Ready rings, and is quiet again by itself when all is well.
        """
        seen = Seen(
            own_api=self._own_api(),
            other_api=self._other_api(),
            own_database=self._own.standing(),
            other_database=self._other.standing(),
            lags=self._own.lags(),
            configured=self._names(),
        )
        found = findings(seen, wanted=self._wanted)
        for each in found:
            self._watch.count(each.metric, int(each.ok))
        missing = failed(found)
        self._watch.count("Ready", int(not missing))
        self._watch.say("looked", findings=[f"{each.name} {each.what}" for each in found])
        return {
            "ready": [each.name for each in found if each.ok],
            "notReady": list(missing),
        }

    def _names(self) -> frozenset[str] | None:
        try:
            return self._configured()
        except Failure as failure:
            self._watch.say(
                "no configuration", error=type(failure).__name__, findings=failure.findings
            )
            return None
