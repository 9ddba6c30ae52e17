"""The five functions of market-pipeline: what our code and Powertools cost, as ratios of one run.

First each function against the AWS calls it cannot do without, over HTTP on the loopback, where AWS
answers in well under a millisecond. Against AWS, which answers in milliseconds, the ratios are
close to one; here they show what is ours. Then events a second through all five, on a table in
memory: what a core could do if AWS took no time.
"""

import io
import json
import statistics
import time
import uuid
from itertools import count
from types import SimpleNamespace

import boto3
import pytest
from handlers.loopback import Server
from handlers.market_in_memory import Bucket, Table, Topic
from handlers.market_pipeline import app
from handlers.market_samples import (
    BUCKET,
    ENVIRONMENT,
    REGION,
    TABLE,
    TOPIC,
    enrichment,
    instrument,
    payload,
    trade,
)

from market_events.schema import complete, parse
from market_table import patterns
from market_table.events import recorded_item, stored_item
from market_table.instruments import parse_instrument
from market_table.keys import event_key

pytestmark = pytest.mark.bench

ROUNDS = 150
CONTEXT = SimpleNamespace(
    function_name="f", memory_limit_in_mb=256, invoked_function_arn="arn", aws_request_id="r"
)
BUS = "bus-market-events-test"
ASML = parse_instrument(instrument()).item()
NUMBERS = count()
PUBLISHED = (
    b"<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"
)


def go_on(exchange):
    exchange.send_response_only(100)
    exchange.end_headers()
    exchange.wfile.flush()
    return True


class Aws(Server):
    """All services at one address; every call succeeds and nothing is kept."""

    def __init__(self):
        super().__init__()
        exchange = self._server.RequestHandlerClass
        exchange.do_PUT = exchange.do_GET
        # Else it stays in the buffer, and S3's client waits a second for leave to go on.
        exchange.handle_expect_100 = go_on

    def answer(self, path, headers, body):
        target = headers.get("X-Amz-Target", "")
        if b"Action=Publish" in body:
            return 200, PUBLISHED, {"Content-Type": "text/xml"}
        if not target:
            return 200, b"", {}
        said = {
            "Query": {"Items": [ASML]},
            "PutEvents": {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]},
        }.get(target.rsplit(".", 1)[-1], {})
        return 200, json.dumps(said).encode(), {"Content-Type": "application/x-amz-json-1.0"}


class Memory:
    """An event bus that takes everything."""

    def put_events(self, **request):
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"} for _ in request["Entries"]]}


class Functions:
    """The five handlers on clients of our choice."""

    def __init__(self, monkeypatch, *, dynamodb, s3, sns, events):
        modules = {
            name: app(f"market-{name}")
            for name in ("ingestion", "validation", "enrichment", "storage", "compensation")
        }
        self._modules = modules
        ingestion, validation, enriching, storage, compensation = modules.values()
        monkeypatch.setattr(
            ingestion,
            "_ingest",
            ingestion.Ingestion(
                ingestion.Authorization(mode="IAM", issuer="", audience=""),
                ingestion.Bus(events, BUS),
                ingestion._watch,
            ),
        )
        monkeypatch.setattr(
            validation,
            "_validate",
            validation.Validation(validation.EventTable(dynamodb, TABLE), validation._watch),
        )
        monkeypatch.setattr(
            enriching,
            "_enrich",
            enriching.Enricher(enriching.Reference(dynamodb, TABLE), enriching.watch),
        )
        monkeypatch.setattr(
            storage,
            "_store",
            storage.Storage(
                storage.Ledger(dynamodb, TABLE, REGION), storage.Audit(s3, BUCKET), storage.watch
            ),
        )
        monkeypatch.setattr(
            compensation,
            "_compensate",
            compensation.Compensator(
                compensation.Ledger(dynamodb, TABLE, REGION),
                compensation.Notices(sns, TOPIC),
                compensation.watch,
                REGION,
            ),
        )
        for module in modules.values():
            watch = vars(module).get("watch") or module._watch
            for handler in watch._logger.handlers:
                handler.stream = io.StringIO()

    def __call__(self, name, given):
        return self._modules[name].handler(given, CONTEXT)


