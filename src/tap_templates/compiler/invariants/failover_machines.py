"""State machines that move a database to another region, and what they run on.

Asked by the budget of the database path and by the rules on failover paths. A path is a machine
with the machines it starts, the functions they invoke, and who starts it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tap_templates.compiler.invariants.invariant import CompiledSystem
from tap_templates.rendered.arns import bare_name
from tap_templates.rendered.machines import STATE_MACHINE, Machine, MachineState, read_machine
from tap_templates.rendered.view import Located

FAILOVER: Final = "failoverGlobalCluster"
SWITCHOVER: Final = "switchoverGlobalCluster"
FUNCTION: Final = "AWS::Lambda::Function"
_STARTS: Final = "startExecution"
_SDK: Final = "aws-sdk:"


@dataclass(frozen=True, slots=True)
class RecoveryPath:
    """A machine that moves a database, then the machines it starts, and the functions of all.

    `fails_over` tells a way that is taken while the other region is lost from one that is taken
    back when both are there.
    """

    machines: tuple[Machine, ...]
    functions: tuple[Located, ...]
    fails_over: bool

    @property
    def machine(self) -> Machine:
        return self.machines[0]

    @property
    def region(self) -> str:
        return self.machine.located.stack.region


def recovery_paths(compiled: CompiledSystem) -> Iterator[RecoveryPath]:
    """Find every machine that moves a database, with all that it runs on."""
    known = [read_machine(located) for located in compiled.view.resources(STATE_MACHINE)]
    for machine in known:
        calls = {operation(state) for state in machine.states()}
        if not calls & {FAILOVER, SWITCHOVER}:
            continue
        started = _started(machine, known)
        functions = {
            (each.stack.stack, each.resource.logical_id): each
            for one in started
            for state in one.states()
            if (each := invoked(compiled, one, state)) is not None
        }
        yield RecoveryPath(tuple(started), tuple(functions.values()), FAILOVER in calls)


def operation(state: MachineState) -> str:
    """Name the operation that a task calls by its service's own API; "" for any other state."""
    if state.kind != "Task" or not state.integration.startswith(_SDK):
        return ""
    return state.integration.removeprefix(_SDK).partition(":")[2].partition(".")[0]


def _started(first: Machine, known: list[Machine]) -> list[Machine]:
    found = [first]
    for machine in found:
        for state in machine.states():
            if _STARTS not in state.integration:
                continue
            arn = state.given.get("StateMachineArn")
            found += [
                each for each in known if each.located.resource.arn == arn and each not in found
            ]
    return found


def invoked(compiled: CompiledSystem, machine: Machine, state: MachineState) -> Located | None:
    """Find the function of the system that a task invokes, with or without alias."""
    given = state.invokes() if state.kind == "Task" else None
    if not given:
        return None
    if given.startswith("arn:"):
        return function_of(compiled, given)
    name = bare_name(given.rpartition("function:")[2]).partition(":")[0]
    for each in compiled.view.resources(FUNCTION):
        if each.stack.region == machine.located.stack.region and each.resource.name == name:
            return each
    return None


def function_of(compiled: CompiledSystem, arn: str) -> Located | None:
    """Find the function that an ARN names, with or without alias."""
    found = compiled.view.find(":".join(arn.split(":")[:7]))
    return found if found is not None and found.resource.type == FUNCTION else None


def told_of(compiled: CompiledSystem, machine: Machine) -> Iterator[Located]:
    """Find the functions that are told the ARN of a machine: they start it."""
    arn = machine.located.resource.arn
    for function in compiled.view.resources(FUNCTION):
        environment = function.resource.properties.get("Environment", {})
        if arn is not None and arn in environment.get("Variables", {}).values():
            yield function
