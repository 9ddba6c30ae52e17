"""Real databases for the tests of orders."""

import pytest
from handlers.orders_on_postgres import Cluster
from postgres.fixtures import cluster, empty, server, template

__all__ = ["cluster", "empty", "server", "system", "template"]


@pytest.fixture(scope="session")
def system():
    return Cluster
