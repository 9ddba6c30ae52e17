"""What callers are told: bodies of a known shape, and refusals that quote nothing. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orders.failures import Failure
from orders.journal import Entry
from orders.order import Problem, plain


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, before it is put into the shape of a REST proxy's."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def rendered(self) -> dict[str, Any]:
        """Write it as API Gateway takes it."""
        return {
            "statusCode": self.status,
            "headers": {
                "content-type": "application/json",
                "cache-control": "no-store",
                **self.headers,
            },
            "body": json.dumps(self.body),
            "isBase64Encoded": False,
        }


class Refused(Failure):
    """A request that is not done. Nothing of it is stored."""

    def __init__(
        self,
        status: int,
        error: str,
        problems: Iterable[Problem] = (),
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.problems = tuple(problems)
        self.headers = headers or {}
        self.more = more or {}

    def answer(self) -> Answer:
        """Say no, and why."""
        body: dict[str, Any] = {"error": self.error, **self.more}
        if self.problems:
            body["problems"] = [{"field": each.field, "rule": each.rule} for each in self.problems]
        return Answer(self.status, body, self.headers)


def accepted(order_id: str) -> Answer:
    """Acknowledge an order: two regions have it."""
    return Answer(
        202, {"orderId": order_id, "status": "accepted"}, {"location": f"/orders/{order_id}"}
    )


def shown(entry: Entry) -> Answer:
    """Show an order to its owner. `applied` stays true: what a failover loses is restored."""
    order = entry.order
    said = {
        "orderId": order.id,
        "clientOrderId": order.client_order_id,
        "symbol": order.symbol,
        "side": order.side,
        "quantity": plain(order.quantity),
        "price": plain(order.price),
        "acceptedAt": entry.accepted_at,
        "status": "accepted" if entry.mark is None else "applied",
    }
    if entry.mark is not None:
        said["appliedAt"] = entry.mark.at
    return Answer(200, said)
