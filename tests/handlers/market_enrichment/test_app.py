"""The function against a table engine: the right version, typed failures, and nothing written."""

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from handlers.market_in_memory import Silent, refused
from handlers.market_pipeline import app
from handlers.market_samples import (
    ENVIRONMENT,
    REGION,
    TABLE,
    create_table,
    enrichment,
    instrument,
    quote,
    trade,
)
from moto import mock_aws

from market_events.failures import AwsRefused, InvalidEvent, TemporaryFailure, UnknownInstrument
from market_table.instruments import parse_instrument


@pytest.fixture
def table(monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        create_table(client)
        yield client


@pytest.fixture
def load(table):
    return lambda **changes: table.put_item(
        TableName=TABLE, Item=parse_instrument(instrument(**changes)).item()
    )


@pytest.fixture
def watch():
    return Silent()


@pytest.fixture
def enricher(table, watch):
    module = app("market-enrichment")
    return module.Enricher(module.Reference(table, TABLE), watch, stopwatch=lambda: 0.0)


@pytest.mark.parametrize("detail", [trade(), quote()])
def test_an_event_is_enriched_and_nothing_is_written(enricher, load, table, watch, detail):
    load()
    before = table.scan(TableName=TABLE)["Items"]
    assert enricher({"event": detail}) == enrichment(detail["type"])
    assert table.scan(TableName=TABLE)["Items"] == before
    assert watch.counted == ["EventsEnriched"]


def test_a_late_event_is_judged_by_its_own_day(enricher, load):
    load()
    load(validFrom="2026-11-21", tickSize="1")
    assert enricher({"event": trade()})["validFrom"] == "2026-01-01"
    next_day = trade(occurredAt="2026-11-21T00:00:00Z")
    assert enricher({"event": next_day})["onTick"] == "false"


def test_an_event_off_the_ticks_is_counted(enricher, load, watch):
    load()
    assert enricher({"event": trade(price="612.45")})["onTick"] == "false"
    assert watch.counted == ["EventsEnriched", "OffTickEvents"]


def test_a_symbol_that_is_unknown_on_that_day(enricher, load, watch):
    load(validFrom="2026-11-21")
    load(symbol="ASM", isin="NL0000334118")
    with pytest.raises(UnknownInstrument, match="no reference data is valid"):
        enricher({"event": trade()})
    assert watch.counted == ["EnrichmentFailures"]
    assert watch.said[-1]["error"] == "UnknownInstrument"


def test_reference_data_that_cannot_be_used_is_as_none(enricher, table):
    item = parse_instrument(instrument()).item() | {"tickSize": {"N": "0"}}
    table.put_item(TableName=TABLE, Item=item)
    with pytest.raises(UnknownInstrument, match="cannot be used: tickSize must be"):
        enricher({"event": trade()})


@pytest.mark.parametrize("given", [{}, {"event": None}, {"event": trade(price=1)}])
def test_a_payload_without_a_valid_event_is_refused(enricher, given):
    with pytest.raises(InvalidEvent):
        enricher(given)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (refused("Query", "ThrottlingException"), TemporaryFailure),
        (refused("Query", "InternalServerError", 500), TemporaryFailure),
        (refused("Query", "AccessDeniedException"), AwsRefused),
        (EndpointConnectionError(endpoint_url="x"), TemporaryFailure),
    ],
)
def test_a_table_that_does_not_answer(error, failure, watch):
    class Client:
        def query(self, **_):
            raise error

    module = app("market-enrichment")
    with pytest.raises(failure) as caught:
        module.Enricher(module.Reference(Client(), TABLE), watch)({"event": trade()})
    assert caught.value.__suppress_context__
