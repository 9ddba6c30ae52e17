"""Carry out a plan, step by step. Writes to AWS; decides nothing.

Each operation has an id made from plan, step and attempt. AWS starts an id once, so a call that is
repeated, by a retry or after an answer was lost, joins what it started. A process that is killed
anywhere leaves a state that the next plan continues from.
"""

from typing import assert_never

from tap_templates.deploy import naming
from tap_templates.deploy.desired import Desired, DesiredStack
from tap_templates.deploy.errors import (
    DeployError,
    NotApprovedError,
    StackSetExistsError,
    StackSetMissingError,
    WorldMovedError,
)
from tap_templates.deploy.events import (
    Detached,
    Failed,
    GateWaiting,
    Outcome,
    StepDone,
    StepStarted,
    Succeeded,
)
from tap_templates.deploy.health import AlarmsQuiet
from tap_templates.deploy.observed import observe
from tap_templates.deploy.plan import Plan
from tap_templates.deploy.ports import Cloud
from tap_templates.deploy.running import (
    GO_BACK,
    MEND,
    Means,
    Run,
    StepFailedError,
    operate,
    request,
    stack_id,
    texts,
    verify,
)
from tap_templates.deploy.steps import (
    CreateInstances,
    CreateStackSet,
    DeleteInstances,
    DeleteStackSet,
    EmptyBucket,
    Gate,
    Step,
    StoreRelease,
    UpdateInstances,
    UpdateStackSet,
    UploadPackage,
)


def apply(plan: Plan, desired: Desired, cloud: Cloud, means: Means) -> Outcome:
    """Carry out exactly `plan`, or refuse before the first write.

    Raises NotApprovedError or DeployError if it is blocked, WorldMovedError if it was made for
    something else than `desired` or from something else than what is there now, DeployError if
    the credentials are of another account, and CloudError for a call that AWS refused for good.
    """
    _refuse_blocked(plan)
    if plan.desired != desired.fingerprint:
        raise WorldMovedError(
            f"{plan.system} plan {plan.plan_id[:12]}",
            "was made for another build or target",
            "make a new plan",
        )
    if not plan.steps:
        return Succeeded(nothing_to_do=True)
    run = Run(plan, desired, cloud, means)
    try:
        # Reading comes with the check of the account, so nothing is written into another one.
        if observe(cloud, desired).fingerprint != plan.observed:
            raise WorldMovedError(
                f"{plan.system} plan {plan.plan_id[:12]}",
                "what is deployed is no longer what the plan was made from",
                "make a new plan",
            )
        return _execute(run)
    except KeyboardInterrupt:
        return Detached(stack=run.stack, operation_id=run.operation)


def _refuse_blocked(plan: Plan) -> None:
    if not plan.blocked:
        return
    first = plan.blocked[0]
    place = f"{plan.system}/{first.stack} in {first.region}"
    asked = {(each.stack, region) for each in plan.unapproved for region in each.regions}
    if asked and all((each.stack, each.region) in asked for each in plan.blocked):
        digests = " ".join(f"--approve {each.digest}" for each in plan.unapproved)
        raise NotApprovedError(place, first.reason, f"if that is wanted: {digests}")
    raise DeployError(place, f"is blocked: {first.reason}", "remove the obstacle and plan again")


def _execute(run: Run) -> Outcome:
    total, saw = len(run.plan.steps), run.means.observer.saw
    for number, step in enumerate(run.plan.steps):
        run.number = number
        saw(StepStarted(number=number + 1, total=total, step=step))
        try:
            done = _carry_out(run, step)
        except StepFailedError as error:
            stack, what, remedy, found = error.outcome
            for failure in found:
                saw(failure)
            return Failed(step=step, stack=stack, what=what, failures=found, remedy=remedy)
        run.stack = run.operation = ""
        saw(StepDone(number=number + 1, total=total, step=step, skipped=not done))
    return Succeeded()


def _carry_out(run: Run, step: Step) -> bool:
    """Do one step; return whether there was anything to do."""
    match step:
        case UploadPackage() | StoreRelease() | EmptyBucket():
            _transfer(run, step)
        case CreateStackSet():
            _create_stack_set(run, step)
        case UpdateStackSet():
            _update_stack_set(run, step)
        case CreateInstances():
            _create_instances(run, step)
        case UpdateInstances():
            return _update_instances(run, step)
        case DeleteInstances():
            _delete_instances(run, step)
        case DeleteStackSet():
            _delete_stack_set(run, step)
        case Gate():
            _gate(run, step)
        case _:
            assert_never(step)
    return True


