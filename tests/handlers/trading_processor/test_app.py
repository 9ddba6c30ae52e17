"""The function in this process, against moto's table: outcomes, metrics, and what it never says.

moto has no strongly consistent global table; a plain one answers the same condition the same way.
"""

import importlib
import io
import json
import traceback
from types import SimpleNamespace

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from telemetry.watch import UnexpectedError
from trading_processor.core import EventIdReused, PoisonEvent
from trading_processor.ledger import ClaimFailed

CANARY = "4111111111111111"


def context(request="req-1"):
    return SimpleNamespace(
        function_name="trading-processor-test",
        memory_limit_in_mb=256,
        invoked_function_arn="arn:aws:lambda:us-east-1:111122223333:function:t",
        aws_request_id=request,
    )


class Invoked:
    """The handler with all it says."""

    def __init__(self, module, table, capsys):
        self.module, self.table, self._capsys = module, table, capsys
        self._log = io.StringIO()
        for handler in module.watch._logger.handlers:
            handler.stream = self._log  # the one it has may be a closed one of another test

    def __call__(self, event, request="req-1"):
        return self.module.handler(event, context(request))["outcome"]

    def said(self):
        """Everything written since the last call: log lines and metrics."""
        text = self._log.getvalue() + self._capsys.readouterr().out
        self._log.seek(0)
        self._log.truncate()
        return text

    def lines(self):
        return [json.loads(line) for line in self.said().splitlines()]

    def items(self):
        return self.table.scan(TableName="trading-events-test")["Items"]


