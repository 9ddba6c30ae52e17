"""How long a call may take at most, against the time-outs that wait for it."""

import pytest

from market_events.patience import ONE_ATTEMPT, PATIENCE
from market_ingestion.bus import PATIENCE_SECONDS

FUNCTION_TIMEOUT_SECONDS = 10
LONGEST_PAUSE_SECONDS = 1  # between attempts, when throttled


@pytest.mark.parametrize(("config", "before"), [(PATIENCE, 0), (ONE_ATTEMPT, PATIENCE_SECONDS)])
def test_a_call_ends_before_the_function_does(config, before):
    attempts = config.retries["total_max_attempts"]
    each = config.connect_timeout + config.read_timeout
    longest = attempts * each + (attempts - 1) * LONGEST_PAUSE_SECONDS
    assert before + longest < FUNCTION_TIMEOUT_SECONDS
    assert config.retries["mode"] == "standard"
