"""Fixtures of payments: the system, and a function on a database of it."""

import pytest
from postgres.clusters import Cluster, Function


@pytest.fixture(scope="session")
def system():
    return Cluster


@pytest.fixture
def function(cluster):
    with Function(cluster.database()) as running:
        yield running
