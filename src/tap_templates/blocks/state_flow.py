"""Flows of states: a branch, the body of a Map, or a whole machine.

A flow is checked when it is made: every state can be reached and comes to an end, names only its
own neighbours, and says what becomes of errors or why nothing does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from tap_templates.blocks import state_checks as checks
from tap_templates.blocks.state_calls import Call
from tap_templates.blocks.states import State, Task, Work
from tap_templates.errors import ModelError


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """States and which one begins: a branch, the body of a Map, or (Definition) a machine."""

    start: str
    states: Mapping[str, State]

    def __post_init__(self) -> None:
        for name, state in self.states.items():
            state.check(f"state {name!r}")
        checks.graph(
            self.start,
            self.edges(),
            {name for name, state in self.states.items() if state.ends},
        )

    def edges(self) -> dict[str, set[str]]:
        """Map each state to those that may follow it."""
        return {name: set(state.targets()) for name, state in self.states.items()}

    def walk(self, *, caught: bool = False) -> Iterator[tuple[str, State, bool]]:
        """Iterate over all states, inner flows too, and whether a state around them catches."""
        for name, state in self.states.items():
            yield name, state, caught
            inside = caught or bool(isinstance(state, Work) and state.catch)
            for flow in state.flows():
                yield from flow.walk(caught=inside)

    def calls(self) -> Iterator[Call]:
        """Iterate over what the tasks call, in order of the states."""
        for _, state, _ in self.walk():
            if isinstance(state, Task):
                yield state.call

    def flow_body(self) -> dict[str, object]:
        """Render as the Amazon States Language spells it."""
        return {
            "StartAt": self.start,
            "States": {name: self.states[name].body() for name in sorted(self.states)},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition(Flow):
    """A whole machine. `longest` bounds a run; whatever it does then is cut off, catches included.

    A machine that goes round in circles must have it; any other is bounded by its tasks.
    """

    comment: str
    longest: timedelta | None = None

    def __post_init__(self) -> None:
        Flow.__post_init__(self)
        checks.unique([name for name, _, _ in self.walk()])
        for name, state, caught in self.walk():
            if isinstance(state, Task):
                state.check_reason(f"state {name!r}", caught=caught)
        if self.longest is not None:
            checks.seconds("machine", "runs at most", self.longest)
        elif any(checks.goes_round(flow.edges()) for flow in self._flows()):
            raise ModelError(
                "machine", "can go round for ever", "bound it by `longest`, generously"
            )

    def _flows(self) -> Iterator[Flow]:
        yield self
        for _, state, _ in self.walk():
            yield from state.flows()

    def body(self) -> dict[str, object]:
        """Render as the value of `Definition`."""
        found = {"Comment": self.comment, **self.flow_body()}
        if self.longest is not None:
            found["TimeoutSeconds"] = int(self.longest.total_seconds())
        return found
