"""The function in this process, against a bus in memory: answers, metrics, what is never said."""

import base64
import copy
import importlib
import io
import json
import traceback
from datetime import UTC, timedelta
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market_events.failures import UnexpectedError
from market_events.schema import parse
from market_ingestion.authorization import Authorization
from market_ingestion.bus import Bus

CANARY = "4111111111111111"
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
AUTHORIZATION = Authorization(mode="JWT", issuer="https://issuer.example/", audience="market")
STATUSES = {202, 400, 401, 404, 405, 413, 415, 422}
fuzzed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def context(request="req-1"):
    return SimpleNamespace(
        function_name="market-ingestion-test",
        memory_limit_in_mb=256,
        invoked_function_arn="arn:aws:lambda:us-east-1:111122223333:function:t",
        aws_request_id=request,
    )


class Ingested:
    """The handler with all it says, at a time of ours."""

    def __init__(self, module, bus, time, capsys):
        self.module, self.bus, self._capsys = module, bus, capsys
        self.now = time.now
        self.ingestion = module.Ingestion(
            AUTHORIZATION,
            Bus(bus, "market-events-test", stopwatch=time, sleep=time.sleep, chance=lambda: 0.5),
            module._watch,
            now=lambda: self.now,
        )
        self._log = io.StringIO()
        for handler in module._watch._logger.handlers:
            handler.stream = self._log  # the one it has may be a closed one of another test

    def __call__(self, request):
        answer = self.module.handler(request, context())
        assert answer["headers"]["content-type"] == "application/json"
        assert answer["isBase64Encoded"] is False
        return answer["statusCode"], json.loads(answer["body"]), answer["headers"]

    def said(self):
        """Everything written since the last call: log lines and metrics."""
        text = self._log.getvalue() + self._capsys.readouterr().out
        self._log.seek(0)
        self._log.truncate()
        return text

    def lines(self):
        return [json.loads(line) for line in self.said().splitlines()]


@pytest.fixture
def module(aws):
    for name, value in {
        "POWERTOOLS_SERVICE_NAME": "market-ingestion",
        "POWERTOOLS_METRICS_NAMESPACE": "MarketPipeline",
        "POWERTOOLS_LOGGER_LOG_EVENT": "true",
        "POWERTOOLS_TRACER_CAPTURE_RESPONSE": "true",
        "BUS_NAME": "market-events-test",
        "AUTHORIZATION": "JWT",
        "JWT_ISSUER": "https://issuer.example/",
        "JWT_AUDIENCE": "market",
    }.items():
        aws.setenv(name, value)
    return importlib.import_module("market_ingestion.app")


@pytest.fixture
def ingest(module, aws, fake_bus, time, capsys):
    ingested = Ingested(module, fake_bus, time, capsys)
    aws.setattr(module, "_ingest", ingested.ingestion)
    return ingested


def metrics(lines):
    found = {}
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == "MarketPipeline"
            assert line["service"] == "market-ingestion"
            for metric in directive["Metrics"]:
                found[metric["Name"]] = (metric["Unit"], *line[metric["Name"]])
    found.pop("ColdStart", None)
    return found


def test_events_are_accepted_put_counted_and_logged(ingest, request_of, trade, quote):
    status, body, _ = ingest(request_of([trade, quote]))
    assert (status, body) == (202, {"accepted": [trade["eventId"], quote["eventId"]]})
    assert [parse(json.loads(entry["Detail"])) for entry in ingest.bus.taken] == [
        parse(trade),
        parse(quote),
    ]
    lines = ingest.lines()
    counted = metrics(lines)
    assert counted.keys() == {"EventsAccepted", "IngestionTime"}
    assert counted["EventsAccepted"] == ("Count", 2.0)
    spoken = [line for line in lines if "message" in line]
    assert [line["event_id"] for line in spoken] == [trade["eventId"], quote["eventId"]]
    assert {line["message"] for line in spoken} == {"accepted"}


def test_a_repeated_post_is_the_same_event(ingest, request_of, trade):
    del trade["eventId"]
    first, second = ingest(request_of(trade)), ingest(request_of(trade | {"price": "101.25"}))
    assert first == second
    details = [entry["Detail"] for entry in ingest.bus.taken]
    assert details[0] == details[1]


def test_a_base64_body_is_read(ingest, request_of, trade):
    body = base64.b64encode(json.dumps(trade).encode()).decode()
    assert ingest(request_of(body, isBase64Encoded=True))[0] == 202


