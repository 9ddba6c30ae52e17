"""Lambda adapter: the clients, the connection and the service, made once an environment."""

import os
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from aurora_access.connecting import Database, opener
from aurora_access.persisting import Persistence
from aurora_access.settings import Settings, password_by_iam
from payments_api.health import Health
from payments_api.ledger import Ledger
from payments_api.service import Payments
from payments_api.sessions import ONE_ATTEMPT, PATIENCE, Sessions
from payments_database.watch import Watch

_region = os.environ["AWS_REGION"]
_settings = Settings.of(os.environ)
_watch = Watch()
_database = Database(
    opener(
        _settings.parameters(),
        password_by_iam(boto3.client("rds", region_name=_region), _settings),
        application="payments-api",
    )
)
_sessions = Sessions(
    boto3.client("dynamodb", region_name=_region, config=PATIENCE),
    boto3.client("dynamodb", region_name=_region, config=ONE_ATTEMPT),
    os.environ["TABLE_NAME"],
)
_answer = Payments(
    Ledger(_database, Persistence(), count=_watch.count),
    _sessions,
    Health(_database, _sessions),
    _watch,
    region=_region,
)


@_watch.around
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP request."""
    return _answer(event, context.aws_request_id)
