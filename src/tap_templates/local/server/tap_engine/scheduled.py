"""What EventBridge Scheduler delivers: an event for a bus, or an invocation that nobody waits for.

Scheduler works with the role of the schedule, so the policy of a function is not asked. What cannot
be delivered goes to the dead-letter queue at once, without a retry; a dead region does nothing.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
"""

import json
import threading
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudwatch, eventbridge

from tap_engine import invocation, loopback, roles
from tap_engine.faults import FAULTS
from tap_engine.invocation import UndeliverableError

Target = dict[str, Any]

_SERVICE = "scheduler.amazonaws.com"


def is_schedule(arn: str) -> bool:
    """Say whether it is a schedule that delivers, and no rule."""
    return ":scheduler:" in arn


def deliver(target: Target, schedule: dict[str, Any]) -> bool:
    """Deliver for a schedule; say no if the target is of a kind that needs nothing special."""
    if get_region() in FAULTS.dead:
        return True
    if target.get("EventBridgeParameters"):
        _put(target)
        return True
    if target["Arn"].split(":")[2] != "lambda":
        return False
    group = {"ScheduleGroup": schedule.get("GroupName", "default")}
    cloudwatch.record_metric("AWS/Scheduler", "InvocationAttemptCount", 1, "Count", group)
    try:
        _invoke(target)
    except UndeliverableError as error:
        cloudwatch.record_metric("AWS/Scheduler", "TargetErrorCount", 1, "Count", group)
        eventbridge.logger.warning("%s not invoked: %s", target["Arn"], error)
        _bury(target, schedule, error)
    return True


def _put(target: Target) -> None:
    """Put the event that a schedule's target describes on its bus."""
    _, _, _, region, _, resource = target["Arn"].split(":", 5)
    says = target["EventBridgeParameters"]
    entry = {
        "EventBusName": resource.split("/", 1)[1],
        "Source": says["Source"],
        "DetailType": says["DetailType"],
        "Detail": target.get("Input") or "{}",
    }
    if region not in FAULTS.dead:
        with request_scope(get_account_id(), region):
            eventbridge._put_events({"Entries": [entry]})


def _invoke(target: Target) -> None:
    function, _ = invocation.find(target["Arn"])
    role = target.get("RoleArn", "")
    if not roles.may(role, _SERVICE, "lambda:InvokeFunction", target["Arn"]):
        raise UndeliverableError(
            "AccessDeniedException", f"{role} may not invoke {target['Arn']} for Scheduler"
        )
    invocation.later(function, json.loads(target.get("Input") or "{}"))


def _bury(target: Target, schedule: dict[str, Any], error: UndeliverableError) -> None:
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue:
        return
    attributes = {
        "SCHEDULE_ARN": schedule.get("Arn", ""),
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": error.code,
        "ERROR_MESSAGE": str(error),
        "RETRY_ATTEMPTS": "0",
    }
    scope = get_account_id(), get_region()

    def send() -> None:
        with request_scope(*scope):
            queues = loopback.client("sqs")
            queues.send_message(
                QueueUrl=queues.get_queue_url(QueueName=queue.split(":")[5])["QueueUrl"],
                MessageBody=target.get("Input") or "{}",
                MessageAttributes={
                    key: {"DataType": "String", "StringValue": value}
                    for key, value in attributes.items()
                    if value
                },
            )

    # The queue is reached through the engine's own API, which this thread may be serving.
    threading.Thread(target=send, daemon=True).start()
