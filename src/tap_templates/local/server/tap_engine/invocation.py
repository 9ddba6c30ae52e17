"""Patches: asynchronous invocations of Lambda, as AWS makes them.

The engine hands events of EventBridge to a function once, without retries, destinations or
permissions, and calls every error "Runtime.HandlerError". Here an asynchronous invocation is
retried as its EventInvokeConfig says, counted in the metrics attempt by attempt, and then recorded
in its failure destination. The pauses before retries are one and two minutes on AWS; here they are
`TAP_RETRY_SECONDS` and twice that.
"""

import contextvars
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudwatch, eventbridge, lambda_svc

from tap_engine import loopback
from tap_engine.faults import FAULTS
from tap_engine.originals import patch

RETRY_SECONDS = float(os.environ.get("TAP_RETRY_SECONDS", "0.5"))
_DEFAULT_RETRIES = 2
_DEFAULT_AGE_SECONDS = 21_600

Record = dict[str, Any]


class UndeliverableError(Exception):
    """An invocation that no retry can make: the code EventBridge gives, and why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def install() -> None:
    """Make the patches."""
    patch(
        lambda_svc,
        "invoke_async_with_retry",
        "289fe4d3cbd4",
        lambda _: later,
        why="metrics of each attempt, the alias's own settings, and the record AWS documents",
    )
    patch(
        lambda_svc,
        "_execute_function_warm",
        "62b9218bef5b",
        _ran,
        why="errorType is Runtime.HandlerError and not the exception's class; nobody is counted",
    )
    patch(
        lambda_svc,
        "_emit_lambda_metrics",
        "3b6689d77cf6",
        _throttled,
        why="it counts what the Invoke API was asked for, and no other invocation",
    )
    patch(
        eventbridge,
        "_dispatch_to_lambda",
        "1f95adbaed3a",
        lambda _: _from_eventbridge,
        why="EventBridge invokes asynchronously: with retries and failure destination",
    )
    patch(
        lambda_svc,
        "_iter_all_esms",
        "7db06c0627a5",
        _alive,
        why="queues of a killed region are polled, and their messages used up",
    )


def _alive(
    original: Callable[[], Iterator[tuple[str, str, Record]]],
) -> Callable[[], Iterator[tuple[str, str, Record]]]:
    def mappings() -> Iterator[tuple[str, str, Record]]:
        return (each for each in original() if each[1] not in FAULTS.dead)

    return mappings


def find(arn: str) -> tuple[Record, str]:
    """Find a function by ARN, ready to be executed, with its qualifier.

    Raises UndeliverableError if there is none.
    """
    function, config, name = lambda_svc._get_func_record_for_ref(arn)
    if not function or not config:
        raise UndeliverableError("NO_RESOURCE", f"Function not found: {arn}")
    record: Record = lambda_svc._execution_record_for_config(function, config)
    qualifier = arn.split(":")[7] if arn.count(":") == 7 else "$LATEST"
    base, _, _ = lambda_svc._get_base_func_record_for_ref(arn)  # a version's record has neither
    settings = base.get("event_invoke_configs") or {}
    unqualified = base.get("event_invoke_config") if qualifier == "$LATEST" else None
    record["event_invoke_config"] = settings.get(qualifier) or unqualified or {}
    record["event_invoke_configs"] = {}  # those of other qualifiers are not ours
    record["invoked_arn"] = arn if qualifier != "$LATEST" else f"{arn}:$LATEST"
    record["name"] = name
    return record, qualifier


def may_be_invoked_by(arn: str, source_arn: str, *, service: str = "events.amazonaws.com") -> bool:
    """Say whether the function's policy lets a service invoke it for this rule, route, …"""
    base, _, _ = lambda_svc._get_base_func_record_for_ref(arn)
    for statement in (base or {}).get("policy", {}).get("Statement", []):
        source = statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn", "*")
        if (
            statement.get("Principal") in ({"Service": service}, "*")
            and statement.get("Resource") == arn
            and re.fullmatch(re.escape(source).replace(r"\*", ".*"), source_arn)
        ):
            return True
    return False


def _from_eventbridge(arn: str, payload: str) -> None:
    record, _ = find(arn)
    later(record, json.loads(payload))


def later(function: Record, event: Any) -> None:
    """Invoke in a thread of its own; the caller does not wait."""
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_invoke, function, event), daemon=True).start()


def _invoke(function: Record, event: Any) -> None:
    config = function.get("config") or function
    _, _, _, region, account, *_ = config["FunctionArn"].split(":")
    settings = _settings(function)
    retries = settings.get("MaximumRetryAttempts")
    attempts = 1 + int(_DEFAULT_RETRIES if retries is None else retries)
    age_max = int(settings.get("MaximumEventAgeInSeconds") or _DEFAULT_AGE_SECONDS)
    started = time.monotonic()
    with request_scope(account, region):
        for attempt in range(1, attempts + 1):
            result: Record = lambda_svc._execute_function(function, event)
            if not result.get("error"):
                return
            pause = RETRY_SECONDS * 2 ** (attempt - 1)
            if attempt < attempts and time.monotonic() - started + pause > age_max:
                _park(function, event, result, attempt, "EventAgeExceeded")
                return
            if attempt < attempts:
                time.sleep(pause)
        _park(function, event, result, attempts, "RetriesExhausted")


