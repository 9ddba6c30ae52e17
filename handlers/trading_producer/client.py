"""The edge to EventBridge: sends batches, one way or the other, until every event has a result."""

import random
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from trading_producer.core import (
    Circuit,
    Event,
    Failed,
    Published,
    Result,
    Route,
    batches,
    codes,
    event,
    is_final,
    pause,
)


class EventBridge(Protocol):
    """The call of boto3's client that is used."""

    def put_events(self, **kwargs: Any) -> Mapping[str, Any]:
        """Send entries; raise ClientError or BotoCoreError if the call fails as a whole."""


class Producer:
    """Publishes events. Not for several threads at once: make one each."""

    def __init__(
        self,
        endpoint: EventBridge,
        secondary: EventBridge,
        *,
        endpoint_id: str,
        bus: str,
        circuit: Circuit | None = None,
        attempts: int = 8,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,  # noqa: S311  # jitter, no secret
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._clients = {Route.ENDPOINT: endpoint, Route.SECONDARY: secondary}
        self._options = {Route.ENDPOINT: {"EndpointId": endpoint_id}, Route.SECONDARY: {}}
        self._bus = bus
        self._circuit = circuit or Circuit()
        self._attempts = attempts
        self._now = now
        self._sleep = sleep
        self._chance = chance
        self._new_id = new_id

    def event(self, detail_type: object, detail: object) -> Event:
        """Make an event; give it an id if it has none. Raises InvalidEventError."""
        return event(detail_type, detail, new_id=self._new_id())

    def publish(self, events: Iterable[Event]) -> list[Result]:
        """Send events in order of their batches; give one result each, in the order given.

        Raises nothing for an event that could not be sent: its result says so. Takes, for each
        batch, at most `attempts` calls and their pauses.
        """
        return [result for batch in batches(events) for result in self._deliver(batch)]

    def _deliver(self, batch: Sequence[Event]) -> list[Result]:
        results: dict[int, Result] = {}
        waiting = list(range(len(batch)))
        for attempt in range(1, self._attempts + 1):
            route = self._circuit.route(self._now())
            outcome = self._call(route, [batch[index] for index in waiting])
            for index, code in zip(waiting, outcome, strict=True):
                if code is None:
                    results[index] = Published(id=batch[index].id, route=route)
                else:
                    results[index] = Failed(id=batch[index].id, reason=code)
            waiting = [
                index
                for index, code in zip(waiting, outcome, strict=True)
                if code is not None and not is_final(code)
            ]
            if not waiting:
                break
            # The other way is tried at once; only what failed this way is worth a pause.
            if attempt < self._attempts and self._circuit.route(self._now()) is route:
                self._sleep(pause(attempt, self._chance()))
        return [results[index] for index in range(len(batch))]

    def _call(self, route: Route, events: Sequence[Event]) -> tuple[str | None, ...]:
        """Send once; give each event's error code. A call that takes no event is a failed one."""
        entries = [each.entry(self._bus) for each in events]
        try:
            response = self._clients[route].put_events(Entries=entries, **self._options[route])
            outcome = codes(response, len(events))
        except ClientError as error:
            outcome = (error.response["Error"]["Code"],) * len(events)
        except BotoCoreError as error:
            outcome = (type(error).__name__,) * len(events)
        if route is Route.ENDPOINT:
            # An entry refused for its own sake is an answer of a healthy endpoint.
            answered = any(code is None or is_final(code) for code in outcome)
            self._circuit = (
                self._circuit.endpoint_answered()
                if answered
                else self._circuit.endpoint_failed(self._now())
            )
        return outcome


def connect(
    *,
    endpoint_id: str,
    bus: str,
    secondary_region: str,
    region: str,
    circuit: Circuit | None = None,
) -> Producer:
    """Make a producer on boto3. Raises MissingDependencyException without `boto3[crt]`.

    Calls to a global endpoint are signed for all regions (SigV4A), which only the CRT can do.
    Credentials must come from a Regional STS endpoint.
    """
    import boto3  # noqa: PLC0415  # `--help` and tests of the logic need no SDK

    # Late, so that `--help` needs no SDK.
    from botocore.compat import HAS_CRT  # noqa: PLC0415 - see above
    from botocore.config import Config  # noqa: PLC0415 - see above
    from botocore.exceptions import MissingDependencyException  # noqa: PLC0415 - see above

    if not HAS_CRT:
        raise MissingDependencyException(
            msg="a global endpoint needs SigV4A: install boto3[crt], as requirements.txt does"
        )
    # One mechanism retries, ours: botocore would hide the failures the circuit has to count.
    config = Config(
        connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 1}
    )
    return Producer(
        boto3.client("events", region_name=region, config=config),
        boto3.client("events", region_name=secondary_region, config=config),
        endpoint_id=endpoint_id,
        bus=bus,
        circuit=circuit,
    )
