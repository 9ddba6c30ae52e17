"""The adapters of recovery, prober and readiness: made from the environment, without a call."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import orders

HANDLERS = Path(orders.__file__).parents[1]
ENVIRONMENT = {
    "API_URL": "https://a.example/live",
    "AUTOMATIC_FAILBACK": "no",
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_REGION": "us-east-2",
    "AWS_SECRET_ACCESS_KEY": "example",
    "CONFIG_NAMES": "a,b",
    "CONFIG_PREFIX": "/trading/test",
    "DB_HOST": "db.example",
    "DB_NAME": "orders",
    "DB_USER": "orders_app",
    "FAILBACK_MACHINE_ARN": "arn:back",
    "FAILOVER_MACHINE_ARN": "arn:over",
    "FAILOVER_TABLE": "failover",
    "HOME_REGION": "us-east-1",
    "MAPPING_ID": "uuid",
    "OTHER_API_URL": "https://b.example/live",
    "OTHER_DB_HOST": "other.example",
    "OTHER_READER_DB_HOST": "other-reader.example",
    "OTHER_REGION": "us-east-1",
    "POWERTOOLS_METRICS_NAMESPACE": "TradingOrders",
    "POWERTOOLS_SERVICE_NAME": "test",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "READER_DB_HOST": "reader.example",
}
FOLDERS = ("order_recovery", "order_prober", "order_readiness")


def begun(folder, **environment):
    return subprocess.run(
        [sys.executable, "-c", f"import {folder}.app as app; print(callable(app.handler))"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(HANDLERS), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_it_is_made_from_its_environment(folder):
    found = begun(folder, **ENVIRONMENT)
    assert (found.stdout, found.stderr) == ("True\n", "")


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("open_way", [{"DB_AUTH": "none"}, {"DB_SSL": "disable"}])
def test_it_does_not_start_with_an_open_way_to_its_database(folder, open_way):
    in_lambda = {"AWS_LAMBDA_FUNCTION_NAME": "function"}
    assert "ValueError" in begun(folder, **ENVIRONMENT, **in_lambda, **open_way).stderr


def test_a_prober_of_no_pair_does_not_start():
    found = begun("order_prober", **{**ENVIRONMENT, "OTHER_REGION": "us-east-2"})
    assert "do not make a pair" in found.stderr