def _transfer(run: Run, step: UploadPackage | StoreRelease | EmptyBucket) -> None:
    match step:
        case UploadPackage():
            _upload_package(run, step)
        case StoreRelease():
            _store_release(run, run.desired.stack(step.stack))
        case EmptyBucket():
            run.cloud.empty_bucket(step.region, step.bucket)
        case _:
            assert_never(step)


def _upload_package(run: Run, step: UploadPackage) -> None:
    data = run.means.read_file(run.desired.packages[step.package].path)
    _put(run, step.region, step.key, data, step.sha256)


def _store_release(run: Run, stack: DesiredStack) -> None:
    home, system = run.desired.home, run.desired.system
    template = stack.template.encode()
    key = naming.template_key(system, stack.name, stack.template_sha256)
    _put(run, home, key, template, stack.template_sha256)
    release = stack.release
    key = naming.release_key(system, stack.name, release.sha256)
    _put(run, home, key, naming.canonical(release.to_json()), release.sha256)


def _put(run: Run, region: str, key: str, data: bytes, sha256: str) -> None:
    """Upload, and believe only what is read back."""
    bucket = run.desired.bucket(region)
    run.cloud.put_object(region, bucket, key, data=data)
    found = run.cloud.object_sha256(region, bucket, key)
    if found != sha256:
        raise DeployError(
            f"s3://{bucket}/{key}",
            f"has SHA-256 {found} after the upload, expected {sha256}",
            "run `make templates`; if it stays so, find out who writes to that bucket",
        )


def _create_stack_set(run: Run, step: CreateStackSet) -> None:
    stack = run.desired.stack(step.stack)
    wanted = request(run, stack, step.parameters, step.description)
    try:
        run.cloud.create_stack_set(wanted)
    except StackSetExistsError:
        found = run.cloud.stack_set(stack.stack_set)
        if found is None or found.description != wanted.description:
            raise


def _update_stack_set(run: Run, step: UpdateStackSet) -> None:
    stack = run.desired.stack(step.stack)
    wanted = request(run, stack, step.parameters, step.description)

    def start(operation_id: str) -> None:
        run.cloud.update_stack_set(wanted, regions=step.regions, operation_id=operation_id)

    operate(run, stack, step.regions, start, remedy=GO_BACK)
    # All that were updated so far: an update of one region may not undo another.
    run.reached[stack.name] = (*run.reached.get(stack.name, ()), *step.regions)
    verify(run, stack, run.reached[stack.name], remedy=GO_BACK)


def _create_instances(run: Run, step: CreateInstances) -> None:
    stack = run.desired.stack(step.stack)
    overrides = texts(run, step.overrides)

    def start(operation_id: str) -> None:
        run.cloud.create_instances(
            stack.stack_set, regions=step.regions, overrides=overrides, operation_id=operation_id
        )

    operate(run, stack, step.regions, start, remedy=MEND)
    verify(run, stack, step.regions, remedy=MEND)


def _update_instances(run: Run, step: UpdateInstances) -> bool:
    stack = run.desired.stack(step.stack)
    overrides = texts(run, step.overrides)
    if overrides == dict(step.current):
        return False

    def start(operation_id: str) -> None:
        run.cloud.update_instances(
            stack.stack_set, regions=step.regions, overrides=overrides, operation_id=operation_id
        )

    operate(run, stack, step.regions, start, remedy=MEND)
    verify(run, stack, step.regions, remedy=MEND)
    return True


def _delete_instances(run: Run, step: DeleteInstances) -> None:
    stack = run.desired.stack(step.stack)

    def start(operation_id: str) -> None:
        run.cloud.delete_instances(stack.stack_set, regions=step.regions, operation_id=operation_id)

    operate(run, stack, step.regions, start, remedy=MEND)
    if left := {i.region for i in run.cloud.instances(stack.stack_set)} & {*step.regions}:
        what = f"instances are still there: {', '.join(sorted(left))}"
        raise StepFailedError(stack.name, what, MEND)


def _delete_stack_set(run: Run, step: DeleteStackSet) -> None:
    try:
        run.cloud.delete_stack_set(run.desired.stack(step.stack).stack_set)
    except StackSetMissingError:
        return  # an earlier try of this call deleted it


def _gate(run: Run, step: Gate) -> None:
    pace, health = run.means.pace, run.means.health or AlarmsQuiet(run.cloud)
    ids = tuple(stack_id(run, stack, step.region) for stack in step.stacks)
    deadline = pace.clock() + pace.gate_seconds
    while reasons := health.unhealthy(step.region, ids):
        run.means.observer.saw(GateWaiting(region=step.region, reasons=reasons))
        if pace.clock() >= deadline:
            what = f"{step.region} is not healthy after the update: {'; '.join(reasons)}"
            raise StepFailedError(step.stacks[-1], what, GO_BACK)
        pace.sleep(pace.poll_seconds)
