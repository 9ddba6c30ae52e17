"""Follow a drill: what moves, and when; and the states of a run, from its own history."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

from tap_templates.deploy.cloud import Wire
from tap_templates.drill.report import Event
from tap_templates.errors import TapError

_POLL_SECONDS = 0.15
_LAST_SECONDS = 15.0  # that the last time may take
_ENTERED = "StateEntered"
_SHOWN = ("Task", "Map", "Wait", "Succeed", "Fail")  # kinds of states; others take no time

Say = Callable[[str], None]
Probe = Callable[[Wire], str | None]


class Log:
    """What has happened so far; told as it happens, by several threads."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._started = time.time()

    def tell(self, who: str, what: str, at: float | None = None) -> float:
        """Write down what happens, now or at a moment (as time.time says); give the moment."""
        moment = time.time() if at is None else at
        with self._lock:
            self._events.append(Event(moment, who, what))
            self._say(f"{moment - self._started:7.2f} s  {who}: {what}")
        return moment

    def note(self, who: str, what: str, at: float) -> None:
        """Write down what happened some time ago, and say nothing."""
        with self._lock:
            self._events.append(Event(at, who, what))

    def events(self, *, after: float = 0.0) -> list[Event]:
        """List what happened after a moment."""
        with self._lock:
            return [event for event in self._events if event.at >= after]

    def first(self, who: str, what: str, *, after: float) -> float | None:
        """Say when something was first told after a moment."""
        times = [
            each.at for each in self.events(after=after) if (each.who, each.what) == (who, what)
        ]
        return min(times, default=None)

    def holds(self, who: str, what: str, *, after: float) -> float | None:
        """Say when something held from a moment on: at that moment, if it had been told before."""
        told = [each for each in self.events() if each.who == who and each.at < after]
        last = max(told, key=lambda each: each.at, default=None)
        if last is not None and last.what == what:
            return after
        return self.first(who, what, after=after)


class Following:
    """Asks each probe again and again, and tells when its answer is another one."""

    def __init__(self, log: Log, wire: Wire, probes: Mapping[str, Probe]) -> None:
        self._log = log
        self._wire = wire
        self._probes = probes
        self._last: dict[str, str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_POLL_SECONDS):
            for who, probe in self._probes.items():
                try:
                    answer = probe(self._wire)
                except TapError:
                    continue  # who does not answer now says nothing new
                if answer is not None and answer != self._last.get(who):
                    self._last[who] = answer
                    self._log.tell(who, answer)


class Repeating:
    """Does something again and again beside the drill, as a schedule would."""

    def __init__(self, act: Callable[[], object], *, pause_seconds: float) -> None:
        self._act = act
        self._pause = pause_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(_LAST_SECONDS)

    def _run(self) -> None:
        while not self._stop.is_set():
            with suppress(TapError):  # its region is dead, or busy with itself: the next time
                self._act()
            self._stop.wait(self._pause)


def states(history: Sequence[Mapping[str, Any]]) -> Iterator[tuple[float, str]]:
    """List the states that a run entered, each once, with the moment."""
    seen = set()
    for event in history:
        kind = str(event["type"])
        name = event.get("stateEnteredEventDetails", {}).get("name")
        if name is None or name in seen or kind.removesuffix(_ENTERED) not in _SHOWN:
            continue
        seen.add(name)
        yield event["timestamp"].timestamp(), str(name)


def failure(history: Sequence[Mapping[str, Any]]) -> str | None:
    """Say why a run failed, from the last task of it that did; None if none did."""
    for event in reversed(history):
        for key in ("taskFailedEventDetails", "taskTimedOutEventDetails"):
            details = event.get(key, {})
            if details.get("error"):
                return f"{details['error']}: {details.get('cause', '')}".rstrip(": ")
    return None


def wait_until(
    is_so: Callable[[], bool], otherwise: TapError, *, seconds: float, every: float = 0.1
) -> None:
    """Wait for something; raise `otherwise` if it takes too long."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise otherwise
        time.sleep(every)
