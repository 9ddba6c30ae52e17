"""What Route 53 asks every few seconds from many places: so an answer is kept for two seconds.

Deep health tests what fails over, the journal's write path, and not the database: orders are taken
while a database is promoted, and a fault of a writer is not to send clients away.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

from order_api.answers import Answer
from orders import moments
from orders.failures import Failure

KEPT_SECONDS = 2.0

_Value = TypeVar("_Value")


class Touches(Protocol):
    """What is used of the journal."""

    def touch(self, region: str, at: str) -> None:
        """Write the item by which a region shows that the journal takes its writes."""


class Kept(Generic[_Value]):
    """The answer to a question, asked again when it is too old."""

    def __init__(self, ask: Callable[[], _Value], stopwatch: Callable[[], float]) -> None:
        self._ask = ask
        self._stopwatch = stopwatch
        self._known: tuple[float, _Value] | None = None

    def value(self) -> _Value:
        """Give the answer, at most KEPT_SECONDS old."""
        now = self._stopwatch()
        if self._known is None or now - self._known[0] >= KEPT_SECONDS:
            self._known = (now, self._ask())
        return self._known[1]


class Health:
    """The open questions of one region."""

    def __init__(
        self,
        journal: Touches,
        read_latch: Callable[[], bool],
        *,
        region: str,
        count: Callable[[str], None] = lambda _: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._read_latch = read_latch
        self._region = region
        self._count = count
        self._now = now
        self._fault = Kept(self._touch, stopwatch)
        self._flag = Kept(self._look, stopwatch)

    def shallow(self) -> Answer:
        """Say that this function runs."""
        return Answer(200, {"status": "up", "region": self._region})

    def deep(self) -> Answer:
        """Say whether the journal takes this region's writes."""
        fault = self._fault.value()
        if fault is None:
            return Answer(200, {"status": "healthy", "region": self._region})
        return Answer(503, {"status": "unhealthy", "region": self._region, "failing": ["journal"]})

    def flag(self) -> Answer:
        """Say whether the latch is set. Who cannot tell says neither, which does not hold it.

        The check asks for the text of the latch: without it the primary counts by its own health,
        as if this region were gone. Orders are taken in either, so none is lost by that.
        """
        is_latched = self._flag.value()
        if is_latched is None:
            return Answer(503, {"error": "FlagUnknown"})
        return Answer(200, {"flag": "latched" if is_latched else "clear"})

    def _touch(self) -> str | None:
        try:
            self._journal.touch(self._region, moments.written(self._now()))
        except Failure as failure:
            self._count("HealthChecksFailed")
            return type(failure).__name__
        return None

    def _look(self) -> bool | None:
        try:
            return self._read_latch()
        except Failure:
            self._count("FlagsUnknown")
            return None
