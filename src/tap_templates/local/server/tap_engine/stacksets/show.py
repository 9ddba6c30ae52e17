"""How StackSets shows what it remembers, in the shapes of the API. Pure."""

from collections.abc import Sequence
from typing import Any

from tap_engine.stacksets.model import Instance, Operation, Result, StackSet, invalid

_PAGE = 100


def stack_set(record: StackSet) -> dict[str, Any]:
    """Show a stack set, with its template."""
    return {
        **stack_set_summary(record),
        "StackSetARN": record.arn,
        "TemplateBody": record.template,
        "Parameters": _pairs(record.parameters, "ParameterKey", "ParameterValue"),
        "Capabilities": record.capabilities,
        "Tags": _pairs(record.tags, "Key", "Value"),
        "AdministrationRoleARN": record.administration_role,
        "ExecutionRoleName": record.execution_role,
        "StackSetDriftDetectionDetails": record.drift,
        "Regions": sorted({instance.region for instance in record.instances.values()}),
    }


def stack_set_summary(record: StackSet) -> dict[str, Any]:
    """Show a stack set in a list."""
    return {
        "StackSetName": record.name,
        "StackSetId": record.id,
        "Description": record.description,
        "Status": record.status,
        "PermissionModel": "SELF_MANAGED",
        "ManagedExecution": {"Active": record.managed},
    }


def instance(record: StackSet, found: Instance) -> dict[str, Any]:
    """Show an instance, with its overrides."""
    overrides = _pairs(found.overrides, "ParameterKey", "ParameterValue")
    return {**instance_summary(record, found), "ParameterOverrides": overrides}


def instance_summary(record: StackSet, found: Instance) -> dict[str, Any]:
    """Show an instance in a list."""
    return {
        "StackSetId": record.id,
        "Region": found.region,
        "Account": found.account,
        "StackId": found.stack_id,
        "Status": found.status,
        "StatusReason": found.reason,
        "StackInstanceStatus": {"DetailedStatus": found.detailed},
        "DriftStatus": found.drift,
        "LastDriftCheckTimestamp": found.drift_checked,
        "LastOperationId": found.last_operation,
    }


def operation(record: StackSet, found: Operation) -> dict[str, Any]:
    """Show an operation."""
    return {
        **operation_summary(found),
        "StackSetId": record.id,
        "RetainStacks": found.retain,
        "AdministrationRoleARN": record.administration_role,
        "ExecutionRoleName": record.execution_role,
        "StackSetDriftDetectionDetails": record.drift if found.action == "DETECT_DRIFT" else None,
    }


def operation_summary(found: Operation) -> dict[str, Any]:
    """Show an operation in a list."""
    failed = sum(result.status == "FAILED" for result in found.results)
    return {
        "OperationId": found.id,
        "Action": found.action,
        "Status": found.status,
        "StatusReason": found.reason,
        "StatusDetails": {"FailedStackInstancesCount": failed},
        "OperationPreferences": found.preferences.as_given or None,
        "CreationTimestamp": found.created,
        "EndTimestamp": found.ended,
    }


def result(found: Result) -> dict[str, Any]:
    """Show how an operation went for an instance."""
    gate = {"Status": "SKIPPED", "StatusReason": "No account gate function"}
    return {
        "Account": found.account,
        "Region": found.region,
        "Status": found.status,
        "StatusReason": found.reason,
        "AccountGateResult": gate if found.status not in ("PENDING", "CANCELLED") else None,
    }


def page(request: dict[str, Any], items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Cut a list to the page that is asked for."""
    token = str(request.get("NextToken") or "0")
    if not token.isdigit():
        raise invalid("Invalid NextToken")
    first, size = int(token), int(request.get("MaxResults") or _PAGE)
    rest = first + size
    return {
        "Summaries": list(items[first:rest]),
        "NextToken": str(rest) if rest < len(items) else None,
    }


def _pairs(values: dict[str, str], key: str, value: str) -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in values.items()]
