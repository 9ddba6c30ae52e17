"""State machines: a definition that can be read, and a graph in which every run comes to an end.

Asked of what is rendered, so of machines that no block of ours has made, too.
"""

from collections.abc import Iterator

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.rendered.machines import (
    RECOVERS,
    STATE_MACHINE,
    Machine,
    MachineFlow,
    MachineState,
    finishing,
    reachable,
    read_machine,
)

_LANGUAGE = (
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html"
)
_TRANSITIONS = "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-transitions.html"
_DEFINITION = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachine.html"
_ERRORS = "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html"

_OTHER_SPELLINGS = ("DefinitionString", "DefinitionS3Location", "DefinitionSubstitutions")


def machines(compiled: CompiledSystem) -> Iterator[Machine]:
    """Read every state machine of the system, in each of its regions."""
    for located in compiled.view.resources(STATE_MACHINE):
        yield read_machine(located)


def _flows(compiled: CompiledSystem) -> Iterator[tuple[Machine, MachineFlow]]:
    for machine in machines(compiled):
        for flow in machine.flows:
            yield machine, flow


def _unreadable(compiled: CompiledSystem) -> Iterator[Fault]:
    for machine in machines(compiled):
        for key in _OTHER_SPELLINGS:
            if key in machine.located.resource.properties:
                yield fault_at(
                    machine.located,
                    f"is defined by {key}: a parameter in a text can add states to it",
                    "write the definition as an object, into Definition",
                    f"/Properties/{key}",
                )
        for problem in machine.problems:
            yield fault_at(
                machine.located,
                f"{problem.what}, so that nothing is known of what it does",
                "write states of the types that the Amazon States Language has",
                problem.path,
            )


def _nowhere(compiled: CompiledSystem) -> Iterator[Fault]:
    for machine, flow in _flows(compiled):
        if flow.start not in flow.states:
            yield fault_at(
                machine.located,
                f"begins with {flow.start!r}, which is no state",
                "set StartAt to a state beside it",
                f"{flow.path}/StartAt",
            )
        for state in flow.states.values():
            for path, target in state.targets():
                if target not in flow.states:
                    yield fault_at(
                        machine.located,
                        f"goes on from {state.name!r} to {target!r}, which is no state of the "
                        "same flow",
                        "name a state beside it; a branch is left by its end only",
                        path,
                    )


def _unreached(compiled: CompiledSystem) -> Iterator[Fault]:
    for machine, flow in _flows(compiled):
        found = reachable(flow.start, flow.edges())
        for name, state in flow.states.items():
            if flow.start in flow.states and name not in found:
                yield fault_at(
                    machine.located,
                    f"has the state {name!r}, which no run reaches",
                    "lead to it, or take it away",
                    state.path,
                )


def _endless(compiled: CompiledSystem) -> Iterator[Fault]:
    for machine, flow in _flows(compiled):
        ends = [name for name, state in flow.states.items() if state.ends]
        finished = finishing(ends, flow.edges())
        for name, state in flow.states.items():
            if name not in finished:
                yield fault_at(
                    machine.located,
                    f"has no way to an end from {name!r}",
                    "lead it to a Succeed, a Fail, or a state with End",
                    state.path,
                )


def _twice(compiled: CompiledSystem) -> Iterator[Fault]:
    for machine in machines(compiled):
        seen: set[str] = set()
        for state in machine.states():
            if state.name in seen:
                yield fault_at(
                    machine.located,
                    f"has two states called {state.name!r}, which Step Functions refuses also in "
                    "different branches",
                    "rename one of them",
                    state.path,
                )
            seen.add(state.name)


def _recovering(compiled: CompiledSystem) -> Iterator[Fault]:
    for machine, flow in _flows(compiled):
        for state in flow.states.values():
            if RECOVERS in state.comment:
                continue
            for path, catcher in state.handlers("Catch"):
                for end in _ends_well(flow, str(catcher.get("Next"))):
                    yield fault_at(
                        machine.located,
                        f"can end well at {end.name!r} after {state.name!r} has failed",
                        "lead what is caught to a Fail, or begin the Comment of a state on the "
                        f"way with {RECOVERS.strip()!r} and the reason",
                        f"{path}/Next",
                    )


def _ends_well(flow: MachineFlow, start: str) -> list[MachineState]:
    """Find the ends other than Fail that a run can come to, past no state that recovers."""
    edges = {
        name: set() if RECOVERS in flow.states[name].comment else targets
        for name, targets in flow.edges().items()
    }
    found = [flow.states[name] for name in reachable(start, edges) if name in flow.states]
    return sorted(
        (
            each
            for each in found
            if each.ends and each.kind != "Fail" and RECOVERS not in each.comment
        ),
        key=lambda each: each.name,
    )


MACHINES = (
    Invariant(
        code="TAP-ASL-01",
        promise="The definition of a state machine is an object in which every state is known.",
        source_url=_DEFINITION,
        check=_unreadable,
    ),
    Invariant(
        code="TAP-ASL-02",
        promise="A state goes on to states that exist beside it.",
        source_url=_TRANSITIONS,
        check=_nowhere,
    ),
    Invariant(
        code="TAP-ASL-03",
        promise="Every state can be reached.",
        source_url=_TRANSITIONS,
        check=_unreached,
    ),
    Invariant(
        code="TAP-ASL-04",
        promise="Every state has a way to an end.",
        source_url=_TRANSITIONS,
        check=_endless,
    ),
    Invariant(
        code="TAP-ASL-05",
        promise="No two states of a machine have one name.",
        source_url=_LANGUAGE,
        check=_twice,
    ),
    Invariant(
        code="TAP-ASL-06",
        promise="A run that caught an error ends visibly failed, or the reason is written down.",
        source_url=_ERRORS,
        check=_recovering,
    ),
)
