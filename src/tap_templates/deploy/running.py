"""One execution of a plan: its means, its operations, and the values it reads on the way.

Starts operations and waits; which ones is for `executor` to say, which has it from the plan.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from tap_templates.deploy import naming
from tap_templates.deploy.desired import Desired, DesiredStack
from tap_templates.deploy.errors import (
    DeployError,
    OperationExistsError,
    OperationInProgressError,
)
from tap_templates.deploy.events import Failure, Observer, Unobserved
from tap_templates.deploy.following import Pace, failures, follow
from tap_templates.deploy.health import Health
from tap_templates.deploy.plan import Plan
from tap_templates.deploy.ports import Cloud, Previous, Settings, StackSetRequest
from tap_templates.deploy.values import Kept, Known, Output, Value, Values

MEND = "mend the cause and deploy again; what succeeded stays"
GO_BACK = "`tap rollback` puts the previous release back; or mend the cause and deploy again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What an execution needs besides plan and cloud."""

    pace: Pace
    observer: Observer = field(default_factory=Unobserved)
    health: Health | None = None  # None: the alarms of the stacks
    attempt: int = 1  # 1-based; another one repeats a plan's operations deliberately
    read_file: Callable[[Path], bytes] = Path.read_bytes


@dataclass(slots=True)
class Run:
    plan: Plan
    desired: Desired
    cloud: Cloud
    means: Means
    number: int = 0  # of the step, 0-based
    reached: dict[str, tuple[str, ...]] = field(default_factory=dict)  # stack to regions updated
    stack: str = ""  # whose operation may be running
    operation: str = ""

    @property
    def operation_id(self) -> str:
        return naming.operation_id(self.plan.plan_id, self.number, self.means.attempt)


class StepFailedError(Exception):
    def __init__(self, stack: str, what: str, remedy: str, found: tuple[Failure, ...] = ()) -> None:
        super().__init__(what)
        self.outcome = (stack, what, remedy, found)


def operate(
    run: Run,
    stack: DesiredStack,
    regions: tuple[str, ...],
    start: Callable[[str], None],
    *,
    remedy: str,
) -> None:
    """Start an operation, or join it if it was started before, and wait for its success."""
    operation_id, name = run.operation_id, stack.stack_set
    run.stack, run.operation = stack.name, operation_id
    try:
        start(operation_id)
    except OperationExistsError:
        pass  # an earlier try of this call started it
    except OperationInProgressError as error:
        if run.cloud.operation(name, operation_id) is None:
            run.operation = ""
            busy = next((o for o in run.cloud.operations(name) if o.is_running), None)
            who = f"operation {busy.operation_id} ({busy.action})" if busy else "another operation"
            raise DeployError(
                name, f"{who} came in between", "wait for it and deploy again"
            ) from error
    ended = follow(
        run.cloud,
        run.means.pace,
        run.means.observer,
        stack=stack.name,
        stack_set=name,
        operation_id=operation_id,
    )
    if ended.status != "SUCCEEDED":
        found = failures(
            run.cloud, regions, stack=stack.name, stack_set=name, operation_id=operation_id
        )
        what = f"operation {operation_id} ended {ended.status}"
        raise StepFailedError(stack.name, what, remedy, found)


def verify(run: Run, stack: DesiredStack, regions: tuple[str, ...], *, remedy: str) -> None:
    """Hold that the instances are CURRENT and their stacks made from our template."""
    if not regions:
        return
    by_region = {each.region: each for each in run.cloud.instances(stack.stack_set)}
    found = []
    for region in regions:
        each = by_region.get(region)
        status, reason = (each.status, each.reason) if each else ("absent", "")
        if each and status == "CURRENT" and each.detailed_status != "SUCCEEDED":
            status = each.detailed_status
        elif each and status == "CURRENT":
            template = run.cloud.stack_template(region, each.stack_id)
            if naming.content_sha256(template) == stack.content_sha256:
                continue
            reason = "the stack was made from another template"
        found.append(Failure(stack=stack.name, region=region, status=status, reason=reason))
    if found:
        what = "the operation succeeded, but not all instances are current"
        raise StepFailedError(stack.name, what, remedy, tuple(found))


def request(run: Run, stack: DesiredStack, parameters: Values, description: str) -> StackSetRequest:
    desired, target = run.desired, run.desired.target
    return StackSetRequest(
        name=stack.stack_set,
        description=description,
        template=stack.template,
        template_bucket=desired.bucket(desired.home),
        template_key=naming.template_key(desired.system, stack.name, stack.template_sha256),
        parameters=_settings(run, parameters),
        capabilities=stack.capabilities,
        tags=naming.tags(desired.system, stack.name, target.suffix),
        administration_role_arn=target.administration_role_arn,
        execution_role_name=target.execution_role_name,
    )


def _settings(run: Run, values: Values) -> Settings:
    return {name: _setting(run, value) for name, value in values.items()}


def _setting(run: Run, value: Value) -> str | Previous:
    match value:
        case Known(text):
            return text
        case Kept():
            return Previous.VALUE
        case Output():
            return _read_output(run, value)
        case _:
            assert_never(value)


def texts(run: Run, values: Values) -> dict[str, str]:
    found = {name: _setting(run, value) for name, value in values.items()}
    return {name: text for name, text in found.items() if isinstance(text, str)}


def _read_output(run: Run, output: Output) -> str:
    found = run.cloud.stack(output.region, stack_id(run, output.stack, output.region))
    if found is None or output.name not in found.outputs:
        raise DeployError(
            f"{run.plan.system}/{output.stack} in {output.region}",
            f"has no output {output.name} now that it is deployed",
            "declare the output in the stack, or take it from another one",
        )
    return found.outputs[output.name]


def stack_id(run: Run, stack: str, region: str) -> str:
    name = naming.stack_set_name(run.plan.system, stack, run.plan.suffix)
    ids = {each.region: each.stack_id for each in run.cloud.instances(name)}
    return ids.get(region, "")
