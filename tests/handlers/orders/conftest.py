"""Real databases for the tests of orders."""

import pytest
from handlers.orders_on_postgres import drop_database, new_database

from tap_templates.local.postgres import Server


@pytest.fixture(scope="session")
def order_server():
    """A running PostgreSQL. Without its binaries the tests fail and say what is missing."""
    with Server.create() as running:
        yield running.start()


@pytest.fixture(scope="session")
def order_template(order_server):
    cluster = new_database(order_server)
    cluster.migrate()
    return cluster.name


@pytest.fixture
def cluster(order_server, order_template):
    made = new_database(order_server, order_template)
    yield made
    drop_database(made)


@pytest.fixture
def empty(order_server):
    made = new_database(order_server)
    yield made
    drop_database(made)
