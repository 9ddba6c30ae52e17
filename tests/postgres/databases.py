"""Databases of one system on a real server, each test's own."""

import itertools

import psycopg

from aurora_access.connecting import Database, opener
from aurora_access.settings import Settings
from schema_migrations.runner import migrate, read_migrations
from tap_templates.local.postgres import HOST, MASTER

_numbers = itertools.count(1)


class Cluster:
    """One database on a server, which may be down. A system names its `app` and `migrations`."""

    app = MASTER
    migrations = None

    def __init__(self, server, name):
        self.server = server
        self.name = name
        self._opened = []

    @classmethod
    def new(cls, server, template=None):
        """Make a database, as a copy of another if one is named."""
        name = f"{cls.app}_{next(_numbers)}"
        with cls(server, "postgres").master() as connection:
            copied = f" TEMPLATE {template}" if template else ""
            connection.execute(f"CREATE DATABASE {name}{copied}".encode())
        return cls(server, name)

    def drop(self):
        self.close()
        with type(self)(self.server, "postgres").master() as connection:
            connection.execute(f"DROP DATABASE {self.name} WITH (FORCE)".encode())

    def settings(self, user=None, port=None):
        return Settings(
            host=HOST,
            port=port or self.server.port,
            name=self.name,
            user=user or self.app,
            auth="none",
            tls="disable",
        )

    def database(self, user=None, port=None, **options):
        parameters = self.settings(user, port).parameters()
        made = Database(opener(parameters, lambda: None, application="test", **options))
        self._opened.append(made)
        return made

    def close(self):
        """Close what tests have opened."""
        while self._opened:
            self._opened.pop().drop()

    def master(self):
        return psycopg.connect(
            host=HOST,
            port=self.server.port,
            dbname=self.name,
            user=MASTER,
            autocommit=True,
            connect_timeout=5,
        )

    def rows(self, query, *values):
        with self.master() as connection:
            return connection.execute(query, values or None).fetchall()

    def one(self, query, *values):
        [[value]] = self.rows(query, *values)
        return value

    def ready(self):
        """Bring it to where tests begin."""
        self.migrate()

    def migrate(self):
        database = self.database(MASTER)
        try:
            return migrate(database, read_migrations(self.migrations), seconds=30)
        finally:
            database.drop()