def test_what_stays_off_the_bus_is_told_so_that_it_can_be_sent_again(ingest, request_of, trade):
    events = [trade | {"eventId": f"0f8fad5b-d9cb-469f-a165-{n:012}"} for n in range(3)]
    ids = [event["eventId"] for event in events]
    ingest.bus.script = [[None, "NotAuthorizedForSourceException", "ThrottlingException"]]
    ingest.bus.script += [["ThrottlingException"]] * 100
    status, body, headers = ingest(request_of(events))
    assert status == 503
    assert headers["retry-after"] == "2"
    assert body == {
        "error": "NotAllAccepted",
        "accepted": [ids[0]],
        "failed": [
            {"eventId": ids[1], "error": "AwsRefused"},
            {"eventId": ids[2], "error": "TemporaryFailure"},
        ],
    }
    lines = ingest.lines()
    assert metrics(lines)["EventsNotPut"] == ("Count", 2.0)
    assert [line.get("error") for line in lines if "message" in line] == [
        None,
        "NotAuthorizedForSourceException",
        "ThrottlingException",
    ]
    ingest.bus.script = []
    assert ingest(request_of(events))[:2] == (202, {"accepted": ids})


def test_a_bus_that_is_gone_is_a_503(ingest, request_of, trade):
    ingest.bus.script = [
        ClientError(
            {"Error": {"Code": "ResourceNotFoundException", "Message": CANARY}}, "PutEvents"
        )
    ]
    status, body, headers = ingest(request_of(trade))
    assert (status, body["accepted"], headers["retry-after"]) == (503, [], "2")
    assert CANARY not in ingest.said()


@pytest.mark.parametrize(
    ("status", "error", "changes"),
    [
        (401, "Unauthorized", {"requestContext": None, "rawPath": "/x", "body": None}),
        (404, "NotFound", {"rawPath": "/x", "headers": {}, "body": "x" * 100_000}),
        (415, "UnsupportedMediaType", {"headers": {}, "body": "x" * 100_000}),
        (413, "BodyTooLarge", {"body": "x" * 100_000}),
        (413, "BodyTooLarge", {"body": "!" * 100_000, "isBase64Encoded": True}),
        (400, "NotJson", {"body": "x"}),
        (400, "NoEvents", {"body": "[]"}),
    ],
)
def test_the_first_thing_wrong_is_what_is_told(ingest, request_of, status, error, changes):
    got, body, _ = ingest(request_of("", **changes))
    assert (got, body["error"]) == (status, error)
    lines = ingest.lines()
    assert metrics(lines)["RequestsRefused"] == ("Count", 1.0)
    [line] = [line for line in lines if "message" in line]
    assert (line["message"], line["error"]) == ("request refused", error)
    assert ingest.bus.calls == []


@pytest.mark.parametrize("request_", [None, [], "x", 1, {}, {"body": "{}"}])
def test_what_is_no_request_is_unauthorized(ingest, request_):
    status, body, headers = ingest(request_)
    assert (status, body) == (401, {"error": "Unauthorized"})
    assert headers["www-authenticate"] == "Bearer"


def test_one_bad_event_keeps_all_off_the_bus(ingest, request_of, trade, quote):
    status, body, _ = ingest(request_of([trade, quote | {"bidPrice": 1.5}]))
    assert (status, body["error"]) == (400, "InvalidEvent")
    assert [(problem["index"], problem["field"]) for problem in body["problems"]] == [
        (1, "bidPrice")
    ]
    assert ingest.bus.calls == []
    [line] = [line for line in ingest.lines() if "message" in line]
    assert line["fields"] == ["bidPrice"]


def test_time_is_that_of_the_request(ingest, request_of, trade):
    request = request_of(trade)
    claims = request["requestContext"]["authorizer"]["jwt"]["claims"]
    claims["exp"] = str(int(ingest.now.timestamp()) + 10**6)
    assert ingest(request)[0] == 202
    ingest.now += timedelta(days=2)
    assert ingest(request)[:2][0] == 422


def test_a_defect_is_an_error_for_lambda_and_says_nothing(ingest, request_of, trade):
    def broken(**_):
        raise KeyError(CANARY)

    ingest.bus.put_events = broken
    with pytest.raises(UnexpectedError) as caught:
        ingest(request_of(trade | {"tradeId": CANARY}))
    text = ingest.said() + "".join(traceback.format_exception(caught.value))
    assert CANARY not in text
    assert "KeyError" in text


@pytest.mark.parametrize(
    ("name", "value"), [("AUTHORIZATION", "NONE"), ("AUTHORIZATION", ""), ("JWT_ISSUER", "")]
)
def test_a_function_without_a_closed_way_in_does_not_start(module, aws, name, value):
    aws.setenv(name, value)
    with pytest.raises(ValueError, match=r"^AUTHORIZATION is "):
        importlib.reload(module)
    aws.setenv("AUTHORIZATION", "IAM")
    importlib.reload(module)  # the other tests take it as it was


# What it never says.

CANARIES = st.sampled_from([CANARY, f"{CANARY}.5", f"-{CANARY}", f"A{CANARY}", JWT, int(CANARY)])


def paths(value, path=()):
    """Every place of a value in a request."""
    if isinstance(value, dict):
        return [path, *(place for key in value for place in paths(value[key], (*path, key)))]
    return [path]


