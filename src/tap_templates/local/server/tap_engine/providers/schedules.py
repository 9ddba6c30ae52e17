"""AWS::Scheduler::Schedule, with all its properties. The group is the engine's own."""

import time

from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge, scheduler

from tap_engine import loopback
from tap_engine.providers.provider import Made, Properties, Provider, if_there, name_of, shaped


def _create(logical_id: str, properties: Properties, stack: str) -> Made:
    name = name_of(properties, "Name", stack, logical_id)
    client = loopback.client("scheduler")
    request = shaped(client, "create_schedule", {**properties, "Name": name})
    arn: str = client.create_schedule(**request)["ScheduleArn"]
    _begin_at_once(properties, name)
    return name, {"Arn": arn}


def _update(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
    if (new.get("Name", physical_id), new.get("GroupName")) != (physical_id, old.get("GroupName")):
        return _create(lid, new, stack)
    client = loopback.client("scheduler")
    request = shaped(client, "update_schedule", {**new, "Name": physical_id})
    return physical_id, {"Arn": client.update_schedule(**request)["ScheduleArn"]}


def _delete(physical_id: str, properties: Properties) -> None:
    with if_there():
        group = properties.get("GroupName", "default")
        loopback.client("scheduler").delete_schedule(Name=physical_id, GroupName=group)


def _begin_at_once(properties: Properties, name: str) -> None:
    """Let a rate without start date begin at once, which the engine does after one interval.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#rate-based
    """
    seconds = eventbridge._parse_rate_seconds(properties["ScheduleExpression"])
    if seconds is not None and "StartDate" not in properties:
        key = get_account_id(), get_region(), f"{properties.get('GroupName', 'default')}/{name}"
        scheduler._schedule_last_fired[key] = time.time() - seconds


PROVIDERS = (
    Provider(type="AWS::Scheduler::Schedule", create=_create, update=_update, delete=_delete),
)
