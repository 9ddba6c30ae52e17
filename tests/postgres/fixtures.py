"""Fixtures: one real server a session, a database of a system a test.

Whoever imports them defines `system`: the `Cluster` of the system.
"""

import pytest

from tap_templates.local.postgres import Server


@pytest.fixture(scope="session")
def server():
    """A running PostgreSQL. Without its binaries the tests fail and say what is missing."""
    with Server.create() as running:
        yield running.start()


@pytest.fixture(scope="session")
def template(server, system):
    cluster = system.new(server)
    cluster.ready()
    cluster.close()
    return cluster.name


@pytest.fixture
def cluster(server, system, template):
    made = system.new(server, template)
    yield made
    made.drop()


@pytest.fixture
def empty(server, system):
    made = system.new(server)
    yield made
    made.drop()
