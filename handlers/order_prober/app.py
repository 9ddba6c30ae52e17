"""Lambda adapter: the clients, the connection and the service, made once an environment."""

import os
from collections.abc import Callable
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from aurora_access.connecting import Connection, Database, first_of, opener
from aurora_access.settings import Settings as DatabaseSettings
from aurora_access.settings import password_by_iam
from aurora_access.standing import Standing, standing
from order_prober.consumers import Consumers
from order_prober.core import Settings
from order_prober.machines import Machines
from order_prober.memory import Notebook
from order_prober.service import Prober, Surroundings
from orders.probes import answers, asked, deep
from orders.reports import Report, read_report, write_report
from orders.role import Role, read_role
from orders.watch import Watch

# Two attempts in two seconds: the next round comes soon.
_PATIENCE = Config(
    connect_timeout=0.3,
    read_timeout=0.8,
    retries={"mode": "standard", "total_max_attempts": 2},
)
_DATABASE_SECONDS = 1.5

watch = Watch()
_region = os.environ["AWS_REGION"]
_table = os.environ["FAILOVER_TABLE"]
_settings = Settings.of(os.environ)
_dynamodb = boto3.client("dynamodb", region_name=_region, config=_PATIENCE)
_rds = boto3.client("rds", region_name=_region)


def _opener(settings: DatabaseSettings) -> Callable[[], Connection]:
    return opener(
        settings.parameters(), password_by_iam(_rds, settings), application="order-prober"
    )


# A copy is reached by its endpoint for reads alone.
_database = Database(
    first_of(
        _opener(DatabaseSettings.of(os.environ)),
        _opener(DatabaseSettings.of(os.environ, "READER_")),
    )
)
_own_health, _other_health = deep(os.environ["API_URL"]), deep(os.environ["OTHER_API_URL"])


def _role() -> Role:
    return read_role(_dynamodb, _table, home=_settings.home)


def _other_report() -> Report | None:
    return read_report(_dynamodb, _table, _settings.other)


def _write_report(report: Report) -> None:
    write_report(_dynamodb, _table, _settings.region, report)


def _standing() -> Standing:
    # Each round anew: the name may lead elsewhere by now, and a pause is longer than a login.
    try:
        with _database.within(_DATABASE_SECONDS) as connection:
            return standing(connection)
    finally:
        _database.drop()


_probe = Prober(
    _settings,
    Surroundings(
        role=_role,
        other_report=_other_report,
        write_report=_write_report,
        set_consumers=Consumers(
            boto3.client("lambda", region_name=_region, config=_PATIENCE),
            os.environ["MAPPING_ID"],
        ).set,
        own_api=lambda: asked(_own_health),
        other_api=lambda: answers(_other_health),
        standing=_standing,
    ),
    notebook=Notebook(_dynamodb, _table, _region),
    machines=Machines(
        boto3.client("stepfunctions", region_name=_region, config=_PATIENCE),
        failover=os.environ["FAILOVER_MACHINE_ARN"],
        failback=os.environ["FAILBACK_MACHINE_ARN"],
    ),
    watch=watch,
)


@watch.around
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives both
    """Watch for the better part of a minute."""
    return _probe()
