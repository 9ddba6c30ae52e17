"""What states read: a path that nothing was put at ends the run, past every catch.

Step Functions calls it States.Runtime, which States.ALL does not stand for, and finds it when the
state is entered: often the one that was to undo another. So runs are followed here over every way
from the start, each state reading what is there and putting what it makes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.machine_shapes import (
    ANYTHING,
    NOTHING,
    Shape,
    closed,
    steps_of,
    template_paths,
    template_shape,
)
from tap_templates.compiler.invariants.machines import machines
from tap_templates.compiler.invariants.values import as_list
from tap_templates.rendered.machines import Machine, MachineFlow, MachineState

_PATHS = "https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html"
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
_ENVELOPE = closed(
    "account", "detail", "detail-type", "id", "region", "replay-name", "resources", "source",
    "time", "version",
)  # fmt: skip
_RESHAPED = ("Input", "InputPath", "InputTransformer")
_ERROR = closed("Cause", "Error")
_MOST_ROUNDS = 50  # of a loop; what has not settled by then may be anything
# Where a state names one path, beside its templates.
_READS = (
    "CausePath", "ErrorPath", "HeartbeatSecondsPath", "ItemsPath", "SecondsPath",
    "TimeoutSecondsPath", "TimestampPath",
)  # fmt: skip

_Found = dict[tuple[str, str, str], None]  # pointer, state and path, in the order they were found


def _missing(compiled: CompiledSystem) -> Iterator[Fault]:
    for machine in machines(compiled):
        if not machine.flows or machine.problems:
            continue  # TAP-ASL-01 tells
        following = _Following({flow.path: flow for flow in machine.flows})
        following.through(machine.flows[0], _input(compiled, machine))
        for place, state, path in following.found:
            yield fault_at(
                machine.located,
                f"reads {path} in {state!r}, where nothing is put on one of the ways to it: the "
                "run then ends with States.Runtime, which nothing catches",
                "correct the path, or keep what it reads by ResultPath in the states before it, "
                "and in what catches",
                place,
            )


def _input(compiled: CompiledSystem, machine: Machine) -> Shape:
    """Say what a run is started with: an event, if rules alone start it, else anything."""
    own = machine.located
    targets = [
        target
        for rule in compiled.view.resources("AWS::Events::Rule")
        if rule.stack.region == own.stack.region
        for target in as_list(rule.resource.properties.get("Targets"))
        if isinstance(target, Mapping) and str(target.get("Arn")) == str(own.resource.arn)
    ]
    is_event = targets and not any(key in target for target in targets for key in _RESHAPED)
    return _ENVELOPE if is_event else ANYTHING


@dataclass(slots=True)
class _Following:
    """Follows the data through flows; `found` is what is read and not there."""

    flows: Mapping[str, MachineFlow]
    found: _Found = field(default_factory=dict)

    def through(self, flow: MachineFlow, given: Shape) -> Shape:
        """Follow a flow to its ends; returns what holds at all of them."""
        before = self._settled(flow, given)
        outcome: Shape | None = None
        for name, data in before.items():
            state = flow.states[name]
            onward = self._state(state, data, self.found)
            if state.ends and state.kind != "Fail":
                outcome = onward if outcome is None else outcome.joined(onward)
        return ANYTHING if outcome is None else outcome

    def _settled(self, flow: MachineFlow, given: Shape) -> dict[str, Shape]:
        """Say of each state that is reached what holds before it."""
        before = {flow.start: given} if flow.start in flow.states else {}
        waiting, rounds = list(before), 0
        while waiting:
            rounds += 1
            if rounds > _MOST_ROUNDS * len(flow.states):
                return dict.fromkeys(before, ANYTHING)
            name = waiting.pop(0)
            for target, data in self._onward(flow.states[name], before[name]):
                if target not in flow.states:
                    continue
                known = before.get(target)
                joined = data if known is None else known.joined(data)
                if joined != known:
                    before[target] = joined
                    waiting.append(target)
        return before

    def _onward(self, state: MachineState, data: Shape) -> Iterator[tuple[str, Shape]]:
        after = self._state(state, data, {})
        caught = {str(catcher.get("Next")): catcher for _, catcher in state.handlers("Catch")}
        for _, target in state.targets():
            if target not in caught:
                yield target, after
        if "Next" in state.body:  # what is caught may lead where success leads, too
            yield str(state.body["Next"]), after
        for _, catcher in state.handlers("Catch"):
            yield str(catcher.get("Next")), _put(data, catcher, _ERROR)

    def _state(self, state: MachineState, data: Shape, found: _Found) -> Shape:
        """Read what a state reads, noting what is not there; returns what it hands on."""
        body = state.body
        if body.get("QueryLanguage") == "JSONata" or "Arguments" in body or "Output" in body:
            return ANYTHING

        def read(path: Any, source: Shape, place: str) -> Shape:
            steps = steps_of(path) if isinstance(path, str) else None
            there = ANYTHING if steps is None else source.at(steps)
            if there is None:
                found[f"{state.path}/{place}", state.name, str(path)] = None
                return ANYTHING
            return there

        def fill(key: str, source: Shape) -> Shape:
            for path, place in template_paths(body[key], key):
                read(path, source, place)
            return template_shape(body[key], source)

        taken = NOTHING if body.get("InputPath", "$") is None else data
        taken = read(body.get("InputPath", "$"), taken, "InputPath")
        for key in _READS:
            if key in body:
                read(body[key], taken, key)
        for place, path in _tested(body):
            read(path, taken, place)
        given = fill("Parameters", taken) if "Parameters" in body else taken
        result = self._result(state, given, fill, taken)
        if "ResultSelector" in body:
            result = fill("ResultSelector", result)
        after = _put(taken, body, result)
        return read(body.get("OutputPath", "$"), after, "OutputPath")

    def _result(self, state: MachineState, given: Shape, fill: Any, taken: Shape) -> Shape:
        inner = [flow for flow in self.flows.values() if flow.within is state]
        if state.kind == "Parallel":
            made = {str(at): self.through(flow, given) for at, flow in enumerate(inner)}
            return Shape(made, is_open=False)
        if state.kind == "Map":
            each = fill("ItemSelector", taken) if "ItemSelector" in state.body else ANYTHING
            for flow in inner:
                self.through(flow, each)
            return ANYTHING
        if state.kind == "Pass":
            return (
                template_shape(state.body["Result"], NOTHING) if "Result" in state.body else given
            )
        return ANYTHING if state.kind == "Task" else taken


def _put(data: Shape, body: Mapping[str, Any], result: Shape) -> Shape:
    path = body.get("ResultPath", "$")
    if path is None:
        return data
    steps = steps_of(str(path))
    return ANYTHING if steps is None else data.put(steps, result)


def _tested(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """List what a Choice compares, each with its place below the state.

    A path whose presence is asked anywhere in the state is read knowingly, and left out.
    """
    rules = list(_rules(body.get("Choices"), "Choices"))
    asked = {rule.get("Variable") for _, rule in rules if "IsPresent" in rule}
    return [
        (f"{place}/{key}", str(path))
        for place, rule in rules
        for key, path in rule.items()
        if (key == "Variable" or key.endswith("Path")) and path not in asked
    ]


def _rules(value: Any, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for position, rule in enumerate(value if isinstance(value, list) else []):
        if isinstance(rule, Mapping):
            at = f"{place}/{position}"
            yield at, rule
            for key in ("And", "Or"):
                yield from _rules(rule.get(key), f"{at}/{key}")
            if isinstance(rule.get("Not"), Mapping):
                yield from ((f"{at}/Not", each) for _, each in _rules([rule["Not"]], at))


MACHINE_PATHS = (
    Invariant(
        code="TAP-ASL-14",
        promise="A state reads only what is there on every way to it.",
        source_url=_PATHS,
        check=_missing,
    ),
)