def planted(value, path, canary):
    if not path:
        return canary
    return value | {path[0]: planted(value[path[0]], path[1:], canary)}


def answered(ingest, request):
    """Invoke the handler; give its whole answer as text and all it said."""
    answer = ingest.module.handler(request, context())
    assert answer["statusCode"] in STATUSES
    body = json.loads(answer["body"])
    assert isinstance(
        body["accepted"] if answer["statusCode"] == 202 else body["error"], list | str
    )
    return json.dumps(answer), ingest.said()


@fuzzed
@given(data=st.data())
def test_what_a_field_holds_is_never_said(ingest, request_of, trade, quote, data):
    """Names of symbols and trades may be any: a canary is a valid one, put, and still not said."""
    event = copy.deepcopy(data.draw(st.sampled_from([trade, quote])))
    canary = data.draw(CANARIES)
    field = data.draw(st.sampled_from([*event, f"x-{canary}"]))
    answer, said = answered(ingest, request_of([event | {field: canary}]))
    assert str(canary) not in answer + said


@fuzzed
@given(data=st.data())
def test_what_a_request_holds_is_never_said(ingest, request_of, trade, data):
    """Headers, claims, addresses: wherever a canary is."""
    request = request_of([trade])
    request["headers"]["authorization"] = f"Bearer {JWT}"
    request["requestContext"]["authorizer"]["jwt"]["claims"]["email"] = CANARY
    canary = data.draw(CANARIES)
    path = data.draw(st.sampled_from(paths(request)))
    answer, said = answered(ingest, planted(request, path, canary))
    for each in (str(canary), CANARY, JWT):
        assert each not in answer + said


# Anything at all is answered.

# Marked, as hypothesis also tries the words of our sources, which we may well say.
marked = st.text().map(lambda text: f"~{text}~")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | marked,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def texts(value):
    """List the texts in a value that we have no reason of our own to say."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [text for each in inner for text in texts(each)]
    is_theirs = isinstance(value, str) and ("~" in value or "TEST" in value)
    return [value] if is_theirs else []


def quoted(ingest, request, payload):
    """List the texts of a payload that the function repeats."""
    answer, said = answered(ingest, request)
    return [text for text in texts(payload) if text in answer + said]


@fuzzed
@given(body=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode()))
def test_any_bytes_are_answered(ingest, request_of, body):
    encoded = base64.b64encode(body).decode()
    answered(ingest, request_of(encoded, isBase64Encoded=True))
    answered(ingest, request_of(body.decode("latin-1")))
    answered(ingest, request_of(body.decode("latin-1"), isBase64Encoded=True))


@fuzzed
@given(body=st.text(st.characters(codec=None), max_size=100))
def test_any_text_is_answered_half_surrogates_included(ingest, request_of, body):
    answered(ingest, request_of(body))
    answered(ingest, request_of(body, isBase64Encoded=True))


@fuzzed
@given(payload=json_values)
def test_any_json_is_answered(ingest, request_of, payload):
    assert quoted(ingest, request_of(payload), payload) == []
    assert quoted(ingest, request_of([payload]), payload) == []


@st.composite
def mutated(draw, event):
    """An event with some fields gone, wrong, foreign, or right in another way."""
    event = copy.deepcopy(event)
    for _ in range(draw(st.integers(0, 3))):
        field = draw(st.sampled_from([*event, "type", "surprise"]))
        match draw(st.sampled_from(["drop", "json", "text", "amount", "borrow"])):
            case "drop":
                event.pop(field, None)
            case "json":
                event[field] = draw(json_values)
            case "text":
                event[field] = draw(st.text("0123456789-.eE+#/ANXaZ\u0661\n", max_size=40))
            case "amount":
                event[field] = format(draw(st.decimals(allow_nan=True)), "f")
            case "borrow":
                event[field] = draw(st.sampled_from(list(event.values()) or ["x"]))
    return event


@fuzzed
@given(data=st.data())
def test_any_mutation_of_events_is_answered(ingest, request_of, trade, quote, data):
    event = st.sampled_from([trade, quote]).flatmap(mutated)
    payload = data.draw(event | st.lists(event, max_size=12))
    ingest.bus.taken.clear()
    assert quoted(ingest, request_of(payload), payload) == []
    for entry in ingest.bus.taken:
        parse(json.loads(entry["Detail"]))


@fuzzed
@given(data=st.data())
def test_any_envelope_is_answered(ingest, request_of, trade, data):
    request = request_of([trade])
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(paths(request)))
        request = planted(request, path, data.draw(json_values))
        if not isinstance(request, dict):
            break
    answered(ingest, request)


@fuzzed
@given(event=json_values)
def test_any_event_of_lambda_is_unauthorized(ingest, event):
    answer, _ = answered(ingest, event)
    assert json.loads(answer)["statusCode"] == 401


def test_the_clock_is_utc(module):
    assert module.Ingestion(AUTHORIZATION, None, None)._now().tzinfo is UTC
