"""Each access pattern, asked of a table engine, and the documented table held to the code."""

import re

import boto3
import pytest
from handlers.market_samples import ID, TABLE, create_table, enrichment, instrument, quote, trade
from moto import mock_aws

from market_events.schema import parse
from market_table import patterns
from market_table.events import event_of, marker, recorded_item, status_of, stored_item
from market_table.instruments import instrument_of, parse_instrument
from market_table.keys import event_key

WRITTEN = {"execution": "e", "region": "us-east-1", "at": "2026-11-20T15:04:06.000Z"}
DAY = "2026-11-20"


def event_id(number):
    return f"{ID[:-4]}{number:04x}"


@pytest.fixture
def table(aws):
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_table(client)
        yield client


@pytest.fixture
def put(table):
    return lambda item: table.put_item(TableName=TABLE, Item=item)


@pytest.fixture
def ask(table):
    return lambda question: table.query(TableName=TABLE, **question.arguments())["Items"]


def recorded(detail):
    event = parse(detail)
    return recorded_item(event, enrichment(event.type), **WRITTEN)


def compensated(number, at):
    event = parse(trade(eventId=event_id(number)))
    return event_key(event.id) | marker(event, execution="e", region="r", reason="X", at=at)


def test_event_by_id(table, put):
    put(recorded(trade()))
    put(recorded(trade(eventId=event_id(2), price="1")))
    found = table.get_item(TableName=TABLE, Key=event_key(ID), ConsistentRead=True)["Item"]
    assert event_of(found) == parse(trade())


def test_time_series_of_a_symbol_in_a_range(put, ask):
    instants = [f"{DAY}T00:00:00Z", f"{DAY}T15:04:05Z", f"{DAY}T15:04:05.000001Z"]
    for number, instant in enumerate([*instants, f"{DAY}T23:59:59.999999Z"]):
        put(recorded(trade(eventId=event_id(number), occurredAt=instant)))
    put(recorded(trade(eventId=event_id(10), occurredAt="2026-11-21T00:00:00Z")))
    put(recorded(trade(eventId=event_id(11), symbol="ASM")))
    put(recorded(quote(eventId=event_id(12))))
    put(stored_item(parse(trade(eventId=event_id(13))), **WRITTEN))

    def numbers(since, until):
        found = ask(patterns.time_series("ASML", "trade", since, until))
        return [int(item["eventId"]["S"][-4:], 16) for item in found]

    midnight, next_midnight = f"{DAY}T00:00:00.000000Z", "2026-11-21T00:00:00.000000Z"
    assert numbers(midnight, next_midnight) == [0, 1, 2, 3]
    assert numbers(midnight, f"{DAY}T15:04:05.000001Z") == [0, 1]  # half-open
    assert numbers(f"{DAY}T15:04:05.000001Z", next_midnight) == [2, 3]
    assert numbers(f"{DAY}T16:00:00.000000Z", f"{DAY}T17:00:00.000000Z") == []


@pytest.mark.parametrize(
    ("day", "tick"),
    [
        ("2025-12-31", None),
        ("2026-01-01", "0.1"),
        ("2026-05-31", "0.1"),
        ("2026-06-01", "0.05"),
        ("2030-01-01", "0.05"),
    ],
)
def test_instrument_as_of_a_date(put, ask, day, tick):
    put(parse_instrument(instrument()).item())
    put(parse_instrument(instrument(validFrom="2026-06-01", tickSize="0.05")).item())
    put(parse_instrument(instrument(symbol="ASM", isin="NL0000334118")).item())
    put(compensated(1, f"{DAY}T15:04:05.000Z"))
    found = ask(patterns.instrument_as_of("ASML", day))
    assert [format(instrument_of(item).tick_size, "f") for item in found] == (
        [tick] if tick else []
    )


def test_versions_of_an_instrument(put, ask):
    for valid_from in ("2026-06-01", "2025-01-01", "2026-01-01"):
        put(parse_instrument(instrument(validFrom=valid_from)).item())
    put(parse_instrument(instrument(isin="NL0000334118", symbol="ASM")).item())
    found = [
        instrument_of(item).valid_from for item in ask(patterns.instrument_versions("NL0010273215"))
    ]
    assert found == ["2026-06-01", "2026-01-01", "2025-01-01"]


def test_compensated_events_of_a_day(put, ask):
    put(compensated(1, f"{DAY}T08:00:00.000Z"))
    put(compensated(2, f"{DAY}T09:00:00.000Z"))
    put(compensated(3, "2026-11-19T23:59:59.999Z"))
    put(recorded(trade(eventId=event_id(4))))
    put(parse_instrument(instrument()).item())
    found = ask(patterns.compensated(DAY))
    assert [item["eventId"]["S"] for item in found] == [event_id(2), event_id(1)]
    assert {status_of(item).value for item in found} == {"COMPENSATED"}


QUESTIONS = {
    "time series of a symbol": patterns.time_series("S", "trade", f"{DAY}T", f"{DAY}T"),
    "instrument as of a date": patterns.instrument_as_of("S", DAY),
    "versions of an instrument": patterns.instrument_versions("I"),
    "compensated events of a day": patterns.compensated(DAY),
}


def documented(root):
    """The rows of the documented patterns: name to index, condition, order."""
    text = (root / "docs" / "market-pipeline" / "access-patterns.md").read_text()
    section = text.split("## Patterns")[1].split("\n##")[0]
    rows = [re.split(r"\s*\|\s*", line.strip("| ")) for line in section.splitlines() if "|" in line]
    return {name: tuple(rest[:3]) for name, *rest in rows[2:]}


def test_the_documented_patterns_are_those_of_the_code(root):
    rows = documented(root)
    assert rows.pop("event by id")[0] == "table"
    order = {True: "yes", False: "no"}
    assert rows == {
        name: (
            f"`{question.index}`" if question.index else "table",
            f"`{question.condition}`",
            order[question.is_newest_first] + (", first one only" if question.limit == 1 else ""),
        )
        for name, question in QUESTIONS.items()
    }


def test_every_question_of_the_module_is_documented():
    asked = {
        name
        for name, value in vars(patterns).items()
        if getattr(value, "__annotations__", {}).get("return") is patterns.Question
    }
    assert len(asked) == len(QUESTIONS)
