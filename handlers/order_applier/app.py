"""Lambda adapter: a batch of the queue in; orders in the books, marks in the journal."""

import os
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from aurora_access.connecting import Database, opener
from aurora_access.persisting import Persistence
from aurora_access.settings import Settings, password_by_iam
from order_applier.service import Applier
from orders.books import Books
from orders.journal import Journal
from orders.role import Role, read_role
from orders.watch import Watch

_PATIENCE = Config(
    connect_timeout=0.3,
    read_timeout=1.2,
    retries={"mode": "standard", "total_max_attempts": 3},
)

_region = os.environ["AWS_REGION"]
_home = os.environ["HOME_REGION"]
_failover_table = os.environ["FAILOVER_TABLE"]
_settings = Settings.of(os.environ)
_watch = Watch()
_client = boto3.client("dynamodb", region_name=_region, config=_PATIENCE)
_database = Database(
    opener(
        _settings.parameters(),
        password_by_iam(boto3.client("rds", region_name=_region), _settings),
        application="order-applier",
    )
)


def _read_role() -> Role:
    return read_role(_client, _failover_table, home=_home)


_apply = Applier(
    _read_role,
    Journal(_client, os.environ["JOURNAL_TABLE"]),
    Books(_database, Persistence(), count=_watch.count),
    _watch,
    region=_region,
)


@_watch.around
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda calls it with both
    """Apply one batch of hints."""
    return _apply(event)
