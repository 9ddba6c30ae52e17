"""The processor against the one call it cannot do without: what our code and Powertools add.

Both talk HTTP to the same stand-in table on the loopback, which answers in well under a
millisecond. Against a strongly consistent global table, which answers in tens of milliseconds, the
ratio is close to one; here it shows what is ours.
"""

import io
import json
import statistics
import time
import uuid
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from handlers.loopback import Table

pytestmark = pytest.mark.bench

EVENT = Path(__file__).parents[1] / "handlers" / "events" / "trade-executed.json"
ROUNDS = 300
CONTEXT = SimpleNamespace(
    function_name="f", memory_limit_in_mb=256, invoked_function_arn="arn", aws_request_id="r"
)


def timed(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def test_handler_against_its_bare_put_item(monkeypatch, capsys):
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_REGION": "us-east-1",
        "TABLE_NAME": "t",
        "POWERTOOLS_SERVICE_NAME": "trading-event-processor",
        "POWERTOOLS_METRICS_NAMESPACE": "TradingSystem",
    }.items():
        monkeypatch.setenv(name, value)
    from trading_processor import app
    from trading_processor.core import Claim, parse
    from trading_processor.ledger import Ledger

    for handler in app.watch._logger.handlers:
        handler.stream = io.StringIO()
    envelope = json.loads(EVENT.read_text())
    item = Claim(event=parse(envelope), region="r", request="r", received_at="t").item()
    numbers = count()

    with Table() as table:
        client = boto3.client(
            "dynamodb",
            region_name="us-east-1",
            config=app._PATIENCE,
            endpoint_url=f"http://{table.address}",
        )
        monkeypatch.setattr(
            app, "_process", app.Processor(Ledger(client, "t"), app.watch, "us-east-1")
        )

        def bare():
            client.put_item(
                TableName="t",
                Item=item | {"id": {"S": str(next(numbers))}},
                ConditionExpression="attribute_not_exists(id)",
            )

        def whole():
            envelope["detail"]["eventId"] = str(uuid.UUID(int=next(numbers)))
            app.handler(envelope, CONTEXT)

        for warm_up in (bare, whole) * 5:
            warm_up()
        # Alternating, so that a busy moment of the machine hits both.
        pairs = [(timed(bare), timed(whole)) for _ in range(ROUNDS)]
        client.close()
    put, handled = (statistics.median(times) * 1000 for times in zip(*pairs, strict=True))
    capsys.readouterr()  # the metrics of every round
    with capsys.disabled():
        print(f"\nhandler {handled:.2f} ms, put_item {put:.2f} ms, ratio {handled / put:.2f}")
    assert handled / put < 3
