"""Lambda adapter: the clients, the connections and the test, made once an environment."""

import os
from collections.abc import Callable
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from aurora_access.connecting import Connection, Database, first_of, opener
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
# A token is signed for the region of the cluster; nothing is called there.
_rds = boto3.client("rds", region_name=_region)
_other_rds = boto3.client("rds", region_name=os.environ["OTHER_REGION"])


def _own_opener(settings: Settings, host: str) -> Callable[[], Connection]:
    def token() -> str | None:
        if settings.auth == NONE:
            return None
        return str(
            _rds.generate_db_auth_token(
                DBHostname=host, Port=settings.port, DBUsername=os.environ["DB_USER"]
            )
        )

    return opener(settings.parameters(), token, application=_APPLICATION)


def _other_opener(settings: Settings, host: str) -> Callable[[], Connection]:
    def token() -> str | None:
        if settings.auth == NONE:
            return None
        return str(
            _other_rds.generate_db_auth_token(
                DBHostname=host, Port=settings.port, DBUsername=os.environ["DB_USER"]
            )
        )

    return opener(settings.parameters(), token, application=_APPLICATION)


# Where writes go first, then where reads do: the first of these leads nowhere for a copy. Two
# functions that look alike, so that the proof sees which region each token is for.
_own = first_of(
    _own_opener(Settings.of(os.environ), os.environ["DB_HOST"]),
    _own_opener(Settings.of(os.environ, "READER_"), os.environ["READER_DB_HOST"]),
)
_other = first_of(
    _other_opener(Settings.of(os.environ, "OTHER_"), os.environ["OTHER_DB_HOST"]),
    _other_opener(Settings.of(os.environ, "OTHER_READER_"), os.environ["OTHER_READER_DB_HOST"]),
)
_test = Readiness(
    own=Cluster(Database(_own)),
    other=Cluster(Database(_other)),
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
