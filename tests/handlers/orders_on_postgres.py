"""Databases of orders on real servers."""

from pathlib import Path

from postgres import databases

import order_schema
from aurora_access.persisting import Persistence
from orders.books import Books
from orders.order import order_of

MIGRATIONS = Path(order_schema.__file__).parent / "migrations"
APP = "orders_app"
OWNER = "111122223333:role/desk"


class Cluster(databases.Cluster):
    """One database of orders."""

    app = APP
    migrations = MIGRATIONS

    def books(self, **persistence):
        return Books(self.database(), Persistence(**persistence))

    def count(self):
        return self.one("SELECT count(*) FROM trading.orders")

    def is_whole(self):
        """Every position is the sum of its orders."""
        booked = self.rows(
            "SELECT owner, symbol, sum(CASE side WHEN 'buy' THEN quantity ELSE -quantity END)"
            " FROM trading.orders GROUP BY owner, symbol ORDER BY 1, 2"
        )
        held = self.rows("SELECT owner, symbol, quantity FROM trading.positions ORDER BY 1, 2")
        return booked == held


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
