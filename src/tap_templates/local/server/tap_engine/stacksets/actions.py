"""The actions of StackSets: each takes a request and gives a result, or raises StackSetError.

SELF_MANAGED stack sets in one administration account and region; the others are refused.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import handlers

from tap_engine.stacksets import changes, operations, requests, show, stacks
from tap_engine.stacksets.model import StackSet, StackSetError, invalid
from tap_engine.stacksets.requests import Request, is_true
from tap_engine.stacksets.wire import Answer, answer, error, unflatten

Result = dict[str, Any]
Action = Callable[[Request], Result]
_PREFIX = "AWSCloudFormationStackSet"

_stack_sets: list[StackSet] = []  # oldest first; a deleted one stays, and its name is free again


def install() -> None:
    """Register the actions beside the engine's own."""
    stacks.install()
    for name, action in ACTIONS.items():
        if name in handlers._ACTION_HANDLERS:
            raise StackSetError("EngineChanged", f"the engine has its own {name} now", 500)
        handlers._ACTION_HANDLERS[name] = _handler(name, action)


def _handler(name: str, action: Action) -> Callable[[dict[str, Any]], Answer]:
    def handle(params: dict[str, Any]) -> Answer:
        try:
            return answer(name, action(unflatten(params)))
        except StackSetError as problem:
            return error(problem.code, problem.message, problem.status)

    return handle


def _mine() -> list[StackSet]:
    scope = get_account_id(), get_region()
    return [each for each in _stack_sets if (each.account, each.region) == scope]


def _find(request: Request) -> StackSet:
    """Find an active stack set by name or id."""
    wanted = str(request.get("StackSetName", ""))
    for each in _mine():
        if each.status == "ACTIVE" and wanted in (each.name, each.id, each.arn):
            return each
    raise StackSetError("StackSetNotFoundException", f"StackSet {wanted} not found", 404)


def create_stack_set(request: Request) -> Result:
    name, token = str(request.get("StackSetName", "")), str(request.get("ClientRequestToken", ""))
    if not requests.NAME.fullmatch(name):
        raise invalid(f"Value '{name}' at 'stackSetName' failed to satisfy constraint")
    if request.get("PermissionModel", "SELF_MANAGED") != "SELF_MANAGED":
        raise invalid(
            "You must be the management account or delegated admin account of an organization "
            "before operating a SERVICE_MANAGED stack set"
        )
    for each in _mine():
        if each.status == "ACTIVE" and each.name == name:
            if token and each.token == token:
                return {"StackSetId": each.id}
            raise StackSetError(
                "NameAlreadyExistsException", f"The StackSet {name} already exists", 409
            )
    body = requests.template_body(request)
    if body is None:
        raise invalid("Either TemplateBody or TemplateURL must be specified")
    parameters = requests.parameter_values(request, "Parameters", {})
    capabilities = requests.strings(request, "Capabilities")
    requests.check_template(body, parameters, capabilities)
    account, region = get_account_id(), get_region()
    identity = f"{name}:{uuid4()}"
    managed = request.get("ManagedExecution") or {}
    record = StackSet(
        name=name,
        id=identity,
        arn=f"arn:aws:cloudformation:{region}:{account}:stackset/{identity}",
        region=region,
        account=account,
        token=token,
        template=body,
        parameters=parameters,
        tags=requests.pairs(request, "Tags", "Key", "Value"),
        capabilities=capabilities,
        description=request.get("Description"),
        administration_role=request.get("AdministrationRoleARN")
        or f"arn:aws:iam::{account}:role/{_PREFIX}AdministrationRole",
        execution_role=request.get("ExecutionRoleName") or f"{_PREFIX}ExecutionRole",
        managed=is_true(managed, "Active"),
    )
    _stack_sets.append(record)
    return {"StackSetId": record.id}


def describe_stack_set(request: Request) -> Result:
    return {"StackSet": show.stack_set(_find(request))}


def list_stack_sets(request: Request) -> Result:
    wanted = request.get("Status")
    found = [each for each in _mine() if wanted in (None, each.status)]
    return show.page(request, [show.stack_set_summary(each) for each in found])


