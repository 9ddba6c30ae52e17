"""Resolve the name of an API as its clients do: ask Route 53, and keep the answer for its TTL.

Route 53 is the engine's. Of the answer a client needs the address here, and the region that its
host name says, which a signature is for.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tap_templates.errors import TapError

_HOST = re.compile(r"[a-z0-9.-]+\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com\.?")

Ask = Callable[[str], Mapping[str, Any]]


class UnresolvedError(TapError):
    """A name leads nowhere now."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a name leads to: the API's address on the engine, and its region."""

    url: str
    region: str
    ttl: int


def read(said: Mapping[str, Any]) -> Address:
    """Read what the engine says of a name; raise UnresolvedError if that leads to no API."""
    values, url = said.get("values") or [], said.get("address")
    host = _HOST.fullmatch(str(values[0])) if len(values) == 1 else None
    if host is None or not url:
        raise UnresolvedError(
            str(said.get("name")), f"leads to {values or 'nothing'}", "look at its records"
        )
    return Address(str(url).rstrip("/"), host["region"], int(said.get("ttl") or 0))


class Resolver:
    """One resolver's cache of one name."""

    def __init__(self, name: str, ask: Ask, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._known: Address | None = None
        self._until = 0.0

    def __call__(self) -> Address:
        """Give the address: what is known until its time is over, then what is answered anew."""
        with self._lock:
            if self._known is None or self._clock() >= self._until:
                self._known = read(self._ask(self._name))
                self._until = self._clock() + self._known.ttl
            return self._known
