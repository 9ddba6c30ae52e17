"""How long the clients of AWS wait and how often they try."""

from botocore.config import Config

# Three attempts of 0.3 s to connect and 1.2 s to answer, and their pauses (25 ms, doubling, with
# jitter; 1 s when throttled), fit a function's timeout of 10 s. The state machine retries what is
# still unanswered then, with longer pauses than an invocation should be paid for.
PATIENCE = Config(
    connect_timeout=0.3,
    read_timeout=1.2,
    retries={"mode": "standard", "total_max_attempts": 3},
)
# One attempt, for a caller that repeats the call itself, as only it knows which part failed.
ONE_ATTEMPT = Config(
    connect_timeout=0.3,
    read_timeout=1.2,
    retries={"mode": "standard", "total_max_attempts": 1},
)
