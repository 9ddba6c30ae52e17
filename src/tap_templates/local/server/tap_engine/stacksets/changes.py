"""The changes to the instances of a stack set: each begins an operation and gives its id."""

from collections.abc import Sequence

from tap_engine.stacksets import operations, requests, stacks
from tap_engine.stacksets.model import Instance, StackSet, invalid, now
from tap_engine.stacksets.requests import Request, is_true

Key = tuple[str, str]


def create_instances(stack_set: StackSet, request: Request) -> str:
    """Create stacks; those that are there already are brought up to date."""
    keys = _targets(request)
    overrides = _overrides(stack_set, request, {})
    operation = operations.begin(
        stack_set,
        "CREATE",
        requests.preferences(request),
        operation_id=requests.operation_id(request),
    )

    def prepare() -> None:
        for account, region in keys:
            instance = stack_set.instances.setdefault(
                (account, region),
                Instance(
                    account=account, region=region, stack_name=stacks.new_name(stack_set.name)
                ),
            )
            instance.detailed = "PENDING"
            if overrides is not None:
                instance.overrides = dict(overrides)

    operations.start(stack_set, operation, keys, _apply(stack_set), prepare)
    return operation.id


def update_instances(stack_set: StackSet, request: Request) -> str:
    """Change overrides of stacks. A list that is given is the complete one; none changes nothing.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStackInstances.html
    """
    keys = _targets(request)
    given = {key: _overrides(stack_set, request, stack_set.instance(key).overrides) for key in keys}
    operation = operations.begin(
        stack_set,
        "UPDATE",
        requests.preferences(request),
        operation_id=requests.operation_id(request),
    )

    def prepare() -> None:
        for key, overrides in given.items():
            instance = stack_set.instances.get(key)
            if instance:
                instance.detailed = "PENDING"
                if overrides is not None:
                    instance.overrides = overrides

    operations.start(stack_set, operation, _operable(stack_set, keys), _apply(stack_set), prepare)
    return operation.id


def update_stack_set(stack_set: StackSet, request: Request) -> str:
    """Change the stack set, and then the targeted stacks; without targets, all of them.

    The stack set keeps the change even if the operation fails. All its instances are out of date
    from then on if the template or the parameters changed.
    """
    body = requests.template_body(request)
    if body is None:
        if not is_true(request, "UsePreviousTemplate"):
            raise invalid("Either TemplateBody, TemplateURL or UsePreviousTemplate is needed")
        body = stack_set.template
    parameters = requests.parameter_values(request, "Parameters", stack_set.parameters)
    capabilities = requests.strings(request, "Capabilities")
    requests.check_template(body, parameters, capabilities)
    keys = requests.targets(request)
    for key in keys:
        stack_set.instance(key)
    if bool(requests.strings(request, "Regions")) != bool(keys):
        raise invalid("Accounts and Regions must be given together")
    operation = operations.begin(
        stack_set,
        "UPDATE",
        requests.preferences(request),
        operation_id=requests.operation_id(request),
    )

    def prepare() -> None:
        changed = (body, parameters) != (stack_set.template, stack_set.parameters)
        stack_set.template, stack_set.parameters = body, parameters
        stack_set.capabilities = capabilities
        _change_the_rest(stack_set, request)
        for key, instance in stack_set.instances.items():
            targeted = not keys or key in keys
            if instance.status == "CURRENT" and (changed or targeted):
                instance.status = "OUTDATED"
            if targeted:
                instance.detailed = "PENDING"

    targeted = _operable(stack_set, keys or list(stack_set.instances))
    operations.start(stack_set, operation, targeted, _apply(stack_set), prepare)
    return operation.id


def _change_the_rest(stack_set: StackSet, request: Request) -> None:
    """Change what an update may leave out; what it leaves out stays."""
    if "Tags" in request:
        stack_set.tags = requests.pairs(request, "Tags", "Key", "Value")
    stack_set.description = request.get("Description", stack_set.description)
    role = request.get("AdministrationRoleARN", stack_set.administration_role)
    stack_set.administration_role = role
    stack_set.execution_role = request.get("ExecutionRoleName", stack_set.execution_role)
    if isinstance(request.get("ManagedExecution"), dict):
        stack_set.managed = is_true(request["ManagedExecution"], "Active")


def delete_instances(stack_set: StackSet, request: Request) -> str:
    """Delete stacks, or with RetainStacks only let them go; what is not there is left out."""
    if "RetainStacks" not in request:
        raise invalid("1 validation error detected: Value null at 'retainStacks' must not be null")
    retain = is_true(request, "RetainStacks")
    keys = [key for key in _targets(request) if key in stack_set.instances]
    operation = operations.begin(
        stack_set,
        "DELETE",
        requests.preferences(request),
        operation_id=requests.operation_id(request),
        retain=retain,
    )

    async def delete(instance: Instance) -> None:
        if not retain:
            try:
                await stacks.remove(stack_set, instance)
            except stacks.StackFailedError:
                instance.status = "INOPERABLE"
                raise
        del stack_set.instances[instance.key]

    operations.start(stack_set, operation, keys, delete)
    return operation.id


def detect_drift(stack_set: StackSet, request: Request) -> str:
    """Compare all stacks with the world."""
    operation = operations.begin(
        stack_set,
        "DETECT_DRIFT",
        requests.preferences(request),
        operation_id=requests.operation_id(request),
    )

    async def detect(instance: Instance) -> None:
        instance.drift = await stacks.detect_drift(stack_set, instance)
        instance.drift_checked = now()
        found = [each.drift for each in stack_set.instances.values()]
        stack_set.drift = {
            "DriftStatus": "DRIFTED" if "DRIFTED" in found else instance.drift,
            "DriftDetectionStatus": "COMPLETED",
            "LastDriftCheckTimestamp": instance.drift_checked,
            "TotalStackInstancesCount": len(found),
            "DriftedStackInstancesCount": found.count("DRIFTED"),
            "InSyncStackInstancesCount": found.count("IN_SYNC"),
            "InProgressStackInstancesCount": 0,
            "FailedStackInstancesCount": 0,
        }

    operations.start(stack_set, operation, list(stack_set.instances), detect)
    return operation.id


def _targets(request: Request) -> list[Key]:
    keys = requests.targets(request)
    if not keys:
        raise invalid("Accounts and Regions must each name at least one")
    return keys


def _operable(stack_set: StackSet, keys: Sequence[Key]) -> list[Key]:
    """Leave out instances that a failed deletion has excluded from updates."""
    return [key for key in keys if stack_set.instances[key].status != "INOPERABLE"]


def _overrides(
    stack_set: StackSet, request: Request, previous: dict[str, str]
) -> dict[str, str] | None:
    """Read overrides; None if none are given. Only declared parameters can be overridden."""
    if "ParameterOverrides" not in request:
        return None
    overrides = requests.parameter_values(request, "ParameterOverrides", previous)
    unknown = sorted(overrides.keys() - requests.declared_parameters(stack_set.template))
    if unknown:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    return overrides


def _apply(stack_set: StackSet) -> operations.Work:
    async def apply(instance: Instance) -> None:
        try:
            await stacks.apply(stack_set, instance)
        except BaseException:
            instance.status = "OUTDATED"
            raise
        instance.status = "CURRENT"

    return apply
