"""The functions that write, on a table in memory."""

import pytest
from handlers.market_pipeline import Pipeline


@pytest.fixture
def pipeline():
    return Pipeline()
