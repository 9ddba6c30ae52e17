"""Lambda adapter: a task of a machine or of the schedule in, what was done out."""

import os
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from aurora_access.connecting import Database, opener
from aurora_access.persisting import Persistence
from aurora_access.settings import Settings, password_by_iam
from order_replayer.reports import Reports
from order_replayer.service import Replayer
from order_replayer.tasks import task_of
from orders.books import Books
from orders.journal import Journal
from orders.role import Role, read_role
from orders.watch import Watch

# An order takes some tens of milliseconds, most of them waiting for the other region.
WORKERS = 8
_PATIENCE = Config(
    connect_timeout=0.5,
    read_timeout=2.0,
    max_pool_connections=2 * WORKERS,
    retries={"mode": "standard", "total_max_attempts": 4},
)
# Raising the fence waits for those who hold it; they are cut off after five seconds at most.
_PATIENT_SESSION = (
    "-c statement_timeout=20000 -c lock_timeout=15000 -c idle_in_transaction_session_timeout=5000"
)
_LONG = Persistence(seconds=35.0, attempt_seconds=21.0)  # within the function's minute
_SHORT = Persistence(seconds=8.0)  # less than is kept for what was begun when time is up

_region = os.environ["AWS_REGION"]
_home = os.environ["HOME_REGION"]
_failover_table = os.environ["FAILOVER_TABLE"]
_settings = Settings.of(os.environ)
_watch = Watch()
_client = boto3.client("dynamodb", region_name=_region, config=_PATIENCE)
_password = password_by_iam(boto3.client("rds", region_name=_region), _settings)
_connect = opener(_settings.parameters(), _password, application="order-replayer")
_connect_patient = opener(
    _settings.parameters(), _password, application="order-replayer", session=_PATIENT_SESSION
)
_reports = Reports(
    boto3.client("s3", region_name=_region, config=_PATIENCE), os.environ["AUDIT_BUCKET"]
)


def _read_role() -> Role:
    return read_role(_client, _failover_table, home=_home)


_do = Replayer(
    _read_role,
    Journal(_client, os.environ["JOURNAL_TABLE"]),
    [Books(Database(_connect), _SHORT, count=_watch.count) for _ in range(WORKERS)],
    _reports.keep,
    _watch,
    region=_region,
    patient=Books(Database(_connect_patient), _LONG, count=_watch.count),
)


@_watch.around
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do one task."""
    return _do(task_of(event), context.get_remaining_time_in_millis() / 1000)
