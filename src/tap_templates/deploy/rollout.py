"""What the command line calls to deploy: join what runs, plan, apply.

`plan_rollout` only reads. `join` waits for operations of earlier runs; after it, plan anew: the
world has moved. `executor.apply` carries a plan out.
"""

from dataclasses import dataclass

from tap_templates.deploy import naming
from tap_templates.deploy.desired import Desired, DesiredStack
from tap_templates.deploy.events import Detached, Failed, Outcome
from tap_templates.deploy.following import failures, follow
from tap_templates.deploy.observed import check_account, observe
from tap_templates.deploy.plan import Plan
from tap_templates.deploy.planner import DEFAULTS, Options, plan
from tap_templates.deploy.ports import Reader
from tap_templates.deploy.running import GO_BACK, Means


def plan_rollout(desired: Desired, reader: Reader, options: Options = DEFAULTS) -> Plan:
    """Read what is deployed and plan how to get to `desired`."""
    return plan(desired, observe(reader, desired), options)


def join(
    desired: Desired, reader: Reader, means: Means, *, wait_for_others: bool = False
) -> Outcome | None:
    """Wait for operations that earlier runs left behind; None if it can go on.

    Operations of others are waited for only if asked: the plan names them and is blocked. An
    operation of ours that failed is an outcome, not something to try again unasked.
    """
    check_account(reader, desired)
    at = _At()
    try:
        for stack in desired.stacks:
            outcome = _join_one(desired, stack, reader, means, at, wait_for_others=wait_for_others)
            if outcome:
                return outcome
    except KeyboardInterrupt:
        return Detached(stack=at.stack, operation_id=at.operation_id)
    return None


@dataclass(slots=True)
class _At:
    """What is being waited for, for whoever is interrupted."""

    stack: str = ""
    operation_id: str = ""


def _join_one(
    desired: Desired,
    stack: DesiredStack,
    reader: Reader,
    means: Means,
    at: _At,
    *,
    wait_for_others: bool,
) -> Failed | None:
    name = stack.stack_set
    if reader.stack_set(name) is None:
        return None
    running = next((each for each in reader.operations(name) if each.is_running), None)
    if running is None:
        return None
    is_ours = naming.is_ours(running.operation_id)
    if not (is_ours or wait_for_others):
        return None
    at.stack, at.operation_id = stack.name, running.operation_id
    ended = follow(
        reader,
        means.pace,
        means.observer,
        stack=stack.name,
        stack_set=name,
        operation_id=running.operation_id,
    )
    at.stack = at.operation_id = ""
    if ended.status == "SUCCEEDED" or not is_ours:
        return None
    found = failures(
        reader,
        desired.regions,
        stack=stack.name,
        stack_set=name,
        operation_id=ended.operation_id,
    )
    for failure in found:
        means.observer.saw(failure)
    what = f"operation {ended.operation_id} of an earlier run ended {ended.status}"
    return Failed(step=None, stack=stack.name, what=what, failures=found, remedy=GO_BACK)
