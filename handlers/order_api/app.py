"""Lambda adapter: the clients and the service, made once an environment."""

import os
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from order_api.acceptance import Acceptance
from order_api.health import Health
from order_api.service import OrderApi
from order_api.sessions import Sessions
from orders.journal import Journal
from orders.role import read_latch
from orders.watch import Watch

# One attempt: what is done after a call without an answer is said in `acceptance`. A write waits
# for a second region, some tens of milliseconds away.
_JOURNAL_PATIENCE = Config(
    connect_timeout=0.3,
    read_timeout=1.2,
    retries={"mode": "standard", "total_max_attempts": 1},
)
# Reads, and a hint that nobody depends on.
_PATIENCE = Config(
    connect_timeout=0.3,
    read_timeout=0.8,
    retries={"mode": "standard", "total_max_attempts": 2},
)
# Route 53 waits 2 s for an answer once it is connected.
_HEALTH_PATIENCE = Config(
    connect_timeout=0.3,
    read_timeout=0.5,
    retries={"mode": "standard", "total_max_attempts": 2},
)

_region = os.environ["AWS_REGION"]
_journal_table = os.environ["JOURNAL_TABLE"]
_failover_table = os.environ["FAILOVER_TABLE"]
_watch = Watch()
_journal = Journal(
    boto3.client("dynamodb", region_name=_region, config=_JOURNAL_PATIENCE), _journal_table
)
_asking = boto3.client("dynamodb", region_name=_region, config=_HEALTH_PATIENCE)


def _read_latch() -> bool:
    return read_latch(_asking, _failover_table)


_answer = OrderApi(
    Acceptance(
        _journal,
        boto3.client("sqs", region_name=_region, config=_PATIENCE),
        os.environ["QUEUE_URL"],
        region=_region,
        count=_watch.count,
    ),
    _journal,
    Sessions(
        boto3.client("dynamodb", region_name=_region, config=_PATIENCE),
        os.environ["SESSIONS_TABLE"],
    ),
    Health(Journal(_asking, _journal_table), _read_latch, region=_region, count=_watch.count),
    _watch,
)


@_watch.around
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda calls it with both
    """Answer one HTTP request."""
    return _answer(event)
