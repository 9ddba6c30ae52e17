"""Faults that a test or a drill asks for. State of this process; `control` changes it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_LOOK_SECONDS = 0.05


@dataclass(slots=True)
class Faults:
    """What is broken now. Mutable by nature, hence the one instance below."""

    dead: set[str] = field(default_factory=set)  # regions that do not answer
    failing: dict[str, list[str]] = field(default_factory=dict)  # region → reasons, next first
    held: dict[str, asyncio.Event] = field(default_factory=dict)  # region → stack operations wait
    waiting: list[tuple[str, Callable[[], None]]] = field(default_factory=list)

    def kill(self, region: str) -> None:
        """Let a region answer nothing from now on."""
        self.dead.add(region)

    def heal(self, region: str) -> None:
        """Bring a region back, and then what waited for it, in order."""
        self.dead.discard(region)
        due = [deliver for place, deliver in self.waiting if place == region]
        self.waiting = [each for each in self.waiting if each[0] != region]
        for deliver in due:
            deliver()

    def when_alive(self, region: str, deliver: Callable[[], None]) -> None:
        """Deliver to a region, now or when it is back."""
        if region in self.dead:
            self.waiting.append((region, deliver))
        else:
            deliver()

    def wait_until_alive(self, region: str) -> None:
        """Wait, in a thread of one's own, until a region is not dead."""
        while region in self.dead:
            time.sleep(_LOOK_SECONDS)

    def fail_next(self, region: str, reason: str) -> None:
        """Let the next stack operation of StackSets in a region fail before it does anything."""
        self.failing.setdefault(region, []).append(reason)

    def take_failure(self, region: str) -> str | None:
        """Give the reason why a stack operation that begins now must fail, if one was asked for."""
        if region in self.dead:
            return f"Service Unavailable: {region} does not answer"
        reasons = self.failing.get(region)
        return reasons.pop(0) if reasons else None

    def hold(self, region: str) -> None:
        """Let stack operations of StackSets in a region wait before they begin."""
        self.held.setdefault(region, asyncio.Event())

    def release(self, region: str) -> None:
        """Let them go on."""
        event = self.held.pop(region, None)
        if event:
            event.set()

    async def wait_while_held(self, region: str) -> None:
        """Wait until a region is released."""
        event = self.held.get(region)
        if event:
            await event.wait()

    def as_json(self) -> dict[str, object]:
        """Say what is broken."""
        return {
            "dead": sorted(self.dead),
            "failing": self.failing,
            "held": sorted(self.held),
            "waiting": len(self.waiting),
        }


FAULTS = Faults()
