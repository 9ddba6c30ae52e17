"""Databases of orders on real servers."""

import itertools
from pathlib import Path

import psycopg

import order_schema
from aurora_access.connecting import Database, opener
from aurora_access.persisting import Persistence
from aurora_access.settings import Settings
from orders.books import Books
from orders.order import order_of
from schema_migrations.runner import migrate, read_migrations
from tap_templates.local.postgres import HOST, MASTER

MIGRATIONS = Path(order_schema.__file__).parent / "migrations"
APP = "orders_app"
OWNER = "111122223333:role/desk"
_numbers = itertools.count(1)


class Cluster:
    """One database on a server, which may be down."""

    def __init__(self, server, name):
        self.server = server
        self.name = name
        self._opened = []

    def database(self, user=APP, **options):
        settings = Settings(
            host=HOST, port=self.server.port, name=self.name, user=user, auth="none", tls="disable"
        )
        parameters = settings.parameters()
        made = Database(opener(parameters, lambda: None, application="test", **options))
        self._opened.append(made)
        return made

    def books(self, **persistence):
        return Books(self.database(), Persistence(**persistence))

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

    def count(self):
        return self.one("SELECT count(*) FROM trading.orders")

    def close(self):
        """Close what tests have opened."""
        while self._opened:
            self._opened.pop().drop()

    def is_whole(self):
        """Every position is the sum of its orders."""
        booked = self.rows(
            "SELECT owner, symbol, sum(CASE side WHEN 'buy' THEN quantity ELSE -quantity END)"
            " FROM trading.orders GROUP BY owner, symbol ORDER BY 1, 2"
        )
        held = self.rows("SELECT owner, symbol, quantity FROM trading.positions ORDER BY 1, 2")
        return booked == held

    def migrate(self):
        database = self.database(MASTER)
        try:
            return migrate(database, read_migrations(MIGRATIONS), seconds=30)
        finally:
            database.drop()


def new_database(server, template=None):
    """Make a database, as a copy of another if one is named."""
    name = f"orders_{next(_numbers)}"
    with Cluster(server, "postgres").master() as connection:
        copied = f" TEMPLATE {template}" if template else ""
        connection.execute(f"CREATE DATABASE {name}{copied}".encode())
    return Cluster(server, name)


def drop_database(cluster):
    cluster.close()
    with Cluster(cluster.server, "postgres").master() as connection:
        connection.execute(f"DROP DATABASE {cluster.name} WITH (FORCE)".encode())


def ordered(number, **changes):
    """An order of its own."""
    said = {
        "clientOrderId": f"c{number}",
        "symbol": "AMZN",
        "side": "buy" if number % 3 else "sell",
        "quantity": "1.5",
        "price": "10",
    }
    return order_of(OWNER, said | changes)
