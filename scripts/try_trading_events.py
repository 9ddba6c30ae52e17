"""Show trading-events at work on the local engine: once, twice, and poisoned.

Usage: make deploy TARGET=local YES=1, then .venv/bin/python scripts/try_trading_events.py
"""

import json
import sys
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import boto3

from tap_templates.local import engine

ROOT = Path(__file__).parent.parent
PRIMARY, STANDBY = "us-east-1", "us-west-2"
BUS = "bus-trading-events-dev"
TABLE = "table-trading-transactions-dev"
FAILED = "queue-trading-processing-failed-dev"
ALARM = "alarm-trading-processing-failed-not-empty-dev"
EVENT = json.loads((ROOT / "tests" / "handlers" / "events" / "trade-executed.json").read_text())
PATIENCE_SECONDS = 20


def main() -> int:
    """Put three events on the primary bus and say what becomes of them."""
    running = engine.status(ROOT)
    if running is None:
        print("the local engine is not running: make deploy TARGET=local YES=1", file=sys.stderr)
        return 1

    def client(service: str, region: str = PRIMARY) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=running.endpoint_url,
            aws_access_key_id=running.account,
            aws_secret_access_key="local",  # noqa: S106 - the engine takes any
        )

    events = client("events")

    def put(detail: dict[str, object]) -> None:
        entry = {"EventBusName": BUS, "Source": "trading-system", "DetailType": "TradeExecuted"}
        events.put_events(Entries=[{**entry, "Detail": json.dumps(detail)}])

    def stored(event_id: str, region: str) -> bool:
        key = {"id": {"S": event_id}}
        return "Item" in client("dynamodb", region).get_item(TableName=TABLE, Key=key)

    event_id = str(uuid.uuid4())
    put({**EVENT["detail"], "eventId": event_id})
    put({**EVENT["detail"], "eventId": event_id})
    for region in (PRIMARY, STANDBY):
        say(f"event {event_id[:8]}, put twice, is in {region}", partial(stored, event_id, region))
    put({"eventId": str(uuid.uuid4()), "price": "poison"})
    sqs = client("sqs")
    queue = sqs.get_queue_url(QueueName=FAILED)["QueueUrl"]
    depth = "ApproximateNumberOfMessages"
    asked = {"QueueUrl": queue, "AttributeNames": [depth]}
    say(
        "a poison event is in the failure queue",
        lambda: int(sqs.get_queue_attributes(**asked)["Attributes"][depth]) > 0,
    )
    alarms = client("cloudwatch")
    say(
        "and its alarm rings",
        lambda: (
            alarms.describe_alarms(AlarmNames=[ALARM])["MetricAlarms"][0]["StateValue"] == "ALARM"
        ),
    )
    return 0


def say(what: str, holds: Callable[[], bool]) -> None:
    """Wait until something holds, and say so; give up with exit code 1."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            sys.exit(f"not so: {what}")
        time.sleep(0.2)
    print(what)


if __name__ == "__main__":
    sys.exit(main())
