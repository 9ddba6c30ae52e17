"""The function under AWS's own runtime client: what Lambda would see, log and trace.

Bus and X-Ray daemon are stand-ins on the loopback; the bus answers with messages that quote what
it was given, as AWS may.
"""

import json
import site
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from handlers.loopback import Function, Server, TraceDaemon

import market_ingestion

HANDLERS = Path(market_ingestion.__file__).parents[1]
CANARY = "4111111111111111"
JSON = {"Content-Type": "application/x-amz-json-1.1"}


class Bus(Server):
    """PutEvents, failing with the errors in `failures` first."""

    def __init__(self):
        self.failures = []
        self.details = []
        super().__init__()

    def answer(self, path, headers, body):
        entries = json.loads(body)["Entries"]
        self.details += [json.loads(entry["Detail"]) for entry in entries]
        if self.failures:
            said = {"__type": self.failures.pop(0), "message": f"in {body.decode()}"}
            return 400, json.dumps(said).encode(), JSON
        taken = {"FailedEntryCount": 0, "Entries": [{"EventId": "x"} for _ in entries]}
        return 200, json.dumps(taken).encode(), JSON


@pytest.fixture
def bus():
    with Bus() as running:
        yield running


@pytest.fixture
def daemon():
    running = TraceDaemon()
    yield running
    running.close()


@pytest.fixture
def function(bus, daemon, tmp_path):
    environment = {
        "AWS_ENDPOINT_URL_EVENTBRIDGE": f"http://{bus.address}",
        "AWS_XRAY_DAEMON_ADDRESS": daemon.address,
        "AUTHORIZATION": "IAM",
        "BUS_NAME": "market-events-test",
        "POWERTOOLS_SERVICE_NAME": "market-ingestion",
        "POWERTOOLS_METRICS_NAMESPACE": "MarketPipeline",
        "POWERTOOLS_LOGGER_LOG_EVENT": "true",
        "POWERTOOLS_TRACER_CAPTURE_RESPONSE": "true",
        "POWERTOOLS_TRACER_CAPTURE_ERROR": "true",
    }
    # The newest folder first: this environment's own.
    folders = [HANDLERS, *map(Path, site.getsitepackages())]
    handler = "market_ingestion.app.handler"
    with Function(sys.executable, folders, handler, environment, tmp_path / "log") as running:
        yield running


@pytest.fixture
def signed(request_of, trade):
    trade |= {
        "tradeId": CANARY,
        "symbol": f"X{CANARY}",
        "occurredAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    request = request_of([trade])
    request["requestContext"]["authorizer"] = {"iam": {"userArn": f"arn:{CANARY}"}}
    request["headers"]["authorization"] = CANARY
    return request


def test_an_event_goes_through_and_nothing_but_names_is_told(function, bus, daemon, signed):
    bus.failures = ["ThrottlingException", "AccessDeniedException"]
    kind, refused = function.invoke(signed)
    assert (kind, refused["statusCode"]) == ("response", 503)
    kind, taken = function.invoke(signed)
    assert (kind, taken["statusCode"]) == ("response", 202)
    assert len(bus.details) == 3
    assert bus.details[0]["tradeId"] == CANARY  # it was there to be told
    kind, invalid = function.invoke(signed | {"body": f'{{"{CANARY}": {CANARY}}}'})
    assert (kind, invalid["statusCode"]) == ("response", 400)
    log, traces = function.log, daemon.documents()
    assert "AccessDeniedException" in log
    assert "EventsAccepted" in log
    assert "PutEvents" in traces
    assert "ClientError" in traces or "AccessDeniedException" in traces
    answers = json.dumps([refused, taken, invalid])
    assert CANARY not in log + traces + answers


def test_a_function_that_is_open_does_not_start(bus, tmp_path):
    environment = {"AUTHORIZATION": "NONE", "BUS_NAME": "b"}
    folders = [HANDLERS, *map(Path, site.getsitepackages())]
    handler = "market_ingestion.app.handler"
    with Function(sys.executable, folders, handler, environment, tmp_path / "log") as running:
        kind, error = running.outcome()
    assert (kind, error["errorType"].rsplit(".", 1)[-1]) == ("error", "ValueError")
