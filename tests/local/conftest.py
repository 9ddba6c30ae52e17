"""One local engine for all these tests, and clients of it."""

import json
import time
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from tap_templates.local import engine as engines

ROOT = Path(__file__).parents[2]
PRIMARY, SECONDARY = "us-east-1", "us-west-2"
ADMINISTRATION = "AWSCloudFormationStackSetAdministrationRole"
EXECUTION = "AWSCloudFormationStackSetExecutionRole"


# They take minutes, most of them waiting: `make test` runs them beside the others.
ROLLOUTS = {
    "test_drill",
    "test_market_pipeline",
    "test_payments_dr",
    "test_rollout_commands",
    "test_system",
    "test_trading_dr",
}


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)
            if item.path.stem in ROLLOUTS:
                item.add_marker(pytest.mark.rollout)


class Clients:
    """boto3 clients of an engine, made once."""

    def __init__(self, engine):
        self.engine = engine
        self._made = {}

    def __call__(self, service, region=PRIMARY):
        if (service, region) not in self._made:
            self._made[service, region] = boto3.session.Session().client(
                service,
                region_name=region,
                endpoint_url=self.engine.endpoint_url,
                aws_access_key_id=self.engine.account,
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
            )
        return self._made[service, region]

    def close(self):
        for client in self._made.values():
            client.close()


def eventually(condition, *, seconds=15, every=0.05):
    """Wait until `condition` gives something true, and give it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(every)
    pytest.fail(f"not within {seconds} s")


def trust(who):
    statement = {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_roles(iam, account):
    """Make the two roles that StackSets needs, as a bootstrap would."""
    iam.create_role(
        RoleName=ADMINISTRATION,
        AssumeRolePolicyDocument=trust({"Service": "cloudformation.amazonaws.com"}),
    )
    administrator = f"arn:aws:iam::{account}:role/{ADMINISTRATION}"
    iam.create_role(RoleName=EXECUTION, AssumeRolePolicyDocument=trust({"AWS": administrator}))


@pytest.fixture(scope="session")
def engine():
    # The project's own root: the engine's environment is made once for all, not once a run.
    engines.stop(ROOT, name="tests")
    running = engines.start(ROOT, name="tests")
    yield running
    engines.stop(ROOT, name="tests")


@pytest.fixture(scope="session")
def clients(engine):
    made = Clients(engine)
    make_roles(made("iam"), engine.account)
    yield made
    made.close()


@pytest.fixture
def control(engine):
    """Ask the engine for faults; what is asked for ends with the test."""

    def ask(command, **query):
        return engines.control(engine, command, **query)

    yield ask
    for region in (PRIMARY, SECONDARY):
        ask("release", region=region)
        ask("heal", region=region)