@pytest.fixture
def invoke(aws, capsys):
    aws.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")
    aws.setenv("POWERTOOLS_TRACER_CAPTURE_RESPONSE", "true")
    module = importlib.import_module("trading_processor.app")
    with mock_aws():
        table = boto3.client("dynamodb", region_name="us-east-1")
        table.create_table(
            TableName="trading-events-test",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield Invoked(module, table, capsys)


def metrics(lines):
    found = {}
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == "TradingSystem"
            assert line["service"] == "trading-event-processor"
            for metric in directive["Metrics"]:
                found[metric["Name"]] = (metric["Unit"], *line[metric["Name"]])
    found.pop("ColdStart", None)
    return found


@pytest.mark.parametrize("name", ["trade-executed", "order-placed-limit", "order-placed-market"])
def test_an_event_is_stored_counted_timed_and_logged(invoke, event, name):
    envelope = event(name)
    assert invoke(envelope) == "processed"
    lines = invoke.lines()
    assert [item["id"]["S"] for item in invoke.items()] == [envelope["detail"]["eventId"]]
    counted = metrics(lines)
    assert counted.keys() == {"EventsProcessed", "ProcessingTime"}
    assert counted["EventsProcessed"] == ("Count", 1.0)
    assert counted["ProcessingTime"][0] == "Milliseconds"
    [line] = [line for line in lines if "message" in line]
    assert line["message"] == "processed"
    assert line["service"] == "trading-event-processor"
    assert line["event_id"] == envelope["detail"]["eventId"]
    assert line["event_type"] == envelope["detail-type"]


def test_log_lines_have_these_keys_and_no_other(invoke, event):
    invoke(event("trade-executed"))
    with pytest.raises(PoisonEvent):
        invoke(event("poison-float-price"))
    allowed = {
        *("level", "location", "message", "timestamp", "service", "cold_start"),
        *("function_name", "function_memory_size", "function_arn", "function_request_id"),
        *("event_id", "event_type", "region", "source_region", "processing_ms", "reason", "error"),
    }
    for line in invoke.lines():
        if "message" in line:
            assert line.keys() <= allowed


def test_the_same_event_from_the_other_region_is_a_duplicate(invoke, event):
    assert invoke(event("trade-executed")) == "processed"
    invoke.said()
    assert invoke(event("trade-executed-replicated"), "req-2") == "duplicate"
    assert metrics(invoke.lines()).keys() == {"DuplicateEvents", "ProcessingTime"}
    assert len(invoke.items()) == 1


def test_lambdas_retry_of_an_invocation_that_died_after_the_write_is_the_winner(invoke, event):
    assert invoke(event("trade-executed"), "req-1") == "processed"
    assert invoke(event("trade-executed"), "req-1") == "processed"
    assert len(invoke.items()) == 1


def test_poison_is_counted_raised_and_not_stored(invoke, event):
    with pytest.raises(PoisonEvent):
        invoke(event("poison-float-price"))
    lines = invoke.lines()
    assert metrics(lines) == {"PoisonEvents": ("Count", 1.0)}
    [line] = [line for line in lines if "message" in line]
    assert (line["message"], line["level"]) == ("poison", "ERROR")
    assert line["reason"].startswith("detail.price: ")
    assert invoke.items() == []


def test_an_id_with_another_content_is_poison(invoke, event):
    invoke(event("trade-executed"))
    other = event("trade-executed")
    other["detail"]["quantity"] = "999"
    invoke.said()
    with pytest.raises(EventIdReused):
        invoke(other, "req-2")
    lines = invoke.lines()
    assert metrics(lines) == {"PoisonEvents": ("Count", 1.0)}
    [line] = [line for line in lines if "message" in line]
    assert line["event_id"] == other["detail"]["eventId"]
    assert [item["quantity"]["N"] for item in invoke.items()] == ["100"]


def test_a_table_that_is_gone_is_an_error_for_lambda_to_retry(invoke, event):
    invoke.table.delete_table(TableName="trading-events-test")
    with pytest.raises(ClaimFailed, match=r"^ResourceNotFoundException$"):
        invoke(event("trade-executed"))
    lines = invoke.lines()
    assert metrics(lines) == {"ClaimFailures": ("Count", 1.0)}
    [line] = [line for line in lines if "message" in line]
    assert (line["message"], line["reason"]) == ("claim failed", "ResourceNotFoundException")


def places(value, path=()):
    """Every place of a string or number in an event."""
    if isinstance(value, dict):
        return [place for key in value for place in places(value[key], (*path, key))]
    return [path]


def planted(value, path, canary):
    if not path:
        return canary
    return value | {path[0]: planted(value[path[0]], path[1:], canary)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_what_a_field_holds_is_never_said(invoke, event, data):
    """Neither in logs and metrics nor in the error, which Lambda writes down in full.

    The names of accounts, orders and trades may be any name, so a canary is a valid one there and
    is stored: it must not be said either.
    """
    name = data.draw(st.sampled_from(["trade-executed", "order-placed-limit"]))
    envelope = event(name)
    path = data.draw(st.sampled_from([*places(envelope), ("detail", "surprise")]))
    canary = data.draw(st.sampled_from([CANARY, f"{CANARY}.5", "eyJhbGciOi", int(CANARY)]))
    if path == ("detail", "surprise"):
        envelope["detail"][f"surprise-{canary}"] = canary
    else:
        envelope = planted(envelope, path, canary)
    error = ""
    try:
        invoke(envelope, data.draw(st.uuids()).hex)
    except (PoisonEvent, ClaimFailed) as raised:
        error = "".join(traceback.format_exception(raised))
    said = invoke.said() + error
    assert str(canary) not in said
    assert invoke.module.watch._tracer.disabled


def test_a_defect_leaves_without_the_words_of_its_cause(invoke, event, monkeypatch):
    class Broken:
        def record(self, claim):
            raise KeyError(CANARY)

    monkeypatch.setattr(invoke.module._process, "_ledger", Broken())
    with pytest.raises(UnexpectedError, match=r"^KeyError$") as raised:
        invoke(event("trade-executed"))
    said = invoke.said()
    assert CANARY not in said + "".join(traceback.format_exception(raised.value))
    lines = [json.loads(line) for line in said.splitlines()]
    assert metrics(lines) == {"UnexpectedErrors": ("Count", 1.0)}
    [line] = [line for line in lines if "message" in line]
    assert (line["message"], line["error"]) == ("unexpected error", "KeyError")
    assert line["place"].startswith("trading_processor/")
