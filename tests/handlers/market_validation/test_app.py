"""The function in this process: against moto's table, and against one that fails as told."""

import importlib
import io
import json
import traceback
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from market_events.failures import (
    AwsRefused,
    EventIdReused,
    Failure,
    InvalidEvent,
    TemporaryFailure,
    UnexpectedError,
)
from market_events.schema import parse
from market_validation.table import EventTable

CANARY = "4111111111111111"
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
EXECUTION = "7c9e6679-7425-40de-944b-e07fc1f90ae7_0f8fad5b-d9cb-469f-a165-70867728950e"
CONTEXT = SimpleNamespace(
    function_name="market-validation-test",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:us-east-1:111122223333:function:t",
    aws_request_id="req-1",
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
fuzzed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


class Validated:
    """The handler with all it says."""

    def __init__(self, module, capsys):
        self.module, self._capsys = module, capsys
        self._log = io.StringIO()
        for handler in module._watch._logger.handlers:
            handler.stream = self._log

    def __call__(self, event):
        return self.module.handler({"event": event, "execution": EXECUTION}, CONTEXT)

    def said(self):
        text = self._log.getvalue() + self._capsys.readouterr().out
        self._log.seek(0)
        self._log.truncate()
        return text

    def lines(self):
        return [json.loads(line) for line in self.said().splitlines()]


@pytest.fixture
def module(aws):
    for name, value in {
        "POWERTOOLS_SERVICE_NAME": "market-validation",
        "POWERTOOLS_METRICS_NAMESPACE": "MarketPipeline",
        "POWERTOOLS_LOGGER_LOG_EVENT": "true",
        "POWERTOOLS_TRACER_CAPTURE_RESPONSE": "true",
        "TABLE_NAME": "market-events-test",
    }.items():
        aws.setenv(name, value)
    return importlib.import_module("market_validation.app")


@pytest.fixture
def validate(module, aws, fake_table, capsys):
    table = EventTable(fake_table, "market-events-test")
    aws.setattr(module, "_validate", module.Validation(table, module._watch))
    return Validated(module, capsys)


def metrics(lines):
    found = {}
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == "MarketPipeline"
            assert line["service"] == "market-validation"
            for metric in directive["Metrics"]:
                found[metric["Name"]] = (metric["Unit"], *line[metric["Name"]])
    found.pop("ColdStart", None)
    return found


def test_against_a_table(module, capsys, trade):
    validate = Validated(module, capsys)
    with mock_aws():
        table = boto3.client("dynamodb", region_name="us-east-1")
        table.create_table(
            TableName="market-events-test",
            KeySchema=[
                {"AttributeName": "PK", "KeyType": "HASH"},
                {"AttributeName": "SK", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "PK", "AttributeType": "S"},
                {"AttributeName": "SK", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        event = parse(trade)
        expected = {"event": event.canonical(), "digest": event.digest, "recorded": False}
        assert validate(trade) == expected
        item = {
            "PK": {"S": f"EVENT#{event.id}"},
            "SK": {"S": "EVENT"},
            "status": {"S": "RECORDED"},
            "digest": {"S": event.digest},
            "price": {"N": CANARY},
        }
        table.put_item(TableName="market-events-test", Item=item)
        assert validate(trade) == expected | {"recorded": True}
        with pytest.raises(EventIdReused):
            validate(trade | {"price": "1"})
        table.delete_table(TableName="market-events-test")
        with pytest.raises(AwsRefused, match=r"^ResourceNotFoundException$"):
            validate(trade)
    assert CANARY not in validate.said()


def test_what_comes_out_can_go_in_again(validate, trade):
    first = validate(trade)
    assert json.loads(json.dumps(first)) == first
    assert {type(value) for value in first["event"].values()} == {str}
    assert validate(first["event"]) == first


def test_a_valid_event_is_counted_timed_and_logged(validate, trade):
    validate(trade)
    lines = validate.lines()
    counted = metrics(lines)
    assert counted["EventsValidated"] == ("Count", 1.0)
    assert counted.keys() == {"EventsValidated", "ValidationTime"}
    [line] = [line for line in lines if "message" in line]
    assert (line["message"], line["service"]) == ("valid", "market-validation")
    assert (line["event_id"], line["event_type"]) == (trade["eventId"], "trade")
    assert line["execution"] == EXECUTION


def test_a_recorded_event_is_counted_as_such(validate, fake_table, trade):
    fake_table.item = {"status": {"S": "RECORDED"}, "digest": {"S": parse(trade).digest}}
    assert validate(trade)["recorded"] is True
    lines = validate.lines()
    assert "EventsAlreadyRecorded" in metrics(lines)
    assert [line["message"] for line in lines if "message" in line] == ["already recorded"]


def failing(code, status=400):
    return ClientError(
        {
            "Error": {"Code": code, "Message": f"item {CANARY}"},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "GetItem",
    )


@pytest.mark.parametrize(
    ("change", "known", "error", "kind", "metric", "named"),
    [
        ({"price": 1}, None, None, InvalidEvent, "InvalidEvents", "InvalidEvent"),
        ({}, {"digest": {"S": "x"}}, None, EventIdReused, "EventIdsReused", "EventIdReused"),
        (
            {},
            None,
            failing("InternalServerError", 500),
            TemporaryFailure,
            "TemporaryFailures",
            "TemporaryFailure.InternalServerError",
        ),
        (
            {},
            None,
            failing("ValidationException"),
            AwsRefused,
            "AwsRefusals",
            "AwsRefused.ValidationException",
        ),
    ],
)
def test_a_failure_is_raised_counted_and_logged_by_name(  # noqa: PLR0917 - the columns of a table
    validate, fake_table, trade, change, known, error, kind, metric, named
):
    fake_table.item, fake_table.error = known, error
    with pytest.raises(kind) as caught:
        validate(trade | change)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    lines = validate.lines()
    assert metrics(lines) == {metric: ("Count", 1.0)}
    [line] = [line for line in lines if "message" in line]
    assert (line["message"], line["level"], line["error"]) == ("not validated", "ERROR", named)
    assert line["execution"] == EXECUTION
    if kind is InvalidEvent:
        assert line["fields"] == ["price"]
        assert "event_id" not in line
        assert fake_table.calls == []
    else:
        assert line["event_id"] == trade["eventId"]


def test_a_defect_says_nothing(validate, fake_table, trade):
    fake_table.error = KeyError(CANARY)
    with pytest.raises(UnexpectedError, match=r"^KeyError$") as caught:
        validate(trade)
    text = validate.said() + "".join(traceback.format_exception(caught.value))
    assert CANARY not in text


@fuzzed
@given(data=st.data())
def test_what_a_field_holds_is_never_said(validate, fake_table, trade, data):
    canary = data.draw(st.sampled_from([CANARY, f"{CANARY}.5", f"A{CANARY}", JWT, int(CANARY)]))
    field = data.draw(st.sampled_from([*trade, f"x-{canary}"]))
    fake_table.item = data.draw(st.sampled_from([None, {"digest": {"S": CANARY}}]))
    fake_table.error = data.draw(st.sampled_from([None, failing("ThrottlingException")]))
    error = ""
    try:
        validate(trade | {field: canary})
    except Failure as failure:
        error = "".join(traceback.format_exception(failure))
    said = validate.said() + error
    assert str(canary) not in said
    assert CANARY not in said


@fuzzed
@given(event=json_values, execution=json_values)
def test_any_json_is_judged(validate, event, execution):
    """InvalidEvent and nothing else: another error would be retried in vain, and parked."""
    for given_ in (event, {"event": event, "execution": execution}):
        with pytest.raises(InvalidEvent):
            validate.module.handler(given_, CONTEXT)
    validate.said()
