"""Compensation on a table in memory: exactly what the execution did is undone, and told."""

import json

import pytest
from handlers.market_in_memory import refused
from handlers.market_samples import EXECUTION, ID, payload, quote, trade

from market_events.failures import AwsRefused, InvalidEvent, Superseded, TemporaryFailure
from market_events.schema import FIELDS, parse
from market_table.attributes import text
from market_table.enrichments import ENRICHED

OTHER = "another-execution"


@pytest.mark.parametrize("detail", [trade(), quote()])
@pytest.mark.parametrize("is_recorded", [False, True])
def test_what_the_execution_wrote_is_taken_back_to_a_marker(pipeline, detail, is_recorded):
    pipeline.store(detail)
    if is_recorded:
        pipeline.record(detail)
    assert pipeline.compensate(detail) == "undone"
    item = pipeline.item()
    assert item.keys() == {
        *("PK", "SK", "GSI1PK", "GSI1SK"),
        *("digest", "eventId", "execution", "failedAt", "reason", "region", "status"),
    }
    assert item.keys() & ((FIELDS - {"eventId"}) | ENRICHED) == set()
    assert item["status"] == text("COMPENSATED")
    assert item["reason"] == text("UnknownInstrument")
    assert item["digest"] == text(parse(detail).digest)


def test_where_nothing_was_written_a_mark_stops_the_late_write(pipeline):
    assert pipeline.compensate() == "marked"
    before = dict(pipeline.item())
    for late in (pipeline.store, pipeline.record):
        with pytest.raises(Superseded):
            late()
    assert pipeline.item() == before


@pytest.mark.parametrize("state", ["stored", "recorded", "compensated"])
def test_another_executions_item_stays_untouched(pipeline, state):
    pipeline.store(execution=OTHER)
    if state == "recorded":
        pipeline.record(execution=OTHER)
    if state == "compensated":
        pipeline.compensate(execution=OTHER)
    before, audited = dict(pipeline.item()), dict(pipeline.bucket.objects)
    assert pipeline.compensate() == "nothing"
    assert (pipeline.item(), pipeline.bucket.objects) == (before, audited)


def test_an_item_that_another_execution_recorded_meanwhile_is_not_undone(pipeline):
    pipeline.store()
    pipeline.record(execution=OTHER)
    assert pipeline.compensate() == "nothing"
    assert pipeline.item()["status"] == text("RECORDED")


def test_a_repetition_keeps_the_first_failure_and_tells_again(pipeline):
    pipeline.store()
    pipeline.compensate()
    before = dict(pipeline.item())
    assert pipeline.compensate(error="States.Timeout") == "repeated"
    assert pipeline.item() == before
    assert [json.loads(each)["outcome"] for each in pipeline.topic.messages] == [
        "undone",
        "repeated",
    ]


def test_a_failure_after_a_second_try_is_a_new_one(pipeline):
    pipeline.store()
    pipeline.compensate()
    first = dict(pipeline.item())
    pipeline.store(execution=OTHER)
    assert pipeline.compensate(execution=OTHER, error="States.Timeout") == "undone"
    assert pipeline.item()["reason"] == text("States.Timeout")
    assert pipeline.item()["failedAt"]["S"] > first["failedAt"]["S"]


def test_a_topic_that_fails_is_told_by_the_retry(pipeline):
    pipeline.store()
    pipeline.topic.failures = [refused("Publish", "Throttled", 429)]
    with pytest.raises(TemporaryFailure, match=r"^Throttled$"):
        pipeline.compensate()
    assert pipeline.topic.messages == []
    assert pipeline.item()["status"] == text("COMPENSATED")
    assert pipeline.compensate() == "repeated"
    assert len(pipeline.topic.messages) == 1


def test_operators_are_told_ids_and_names_and_nothing_else(pipeline):
    pipeline.store()
    pipeline.compensate(error="States.Timeout")
    [message] = pipeline.topic.messages
    assert json.loads(message) == {
        "eventId": ID,
        "execution": EXECUTION,
        "error": "States.Timeout",
        "outcome": "undone",
        "region": "us-east-1",
    }


@pytest.mark.parametrize("error", ["price was 612.4", "", None, {"Error": "X"}, "E" * 200])
def test_an_error_that_is_no_name_is_not_repeated(pipeline, error):
    assert pipeline.compensate(error=error) == "marked"
    assert pipeline.item()["reason"] == text("UnnamedError")
    assert json.loads(pipeline.topic.messages[0])["error"] == "UnnamedError"


@pytest.mark.parametrize(
    ("code", "status", "failure"),
    [
        ("ThrottlingException", 400, TemporaryFailure),
        ("InternalServerError", 500, TemporaryFailure),
        ("AccessDeniedException", 400, AwsRefused),
    ],
)
def test_a_table_that_does_not_answer_is_an_error_and_nobody_is_told(
    pipeline, code, status, failure
):
    def update_item(**_):
        raise refused("UpdateItem", code, status)

    pipeline.table.update_item = update_item
    with pytest.raises(failure, match=f"^{code}$"):
        pipeline.compensate()
    assert pipeline.topic.messages == []
    assert pipeline.watch.counted == ["CompensationFailures"]


@pytest.mark.parametrize(
    "changes",
    [{"digest": "0" * 64}, {"execution": None}, {"execution": "e" * 81}, {"event": {}}],
)
def test_a_payload_that_is_none_is_refused_before_anything_is_written(pipeline, changes):
    with pytest.raises(InvalidEvent):
        pipeline.compensation(payload(trade(), error="X") | changes)
    assert pipeline.table.requests == []
