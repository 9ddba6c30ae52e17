"""State machines as the templates render them: flows of states, and where each part stands.

Reads the Amazon States Language from resolved properties, whoever wrote it and in whichever
query language. What cannot be read is kept as a problem with its place, never left out in silence.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tap_templates.rendered.view import Located

STATE_MACHINE: Final = "AWS::StepFunctions::StateMachine"
ALL_ERRORS: Final = "States.ALL"
RESERVED: Final = "States."  # no error of one's own may begin so
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
AWS_ERRORS: Final = frozenset(
    f"{RESERVED}{name}"
    for name in (
        "ALL",
        "BranchFailed",
        "DataLimitExceeded",
        "ExceedToleratedFailureThreshold",
        "HeartbeatTimeout",
        "Http.Socket",
        "IntrinsicFailure",
        "ItemReaderFailed",
        "NoChoiceMatched",
        "ParameterPathFailure",
        "Permissions",
        "QueryEvaluationError",
        "ResultPathMatchFailure",
        "ResultWriterFailed",
        "Runtime",
        "TaskFailed",
        "Timeout",
    )
)
LONGEST_STATE_NAME: Final = 80
RECOVERS: Final = "Recovers: "
"""In the Comment of a state: what was caught before it may still end well, and why."""

_KINDS = frozenset({"Task", "Parallel", "Map", "Choice", "Wait", "Pass", "Succeed", "Fail"})
_TERMINAL = ("Succeed", "Fail")
_LAMBDA = ("lambda:invoke", "lambda:invoke.waitForTaskToken", "aws-sdk:lambda:invoke")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that cannot be read, with its JSON pointer below the resource."""

    path: str
    what: str


@dataclass(frozen=True, slots=True)
class MachineState:
    """One state; `path` is its JSON pointer below the resource."""

    name: str
    path: str
    body: Mapping[str, Any]
    within: "MachineState | None"  # the Parallel or Map whose branch it is in

    @property
    def kind(self) -> str:
        return str(self.body.get("Type"))

    @property
    def comment(self) -> str:
        return str(self.body.get("Comment", ""))

    @property
    def ends(self) -> bool:
        """Whether the flow can be over after it."""
        return self.kind in _TERMINAL or self.body.get("End") is True

    def handlers(self, kind: str) -> list[tuple[str, Mapping[str, Any]]]:
        """List the retriers (`Retry`) or catchers (`Catch`), each with its pointer."""
        given = self.body.get(kind)
        listed = given if isinstance(given, list) else []
        return [
            (f"{self.path}/{kind}/{index}", each)
            for index, each in enumerate(listed)
            if isinstance(each, Mapping)
        ]

    def targets(self) -> Iterator[tuple[str, str]]:
        """Iterate over the states it can go on to, each with the pointer of the name."""
        for key in ("Next", "Default"):
            if key in self.body:
                yield f"{self.path}/{key}", str(self.body[key])
        rules = self.body.get("Choices")
        for index, rule in enumerate(rules if isinstance(rules, list) else []):
            if isinstance(rule, Mapping) and "Next" in rule:
                yield f"{self.path}/Choices/{index}/Next", str(rule["Next"])
        for path, catcher in self.handlers("Catch"):
            if "Next" in catcher:
                yield f"{path}/Next", str(catcher["Next"])

    @property
    def integration(self) -> str:
        """Name what a task calls: what follows `arn:…:states:::`, else all of Resource."""
        resource = str(self.body.get("Resource", ""))
        _, found, integration = resource.partition(":states:::")
        return integration if found else resource

    @property
    def given(self) -> Mapping[str, Any]:
        """The parameters of a task in either query language."""
        for key in ("Parameters", "Arguments"):
            if isinstance(self.body.get(key), Mapping):
                return dict(self.body[key])
        return {}

    def invokes(self) -> str | None:
        """Name the function a task invokes, by ARN or name; None if it invokes none.

        "" for one that is known at run time only.
        """
        if ":lambda:" in self.integration and self.integration.startswith("arn:"):
            return self.integration
        if self.integration not in _LAMBDA:
            return None
        return str(self.given.get("FunctionName", ""))