def _settings(function: Record) -> Record:
    """Give how asynchronous invocations go: as `find` says, or as the engine's own record does."""
    unqualified = (function.get("event_invoke_configs") or {}).get("$LATEST")
    return function.get("event_invoke_config") or unqualified or {}


def _park(function: Record, event: Any, result: Record, attempts: int, condition: str) -> None:
    """Send what failed to the destination on failure, else to the dead-letter queue.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    config = function.get("config") or function
    settings = _settings(function)
    destination = ((settings.get("DestinationConfig") or {}).get("OnFailure") or {}).get(
        "Destination"
    )
    dead_letters = (config.get("DeadLetterConfig") or {}).get("TargetArn")
    said = result.get("body") if isinstance(result.get("body"), dict) else {}
    record = {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "requestContext": {
            "requestId": str(uuid4()),
            "functionArn": function.get("invoked_arn", config["FunctionArn"]),
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": {
            "statusCode": 200,
            "executedVersion": config.get("Version", "$LATEST"),
            "functionError": "Unhandled",
        },
        "responsePayload": said,
    }
    for target, body in ((destination, record), (dead_letters, event)):
        if target:
            try:
                _send(target, json.dumps(body))
            except Exception as error:  # noqa: BLE001 - on AWS as here, nobody hears of it but the metric
                lambda_svc.logger.warning("%s: %s", target, error)
                cloudwatch.record_metric(
                    "AWS/Lambda",
                    "DestinationDeliveryFailures" if target == destination else "DeadLetterErrors",
                    1,
                    "Count",
                    {"FunctionName": config["FunctionName"]},
                )


def _send(target: str, body: str) -> None:
    _, _, service, region, account, name = target.split(":", 5)
    if account != get_account_id():
        raise UndeliverableError("NO_PERMISSIONS", f"{target} is of another account")
    if service == "sqs":
        queues = loopback.client("sqs", region)
        queues.send_message(
            QueueUrl=queues.get_queue_url(QueueName=name)["QueueUrl"], MessageBody=body
        )
    elif service == "sns":
        loopback.client("sns", region).publish(TopicArn=target, Message=body)
    elif service == "lambda":
        later(find(target)[0], json.loads(body))
    elif service == "events":
        bus = loopback.client("events", region)
        entry = {"EventBusName": target, "Source": "lambda", "DetailType": "Lambda", "Detail": body}
        bus.put_events(Entries=[entry])
    else:
        raise UndeliverableError("NO_RESOURCE", f"{target} can receive no failures here")


def _ran(original: Callable[..., Record]) -> Callable[..., Record]:
    def execute(function: Record, event: Any, request_id: str) -> Record:
        name = (function.get("config") or function)["FunctionName"]
        started = time.monotonic()
        if get_region() in FAULTS.dead:
            result: Record = {"error": True, "body": {"errorMessage": "the region is down"}}
        else:
            result = original(function, event, request_id)
        _count(name, (time.monotonic() - started) * 1000, failed=bool(result.get("error")))
        if result.get("log"):
            lambda_svc.logger.info("%s:\n%s", name, result["log"])
        body = result.get("body")
        if (
            result.get("error")
            and isinstance(body, dict)
            and body.get("errorType") == "Runtime.HandlerError"
        ):
            body["errorType"] = exception_name(result.get("log") or "") or body["errorType"]
        return result

    return execute


def _count(name: str, milliseconds: float, *, failed: bool) -> None:
    for metric, value, unit in (
        ("Invocations", 1.0, "Count"),
        ("Errors", float(failed), "Count"),
        ("Duration", milliseconds, "Milliseconds"),
    ):
        cloudwatch.record_metric("AWS/Lambda", metric, value, unit, {"FunctionName": name})


def _throttled(_: Callable[..., None]) -> Callable[..., None]:
    def emit(function_name: str, duration_ms: float, error: bool, throttle: bool) -> None:  # noqa: ARG001, FBT001 - the engine's own
        if throttle and not duration_ms:  # it says so twice, the second time with how long it took
            dimensions = {"FunctionName": function_name}
            cloudwatch.record_metric("AWS/Lambda", "Throttles", 1, "Count", dimensions)

    return emit


def exception_name(log: str) -> str | None:
    """Read the class of the exception that the last traceback in `log` ends with."""
    _, found, trace = log.rpartition("Traceback (most recent call last):")
    for line in trace.splitlines() if found else []:
        named = re.match(r"([A-Za-z_][\w.]*)(?::|$)", line)
        if named:
            return named.group(1).rpartition(".")[2]
    return None
