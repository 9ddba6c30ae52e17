"""The environment of a function of the market pipeline."""

import pytest


@pytest.fixture
def market(aws):
    """Pretend to be such a function's environment; variables of Powertools ask for too much."""
    for name, value in {
        "POWERTOOLS_SERVICE_NAME": "market-test",
        "POWERTOOLS_METRICS_NAMESPACE": "MarketPipeline",
        "POWERTOOLS_LOGGER_LOG_EVENT": "true",
        "POWERTOOLS_TRACER_CAPTURE_RESPONSE": "true",
        "POWERTOOLS_TRACER_CAPTURE_ERROR": "true",
    }.items():
        aws.setenv(name, value)
    return aws
