"""From a request to events: every refusal, in order."""

import base64
import json
from datetime import timedelta, timezone
from decimal import Decimal

import pytest

from market_events.schema import derived_id
from market_ingestion.core import (
    BODY_BYTES_MAX,
    EVENTS_MAX,
    Answer,
    Refused,
    body_of,
    events_of,
)

CANARY = "4111111111111111"


def refusal(call, *arguments):
    with pytest.raises(Refused) as caught:
        call(*arguments)
    answer = caught.value.answer()
    assert answer.status == caught.value.status
    assert answer.body["error"] == caught.value.error
    return caught.value


def refused(call, *arguments):
    found = refusal(call, *arguments)
    return found.status, found.error


def named(refusal):
    return [(index, problem.field) for index, problem in refusal.problems]


# Route and content type.


@pytest.mark.parametrize(
    ("stage", "path"), [("$default", "/ingest"), ("live", "/live/ingest"), (None, "/ingest")]
)
def test_the_route_is_known_under_any_stage(request_of, stage, path):
    request = request_of("{}", rawPath=path)
    request["requestContext"]["stage"] = stage
    assert body_of(request) == "{}"


@pytest.mark.parametrize(
    "path", [None, "", "/", "/ingest/", "/Ingest", "/live/ingest", "//ingest", 1, ["/ingest"]]
)
def test_another_path_is_not_found(request_of, path):
    assert refused(body_of, request_of("{}", rawPath=path)) == (404, "NotFound")


def test_a_stage_is_taken_off_once(request_of):
    request = request_of("{}", rawPath="/live/live/ingest")
    request["requestContext"]["stage"] = "live"
    assert refused(body_of, request) == (404, "NotFound")


@pytest.mark.parametrize("method", ["GET", "PUT", "post", "", None, ["POST"]])
def test_another_method_is_not_allowed(request_of, method):
    request = request_of("{}")
    request["requestContext"]["http"]["method"] = method
    found = refusal(body_of, request)
    assert (found.status, found.error) == (405, "MethodNotAllowed")
    assert found.answer().headers == {"allow": "POST"}


@pytest.mark.parametrize(
    "said",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json;",
    ],
)
def test_json_is_taken(request_of, said):
    assert body_of(request_of("{}", headers={"Content-Type": said})) == "{}"


@pytest.mark.parametrize(
    "headers",
    [
        None,
        [],
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/jsonx"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json; boundary=x"},
        {"content-type": ["application/json"]},
        {"content-type": None},
        {"content-type": "application/json", "Content-Type": "text/plain"},
        {1: "application/json"},
    ],
)
def test_another_content_is_not(request_of, headers):
    assert refused(body_of, request_of("{}", headers=headers)) == (415, "UnsupportedMediaType")


# Size and encodings.


@pytest.mark.parametrize("body", [None, ""])
def test_a_body_must_be(request_of, body):
    assert refused(body_of, request_of("", body=body)) == (400, "EmptyBody")


@pytest.mark.parametrize(
    "changes", [{"body": ["x"]}, {"body": {"x": 1}}, {"body": 1}, {"isBase64Encoded": "false"}]
)
def test_a_body_is_text(request_of, changes):
    assert refused(body_of, request_of("{}", **changes)) == (400, "UnreadableBody")


def encoded(raw):
    return base64.b64encode(raw).decode()


