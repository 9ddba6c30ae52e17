"""Settles many orders, some at a time, until all are done or time is up."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from orders.applying import Outcome
from orders.failures import DatabaseRefused, Failure, UnreadableItem

# Of one order alone: the next may go through.
_OF_ORDER = (DatabaseRefused, UnreadableItem)


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the orders that were settled."""

    outcomes: Counter[Outcome]
    refused: int
    is_done: bool  # False: time was up before the last

    @property
    def applied(self) -> int:
        return self.outcomes[Outcome.APPLIED]

    @property
    def restored(self) -> int:
        return self.outcomes[Outcome.RESTORED]


class Walk:
    """One way through a list of orders, shared by its workers."""

    def __init__(
        self,
        order_ids: Iterable[str],
        *,
        is_time: Callable[[], bool],
        refused: Callable[[str, Failure], None],
    ) -> None:
        self._left: Iterator[str] = iter(order_ids)
        self._is_time = is_time
        self._refused = refused
        self._lock = threading.Lock()
        self._outcomes: Counter[Outcome] = Counter()
        self._refusals = 0
        self._is_cut = False
        self._failure: Exception | None = None

    def go(self, workers: Sequence[Callable[[str], Outcome]]) -> Tally:
        """Have each worker settle one order after the other; raise what stopped them, if any.

        An order that the books refuse stops nobody. Everything else that fails, fails for all.
        """
        if len(workers) == 1:
            self._work(workers[0])
        else:
            with ThreadPoolExecutor(len(workers)) as pool:
                for each in workers:
                    pool.submit(self._work, each)
        if self._failure is not None:
            raise self._failure
        return Tally(self._outcomes, self._refusals, is_done=not self._is_cut)

    def _work(self, settle: Callable[[str], Outcome]) -> None:
        try:
            while (order_id := self._next()) is not None:
                self._settle(order_id, settle)
        except Exception as error:  # noqa: BLE001 - raised by `go`, once all workers have ended
            with self._lock:
                self._failure = self._failure or error

    def _settle(self, order_id: str, settle: Callable[[str], Outcome]) -> None:
        try:
            outcome = settle(order_id)
        except _OF_ORDER as failure:
            with self._lock:
                self._refusals += 1
                self._refused(order_id, failure)
            return
        with self._lock:
            self._outcomes[outcome] += 1

    def _next(self) -> str | None:
        """Give the next order, also where that means reading the next page of an index."""
        with self._lock:
            if self._failure is not None or self._is_cut:
                return None
            if not self._is_time():
                self._is_cut = True
                return None
            return next(self._left, None)
