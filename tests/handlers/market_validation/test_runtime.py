"""The function under AWS's own runtime client: its answer holds the event, its traces do not.

Table and X-Ray daemon are stand-ins on the loopback; the table fails with messages that quote.
"""

import json
import site
import sys
from pathlib import Path

import pytest
from handlers.loopback import Function, Server, TraceDaemon

import market_validation

HANDLERS = Path(market_validation.__file__).parents[1]
CANARY = "4111111111111111"
EXECUTION = "7c9e6679-7425-40de-944b-e07fc1f90ae7_0f8fad5b-d9cb-469f-a165-70867728950e"
JSON = {"Content-Type": "application/x-amz-json-1.0"}


class Table(Server):
    """GetItem of an empty table, failing with the errors in `failures` first."""

    def __init__(self):
        self.failures = []
        super().__init__()

    def answer(self, path, headers, body):
        if not self.failures:
            return 200, b"{}", JSON
        said = {"__type": self.failures.pop(0), "message": f"item {CANARY}"}
        return 400, json.dumps(said).encode(), JSON


@pytest.fixture
def table():
    with Table() as running:
        yield running


@pytest.fixture
def daemon():
    running = TraceDaemon()
    yield running
    running.close()


@pytest.fixture
def function(table, daemon, tmp_path):
    environment = {
        "AWS_ENDPOINT_URL_DYNAMODB": f"http://{table.address}",
        "AWS_XRAY_DAEMON_ADDRESS": daemon.address,
        "TABLE_NAME": "market-events-test",
        "POWERTOOLS_SERVICE_NAME": "market-validation",
        "POWERTOOLS_METRICS_NAMESPACE": "MarketPipeline",
        "POWERTOOLS_LOGGER_LOG_EVENT": "true",
        "POWERTOOLS_TRACER_CAPTURE_RESPONSE": "true",
        "POWERTOOLS_TRACER_CAPTURE_ERROR": "true",
    }
    folders = [HANDLERS, *map(Path, site.getsitepackages())]
    handler = "market_validation.app.handler"
    with Function(sys.executable, folders, handler, environment, tmp_path / "log") as running:
        yield running


def test_errors_have_the_names_the_state_machine_knows_and_nothing_is_quoted(
    function, table, daemon, trade
):
    trade["tradeId"] = CANARY
    kind, verdict = function.invoke({"event": trade, "execution": EXECUTION})
    assert (kind, verdict["recorded"]) == ("response", False)
    assert verdict["event"]["tradeId"] == CANARY  # it was there to be told
    kind, invalid = function.invoke({"event": trade | {"price": CANARY * 9}, "execution": "x"})
    assert (kind, invalid["errorType"]) == ("error", "InvalidEvent")
    table.failures = ["ThrottlingException"] * 3
    kind, throttled = function.invoke({"event": trade, "execution": EXECUTION})
    assert (kind, throttled["errorType"]) == ("error", "TemporaryFailure")
    assert throttled["errorMessage"] == "ThrottlingException"
    table.failures = ["ValidationException"]
    kind, refused = function.invoke({"event": trade, "execution": EXECUTION})
    assert (kind, refused["errorType"]) == ("error", "AwsRefused")
    log, traces = function.log, daemon.documents()
    assert trade["eventId"] in log
    assert trade["eventId"] in traces
    assert "GetItem" in traces
    assert '"metadata"' not in traces  # where Powertools puts answers and errors
    assert CANARY not in log + traces + json.dumps([invalid, throttled, refused])
