"""The three functions through Powertools, against engines: what they write, and never say."""

import io
import json
import traceback
from types import SimpleNamespace

import boto3
import pytest
from handlers.market_pipeline import app
from handlers.market_samples import (
    BUCKET,
    ENVIRONMENT,
    ID,
    REGION,
    TABLE,
    create_table,
    instrument,
    payload,
    trade,
)
from moto import mock_aws

from market_events.failures import AwsRefused, EventIdReused, InvalidEvent, UnexpectedError
from market_table.instruments import parse_instrument

CONTEXT = SimpleNamespace(
    function_name="market-test",
    memory_limit_in_mb=256,
    invoked_function_arn=f"arn:aws:lambda:{REGION}:111122223333:function:market-test",
    aws_request_id="req-1",
)
CANARY = "41111111.11111111"
SECRET_TRADE = trade(price=CANARY, tradeId="T4111111111111111", quantity="7777777")


class Functions:
    """The handlers of the three functions, on engines, with all they say."""

    def __init__(self, monkeypatch, capsys):
        self.dynamodb = boto3.client("dynamodb", region_name=REGION)
        self.s3 = boto3.client("s3", region_name=REGION)
        sns = boto3.client("sns", region_name=REGION)
        create_table(self.dynamodb)
        self.s3.create_bucket(Bucket=BUCKET)
        topic = sns.create_topic(Name="topic-market-alarms-test")["TopicArn"]
        self._capsys, self._log = capsys, io.StringIO()
        enrichment, storage, compensation = (
            app(f"market-{name}") for name in ("enrichment", "storage", "compensation")
        )
        enricher = enrichment.Enricher(enrichment.Reference(self.dynamodb, TABLE), enrichment.watch)
        writer = storage.Storage(
            storage.Ledger(self.dynamodb, TABLE, REGION),
            storage.Audit(self.s3, BUCKET),
            storage.watch,
        )
        compensator = compensation.Compensator(
            compensation.Ledger(self.dynamodb, TABLE, REGION),
            compensation.Notices(sns, topic),
            compensation.watch,
            REGION,
        )
        monkeypatch.setattr(enrichment, "_enrich", enricher)
        monkeypatch.setattr(storage, "_store", writer)
        monkeypatch.setattr(compensation, "_compensate", compensator)
        self._modules = {"enrich": enrichment, "store": storage, "compensate": compensation}
        for module in self._modules.values():
            for handler in module.watch._logger.handlers:
                handler.stream = self._log

    def __call__(self, name, given):
        return self._modules[name].handler(given, CONTEXT)

    def said(self):
        text = self._log.getvalue() + self._capsys.readouterr().out
        self._log.seek(0)
        self._log.truncate()
        return text

    def metrics(self):
        found = {}
        for line in map(json.loads, self.said().splitlines()):
            for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
                assert directive["Namespace"] == "MarketPipeline"
                found |= {each["Name"]: each["Unit"] for each in directive["Metrics"]}
        found.pop("ColdStart", None)
        return found


@pytest.fixture
def functions(monkeypatch, capsys):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield Functions(monkeypatch, capsys)


def test_an_event_goes_through_enrichment_store_and_record(functions):
    functions.dynamodb.put_item(TableName=TABLE, Item=parse_instrument(instrument()).item())
    added = functions("enrich", {"event": trade()})
    assert functions("store", payload(trade(), operation="store")) == {"outcome": "stored"}
    record = payload(trade(), operation="record", enrichment=added)
    assert functions("store", record) == {"outcome": "recorded"}
    assert functions("store", record) == {"outcome": "same"}
    assert functions.metrics() == {
        "EventsEnriched": "Count",
        "EnrichmentTime": "Milliseconds",
        "EventsStored": "Count",
        "EventsRecorded": "Count",
        "RepeatedWrites": "Count",
        "AuditRecords": "Count",
        "StorageTime": "Milliseconds",
    }
    audited = functions.s3.get_object(Bucket=BUCKET, Key=f"events/2026/11/20/{ID}.json")
    content = json.loads(audited["Body"].read())
    assert (content["event"], content["enrichment"]) == (trade(), added)
    assert audited["ContentType"] == "application/json"


def test_a_compensation_is_counted_and_repeated(functions):
    functions("store", payload(trade(), operation="store"))
    failed = payload(trade(), error="UnknownInstrument")
    assert functions("compensate", failed) == {"outcome": "undone"}
    assert functions("compensate", failed) == {"outcome": "repeated"}
    assert functions.metrics().keys() >= {"EventsCompensated", "RepeatedCompensations"}


def test_nothing_of_an_event_is_ever_said(functions):
    """Neither by what ends well, nor by failures, whose texts Lambda writes down in full."""
    said = []

    def call(name, given, *expected):
        with pytest.raises(expected) as caught:
            functions(name, given)
        said.append("".join(traceback.format_exception(caught.value)))

    functions.dynamodb.put_item(TableName=TABLE, Item=parse_instrument(instrument()).item())
    added = functions("enrich", {"event": SECRET_TRADE})
    functions("store", payload(SECRET_TRADE, operation="store"))
    functions("store", payload(SECRET_TRADE, operation="record", enrichment=added))
    call("store", payload(SECRET_TRADE | {"venue": "XXXX"}, operation="store"), EventIdReused)
    call("store", payload(SECRET_TRADE, operation="record", enrichment={CANARY: "x"}), InvalidEvent)
    call("enrich", {"event": SECRET_TRADE | {"currency": "USD"}}, InvalidEvent)
    call("enrich", {"event": SECRET_TRADE | {CANARY: CANARY, "price": CANARY + "x"}}, InvalidEvent)
    call("store", CANARY, UnexpectedError)
    functions("compensate", payload(SECRET_TRADE, error=f"{CANARY} was bad"))
    text = functions.said() + "".join(said)
    assert ID in text
    for secret in (CANARY, "4111111111111111", "7777777", added["notional"]):
        assert secret not in text


def test_a_bucket_that_is_gone_is_a_failure_with_its_code(functions):
    functions.dynamodb.put_item(TableName=TABLE, Item=parse_instrument(instrument()).item())
    added = functions("enrich", {"event": trade()})
    functions("store", payload(trade(), operation="store"))
    functions.s3.delete_bucket(Bucket=BUCKET)
    with pytest.raises(AwsRefused, match=r"^NoSuchBucket$"):
        functions("store", payload(trade(), operation="record", enrichment=added))
    assert functions.metrics()["StorageFailures"] == "Count"