def test_the_size_is_that_of_the_bytes(request_of):
    fits = " " * BODY_BYTES_MAX
    assert body_of(request_of(fits)) == fits
    assert body_of(request_of(encoded(fits.encode()), isBase64Encoded=True)) == fits
    for body, is_base64 in [
        (fits + " ", False),
        ("\u00e9" * (BODY_BYTES_MAX // 2 + 1), False),
        (encoded(fits.encode() + b" "), True),
        (encoded(fits.encode() + b"  "), True),
        ("A" * 10_000_000, True),
        ("!" * 10_000_000, True),  # its size is known before it is looked at
        ("[" * 10_000_000, False),
    ]:
        request = request_of(body, isBase64Encoded=is_base64)
        assert refused(body_of, request) == (413, "BodyTooLarge")


@pytest.mark.parametrize("body", ["{}", "e30", "e30=\n", "e3 0=", "e30==x", "\u00e9", "\ud800"])
def test_base64_is_strict(request_of, body):
    assert refused(body_of, request_of(body, isBase64Encoded=True)) == (400, "NotBase64")


@pytest.mark.parametrize(
    ("body", "is_base64"),
    [("\ud800", False), (encoded(b"\xff"), True), (encoded("{}".encode("utf-16")), True)],
)
def test_text_is_utf_8(request_of, body, is_base64):
    assert refused(body_of, request_of(body, isBase64Encoded=is_base64)) == (400, "NotUtf8")


# JSON.


@pytest.mark.parametrize(
    "text",
    ["x", "{", "[1,]", "{'a': 1}", "NaN", "[Infinity]", '[{"price": -Infinity}]', "\ufeff{}", "\0"],
)
def test_what_is_no_json(now, text):
    assert refused(events_of, text, now) == (400, "NotJson")


@pytest.mark.parametrize("text", ["[" * 60_000, '{"a":' * 12_000, '[{"a":' * 10_000])
def test_a_depth_that_would_break_the_reader(now, text):
    assert refused(events_of, text, now) == (400, "TooDeep")


def test_a_name_given_twice(now, trade):
    text = json.dumps(trade)[:-1] + ', "price": "1"}'
    assert refused(events_of, text, now) == (400, "DuplicateName")
    assert refused(events_of, '[{"a": {"b": 1, "b": 2}}]', now) == (400, "DuplicateName")


@pytest.mark.parametrize("number", ["101.25", "101", "1e5", "1e999999999", "9" * 60_000, "-0"])
def test_a_number_is_refused_and_its_field_named(now, trade, number):
    text = json.dumps(trade).replace('"101.250"', number)
    found = refusal(events_of, text, now)
    assert (found.status, found.error, named(found)) == (400, "InvalidEvent", [(0, "price")])
    assert "JSON number is not exact" in found.problems[0][1].rule


def test_amounts_arrive_exactly(now, trade):
    [event] = events_of(json.dumps(trade | {"price": "0.1", "quantity": "0.2"}), now)
    assert event.facts["price"] + event.facts["quantity"] == Decimal("0.3")
    assert event.canonical()["price"] == "0.1"


def test_no_number_becomes_a_float_on_its_way():
    from market_ingestion.core import _loaded

    loaded = _loaded('[1.5, 1e400, -0.0, 7, "1.5"]')
    assert [type(each) for each in loaded] == [object, object, object, object, str]


# Events.


def test_one_event_or_a_list(now, trade, quote):
    assert [event.id for event in events_of(json.dumps(trade), now)] == [trade["eventId"]]
    both = events_of(json.dumps([quote, trade]), now)
    assert [event.id for event in both] == [quote["eventId"], trade["eventId"]]


def test_an_id_may_be_left_to_us(now, trade):
    del trade["eventId"]
    [event] = events_of(json.dumps(trade), now)
    assert event.id == derived_id(trade)


def test_how_many(now, trade):
    assert refused(events_of, "[]", now) == (400, "NoEvents")
    many = [trade | {"eventId": f"0f8fad5b-d9cb-469f-a165-{n:012}"} for n in range(EVENTS_MAX + 1)]
    assert len(events_of(json.dumps(many[:-1]), now)) == EVENTS_MAX
    assert refused(events_of, json.dumps(many), now) == (400, "TooManyEvents")
    assert refused(events_of, "[" + "0," * 30_000 + "0]", now) == (400, "TooManyEvents")


@pytest.mark.parametrize("text", ["null", "1", '"x"', "true", "[[]]", "[null]"])
def test_what_is_no_object_is_no_event(now, text):
    found = refusal(events_of, text, now)
    assert (found.error, named(found)) == ("InvalidEvent", [(0, "event")])


def test_every_problem_of_every_event_is_told_with_its_index(now, trade, quote):
    quote |= {"bidPrice": CANARY + "x", "surprise": CANARY}
    del trade["venue"]
    found = refusal(events_of, json.dumps([trade, quote, quote]), now)
    assert named(found) == [
        (0, "venue"),
        (1, "bidPrice"),
        (1, "event"),
        (2, "bidPrice"),
        (2, "event"),
    ]
    rendered = found.answer().rendered()
    assert json.loads(rendered["body"])["problems"][0] == {
        "index": 0,
        "field": "venue",
        "rule": "must be an ISO 10383 market code",
    }
    assert CANARY not in json.dumps(rendered)


# The window of time.


@pytest.mark.parametrize(
    "age",
    [timedelta(hours=24), timedelta(0), timedelta(minutes=-2)],
)
def test_within_the_window(now, trade, age):
    trade["occurredAt"] = (now - age).isoformat().replace("+00:00", "Z")
    assert len(events_of(json.dumps(trade), now)) == 1


@pytest.mark.parametrize(
    "age",
    [timedelta(hours=24, microseconds=1), timedelta(minutes=-2, microseconds=-1)],
)
def test_outside_of_the_window(now, trade, quote, age):
    trade["occurredAt"] = (now - age).isoformat().replace("+00:00", "Z")
    found = refusal(events_of, json.dumps([quote, trade]), now)
    assert (found.status, found.error) == (422, "OutsideWindow")
    assert named(found) == [(1, "occurredAt")]
    assert trade["symbol"] not in found.answer().rendered()["body"]


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_the_ends_of_time_are_outside(now, trade, instant):
    trade["occurredAt"] = instant
    assert refused(events_of, json.dumps(trade), now) == (422, "OutsideWindow")


def test_a_clock_of_another_zone_means_the_same(now, trade):
    there = now.astimezone(timezone(timedelta(hours=9)))
    assert len(events_of(json.dumps(trade), there)) == 1


def test_an_id_twice_in_a_batch(now, trade, quote):
    quote["eventId"] = trade["eventId"]
    found = refusal(events_of, json.dumps([trade, quote, quote]), now)
    assert (found.status, found.error) == (400, "DuplicateEventId")
    assert named(found) == [(1, "eventId"), (2, "eventId")]
    del trade["eventId"]  # the same event twice: the same derived id
    assert refused(events_of, json.dumps([trade, trade]), now) == (400, "DuplicateEventId")


def test_an_answer_is_json(now):
    rendered = Answer(503, {"error": "x"}, {"retry-after": "2"}).rendered()
    assert rendered == {
        "statusCode": 503,
        "headers": {
            "content-type": "application/json",
            "cache-control": "no-store",
            "retry-after": "2",
        },
        "body": '{"error": "x"}',
        "isBase64Encoded": False,
    }
