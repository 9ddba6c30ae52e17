"""The functions that write, as the state machine calls them, on one table in memory."""

import importlib
from datetime import UTC, datetime, timedelta

import pytest
from handlers.market_in_memory import Bucket, Silent, Table, Topic
from handlers.market_samples import (
    BUCKET,
    ENVIRONMENT,
    EXECUTION,
    REGION,
    TABLE,
    TOPIC,
    enrichment,
    payload,
    trade,
)


def app(name):
    """Import the adapter of a function, with the environment that it has in Lambda."""
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in {**ENVIRONMENT, "POWERTOOLS_SERVICE_NAME": name}.items():
            patch.setenv(variable, value)
        return importlib.import_module(f"{name.replace('-', '_')}.app")


class Pipeline:
    """The functions that write, each as the state machine calls it."""

    def __init__(self, table=None):
        storage = app("market-storage")
        compensation = app("market-compensation")
        self.table, self.bucket, self.topic = table or Table(), Bucket(), Topic()
        self.watch = Silent()
        self._now = datetime(2026, 11, 20, 15, 4, 6, tzinfo=UTC)
        clocks = {"now": self._tick, "stopwatch": lambda: 0.0}
        self.storage = storage.Storage(
            storage.Ledger(self.table, TABLE, REGION),
            storage.Audit(self.bucket, BUCKET),
            self.watch,
            **clocks,
        )
        self.compensation = compensation.Compensator(
            compensation.Ledger(self.table, TABLE, REGION),
            compensation.Notices(self.topic, TOPIC),
            self.watch,
            REGION,
            **clocks,
        )

    def _tick(self):
        """Every call is a second later, so that no two writes are equal by accident."""
        self._now += timedelta(seconds=1)
        return self._now

    def store(self, detail=None, execution=EXECUTION):
        asked = payload(detail or trade(), execution=execution, operation="store")
        return self.storage(asked)["outcome"]

    def record(self, detail=None, execution=EXECUTION):
        detail = detail or trade()
        asked = payload(
            detail,
            execution=execution,
            operation="record",
            enrichment=enrichment(detail["type"]),
        )
        return self.storage(asked)["outcome"]

    def compensate(self, detail=None, execution=EXECUTION, error="UnknownInstrument"):
        asked = payload(detail or trade(), execution=execution, error=error)
        return self.compensation(asked)["outcome"]

    def item(self):
        [item] = self.table.items.values()
        return item
