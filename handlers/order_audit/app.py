"""Lambda adapter: an event of the bus in, an object in the audit bucket out."""

import os
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from order_audit.bucket import Audit
from order_audit.core import record_of
from orders.watch import Watch

_PATIENCE = Config(
    connect_timeout=0.5,
    read_timeout=2.0,
    retries={"mode": "standard", "total_max_attempts": 3},
)

_region = os.environ["AWS_REGION"]
_watch = Watch()
_audit = Audit(
    boto3.client("s3", region_name=_region, config=_PATIENCE), os.environ["AUDIT_BUCKET"]
)


@_watch.around
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, str]:  # noqa: ARG001 - Lambda calls it with both
    """Keep one event."""
    is_new = _audit.ensure(record_of(event, _region))
    _watch.count("EventsKept" if is_new else "EventsRepeated")
    return {"outcome": "kept" if is_new else "repeated"}
