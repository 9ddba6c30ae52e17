"""What a function may say: everything else, wherever it is put, is left out."""

import io
import json
import traceback
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market_events.failures import EventIdReused, Problem, UnexpectedError
from market_events.watch import Watch

CANARY = "4111111111111111"
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
EVENT_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
EXECUTION = "0f8fad5b-d9cb-469f-a165-70867728950e_7c9e6679-7425-40de-944b-e07fc1f90ae7"
CONTEXT = SimpleNamespace(
    function_name="market-test",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:us-east-1:111122223333:function:market-test",
    aws_request_id="req-1",
)


class Said:
    """A watch and all it wrote."""

    def __init__(self, capsys):
        self.watch = Watch()
        self._capsys = capsys
        self._log = io.StringIO()
        for handler in self.watch._logger.handlers:
            handler.stream = self._log

    def text(self):
        text = self._log.getvalue() + self._capsys.readouterr().out
        self._log.seek(0)
        self._log.truncate()
        return text

    def lines(self):
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture
def said(market, capsys):
    return Said(capsys)


def test_what_is_allowed_is_said(said):
    said.watch.say(
        "not validated",
        event_id=EVENT_ID,
        event_type="trade",
        execution=EXECUTION,
        error="TemporaryFailure.Http503",
        problems=[Problem("price", "must"), Problem("event", "must"), Problem("price", "not")],
        count=3,
        took_ms=1.23456,
    )
    [line] = said.lines()
    assert line["level"] == "ERROR"
    assert line["message"] == "not validated"
    assert line["location"].startswith("test_what_is_allowed_is_said:")
    assert line["service"] == "market-test"
    assert (line["event_id"], line["event_type"]) == (EVENT_ID, "trade")
    assert (line["execution"], line["error"]) == (EXECUTION, "TemporaryFailure.Http503")
    assert line["fields"] == ["event", "price"]
    assert (line["count"], line["took_ms"], line["region"]) == (3, 1.235, "us-east-1")


def test_what_is_not_known_is_not_mentioned(said):
    said.watch.say("valid")
    [line] = said.lines()
    assert line["level"] == "INFO"
    assert line.keys() <= {
        *("level", "location", "message", "timestamp", "service", "region", "cold_start"),
        *("function_name", "function_memory_size", "function_arn", "function_request_id"),
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=st.sampled_from([CANARY, JWT, f"A{CANARY}", f"{CANARY}-x", [CANARY], {CANARY: 1}, 1.5]),
    name=st.sampled_from(["event_id", "event_type", "execution", "error"]),
)
def test_a_value_of_an_event_is_left_out_wherever_it_is_put(said, value, name):
    said.watch.say("valid", **{name: value})
    said.watch.say(str(value))
    said.watch.say("valid", problems=[Problem(str(value), CANARY)])
    said.watch.annotate(value, value)
    text = said.text()
    assert CANARY not in text
    assert JWT not in text
    assert '"withheld"' in text


def test_the_handler_is_counted_and_its_event_and_answer_are_not_logged(said):
    @said.watch.around
    def handler(event, context):
        said.watch.count("Things", 2)
        said.watch.time("Took", 1.5)
        return {"answer": event["card"]}

    assert handler({"card": CANARY}, CONTEXT) == {"answer": CANARY}
    text = said.text()
    assert CANARY not in text
    [line] = [
        line for text_line in text.splitlines() if "Things" in (line := json.loads(text_line))
    ]
    assert (line["Things"], line["Took"], line["service"]) == ([2.0], [1.5], "market-test")
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "MarketPipeline"


def test_a_failure_leaves_as_it_is(said):
    @said.watch.around
    def handler(event, context):
        said.watch.count("Failures")
        raise EventIdReused("as told")

    with pytest.raises(EventIdReused, match="as told"):
        handler({}, CONTEXT)


def test_a_defect_leaves_without_the_words_of_its_cause(said):
    @said.watch.around
    def handler(event, context):
        return int(event["card"] + "x")

    with pytest.raises(UnexpectedError) as caught:
        handler({"card": CANARY}, CONTEXT)
    assert str(caught.value) == "ValueError"
    text = said.text() + "".join(traceback.format_exception(caught.value))
    assert CANARY not in text
    assert '"unexpected error"' in text
    assert "UnexpectedErrors" in text


def test_a_defect_in_our_code_has_a_place(said):
    from market_events.schema import amount_text

    @said.watch.around
    def handler(event, context):
        return amount_text(event)  # a mapping takes no format

    with pytest.raises(UnexpectedError, match=r"^TypeError$"):
        handler({"card": CANARY}, CONTEXT)
    assert [line["place"] for line in said.lines() if "place" in line] == [
        f"market_events/schema.py:{_line_of(amount_text)}"
    ]


def _line_of(function):
    return function.__code__.co_firstlineno + 2
