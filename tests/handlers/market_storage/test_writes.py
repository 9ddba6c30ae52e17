"""Storing and recording, on a table in memory: who may write what, and what a retry finds."""

import json

import pytest
from botocore.exceptions import EndpointConnectionError
from handlers.market_in_memory import Crash, refused
from handlers.market_samples import EXECUTION, ID, enrichment, payload, quote, trade

from market_events.failures import (
    AwsRefused,
    EventIdReused,
    InvalidEvent,
    Superseded,
    TemporaryFailure,
)
from market_events.schema import parse
from market_storage.core import Operation, Task, UnknownOperation, accept
from market_table.attributes import text
from market_table.events import event_of, stored_item

OTHER = "another-execution"
KEY = f"events/2026/11/20/{ID}.json"


@pytest.mark.parametrize("detail", [trade(), quote()])
def test_an_event_is_stored_then_recorded_then_audited(pipeline, detail):
    assert pipeline.store(detail) == "stored"
    assert pipeline.item()["status"] == text("STORED")
    assert "TS_PK" not in pipeline.item()
    assert pipeline.bucket.objects == {}
    assert pipeline.record(detail) == "recorded"
    item = pipeline.item()
    assert item["status"] == text("RECORDED")
    assert event_of(item) == parse(detail)
    assert item["TS_PK"] == text(f"ASML#{detail['type']}#2026-11-20")
    assert pipeline.bucket.objects.keys() == {KEY}
    assert pipeline.watch.counted == ["EventsStored", "AuditRecords", "EventsRecorded"]


def test_the_audit_record_is_canonical_with_amounts_as_texts(pipeline):
    pipeline.store(trade(price="612.40"))
    pipeline.record(trade(price="612.40"))
    body = pipeline.bucket.objects[KEY]
    content = json.loads(body)
    assert body.decode() == json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert content["event"] == trade()
    assert content["enrichment"] == enrichment()
    assert content.keys() == {
        *("digest", "enrichment", "event", "execution", "recordedAt", "region", "schemaVersion"),
    }


@pytest.mark.parametrize("execution", [EXECUTION, OTHER])
def test_a_repeated_store_or_record_of_the_same_content_changes_nothing(pipeline, execution):
    pipeline.store()
    stored = dict(pipeline.item())
    assert pipeline.store(execution=execution) == "same"
    assert pipeline.item() == stored
    pipeline.record()
    recorded, audited = dict(pipeline.item()), dict(pipeline.bucket.objects)
    assert pipeline.store(execution=execution) == "same"
    assert pipeline.record(execution=execution) == "same"
    assert (pipeline.item(), pipeline.bucket.objects) == (recorded, audited)


def test_the_execution_that_records_owns_the_item(pipeline):
    pipeline.store(execution="first")
    assert pipeline.store(execution="second") == "same"
    assert pipeline.record(execution="second") == "recorded"
    assert pipeline.item()["execution"] == text("second")


@pytest.mark.parametrize("state", ["stored", "recorded", "compensated"])
def test_another_content_under_the_id_is_refused_whatever_became_of_the_first(pipeline, state):
    pipeline.store()
    if state == "recorded":
        pipeline.record()
    if state == "compensated":
        pipeline.compensate()
    before = dict(pipeline.item())
    for write in (pipeline.store, pipeline.record):
        with pytest.raises(EventIdReused):
            write(trade(quantity="26"), execution=OTHER)
    assert pipeline.item() == before


def test_a_compensated_execution_brings_nothing_back_and_another_may_try_again(pipeline):
    pipeline.store()
    pipeline.compensate()
    before = dict(pipeline.item())
    for late in (pipeline.store, pipeline.record):
        with pytest.raises(Superseded):
            late()
    assert pipeline.item() == before
    assert pipeline.store(execution=OTHER) == "stored"
    assert pipeline.record(execution=OTHER) == "recorded"
    assert pipeline.item()["execution"] == text(OTHER)
    assert "reason" not in pipeline.item()
    assert "GSI1PK" not in pipeline.item()


def test_what_is_compensated_by_another_is_not_recorded_over(pipeline):
    pipeline.store()
    pipeline.compensate()
    with pytest.raises(Superseded):
        pipeline.record(execution=OTHER)
    assert pipeline.bucket.objects == {}


