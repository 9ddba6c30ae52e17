"""Runs of trading-dr's machines: started, waited for, and read."""

from collections.abc import Iterable
from typing import Any

from tap_templates.deploy.cloud import Wire
from tap_templates.drill.following import failure, states, wait_until
from tap_templates.drill.place import DrillError, Place

FAILOVER, FAILBACK = "orders-failover", "orders-failback"
_RUNNING = "RUNNING"


class Run:
    """The run of a machine of one region that begins after a moment (as time.time says)."""

    def __init__(
        self, place: Place, wire: Wire, machine: str, *, region: str, after: float
    ) -> None:
        self._wire = wire
        self._machine = place.machine(machine, region)
        self._region = region
        self._after = after
        self._what = f"{machine} in {region}"
        self._found: dict[str, Any] = {}

    @property
    def name(self) -> str:
        return str(self._found["name"])

    @property
    def started(self) -> float:
        """Say when it began."""
        return float(self._found["startDate"].timestamp())

    @property
    def ended(self) -> float:
        """Say when it came to its end."""
        return float(self._described()["stopDate"].timestamp())

    def start(self, name: str) -> None:
        """Start it by hand, under this name."""
        self._call("start_execution", stateMachineArn=self._machine, name=name, input="{}")

    def await_start(self, *, seconds: float) -> None:
        """Wait until somebody has started it; raise DrillError if nobody does."""
        never = DrillError(
            self._what,
            f"nobody has started it within {seconds:g} s",
            "read what the prober says: the log of the engine has it",
        )
        wait_until(self._is_started, never, seconds=seconds)

    def await_end(self, *, seconds: float) -> None:
        """Wait until it has ended, well or not; raise DrillError if it does not."""
        never = DrillError(
            self._what,
            f"has not ended within {seconds:g} s",
            "run with --keep, and look at its history",
        )
        wait_until(
            lambda: self._described()["status"] != _RUNNING, never, seconds=seconds, every=0.2
        )

    def problems(self) -> tuple[str, ...]:
        """Say why it did not succeed."""
        status = self._described()["status"]
        if status == "SUCCEEDED":
            return ()
        why = failure(self._history()) or "it says not why"
        return (f"{self._what}, {self.name}: {status}, {why}",)

    def output(self) -> Any:
        """Give the text of its output, if it has succeeded."""
        return self._described().get("output")

    def states(self) -> list[tuple[float, str]]:
        """List the states that it entered, each once."""
        return list(states(self._history()))

    def _is_started(self) -> bool:
        found = self._call("list_executions", stateMachineArn=self._machine)["executions"]
        recent = [each for each in found if each["startDate"].timestamp() >= self._after]
        self._found = min(recent, key=lambda each: each["startDate"], default={})
        return bool(self._found)

    def _described(self) -> dict[str, Any]:
        described: dict[str, Any] = self._call(
            "describe_execution", executionArn=self._found["executionArn"]
        )
        return described

    def _history(self) -> list[dict[str, Any]]:
        return self._wire.pages(
            self._region,
            "stepfunctions",
            "get_execution_history",
            "events",
            executionArn=self._found["executionArn"],
        )

    def _call(self, operation: str, **request: Any) -> Any:
        return self._wire.call(self._region, "stepfunctions", operation, **request)


def entered(found: Iterable[tuple[float, str]], *names: str) -> float | None:
    """Say when a run entered the first of these states; None if it never did."""
    return min((at for at, name in found if name in names), default=None)
