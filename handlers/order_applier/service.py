"""One batch of the queue, from messages to the identifiers of those that are to come again."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from orders.applying import BooksOrders, Journals, Outcome, settle
from orders.failures import DatabaseRefused, Failure, StaleEpoch, UnreadableItem
from orders.order import ORDER_ID
from orders.role import Phase, Role

_COUNTED = {
    Outcome.APPLIED: "OrdersApplied",
    Outcome.RESTORED: "OrdersRestored",
    Outcome.CONFIRMED: "OrdersConfirmed",
    Outcome.DONE: "OrdersRepeated",
}
# Of one order alone: the next may go through.
_OF_ORDER = (DatabaseRefused, UnreadableItem)


class Told(Protocol):
    """What is told of a batch: `orders.watch.Watch`."""

    def say(
        self,
        message: str,
        *,
        order_id: object = None,
        error: object = None,
        findings: Iterable[object] = (),
        epoch: int | None = None,
        count: int | None = None,
    ) -> None:
        """Write a log line."""

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a metric that counts."""


class Applier:
    """Applies the orders of one region."""

    def __init__(
        self,
        read_role: Callable[[], Role],
        journal: Journals,
        books: BooksOrders,
        watch: Told,
        *,
        region: str,
    ) -> None:
        self._read_role = read_role
        self._journal = journal
        self._books = books
        self._watch = watch
        self._region = region

    def __call__(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Apply what a batch hints at; give back what should come again.

        Hints of a region that is not active are dropped: their orders are in the journal, and the
        active region sweeps them up.
        """
        messages = [(each["messageId"], each.get("body")) for each in event["Records"]]
        ids = [each for each, _ in messages]
        try:
            role = self._read_role()
        except Failure as failure:
            self._stop(failure, len(ids))
            return _again(ids)
        if role.active != self._region:
            self._watch.count("StaleRegion", len(ids))
            self._watch.say("not active, hints dropped", epoch=role.epoch, count=len(ids))
            return _again(())
        if role.phase is not Phase.SERVING:
            self._watch.count("NotServing", len(ids))
            self._watch.say("not serving yet", epoch=role.epoch, count=len(ids))
            return _again(ids)
        return _again(self._apply(messages, role))

    def _apply(self, messages: list[tuple[str, object]], role: Role) -> list[str]:
        failed = []
        for index, (message_id, body) in enumerate(messages):
            try:
                if not self._apply_one(body, role):
                    failed.append(message_id)
            except _OF_ORDER as failure:
                self._watch.count("OrdersRefusedByBooks")
                self._watch.say(
                    "order not applied",
                    order_id=hinted(body),
                    error=type(failure).__name__,
                    findings=failure.findings,
                )
                failed.append(message_id)
            except Failure as failure:
                # The role has changed, or database or journal do not answer: so for all the rest.
                left = [each for each, _ in messages[index:]]
                self._stop(failure, len(left))
                return failed + left
        return failed

    def _apply_one(self, body: object, role: Role) -> bool:
        order_id = hinted(body)
        outcome = (
            Outcome.UNKNOWN
            if order_id is None
            else settle(order_id, role, journal=self._journal, books=self._books)
        )
        if outcome is Outcome.UNKNOWN:  # goes to the dead letters, where somebody looks at it
            self._watch.count("HintsUnknown")
            self._watch.say("hint of no order", order_id=order_id, error="HintUnknown")
            return False
        self._watch.count(_COUNTED[outcome])
        if outcome is not Outcome.DONE:
            self._watch.say(f"order {outcome.value}", order_id=order_id, epoch=role.epoch)
        return True

    def _stop(self, failure: Failure, left: int) -> None:
        is_stale = isinstance(failure, StaleEpoch)
        self._watch.count("StaleEpochs" if is_stale else "BatchesStopped")
        self._watch.say(
            "batch stopped", error=type(failure).__name__, findings=failure.findings, count=left
        )


def hinted(body: object) -> str | None:
    """Read the order's id off a message; None if it is none of ours."""
    try:
        said = json.loads(body) if isinstance(body, str) else None
    except (ValueError, RecursionError):
        return None
    order_id = said.get("orderId") if isinstance(said, dict) else None
    is_id = isinstance(order_id, str) and ORDER_ID.fullmatch(order_id)
    return order_id if is_id else None


def _again(ids: Iterable[str]) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": each} for each in ids]}
