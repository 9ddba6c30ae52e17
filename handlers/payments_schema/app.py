"""Lambda adapter: the database's secret and clients; one run of a custom resource."""

import os
from pathlib import Path
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from payments_database.watch import Watch
from schema_migrations.custom_resource import put
from schema_migrations.master import as_master
from schema_migrations.runner import read_migrations
from schema_migrations.service import Schema

_NAME = "payments-schema"

_secrets = boto3.client("secretsmanager", region_name=os.environ["AWS_REGION"])
_watch = Watch()
_run = Schema(
    as_master(
        _secrets.get_secret_value,
        os.environ,
        secret=os.environ["SECRET_ARN"],
        application=_NAME,
    ),
    read_migrations(Path(__file__).parent / "migrations"),
    put,
    _watch,
    physical_id=_NAME,
)


@_watch.around
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Answer one request of CloudFormation."""
    _run(event, context.get_remaining_time_in_millis() / 1000)
