"""Lambda adapter: the clients, the connections and the test, made once an environment."""

import os
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from aurora_access.connecting import Database, opener
from aurora_access.settings import NONE, Settings
from order_readiness.clusters import Cluster
from order_readiness.configuration import Configuration
from order_readiness.service import Readiness
from orders.probes import answers, deep
from orders.watch import Watch

_PATIENCE = Config(
    connect_timeout=1.0,
    read_timeout=2.0,
    retries={"mode": "standard", "total_max_attempts": 3},
)
_APPLICATION = "order-readiness"

watch = Watch()
_region = os.environ["AWS_REGION"]
_own_health, _other_health = deep(os.environ["API_URL"]), deep(os.environ["OTHER_API_URL"])
_own = Settings.of(os.environ)
_other = Settings.of({**os.environ, "DB_HOST": os.environ["OTHER_DB_HOST"]})
# A token is signed for the region of the cluster; nothing is called there.
_rds = boto3.client("rds", region_name=_region)
_other_rds = boto3.client("rds", region_name=os.environ["OTHER_REGION"])


def _own_password() -> str | None:
    if _own.auth == NONE:
        return None
    token: str = _rds.generate_db_auth_token(
        DBHostname=os.environ["DB_HOST"], Port=_own.port, DBUsername=os.environ["DB_USER"]
    )
    return token


def _other_password() -> str | None:
    if _other.auth == NONE:
        return None
    token: str = _other_rds.generate_db_auth_token(
        DBHostname=os.environ["OTHER_DB_HOST"], Port=_other.port, DBUsername=os.environ["DB_USER"]
    )
    return token


_test = Readiness(
    own=Cluster(Database(opener(_own.parameters(), _own_password, application=_APPLICATION))),
    other=Cluster(Database(opener(_other.parameters(), _other_password, application=_APPLICATION))),
    own_api=lambda: answers(_own_health),
    other_api=lambda: answers(_other_health),
    configured=Configuration(
        boto3.client("ssm", region_name=_region, config=_PATIENCE), os.environ["CONFIG_PREFIX"]
    ).names,
    wanted=frozenset(filter(None, os.environ.get("CONFIG_NAMES", "").split(","))),
    watch=watch,
)


@watch.around
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives both
    """Test once."""
    return _test()
