"""Lambda adapter: the clients, the connection and the service, made once an environment."""

import os
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from aurora_access.connecting import Database, opener
from aurora_access.settings import Settings, password_by_iam
from order_recovery.service import Recovery
from order_recovery.writer import Writer
from orders.probes import answers, deep
from orders.reports import read_report
from orders.role import read_role
from orders.watch import Watch

# Three attempts within 5 s; the state machine tries again for longer.
_PATIENCE = Config(
    connect_timeout=0.5,
    read_timeout=1.2,
    retries={"mode": "standard", "total_max_attempts": 3},
)

watch = Watch()
_region = os.environ["AWS_REGION"]
_other = os.environ["OTHER_REGION"]
_table = os.environ["FAILOVER_TABLE"]
_home = os.environ["HOME_REGION"]
_own_health = deep(os.environ["API_URL"])
_dynamodb = boto3.client("dynamodb", region_name=_region, config=_PATIENCE)
_settings = Settings.of(os.environ)
_recover = Recovery(
    Writer(
        Database(
            opener(
                _settings.parameters(),
                password_by_iam(boto3.client("rds", region_name=_region), _settings),
                application="order-recovery",
            )
        )
    ),
    role=lambda: read_role(_dynamodb, _table, home=_home),
    report=lambda: read_report(_dynamodb, _table, _other),
    healthy=lambda: answers(_own_health),
    region=_region,
    other=_other,
)


@watch.around
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives it
    """Answer one question of a machine."""
    return _recover(event)