def delete_stack_set(request: Request) -> Result:
    try:
        record = _find(request)
    except StackSetError:
        return {}  # deleting what is not there succeeds, as on AWS
    if any(each.active for each in record.operations):
        raise StackSetError(
            "OperationInProgressException", f"An operation on {record.id} is in progress", 409
        )
    if record.instances:
        raise StackSetError("StackSetNotEmptyException", f"StackSet {record.id} is not empty", 409)
    record.status = "DELETED"
    return {}


def describe_stack_instance(request: Request) -> Result:
    record = _find(request)
    key = str(request.get("StackInstanceAccount")), str(request.get("StackInstanceRegion"))
    return {"StackInstance": show.instance(record, record.instance(key))}


def list_stack_instances(request: Request) -> Result:
    record = _find(request)
    found = [show.instance_summary(record, each) for each in record.instances.values()]
    for field, name in (("Region", "StackInstanceRegion"), ("Account", "StackInstanceAccount")):
        if request.get(name):
            found = [each for each in found if each[field] == request[name]]
    reads: dict[str, Callable[[Result], Any]] = {
        "DETAILED_STATUS": lambda each: each["StackInstanceStatus"]["DetailedStatus"],
        "LAST_OPERATION_ID": lambda each: each["LastOperationId"],
        "DRIFT_STATUS": lambda each: each["DriftStatus"],
    }
    return show.page(request, _filtered(request, found, reads))


def _filtered(
    request: Request, found: list[Result], reads: dict[str, Callable[[Result], Any]]
) -> list[Result]:
    for each in request.get("Filters") or []:
        read = reads.get(str(each.get("Name")))
        if read is None:
            raise invalid(f"Filter {each.get('Name')!r} is not one of {', '.join(reads)}")
        found = [one for one in found if read(one) == each.get("Values")]
    return found


def describe_stack_set_operation(request: Request) -> Result:
    record = _find(request)
    found = record.operation(str(request.get("OperationId")))
    return {"StackSetOperation": show.operation(record, found)}


def list_stack_set_operations(request: Request) -> Result:
    newest_first = reversed(_find(request).operations)
    return show.page(request, [show.operation_summary(each) for each in newest_first])


def list_stack_set_operation_results(request: Request) -> Result:
    found = _find(request).operation(str(request.get("OperationId")))
    results = [show.result(each) for each in found.results]
    reads: dict[str, Callable[[Result], Any]] = {
        "OPERATION_RESULT_STATUS": lambda each: each["Status"]
    }
    return show.page(request, _filtered(request, results, reads))


def stop_stack_set_operation(request: Request) -> Result:
    operations.stop(_find(request).operation(str(request.get("OperationId"))))
    return {}


def _changing(change: Callable[[StackSet, Request], str]) -> Action:
    """Make an action of a change to instances: it needs the administration role, gives an id."""

    def act(request: Request) -> Result:
        record = _find(request)
        account = record.account
        if any(each != account for each in requests.strings(request, "Accounts")):
            raise invalid(f"The local engine has one account, {account}")
        role = request.get("AdministrationRoleARN")
        asked = replace(record, administration_role=role) if role else record
        problem = stacks.administration_problem(asked)
        if problem:
            raise invalid(problem)
        return {"OperationId": change(record, request)}

    return act


ACTIONS: dict[str, Action] = {
    "CreateStackSet": create_stack_set,
    "DescribeStackSet": describe_stack_set,
    "ListStackSets": list_stack_sets,
    "UpdateStackSet": _changing(changes.update_stack_set),
    "DeleteStackSet": delete_stack_set,
    "CreateStackInstances": _changing(changes.create_instances),
    "UpdateStackInstances": _changing(changes.update_instances),
    "DeleteStackInstances": _changing(changes.delete_instances),
    "DetectStackSetDrift": _changing(changes.detect_drift),
    "DescribeStackInstance": describe_stack_instance,
    "ListStackInstances": list_stack_instances,
    "DescribeStackSetOperation": describe_stack_set_operation,
    "ListStackSetOperations": list_stack_set_operations,
    "ListStackSetOperationResults": list_stack_set_operation_results,
    "StopStackSetOperation": stop_stack_set_operation,
}
