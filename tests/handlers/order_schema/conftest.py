"""Real databases for the tests of the schema."""

import pytest
from handlers.orders_on_postgres import drop_database, new_database

from tap_templates.local.postgres import Server


@pytest.fixture(scope="session")
def order_server():
    with Server.create() as running:
        yield running.start()


@pytest.fixture
def empty(order_server):
    made = new_database(order_server)
    yield made
    drop_database(made)
