"""Events and a table for the tests of validation."""

import copy

import pytest

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


class FakeTable:
    """GetItem: answers with `item`, or fails with `error`."""

    def __init__(self):
        self.item = None
        self.error = None
        self.calls = []

    def get_item(self, **kwargs):
        self.calls.append(kwargs)
        if self.error:
            raise self.error
        return {"ResponseMetadata": {}} | ({} if self.item is None else {"Item": self.item})


@pytest.fixture
def fake_table():
    return FakeTable()


@pytest.fixture
def trade():
    return copy.deepcopy(TRADE)
