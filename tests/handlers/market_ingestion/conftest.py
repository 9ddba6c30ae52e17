"""Requests, events and a bus for the tests of ingestion."""

import copy
import json
from datetime import UTC, datetime

import pytest

NOW = datetime(2026, 11, 20, 15, 5, tzinfo=UTC)
ISSUER, AUDIENCE = "https://issuer.example/", "market"
TRADE = {
    "eventId": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "type": "trade",
    "symbol": "ACME.TEST",
    "venue": "XTST",
    "currency": "USD",
    "occurredAt": "2026-11-20T15:04:05.124Z",
    "tradeId": "TRADE-TEST-0001",
    "price": "101.250",
    "quantity": "100",
}
QUOTE = {
    "eventId": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "type": "quote",
    "symbol": "ACME.TEST",
    "venue": "XTST",
    "currency": "USD",
    "occurredAt": "2026-11-20T15:04:05Z",
    "bidPrice": "101.2",
    "bidSize": "300",
    "askPrice": "101.30",
    "askSize": "0.5",
}


class FakeBus:
    """PutEvents: answers as told in `script`, an answer a call, then takes everything.

    An answer is an exception, a whole response, or a code an entry (None: taken).
    """

    def __init__(self):
        self.script = []
        self.calls = []
        self.taken = []

    def put_events(self, **kwargs):
        entries = kwargs["Entries"]
        assert kwargs.keys() == {"Entries"}
        assert 1 <= len(entries) <= 10
        self.calls.append([json.loads(entry["Detail"])["eventId"] for entry in entries])
        said = self.script.pop(0) if self.script else [None] * len(entries)
        if isinstance(said, Exception):
            raise said
        if isinstance(said, dict):
            return said
        self.taken += [entry for entry, code in zip(entries, said, strict=True) if code is None]
        return {
            "FailedEntryCount": sum(code is not None for code in said),
            "Entries": [
                {"EventId": f"bus-{number}"}
                if code is None
                else {"ErrorCode": code, "ErrorMessage": "card 4111111111111111"}
                for number, code in enumerate(said)
            ],
        }


class Time:
    """A clock that only sleeping moves, on a day of ours."""

    now = NOW

    def __init__(self):
        self.seconds = 0.0
        self.slept = []

    def __call__(self):
        return self.seconds

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.seconds += seconds


@pytest.fixture
def fake_bus():
    return FakeBus()


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def trade():
    return copy.deepcopy(TRADE)


@pytest.fixture
def quote():
    return copy.deepcopy(QUOTE)


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def request_of():
    """Make a request as API Gateway hands it over, of a body or of something to send as JSON."""

    def make(sent, **changes):
        text = sent if isinstance(sent, str) else json.dumps(sent)
        return {
            "version": "2.0",
            "routeKey": "POST /ingest",
            "rawPath": "/ingest",
            "rawQueryString": "",
            "headers": {"content-type": "application/json", "host": "api.example"},
            "requestContext": {
                "http": {"method": "POST", "path": "/ingest", "sourceIp": "192.0.2.1"},
                "stage": "$default",
                "authorizer": {
                    "jwt": {
                        "claims": {
                            "iss": ISSUER,
                            "aud": AUDIENCE,
                            "sub": "sender",
                            "exp": str(int(NOW.timestamp()) + 600),
                        },
                        "scopes": None,
                    }
                },
            },
            "body": text,
            "isBase64Encoded": False,
            **changes,
        }

    return make
