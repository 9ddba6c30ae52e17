"""What any function's handler lets out: its own failures, and of others the class."""

import io
import json
import traceback
from types import SimpleNamespace

import pytest

from telemetry import watch
from telemetry.watch import UnexpectedError, matching

CANARY = "4111111111111111"
CONTEXT = SimpleNamespace(
    function_name="f",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:us-east-1:111122223333:function:f",
    aws_request_id="req-1",
)


class RefusedError(Exception):
    pass


class Watch(watch.Watch):
    ours = "tele"  # this folder, too
    expected = (RefusedError,)

    def say(self, message, **said):
        self._write(message, said, is_error=False)


@pytest.fixture
def said(aws, capsys):
    watch = Watch()
    log = io.StringIO()
    for handler in watch._logger.handlers:
        handler.stream = log
    return SimpleNamespace(watch=watch, text=lambda: log.getvalue() + capsys.readouterr().out)


def test_a_line_has_its_speakers_place_and_leaves_out_what_is_not_known(said):
    said.watch.say("duplicate, content not compared", event_id="x", reason=None)
    line = json.loads(said.text())
    assert line["location"].startswith("test_a_line_has_its_speakers_place")
    assert (line["message"], line["level"]) == ("duplicate, content not compared", "INFO")
    assert (line["event_id"], line["region"]) == ("x", "us-east-1")
    assert "reason" not in line


@pytest.mark.parametrize("message", [CANARY, "", "Alice", "alice 12.34", "a" * 61, None, 7])
def test_a_message_that_is_not_plain_is_withheld(said, message):
    said.watch.say(message)
    assert json.loads(said.text())["message"] == "withheld"


def test_what_is_expected_leaves_as_it_is(said):
    @said.watch.around
    def handler(event, context):
        said.watch.count("Refusals")
        raise RefusedError("as told")

    with pytest.raises(RefusedError, match="as told"):
        handler({}, CONTEXT)
    assert "UnexpectedErrors" not in said.text()


def test_any_other_error_leaves_by_its_class_counted_with_its_place(said):
    def handler(event, context):
        return int(event["card"] + "x")

    with pytest.raises(UnexpectedError, match=r"^ValueError$") as caught:
        said.watch.around(handler)({"card": CANARY}, CONTEXT)
    text = said.text()
    lines = [json.loads(line) for line in text.splitlines()]
    [line] = [line for line in lines if line.get("message") == "unexpected error"]
    number = handler.__code__.co_firstlineno + 1
    assert (line["level"], line["error"]) == ("ERROR", "ValueError")
    assert line["place"] == f"telemetry/test_watch.py:{number}"
    assert [line["UnexpectedErrors"] for line in lines if "UnexpectedErrors" in line] == [[1.0]]
    assert CANARY not in text + "".join(traceback.format_exception(caught.value))


def test_an_error_that_came_through_none_of_our_folders_has_no_place(said):
    said.watch.ours = "elsewhere"

    @said.watch.around
    def handler(event, context):
        raise KeyError(CANARY)

    with pytest.raises(UnexpectedError, match=r"^KeyError$"):
        handler({}, CONTEXT)
    text = said.text()
    assert '"place"' not in text
    assert CANARY not in text


def test_only_a_whole_text_matches():
    pattern = watch._CLASS
    assert matching(pattern, "ValueError") == "ValueError"
    for value in (f"ValueError {CANARY}", "ValueError\n", None, 7, ["ValueError"]):
        assert matching(pattern, value) is None
