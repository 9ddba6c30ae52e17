"""Show market-pipeline at work on the local engine: recorded, repeated, refused, compensated.

Usage: make deploy TARGET=local YES=1, then .venv/bin/python scripts/try_market_pipeline.py
"""

import json
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tap_templates.local import engine
from tap_templates.local.api import api_url

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "handlers"))

from market_table.instruments import parse_instrument  # noqa: E402 - handlers are no package here

REGION, OTHER = "us-east-1", "us-west-2"
TABLE, FAILED = "table-market-events-dev", "queue-market-failed-dev"
INSTRUMENTS = json.loads((ROOT / "scripts" / "instruments.json").read_text(encoding="utf-8"))
PATIENCE_SECONDS = 30


def main() -> int:
    """Load instruments, post events, and say what becomes of each."""
    running = engine.status(ROOT)
    if running is None:
        print("the local engine is not running: make deploy TARGET=local YES=1", file=sys.stderr)
        return 1

    def client(service: str, region: str = REGION) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=running.endpoint_url,
            aws_access_key_id=running.account,
            aws_secret_access_key="local",  # noqa: S106 - the engine takes any
        )

    for each in INSTRUMENTS:
        client("dynamodb").put_item(TableName=TABLE, Item=parse_instrument(each).item())
    print(f"loaded {len(INSTRUMENTS)} instruments into {TABLE}")
    apis = {each["Name"]: each for each in client("apigatewayv2").get_apis()["Items"]}
    api = apis["api-market-ingestion-dev"]
    url = f"{api_url(running, api['ApiId'])}/ingest"

    event = trade()
    say_answer("a trade, signed", post(url, event, key=running.account))
    say("it is recorded", lambda: status(client, event) == "RECORDED")
    say(f"and in {OTHER} too", lambda: status(client, event, OTHER) == "RECORDED")
    say_answer("the same trade again", post(url, event, key=running.account))
    say_answer("an unsigned trade", post(url, trade()))
    say_answer("a trade whose price is no amount", post(url, trade(price="1,5"), running.account))
    unknown = trade(symbol="NOBODY")
    say_answer("a trade in an unknown instrument", post(url, unknown, key=running.account))
    say("it is compensated", lambda: status(client, unknown) == "COMPENSATED")
    sqs = client("sqs")
    queue = sqs.get_queue_url(QueueName=FAILED)["QueueUrl"]
    depth = "ApproximateNumberOfMessages"
    asked = {"QueueUrl": queue, "AttributeNames": [depth]}
    say(
        "and waits in the failed queue",
        lambda: int(sqs.get_queue_attributes(**asked)["Attributes"][depth]) > 0,
    )
    return 0


def trade(**changes: str) -> dict[str, str]:
    """Make a trade in the first instrument, of just now."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "eventId": str(uuid.uuid4()),
        "type": "trade",
        "symbol": INSTRUMENTS[0]["symbol"],
        "venue": "XAMS",
        "currency": INSTRUMENTS[0]["currency"],
        "occurredAt": now,
        "tradeId": "T-1",
        "price": "612.40",
        "quantity": "25",
        **changes,
    }


def status(client: Any, event: dict[str, str], region: str = REGION) -> str | None:
    """Read the status of an event's item in a region."""
    key = {"PK": {"S": f"EVENT#{event['eventId']}"}, "SK": {"S": "EVENT"}}
    found = client("dynamodb", region).get_item(TableName=TABLE, Key=key).get("Item")
    return str(found["status"]["S"]) if found else None


def post(url: str, event: dict[str, str], key: str = "") -> tuple[int, Any]:
    """POST an event, signed if there is a key; give the status and the answer."""
    body = json.dumps(event).encode()
    headers = {"Content-Type": "application/json"}
    if key:
        request = AWSRequest(method="POST", url=url, data=body, headers=headers)
        SigV4Auth(Credentials(key, "local"), "execute-api", REGION).add_auth(request)
        headers = dict(request.headers.items())
    asked = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - the engine's address
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310 - as above
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def say_answer(what: str, answer: tuple[int, Any]) -> None:
    print(f"{what}: {answer[0]} {json.dumps(answer[1])}")


def say(what: str, holds: Callable[[], bool]) -> None:
    """Wait until something holds, and say so; give up with exit code 1."""
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > PATIENCE_SECONDS:
            print(f"  not within {PATIENCE_SECONDS} s: {what}", file=sys.stderr)
            sys.exit(1)
        time.sleep(0.1)
    print(f"  {what} ({time.monotonic() - started:.1f} s)")


if __name__ == "__main__":
    sys.exit(main())
