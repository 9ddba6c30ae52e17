"""Real databases for the tests of payments."""

from postgres.fixtures import cluster, empty, function, server, template

__all__ = ["cluster", "empty", "function", "server", "template"]
