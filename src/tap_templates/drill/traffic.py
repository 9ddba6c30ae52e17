"""Clients that send orders until told to stop, each order until it is acknowledged.

A client does what one on AWS does: it resolves the name and keeps the answer for its TTL, signs for
the region that answered, and sends an order again, with the same id, if it is not sure of it.
"""

import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple, Self

from tap_templates.drill.resolver import Address, Resolver, UnresolvedError
from tap_templates.drill.signing import Key, signed
from tap_templates.drill.tally import Sent
from tap_templates.local.engine import EngineError

ACCEPTED = 202
_SYMBOLS = ("ALPHA", "BETA", "GAMMA")
_PATIENCE_SECONDS = 5.0  # for one answer
_PAUSE_SECONDS = 0.1  # before an order is sent again
_BETWEEN_SECONDS = 0.1  # orders of one client
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Heard(NamedTuple):
    """One answer that a client got."""

    at: float  # as time.time says
    region: str
    status: int  # 0: none came


Post = Callable[[Address, bytes], int]


def poster(key: Key) -> Post:
    """Make what sends a signed body to `/orders` of an API, and gives the status; 0 if none."""

    def post(to: Address, body: bytes) -> int:
        url = f"{to.url}/orders"
        headers = signed("POST", url, body, region=to.region, key=key)
        request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - the engine's own address
        try:
            with _DIRECT.open(request, timeout=_PATIENCE_SECONDS) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return int(error.code)
        except (OSError, http.client.HTTPException):
            return 0

    return post


@dataclass
class Traffic:
    """The clients, and what they know. Use it in a `with` block: at its end they are stopped."""

    resolve: Callable[[], Resolver]  # a resolver for each client
    post: Post
    sent: dict[str, Sent] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, clients: int) -> None:
        """Start so many clients."""
        self._stop.clear()
        self._threads = [
            threading.Thread(target=self._client, args=(number,), daemon=True)
            for number in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each client finish the attempt it is at."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def acknowledged(self) -> Mapping[str, int]:
        """Count what is acknowledged so far, by region."""
        found: dict[str, int] = {}
        with self._lock:
            for each in self.sent.values():
                if each.region is not None:
                    found[each.region] = found.get(each.region, 0) + 1
        return found

    def orders(self) -> list[Sent]:
        """List what was sent so far."""
        with self._lock:
            return list(self.sent.values())

    def first(self, region: str, *, after: float) -> float | None:
        """Say when a region first acknowledged an order after a moment."""
        with self._lock:
            times = [
                each.at
                for each in self.heard
                if each.region == region and each.status == ACCEPTED and each.at >= after
            ]
        return min(times, default=None)

    def _client(self, number: int) -> None:
        resolver, chance = self.resolve(), random.Random(number)  # noqa: S311 - orders need no secrecy
        while not self._stop.is_set():
            order = _order(chance)
            with self._lock:
                self.sent[order.client_order_id] = order
            self._send(order, resolver)
            self._stop.wait(_BETWEEN_SECONDS)

    def _send(self, order: Sent, resolver: Resolver) -> None:
        body = _body(order)
        while not self._stop.is_set():
            try:
                to = resolver()
            except (UnresolvedError, EngineError):
                self._stop.wait(_PAUSE_SECONDS)
                continue
            status = self.post(to, body)
            with self._lock:
                self.heard.append(Heard(time.time(), to.region, status))
                if status == ACCEPTED:
                    self.sent[order.client_order_id] = replace(order, region=to.region)
            if status == ACCEPTED:
                return
            self._stop.wait(_PAUSE_SECONDS)


def _order(chance: random.Random) -> Sent:
    return Sent(
        client_order_id=uuid.uuid4().hex,
        symbol=chance.choice(_SYMBOLS),
        side=chance.choice(("buy", "sell")),
        quantity=Decimal(chance.randint(1, 10_000)) / 100,
        price=Decimal(chance.randint(100, 100_000)) / 1000,
    )


def _body(order: Sent) -> bytes:
    said = {
        "clientOrderId": order.client_order_id,
        "symbol": order.symbol,
        "side": order.side,
        "quantity": f"{order.quantity:f}",
        "price": f"{order.price:f}",
    }
    return json.dumps(said).encode()
