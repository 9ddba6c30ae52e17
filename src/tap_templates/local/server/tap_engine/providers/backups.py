"""AWS::Backup: vaults, plans and selections, through the service's API. No job ever runs by itself.

The engine has no selections in CloudFormation, and keeps numbers of plans as text.
"""

from typing import Any

from tap_engine import loopback
from tap_engine.providers.provider import (
    Attributes,
    Made,
    Properties,
    Provider,
    engines_own,
    if_there,
    refuse_change,
    shaped,
    without,
)

_PLAN, _SELECTION = "AWS::Backup::BackupPlan", "AWS::Backup::BackupSelection"
_plan = engines_own(_PLAN)


def _create_plan(_: str, properties: Properties, __: str) -> Made:
    client = loopback.client("backup")
    request: dict[str, Any] = {"BackupPlan": _rules_said(properties["BackupPlan"])}
    if "BackupPlanTags" in properties:
        request["BackupPlanTags"] = properties["BackupPlanTags"]
    made = client.create_backup_plan(**shaped(client, "create_backup_plan", request))
    return made["BackupPlanId"], _plan_attributes(made)


def _update_plan(physical_id: str, old: Properties, new: Properties, _: str, __: str) -> Made:
    refuse_change(_PLAN, old, new, "BackupPlan", "BackupPlanTags")
    client = loopback.client("backup")
    request = {"BackupPlanId": physical_id, "BackupPlan": _rules_said(new["BackupPlan"])}
    made = client.update_backup_plan(**shaped(client, "update_backup_plan", request))
    wanted, before = new.get("BackupPlanTags") or {}, old.get("BackupPlanTags") or {}
    gone = sorted(before.keys() - wanted.keys())
    if gone:
        client.untag_resource(ResourceArn=made["BackupPlanArn"], TagKeyList=gone)
    if wanted and wanted != before:
        client.tag_resource(ResourceArn=made["BackupPlanArn"], Tags=dict(wanted))
    return physical_id, _plan_attributes(made)


def _rules_said(plan: Properties) -> dict[str, Any]:
    """Say a plan in the words of the API, which calls two things otherwise."""
    rules = [
        without(rule, "TargetBackupVault") | {"TargetBackupVaultName": rule["TargetBackupVault"]}
        for rule in plan["BackupPlanRule"]
    ]
    for rule in rules:  # the API of the engine does not look
        loopback.client("backup").describe_backup_vault(
            BackupVaultName=rule["TargetBackupVaultName"]
        )
    return without(plan, "BackupPlanRule") | {"Rules": rules}


def _plan_attributes(made: Properties) -> Attributes:
    return {key: made[key] for key in ("BackupPlanArn", "BackupPlanId", "VersionId")}


def _create_selection(_: str, properties: Properties, __: str) -> Made:
    client = loopback.client("backup")
    made = client.create_backup_selection(
        **shaped(client, "create_backup_selection", dict(properties))
    )
    attributes = {"BackupPlanId": made["BackupPlanId"], "SelectionId": made["SelectionId"]}
    # It takes both to find the selection again.
    return f"{made['BackupPlanId']}_{made['SelectionId']}", attributes | {"Id": made["SelectionId"]}


def _update_selection(
    physical_id: str, old: Properties, new: Properties, stack: str, lid: str
) -> Made:
    if dict(old) == dict(new):
        plan, selection = physical_id.split("_")
        return physical_id, {"BackupPlanId": plan, "SelectionId": selection, "Id": selection}
    return _create_selection(lid, new, stack)  # nothing of it changes in place


def _delete_selection(physical_id: str, _: Properties) -> None:
    plan, selection = physical_id.split("_")
    with if_there():
        loopback.client("backup").delete_backup_selection(BackupPlanId=plan, SelectionId=selection)


PROVIDERS = (
    Provider(type=_PLAN, create=_create_plan, update=_update_plan, delete=_plan.delete),
    Provider(
        type=_SELECTION,
        create=_create_selection,
        update=_update_selection,
        delete=_delete_selection,
    ),
)