@dataclass(frozen=True, slots=True)
class MachineFlow:
    """What `StartAt` and `States` say: a machine, a branch of a Parallel, or the body of a Map."""

    path: str
    start: str
    states: Mapping[str, MachineState]
    within: MachineState | None

    def edges(self) -> dict[str, set[str]]:
        """Map each state to those of this flow that may follow it."""
        return {
            name: {target for _, target in state.targets() if target in self.states}
            for name, state in self.states.items()
        }


@dataclass(frozen=True, slots=True)
class Machine:
    """A state machine of the system: its flows, the outermost first, and what cannot be read."""

    located: Located
    flows: tuple[MachineFlow, ...]
    problems: tuple[Problem, ...]
    seconds: Any  # its own TimeoutSeconds, None without

    def states(self) -> Iterator[MachineState]:
        for flow in self.flows:
            yield from flow.states.values()


def read_machine(located: Located) -> Machine:
    """Read the definition of a state machine, also one that is written as a text of JSON."""
    properties = located.resource.properties
    path, definition = "/Properties/Definition", properties.get("Definition")
    if definition is None and "DefinitionString" in properties:
        path = "/Properties/DefinitionString"
        try:
            definition = json.loads(str(properties["DefinitionString"]))
        except ValueError as error:
            return Machine(located, (), (Problem(path, f"is no JSON ({error})"),), None)
    if not isinstance(definition, Mapping):
        what = "has no definition that can be read from the template"
        return Machine(located, (), (Problem("/Properties", what),), None)
    reader = _Reader()
    reader.flow(definition, path, None)
    seconds = definition.get("TimeoutSeconds")
    return Machine(located, tuple(reader.flows), tuple(reader.problems), seconds)


class _Reader:
    """Collects flows and problems on the way down."""

    def __init__(self) -> None:
        self.flows: list[MachineFlow] = []
        self.problems: list[Problem] = []

    def flow(self, value: Any, path: str, within: MachineState | None) -> None:
        given = value.get("States") if isinstance(value, Mapping) else None
        if not isinstance(given, Mapping) or not given:
            self.problems.append(Problem(path, "has no states"))
            return
        states = {
            str(name): MachineState(str(name), f"{path}/States/{_escaped(name)}", body, within)
            for name, body in given.items()
            if self._is_state(body, f"{path}/States/{_escaped(name)}")
        }
        self.flows.append(MachineFlow(path, str(value.get("StartAt")), states, within))
        for state in states.values():
            self._inner(state)

    def _is_state(self, body: Any, path: str) -> bool:
        if isinstance(body, Mapping) and body.get("Type") in _KINDS:
            return True
        said = body.get("Type") if isinstance(body, Mapping) else body
        self.problems.append(Problem(path, f"is of no type that is known here ({said})"))
        return False

    def _inner(self, state: MachineState) -> None:
        if state.kind == "Map":
            key = "ItemProcessor" if "ItemProcessor" in state.body else "Iterator"
            self.flow(state.body.get(key), f"{state.path}/{key}", state)
        if state.kind != "Parallel":
            return
        branches = state.body.get("Branches")
        if not isinstance(branches, list) or not branches:
            self.problems.append(Problem(state.path, "has no branches"))
            return
        for index, branch in enumerate(branches):
            self.flow(branch, f"{state.path}/Branches/{index}", state)


def _escaped(name: object) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")


def reachable(start: str, edges: Mapping[str, Collection[str]]) -> set[str]:
    """Find what can be reached from `start`, itself included."""
    found: set[str] = set()
    todo = [start]
    while todo:
        each = todo.pop()
        if each not in found:
            found.add(each)
            todo += edges.get(each, ())
    return found


def finishing(ends: Collection[str], edges: Mapping[str, Collection[str]]) -> set[str]:
    """Find the states from which one of `ends` can be reached."""
    backwards: dict[str, set[str]] = {}
    for source, targets in edges.items():
        for target in targets:
            backwards.setdefault(target, set()).add(source)
    return {each for end in ends for each in reachable(end, backwards)}
