"""The states an event goes through, and how each way ends.

Enrichment only reads and storing only writes, so the two may run at once; what both found is put
together by Record, which comes after them. Whoever failed after something may have been stored
goes through Compensate, and every failed event ends in the failed queue, then visibly failed.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from tap_templates.blocks.function import Function
from tap_templates.blocks.state_calls import Invoke, Send
from tap_templates.blocks.state_choices import equals
from tap_templates.blocks.state_errors import ALL, LAMBDA_TRANSIENT, TIMEOUT, Catch, Retry
from tap_templates.blocks.state_flow import Definition, Flow
from tap_templates.blocks.states import Choice, Fail, Parallel, State, Succeed, Task, When
from templates.market_pipeline.shared import (
    COMPENSATION,
    ENRICHMENT,
    FAILED,
    STORAGE,
    VALIDATION,
)

FUNCTION_TIMEOUT = timedelta(seconds=15)  # two calls of AWS with all their attempts
# Longer than the function's own, so that none of its code runs when compensation begins.
_TASK_TIMEOUT = timedelta(seconds=20)
# Nothing has run yet, so nothing is lost by waiting: all executions are busy, or a function that
# nobody called for two weeks gets its snapshot and its network interfaces back, which takes
# minutes. Compensation is such a function
# (https://docs.aws.amazon.com/lambda/latest/dg/snapstart-troubleshooting.html).
_RETRY_UNTIL_READY = Retry(
    errors=(
        "Lambda.ENINotReadyException",
        "Lambda.ResourceNotReadyException",
        "Lambda.SnapStartNotReadyException",
        "Lambda.SnapStartTimeoutException",
        "Lambda.TooManyRequestsException",
    ),
    interval=timedelta(seconds=5),
    most_attempts=10,
    backoff=2,
    longest_delay=timedelta(seconds=60),
)
# What may pass if one only waits: the handlers' own name for it, what Lambda says of itself, and
# what it says of a function that ran out of time or memory.
_TRANSIENT = (
    "TemporaryFailure",
    *(each for each in LAMBDA_TRANSIENT if each != "Lambda.TooManyRequestsException"),
    "Lambda.Unknown",
    "Sandbox.Timedout",
    TIMEOUT,
)
_RETRY = Retry(
    errors=_TRANSIENT,
    interval=timedelta(seconds=2),
    most_attempts=2,
    backoff=2,
    jitter=False,
)
# Nothing waits for what is given up, so it is tried for longer.
_RETRY_LONGER = Retry(
    errors=(ALL,),
    interval=timedelta(seconds=2),
    most_attempts=5,
    backoff=2,
    longest_delay=timedelta(seconds=30),
)
_EVENT = {
    "event.$": "$.validated.event",
    "digest.$": "$.validated.digest",
    "execution.$": "$$.Execution.Name",
}


def definition() -> Definition:
    """Describe the machine; its input is the event as EventBridge delivers it."""
    return Definition(
        comment="Validates a market event, enriches and stores it, and undoes what fails",
        start="Validate",
        states={**_recording(), **_giving_up()},
    )


def _recording() -> dict[str, State]:
    return {
        "Validate": _invoke(
            VALIDATION,
            {"event.$": "$.detail", "execution.$": "$$.Execution.Name"},
            result={
                "event.$": "$.Payload.event",
                "digest.$": "$.Payload.digest",
                "recorded.$": "$.Payload.recorded",
            },
            keep_at="$.validated",
            catch=(
                Catch(errors=("InvalidEvent", "EventIdReused"), then="Reject"),
                Catch(errors=(ALL,), then="ParkUnvalidated"),
            ),
            then="IsRecorded",
        ),
        "IsRecorded": Choice(
            when=(When(equals("$.validated.recorded", value=True), "AlreadyRecorded"),),
            otherwise="EnrichAndStore",
        ),
        "AlreadyRecorded": Succeed(comment="A retry, a duplicate or a replay: nothing to do"),
        "EnrichAndStore": Parallel(
            branches=(_enrich(), _store()),
            result={"enrichment.$": "$[0].enrichment"},
            keep_at="$.joined",
            catch=(Catch(errors=(ALL,), then="Compensate"),),
            then="Record",
        ),
        "Record": _invoke(
            STORAGE,
            {"operation": "record", "enrichment.$": "$.joined.enrichment", **_EVENT},
            result={"outcome.$": "$.Payload.outcome"},
            keep_at="$.recorded",
            catch=(Catch(errors=(ALL,), then="Compensate"),),
            then="Recorded",
        ),
        "Recorded": Succeed(),
    }


def _enrich() -> Flow:
    task = _invoke(
        ENRICHMENT,
        {"event.$": "$.validated.event"},
        result={"enrichment.$": "$.Payload"},
        then=None,
    )
    return Flow(start="Enrich", states={"Enrich": task})


def _store() -> Flow:
    task = _invoke(
        STORAGE,
        {"operation": "store", **_EVENT},
        result={"outcome.$": "$.Payload.outcome"},
        then=None,
    )
    return Flow(start="Store", states={"Store": task})


def _giving_up() -> dict[str, State]:
    validated = "$.validated.event"
    return {
        "Reject": _park("$.detail", then="Rejected"),
        "Rejected": Fail(error="InvalidEvent", cause="The event is refused; nothing was stored"),
        "ParkUnvalidated": _park("$.detail", then="NotValidated"),
        "NotValidated": Fail(
            error="NotValidated", cause="Validation failed for good; nothing was stored"
        ),
        "Compensate": _invoke(
            COMPENSATION,
            {"error.$": "$.error.Error", **_EVENT},
            result={"outcome.$": "$.Payload.outcome"},
            keep_at="$.compensated",
            catch=(Catch(errors=(ALL,), then="ParkUncompensated", keep_at="$.compensationError"),),
            then="ParkCompensated",
        ),
        "ParkCompensated": _park(validated, then="Compensated"),
        "Compensated": Fail(error="Compensated", cause="What was stored of the event is undone"),
        "ParkUncompensated": _park(validated, then="CompensationFailed"),
        "CompensationFailed": Fail(
            error="CompensationFailed", cause="The event may be stored by half: see the runbook"
        ),
    }


def _invoke(
    function: Function,
    payload: Mapping[str, object],
    *,
    result: Mapping[str, object],
    keep_at: str = "$",
    catch: Sequence[Catch] = (),
    then: str | None,
) -> Task:
    return Task(
        call=Invoke(function=function, payload=payload),
        timeout=_TASK_TIMEOUT,
        result=result,
        keep_at=keep_at,
        retry=(_RETRY, _RETRY_UNTIL_READY),
        catch=catch,
        then=then,
    )


def _park(event: str, *, then: str) -> Task:
    """Put the event into the failed queue, with the name of the error and of the execution."""
    return Task(
        call=Send(
            queue=FAILED,
            body={
                "event.$": event,
                "error.$": "$.error.Error",
                "execution.$": "$$.Execution.Name",
            },
        ),
        timeout=_TASK_TIMEOUT,
        result={"message.$": "$.MessageId"},
        keep_at="$.parked",
        retry=(_RETRY_LONGER,),
        because="the run then fails by itself, with the event in its history and an alarm",
        then=then,
    )
