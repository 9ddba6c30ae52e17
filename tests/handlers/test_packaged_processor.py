"""The zip of trading-processor, built for this machine, under AWS's own runtime client.

What Lambda would import comes from the zip alone: the subprocess has no site-packages, only the
unpacked zip and the runtime client. The table and the X-Ray daemon are stand-ins on the loopback.
"""

import importlib.metadata
import json
import shutil
import sys
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from handlers.loopback import Function, Table, TraceDaemon

from tap_templates.compiler.packages import Platform, start
from templates.trading_events.shared import PROCESSOR_PACKAGE as PROCESSOR

pytestmark = pytest.mark.package

ROOT = Path(__file__).parents[2]
CANARY = "4111111111111111"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("twin")
    kept = ROOT / ".cache" / "tap-tests"  # pip runs when an input changed, not for every run
    with start(
        [PROCESSOR],
        handlers=ROOT / "handlers",
        into=kept,
        cache=kept,
        platform=Platform.HOST,
    ) as pending:
        built = pending.finish()["trading-processor"]
    with zipfile.ZipFile(built.path) as zipped:
        zipped.extractall(folder / "task")
    return folder / "task"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """The runtime client and what it needs, and nothing else of the environment of the tests."""
    folder = tmp_path_factory.mktemp("client")
    for name in ("awslambdaric", "simplejson", "snapshot-restore-py"):
        for file in importlib.metadata.files(name):
            if not str(file).startswith("..") and "__pycache__" not in str(file):
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).symlink_to(file.locate())
    return folder


@pytest.fixture
def table():
    with Table() as running:
        yield running


@pytest.fixture
def run(client, table, tmp_path):
    @contextmanager
    def running(task, **environment):
        with Function(
            sys.executable,
            [task, client],
            PROCESSOR.handler,
            {
                "AWS_ENDPOINT_URL_DYNAMODB": f"http://{table.address}",
                "TABLE_NAME": "trading-events-test",
                "POWERTOOLS_SERVICE_NAME": "trading-event-processor",
                "POWERTOOLS_METRICS_NAMESPACE": "TradingSystem",
                "POWERTOOLS_LOG_LEVEL": "INFO",
                "POWERTOOLS_TRACE_DISABLED": "true",
                **environment,
            },
            tmp_path / "log",
        ) as function:
            yield function

    return running


def test_cold_start_event_duplicate_and_poison(run, unpacked, table, event):
    with run(unpacked) as function:
        assert function.invoke(event("trade-executed")) == ("response", {"outcome": "processed"})
        replicated = event("trade-executed-replicated")
        assert function.invoke(replicated) == ("response", {"outcome": "duplicate"})
        kind, error = function.invoke(event("poison-float-price"))
        assert (kind, error["errorType"]) == ("error", "PoisonEvent")
        assert error["errorMessage"].startswith("detail.price: ")
        assert "987" not in json.dumps(error)
        assert function.invoke(event("order-placed-limit")) == (
            "response",
            {"outcome": "processed"},
        )
        lines = [json.loads(line) for line in function.log.splitlines() if line.startswith("{")]
    assert len(table.items) == 2
    assert [line["cold_start"] for line in lines if "message" in line][:2] == [True, False]
    counted = [name for line in lines for name in line if name.endswith("Events")]
    assert counted == ["DuplicateEvents", "PoisonEvents"]
    assert sum("EventsProcessed" in line for line in lines) == 2


def test_traces_have_the_ids_and_nothing_else_of_the_event(run, unpacked, table, event):
    daemon = TraceDaemon()
    poison = event("poison-float-price")
    poison["detail"] |= {"account": CANARY, f"x{CANARY}": CANARY}
    good = event("trade-executed")
    good["detail"]["account"] = CANARY
    with run(
        unpacked, POWERTOOLS_TRACE_DISABLED="false", AWS_XRAY_DAEMON_ADDRESS=daemon.address
    ) as function:
        assert function.invoke(good)[0] == "response"
        assert function.invoke(poison)[0] == "error"
        table.failures = ["ValidationException"]
        assert function.invoke(good)[1]["errorType"] == "ClaimFailed"
        log = function.log
    traces = daemon.documents()
    daemon.close()
    assert good["detail"]["eventId"] in traces
    assert '"eventType": "TradeExecuted"' in traces or '"eventType":"TradeExecuted"' in traces
    assert "PutItem" in traces
    assert "ClientError" in traces
    assert CANARY not in traces + log
    assert "ACC-TEST" not in traces + log


def test_a_conflict_and_a_dead_table_look_to_lambda_as_they_should(run, unpacked, table, event):
    table.failures = ["ReplicatedWriteConflictException"] * 2
    with run(unpacked) as function:
        assert function.invoke(event("trade-executed")) == ("response", {"outcome": "processed"})
        table.failures = ["ResourceNotFoundException"]
        kind, error = function.invoke(event("order-placed-limit"))
    assert (kind, error["errorType"]) == ("error", "ClaimFailed")
    assert error["errorMessage"] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("missing", "error"),
    [
        ("jmespath", "Runtime.ImportModuleError"),
        ("aws_xray_sdk", "Runtime.ImportModuleError"),
        ("botocore/data/dynamodb", "UnknownServiceError"),
        ("botocore/data/endpoints.json", "DataNotFoundError"),
    ],
)
def test_what_the_zip_lacks_is_not_found_elsewhere(run, unpacked, tmp_path, missing, error):
    task = tmp_path / "task"
    shutil.copytree(unpacked, task)
    gone = task / missing
    if gone.is_dir():
        shutil.rmtree(gone)
    else:
        gone.unlink()
    with run(task) as function:
        kind, said = function.outcome()
    assert kind == "error"
    assert said["errorType"].rsplit(".", 1)[-1] == error.rsplit(".", 1)[-1]
