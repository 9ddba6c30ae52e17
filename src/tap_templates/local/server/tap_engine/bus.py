"""Patches: what EventBridge does when it delivers.

The engine delivers once and writes a line into its log if it cannot; it drops events for a bus in
another region, and what a schedule says about the event it puts. Here an event that cannot be
delivered goes to the target's dead-letter queue with the attributes that AWS documents, at once:
there is no retry over 24 hours, because nothing here is busy.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudwatch, eventbridge, scheduler, sns, sqs, stepfunctions

from tap_engine import invocation, loopback, roles, scheduled
from tap_engine.faults import FAULTS
from tap_engine.invocation import UndeliverableError
from tap_engine.originals import patch, set_value

Event = dict[str, Any]

_SERVICE = "events.amazonaws.com"
_THERE: Mapping[str, Callable[[str], bool]] = {  # service → is there a target of this ARN
    "sns": lambda arn: arn in sns._topics,
    "sqs": lambda arn: sqs._queue_by_arn(arn) is not None,
    "states": lambda arn: stepfunctions._resolve_state_machine_arn(arn) is not None,
}


def install() -> None:
    """Make the patches."""
    patch(
        eventbridge,
        "_invoke_target",
        "550e304af080",
        _with_dead_letters,
        why="dead-letter queues of targets, permissions, metrics, events that schedules put",
    )
    patch(
        eventbridge,
        "_dispatch_to_event_bus",
        "fef5c8d488f1",
        _to_any_region,
        why="a bus in another region is a target too",
    )
    set_value(
        scheduler,
        "_SCHEDULE_TICK_INTERVAL",
        was=10,
        value=1,
        why="a schedule of one minute is late by a second at most",
    )


def receive(event: Event, bus: str, region: str) -> None:
    """Give an event to a bus of a region, now or when the region is alive; its origin stays."""
    account = get_account_id()

    def deliver() -> None:
        with request_scope(account, region):
            arrived = {**event, "EventBusName": bus}
            eventbridge._events_log_list().append(
                {key: value for key, value in arrived.items() if key != "_DispatchPath"}
            )
            eventbridge._dispatch_event(arrived)
            arrived.pop("_DispatchPath", None)
            eventbridge._archive_event(arrived)

    FAULTS.when_alive(region, deliver)


def _to_any_region(original: Callable[..., None]) -> Callable[..., None]:
    def dispatch(
        spec: Any, event: Event, rule: Event, path: set[str], payload: str | None = None
    ) -> None:
        if spec.region == get_region() or spec.account_id != get_account_id():
            original(spec, event, rule, path, payload)
        elif "_TapFromRegion" not in event:  # AWS does not forward an event to a third region
            travelling = {**event, "_TapFromRegion": get_region(), "_DispatchPath": []}
            if payload is not None:
                travelling["Detail"] = payload
            receive(travelling, spec.resource.split("/", 1)[1], spec.region)

    return dispatch


def _with_dead_letters(original: Callable[..., None]) -> Callable[..., None]:
    def invoke(target: Event, event: Event, rule: Event, view: Any = None) -> None:
        dimensions = {"RuleName": rule.get("Name", "")}
        bus = {"EventBusName": rule.get("EventBusName", "default")}
        if scheduled.is_schedule(rule.get("Arn", "")) and scheduled.deliver(target, rule):
            return
        if _is_first(target, rule):
            _count("MatchedEvents", 1, "Count", dimensions, bus | dimensions)
        _count("IngestionToInvocationStartLatency", _age_ms(event), "Milliseconds", {})
        _count("Invocations", 1, "Count", dimensions, bus | dimensions)
        try:
            _check(target, rule.get("Arn", ""))
        except UndeliverableError as error:
            _count("FailedInvocations", 1, "Count", dimensions, bus | dimensions)
            eventbridge.logger.warning("%s not delivered: %s", target["Arn"], error)
            _bury(target, event, rule, error)
            return
        original(target, event, rule, view)

    return invoke


def _is_first(target: Event, rule: Event) -> bool:
    """Say whether a target is the first of its rule: a rule matches once, whatever its targets."""
    key = eventbridge._rule_key(rule.get("Name"), rule.get("EventBusName", "default"))
    return bool(eventbridge._targets.get(key, [target])[0].get("Id") == target.get("Id"))


def _check(target: Event, rule_arn: str) -> None:
    """Raise UndeliverableError if a target is not there, or does not let the rule in."""
    arn = target["Arn"]
    _, _, service, region, account, resource = arn.split(":", 5)
    here = region == get_region() and account == get_account_id()
    if service == "lambda" and here:
        invocation.find(arn)
        if rule_arn and not invocation.may_be_invoked_by(arn, rule_arn):
            raise UndeliverableError("NO_PERMISSIONS", f"{arn} does not let {rule_arn} invoke it")
    with request_scope(account, region):
        missing = (service in _THERE and here and not _THERE[service](arn)) or (
            service == "events" and not _is_bus(resource)
        )
    if missing or (service == "states" and not here):
        raise UndeliverableError("NO_RESOURCE", f"{arn} does not exist")
    role = target.get("RoleArn", "")
    if service == "states" and not roles.may(role, _SERVICE, "states:StartExecution", arn):
        raise UndeliverableError("NO_PERMISSIONS", f"{role} may not start {arn} for EventBridge")


def _is_bus(resource: str) -> bool:
    kind, _, name = resource.partition("/")
    return kind != "event-bus" or name in eventbridge._event_buses


def _bury(target: Event, event: Event, rule: Event, error: UndeliverableError) -> None:
    """Send an event to the target's dead-letter queue.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue:
        return
    attributes = {
        "RULE_ARN": rule.get("Arn"),
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": error.code,
        "ERROR_MESSAGE": str(error),
        "RETRY_ATTEMPTS": "0",
    }
    body = json.dumps(eventbridge._pattern_event_view(event).event_with_detail())
    scope = get_account_id(), get_region()

    def send() -> None:
        names = {"EventBusName": rule.get("EventBusName", "default"), "RuleName": rule.get("Name")}
        with request_scope(*scope):
            try:
                queues = loopback.client("sqs", queue.split(":")[3])
                queues.send_message(
                    QueueUrl=queues.get_queue_url(QueueName=queue.split(":")[5])["QueueUrl"],
                    MessageBody=body,
                    MessageAttributes={
                        key: {"DataType": "String", "StringValue": value}
                        for key, value in attributes.items()
                        if value
                    },
                )
            except Exception as failure:  # noqa: BLE001 - counted, as on AWS; there is nobody else to tell
                eventbridge.logger.warning("%s: %s", queue, failure)
                _count("InvocationsFailedToBeSentToDlq", 1, "Count", names)
            else:
                _count("InvocationsSentToDlq", 1, "Count", names)

    # The queue is reached through the engine's own API, which this thread may be serving.
    threading.Thread(target=send, daemon=True).start()


def _age_ms(event: Event) -> float:
    # The engine keeps whole seconds: up to one of them is rounding, not age.
    return max(0.0, time.time() - float(event.get("Time") or 0) - 1) * 1000


def _count(name: str, value: float, unit: str, *dimensions: dict[str, str]) -> None:
    for each in dimensions:
        cloudwatch.record_metric("AWS/Events", name, value, unit, each)
