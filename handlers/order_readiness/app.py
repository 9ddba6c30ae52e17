"""Lambda adapter: the clients, the connections and the test, made once an environment."""

import os
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from aurora_access.connecting import Database, first_of, opener
from aurora_access.settings import Settings, Tokens, password_by_iam
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

watch = Watch()
_region = os.environ["AWS_REGION"]
_own_health, _other_health = deep(os.environ["API_URL"]), deep(os.environ["OTHER_API_URL"])
# A token is signed for the region of the cluster; nothing is called there.
_rds = boto3.client("rds", region_name=_region)
_other_rds = boto3.client("rds", region_name=os.environ["OTHER_REGION"])


def _cluster(rds: Tokens, writes: Settings, reads: Settings) -> Cluster:
    """Ask at the endpoint for writes first: that of a copy leads nowhere."""
    openers = (
        opener(each.parameters(), password_by_iam(rds, each), application="order-readiness")
        for each in (writes, reads)
    )
    return Cluster(Database(first_of(*openers)))


_test = Readiness(
    own=_cluster(_rds, Settings.of(os.environ), Settings.of(os.environ, "READER_")),
    other=_cluster(
        _other_rds, Settings.of(os.environ, "OTHER_"), Settings.of(os.environ, "OTHER_READER_")
    ),
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
