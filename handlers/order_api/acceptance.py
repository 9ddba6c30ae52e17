"""Takes orders: into the journal until it has them for sure, then a hint into the queue.

An order is acknowledged once the journal has it, which is once two regions have it, and not before.
"""

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from order_api.answers import Refused
from orders import moments
from orders.failures import TemporaryFailure
from orders.journal import Entry
from orders.order import Order

RETRY_AFTER_SECONDS = "2"
# The system's: environments that SnapStart restores from one snapshot share the state of `random`,
# and would all pause alike.
_chance = random.SystemRandom().random


class Journals(Protocol):
    """What is used of the journal."""

    def add_order(self, order: Order, *, at: str, region: str) -> Entry | None:
        """Write an order unless its id is taken."""

    def find_order(self, order_id: str) -> Entry | None:
        """Read an order as it is now."""


class SQS(Protocol):
    """The call of boto3's client that is used."""

    def send_message(self, **kwargs: Any) -> Mapping[str, Any]:
        """Put a message into a queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the journal is asked. The last call may take its client's time beyond that."""

    seconds: float = 6.0
    attempts: int = 6
    first_pause_seconds: float = 0.05
    longest_pause_seconds: float = 1.0
    stopwatch: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = _chance

    def pause(self, attempt: int) -> float:
        """Draw half to all of a time that doubles; `attempt` counts from 0."""
        most = min(self.longest_pause_seconds, self.first_pause_seconds * 2.0**attempt)
        return most * (0.5 + self.chance() / 2)


class Acceptance:
    """Takes the orders of one region."""

    def __init__(
        self,
        journal: Journals,
        sqs: SQS,
        queue_url: str,
        *,
        region: str,
        patience: Patience | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        count: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._journal = journal
        self._sqs = sqs
        self._queue_url = queue_url
        self._region = region
        self._patience = patience or Patience()
        self._now = now
        self._count = count

    def accept(self, order: Order) -> bool:
        """See to it that the journal has the order; tell whether it is there by this call.

        Raises Refused: 409 if the id stands for another order, 503 if the journal does not say
        that it has it. In that case it may have it all the same: sent again, it is the same order.
        """
        existing = self._written(order)
        if existing is not None and existing.digest != order.digest:
            raise Refused(409, "ClientOrderIdReused")
        if existing is None or existing.mark is None:
            self._hint(order.id)
        return existing is None

    def _written(self, order: Order) -> Entry | None:
        """Write the order; give the entry that was there. A call without answer may have worked."""
        how = self._patience
        ends = how.stopwatch() + how.seconds
        at = moments.written(self._now())
        is_unsure = False
        for attempt in range(how.attempts):
            try:
                if is_unsure and (found := self._journal.find_order(order.id)) is not None:
                    # Ours, or of a request with the same content: nobody could tell, or needs to.
                    return found
                return self._journal.add_order(order, at=at, region=self._region)
            except TemporaryFailure:
                is_unsure = True
                self._count("JournalRetries")
            pause = how.pause(attempt)
            if attempt + 1 == how.attempts or how.stopwatch() + pause > ends:
                break
            how.sleep(pause)
        return self._last_look(order)

    def _last_look(self, order: Order) -> Entry:
        """Read once more before giving up: the last write may have arrived."""
        try:
            found = self._journal.find_order(order.id)
        except TemporaryFailure:
            found = None
        if found is None:
            self._count("OrdersNotTaken")
            raise Refused(503, "JournalUnavailable", headers={"retry-after": RETRY_AFTER_SECONDS})
        return found

    def _hint(self, order_id: str) -> None:
        """Tell the queue. If it does not hear, the sweep finds the order in the journal."""
        try:
            self._sqs.send_message(
                QueueUrl=self._queue_url, MessageBody=json.dumps({"orderId": order_id})
            )
        except (BotoCoreError, ClientError):
            self._count("HintsNotSent")