def fresh():
    """A trade of its own, of now: ingestion takes no old ones."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return trade(eventId=str(uuid.UUID(int=next(NUMBERS))), occurredAt=now)


def request(detail):
    return {
        "version": "2.0",
        "rawPath": "/ingest",
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "http": {"method": "POST"},
            "stage": "$default",
            "authorizer": {"iam": {"accountId": "111122223333"}},
        },
        "body": json.dumps(detail),
        "isBase64Encoded": False,
    }


def recording(detail):
    return payload(detail, operation="record", enrichment=enrichment())


def pairs(functions, dynamodb, s3, sns, events):
    """Each task of a function beside the bare calls that it is about."""
    event = parse(trade())
    written = {"execution": "e", "region": REGION, "at": "2026-11-20T15:04:06.000Z"}
    stored = stored_item(event, **written)
    recorded = recorded_item(event, enrichment(), **written)
    question = patterns.instrument_as_of("ASML", "2026-11-20").arguments()
    entry = {
        "Source": "market.data",
        "DetailType": "market.event",
        "EventBusName": BUS,
        "Detail": json.dumps(trade()),
    }
    body = b"x" * 700

    def put_two():
        dynamodb.put_item(TableName=TABLE, Item=recorded)
        s3.put_object(Bucket=BUCKET, Key="events/x.json", Body=body, IfNoneMatch="*")

    def update_and_publish():
        dynamodb.update_item(
            TableName=TABLE,
            Key=event_key(event.id),
            UpdateExpression="SET #status = :status",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":status": {"S": "COMPENSATED"}},
        )
        sns.publish(TopicArn=TOPIC, Message="x" * 200)

    return {
        "ingestion": (
            lambda: functions("ingestion", request(fresh())),
            lambda: events.put_events(Entries=[entry]),
        ),
        "validation": (
            lambda: functions("validation", {"event": fresh(), "execution": "e"}),
            lambda: dynamodb.get_item(TableName=TABLE, Key=event_key(event.id)),
        ),
        "enrichment": (
            lambda: functions("enrichment", {"event": fresh()}),
            lambda: dynamodb.query(TableName=TABLE, **question),
        ),
        "storage, store": (
            lambda: functions("storage", payload(fresh(), operation="store")),
            lambda: dynamodb.put_item(TableName=TABLE, Item=stored),
        ),
        "storage, record": (lambda: functions("storage", recording(fresh())), put_two),
        "compensation": (
            lambda: functions("compensation", payload(fresh(), error="UnknownInstrument")),
            update_and_publish,
        ),
    }


def timed(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


@pytest.fixture
def environment(monkeypatch):
    more = {"AUTHORIZATION": "IAM", "BUS_NAME": BUS}
    for name, value in {**ENVIRONMENT, **more}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_each_function_against_its_bare_calls(environment, capsys):
    from market_events.patience import PATIENCE

    with Aws() as aws:
        clients = {
            service: boto3.client(
                service, region_name=REGION, config=PATIENCE, endpoint_url=f"http://{aws.address}"
            )
            for service in ("dynamodb", "s3", "sns", "events")
        }
        functions = Functions(environment, **clients)
        measured = {}
        for name, (whole, bare) in pairs(functions, **clients).items():
            for warm_up in (bare, whole) * 5:
                warm_up()
            # Alternating, so that a busy moment of the machine hits both.
            times = [(timed(bare), timed(whole)) for _ in range(ROUNDS)]
            measured[name] = [statistics.median(each) * 1000 for each in zip(*times, strict=True)]
        for client in clients.values():
            client.close()
    capsys.readouterr()  # the metrics of every round
    with capsys.disabled():
        print()
        for name, (bare, whole) in measured.items():
            print(f"{name:16} {whole:5.2f} ms, calls {bare:5.2f} ms, ratio {whole / bare:.2f}")
    assert max(whole / bare for bare, whole in measured.values()) < 4


def test_events_a_second_through_all_five(environment, capsys):
    table = Table()
    table.items["INSTRUMENT", "REFERENCE"] = ASML
    functions = Functions(environment, dynamodb=table, s3=Bucket(), sns=Topic(), events=Memory())
    # The fake searches its items for an instrument; it shall not be what is measured.
    table.query = lambda **_: {"Items": [ASML]}

    def pass_through():
        detail = fresh()
        assert functions("ingestion", request(detail))["statusCode"] == 202
        verdict = functions("validation", {"event": detail, "execution": "e"})
        task = {"event": verdict["event"], "digest": verdict["digest"], "execution": "e"}
        added = functions("enrichment", task)
        functions("storage", task | {"operation": "store"})
        functions("storage", task | {"operation": "record", "enrichment": added})
        functions("compensation", task | {"error": "States.Timeout"})

    detail = fresh()

    def floor():
        """What no function can do without: its event read and its payload digested."""
        for _ in range(6):
            complete(json.loads(json.dumps(detail))).digest  # noqa: B018 - computed, not kept

    for warm_up in (pass_through, floor) * 10:
        warm_up()
    times = [(timed(pass_through), timed(floor)) for _ in range(ROUNDS)]
    passed, least = (statistics.median(each) for each in zip(*times, strict=True))
    capsys.readouterr()
    with capsys.disabled():
        print(
            f"\n{1 / passed:.0f} events a second through six invocations of five functions, "
            f"{passed * 1000:.2f} ms each; reading and digesting alone {least * 1000:.2f} ms, "
            f"ratio {passed / least:.1f}"
        )
    assert passed < 40 * least
