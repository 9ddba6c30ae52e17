"""What storing is asked to do, and what it means to find an item in the way. Pure."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from market_events.failures import (
    AwsRefused,
    EventIdReused,
    Failure,
    InvalidEvent,
    Problem,
    Superseded,
)
from market_events.schema import SCHEMA_VERSION, MarketEvent, parse
from market_table.attributes import Stored, text_of
from market_table.enrichments import enrichment_of
from market_table.events import Status, event_of, status_of

_EXECUTION_LONGEST = 80  # Step Functions' limit for a name


class UnknownOperation(Failure):
    """The payload asks for neither store nor record: state machine and function do not match."""


class Operation(StrEnum):
    """What the function can be asked to do."""

    STORE = "store"
    RECORD = "record"


class Outcome(StrEnum):
    """What a write has come to that did not fail."""

    STORED = "stored"
    RECORDED = "recorded"
    SAME = "same"  # it was there already, with the same content


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One write that an execution of the state machine asks for."""

    operation: Operation
    event: MarketEvent
    execution: str
    enrichment: object = None  # of a record; judged where its item is written


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """What the audit bucket keeps of a recorded event."""

    event_id: str
    date: str  # of the event: yyyy-mm-dd
    body: bytes


def read_task(payload: dict[str, Any]) -> Task:
    """Read the payload; raise UnknownOperation or InvalidEvent."""
    wanted = payload.get("operation")
    if not isinstance(wanted, str) or wanted not in set(Operation):
        raise UnknownOperation(f"operation must be one of {', '.join(Operation)}")
    event = parse(payload.get("event"))
    execution = payload.get("execution")
    problems = []
    if payload.get("digest") != event.digest:
        problems.append(Problem("digest", "must be that of the event"))
    if not isinstance(execution, str) or not 0 < len(execution) <= _EXECUTION_LONGEST:
        problems.append(Problem("execution", "must be the name of an execution"))
    if problems:
        raise InvalidEvent(problems)
    return Task(
        operation=Operation(wanted),
        event=event,
        execution=str(execution),
        enrichment=payload.get("enrichment"),
    )


def accept(task: Task, existing: Stored | None) -> None:
    """Judge a write whose condition did not hold, by the item in the way: is it done already?

    Raises EventIdReused for an item of another content, Superseded where this execution may write
    no more, AwsRefused if we are not shown the item.
    """
    if not existing:
        if task.operation is Operation.RECORD:
            raise Superseded("nothing is stored that could be recorded")
        raise AwsRefused("ItemNotShown")  # something is in the way, and it cannot be compared
    if text_of(existing, "digest") != task.event.digest:
        raise EventIdReused("eventId is already used by an event with another content")
    done = {
        Operation.STORE: (Status.STORED, Status.RECORDED),
        Operation.RECORD: (Status.RECORDED,),
    }
    if status_of(existing) not in done[task.operation]:
        raise Superseded("the event was taken back; this execution may write no more of it")


def audit_record(recorded: Stored) -> AuditRecord:
    """Write what the bucket keeps, from the recorded item alone: the same item, the same bytes."""
    event = event_of(recorded)
    content = {
        "schemaVersion": SCHEMA_VERSION,
        "event": event.canonical(),
        "enrichment": enrichment_of(recorded, event.type),
        **{name: text_of(recorded, name) for name in _ABOUT},
    }
    body = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return AuditRecord(event.id, event.date, body.encode())


_ABOUT = ("digest", "execution", "recordedAt", "region")
