"""Real databases for the tests of payments."""

from postgres.fixtures import cluster, empty, server, template
from postgres.of_payments import function, system

__all__ = ["cluster", "empty", "function", "server", "system", "template"]