def test_nothing_is_recorded_that_was_not_stored(pipeline):
    with pytest.raises(Superseded):
        pipeline.record()
    assert pipeline.table.items == {}
    assert pipeline.bucket.objects == {}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_between_item_and_object_is_mended_by_the_retry(pipeline, moment):
    def die():
        raise Crash

    pipeline.store()
    setattr(pipeline.bucket, moment, die)
    with pytest.raises(Crash):
        pipeline.record()
    recorded = dict(pipeline.item())
    assert recorded["status"] == text("RECORDED")
    assert (KEY in pipeline.bucket.objects) == (moment == "after")
    setattr(pipeline.bucket, moment, lambda: None)
    assert pipeline.record() == "same"
    assert pipeline.item() == recorded
    content = json.loads(pipeline.bucket.objects[KEY])
    # Of the item, not of the retry, whose clock is later.
    assert content["recordedAt"] == recorded["recordedAt"]["S"]


@pytest.mark.parametrize(
    ("error", "failure", "said"),
    [
        (refused("PutObject", "SlowDown", 503), TemporaryFailure, "SlowDown"),
        (refused("PutObject", "ConditionalRequestConflict", 409), TemporaryFailure, "Condit"),
        (refused("PutObject", "AccessDenied", 403), AwsRefused, "AccessDenied"),
        (EndpointConnectionError(endpoint_url="x"), TemporaryFailure, "EndpointConnectionError"),
    ],
)
def test_a_bucket_that_does_not_take_the_object_fails_the_record(pipeline, error, failure, said):
    def refuse():
        raise error

    pipeline.store()
    pipeline.bucket.before = refuse
    with pytest.raises(failure, match=f"^{said}"):
        pipeline.record()
    assert pipeline.watch.counted[-1] == "StorageFailures"


@pytest.mark.parametrize(
    ("code", "status", "failure"),
    [
        ("ProvisionedThroughputExceededException", 400, TemporaryFailure),
        ("InternalServerError", 500, TemporaryFailure),
        ("AccessDeniedException", 400, AwsRefused),
        ("ResourceNotFoundException", 400, AwsRefused),
    ],
)
def test_a_table_that_does_not_answer_is_told_by_its_code_alone(pipeline, code, status, failure):
    def put_item(**_):
        raise refused("PutItem", code, status)

    pipeline.table.put_item = put_item
    with pytest.raises(failure, match=f"^{code}$") as caught:
        pipeline.store()
    assert caught.value.__suppress_context__


def test_every_write_asks_to_be_shown_the_item_in_the_way(pipeline):
    pipeline.store()
    pipeline.record()
    shown = [r["ReturnValuesOnConditionCheckFailure"] for _, r in pipeline.table.requests]
    assert shown == ["ALL_OLD", "ALL_OLD"]
    assert [request["IfNoneMatch"] for request in pipeline.bucket.requests] == ["*"]


def test_an_item_in_the_way_that_is_not_shown_is_no_yes():
    task = Task(operation=Operation.STORE, event=parse(trade()), execution="e")
    with pytest.raises(AwsRefused, match="ItemNotShown"):
        accept(task, {})


def test_an_item_of_a_status_of_tomorrow_is_no_yes():
    event = parse(trade())
    item = stored_item(event, execution="e", region="r", at="t") | {"status": text("ARCHIVED")}
    for operation in Operation:
        with pytest.raises(Superseded):
            accept(Task(operation=operation, event=event, execution="e"), item)


@pytest.mark.parametrize("operation", [None, "delete", "STORE", 1, ["store"]])
def test_an_unknown_operation_is_an_error_of_its_own(pipeline, operation):
    with pytest.raises(UnknownOperation, match=r"^operation must be one of store, record$"):
        pipeline.storage(payload(trade(), operation=operation))
    assert pipeline.table.requests == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"digest": "0" * 64}, "digest must be that of the event"),
        ({"digest": None}, "digest must be that of the event"),
        ({"execution": ""}, "execution must be the name of an execution"),
        ({"execution": "e" * 81}, "execution must be"),
        ({"execution": 1}, "execution must be"),
        ({"event": None}, "event must be"),
        ({"event": trade(price="x")}, "price must be"),
    ],
)
def test_a_payload_that_is_none_is_refused_before_anything_is_written(pipeline, changes, said):
    with pytest.raises(InvalidEvent, match=said):
        pipeline.storage(payload(trade(), operation="store") | changes)
    assert pipeline.table.requests == []


@pytest.mark.parametrize("broken", [None, {}, enrichment("quote"), enrichment(notional="x")])
def test_a_record_without_its_enrichment_is_refused_before_anything_is_written(pipeline, broken):
    pipeline.store()
    before = dict(pipeline.item())
    with pytest.raises(InvalidEvent, match=r"^enrichment must be"):
        pipeline.storage(payload(trade(), operation="record", enrichment=broken))
    assert pipeline.item() == before
    assert pipeline.bucket.objects == {}
