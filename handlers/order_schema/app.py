"""Lambda adapter: the database's secret and clients; one run of a custom resource."""

import json
import os
from pathlib import Path
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from aurora_access.connecting import Database, opener
from aurora_access.settings import SECRET, Settings
from orders.watch import Watch
from schema_migrations.custom_resource import put
from schema_migrations.runner import read_migrations
from schema_migrations.service import Schema

# A step may take long and wait for locks; the lock of another run is waited for the longest.
_SESSION = "-c statement_timeout=0 -c lock_timeout=60000"

_MIGRATIONS = Path(__file__).parent / "migrations"

_region = os.environ["AWS_REGION"]
_secret = os.environ["SECRET_ARN"]
_secrets = boto3.client("secretsmanager", region_name=_region)
_watch = Watch()


def _connect() -> Database:
    """Read the master's login anew each run: it may have been rotated."""
    login = json.loads(_secrets.get_secret_value(SecretId=_secret)["SecretString"])
    environment = {**os.environ, "DB_USER": login["username"], "DB_AUTH": SECRET}
    settings = Settings.of(environment)
    return Database(
        opener(
            settings.parameters(),
            lambda: str(login["password"]),
            application="order-schema",
            session=_SESSION,
        )
    )


_run = Schema(_connect, read_migrations(_MIGRATIONS), put, _watch, physical_id="order-schema")


@_watch.around
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Answer one request of CloudFormation."""
    _run(event, context.get_remaining_time_in_millis() / 1000)
