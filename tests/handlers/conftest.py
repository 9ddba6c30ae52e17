"""What the tests of handlers share: events as files, and credentials that open nothing."""

import json
from pathlib import Path

import pytest

EVENTS = Path(__file__).parent / "events"


@pytest.fixture
def event():
    """Read an event by the name of its file."""
    return lambda name: json.loads((EVENTS / f"{name}.json").read_text())


@pytest.fixture
def aws(monkeypatch):
    """Pretend to be a function's environment."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "TABLE_NAME": "trading-events-test",
        "POWERTOOLS_SERVICE_NAME": "trading-event-processor",
        "POWERTOOLS_METRICS_NAMESPACE": "TradingSystem",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch
