"""Fixtures: one real server a session, a database of payments a test."""

import pytest
from postgres.clusters import Function, drop_database, new_database

from tap_templates.local.postgres import Server


@pytest.fixture(scope="session")
def server():
    """A running PostgreSQL. Without its binaries the tests fail and say what is missing."""
    with Server.create() as running:
        yield running.start()


@pytest.fixture(scope="session")
def template(server):
    cluster = new_database(server)
    cluster.migrate()
    cluster.open_accounts()
    return cluster.name


@pytest.fixture
def cluster(server, template):
    made = new_database(server, template)
    yield made
    drop_database(made)


@pytest.fixture
def empty(server):
    made = new_database(server)
    yield made
    drop_database(made)


@pytest.fixture
def function(cluster):
    with Function(cluster.database()) as running:
        yield running
