"""The books in PostgreSQL: each order once, its position, and the fence that says whose turn it is.

Who applies orders must know the epoch of the fence exactly. The row is held in share mode until the
end of the transaction, so raising the fence waits for all who passed it; after that, they fail.
Both ways count: an old applier is refused by a database that has moved on, and a new one by a
database that has not, which may be one that is not ours any more.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg

from aurora_access.connecting import Connection, Database
from aurora_access.faults import Fault, constraint_of
from aurora_access.persisting import GaveUpError, Persistence, persist
from orders.failures import DatabaseRefused, NotWritable, StaleEpoch, TemporaryFailure
from orders.order import Order
from orders.trust import Mark

# How far a commit may come after its order's `applied_at`: attempts end after 2.5 s, the server
# ends what is left of a transaction 5 s later, and clocks in a region are far less apart than that.
MARGIN_SECONDS = 60
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
_FENCE = "SELECT epoch FROM trading.fence FOR SHARE"
# No conflict target: the id follows from owner and client's id, so of two at once the second may
# meet either unique index first.
_ADD = """
INSERT INTO trading.orders (
    order_id, owner, client_order_id, symbol, side, quantity, price, applied_at, epoch
) VALUES (
    %(order_id)s, %(owner)s, %(client_order_id)s, %(symbol)s, %(side)s, %(quantity)s, %(price)s,
    clock_timestamp(), %(epoch)s
)
ON CONFLICT DO NOTHING
RETURNING trading.moment(applied_at)
"""
_FIND = """
SELECT trading.moment(applied_at), epoch FROM trading.orders WHERE order_id = %(order_id)s
"""
_RAISE = "UPDATE trading.fence SET epoch = %(epoch)s WHERE epoch < %(epoch)s"
_STANDS = "SELECT epoch FROM trading.fence"
_NEWEST = """
SELECT epoch, trading.moment(max(applied_at) - make_interval(secs => %(margin)s))
FROM trading.orders
WHERE epoch = (SELECT max(epoch) FROM trading.orders WHERE epoch < %(before)s)
GROUP BY epoch
"""
_PRESENT = "SELECT order_id FROM trading.orders WHERE order_id = ANY(%(ids)s)"

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Applied:
    """An order that is in the books."""

    mark: Mark  # in the epoch of who asked; the moment is that of the row
    row_epoch: int  # in which the row was written
    is_new: bool  # by this call


class Books:
    """The books of one region's database."""

    def __init__(
        self,
        database: Database,
        persistence: Persistence,
        *,
        count: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._persistence = persistence
        self._count = count

    def apply_order(self, order: Order, epoch: int) -> Applied:
        """Book an order unless it is booked, in one transaction under the fence.

        Raises StaleEpoch, TemporaryFailure, NotWritable, DatabaseRefused.
        """
        values = {
            "order_id": order.id,
            "owner": order.owner,
            "client_order_id": order.client_order_id,
            "symbol": order.symbol,
            "side": order.side,
            "quantity": order.quantity,
            "price": order.price,
            "epoch": epoch,
        }
        return self._persist(lambda connection: _apply(connection, values, epoch))

    def raise_fence(self, epoch: int) -> None:
        """Refuse everyone of another epoch from now on; wait for those who are at it.

        Raises StaleEpoch if the fence is higher already, and as `apply_order`.
        """
        self._persist(lambda connection: _raise(connection, epoch))

    def newest_before(self, epoch: int) -> tuple[int, str] | None:
        """Find the newest epoch before that one of which orders are here, and its safe moment.

        Of that epoch, no order applied before the moment is lost, if this database is a copy that
        has all commits up to some point: a later commit is of an order applied at most
        MARGIN_SECONDS before the last that is here.
        """
        values = {"before": epoch, "margin": MARGIN_SECONDS}

        def read(connection: Connection) -> tuple[int, str] | None:
            row = connection.execute(_NEWEST, values).fetchone()
            return None if row is None else (int(row[0]), str(row[1]))

        return self._persist(read)

    def present(self, order_ids: Iterable[str]) -> set[str]:
        """Find which of these orders are booked."""
        ids = list(order_ids)

        def read(connection: Connection) -> set[str]:
            return {str(row[0]) for row in connection.execute(_PRESENT, {"ids": ids})}

        return self._persist(read)

    def _persist(self, work: Callable[[Connection], _Result]) -> _Result:
        try:
            return persist(self._database, work, self._persistence, count=self._count)
        except GaveUpError as gave_up:
            if gave_up.fault is Fault.READ_ONLY:
                raise NotWritable("database") from None
            raise TemporaryFailure(f"database {gave_up.fault.value}") from None
        except psycopg.errors.IntegrityError as error:
            raise DatabaseRefused(constraint_of(error) or "constraint") from None
        except psycopg.DataError as error:
            # Of the order's values alone: it may not keep those behind it from being booked.
            raise DatabaseRefused(error.sqlstate or "data") from None


def _apply(connection: Connection, values: dict[str, Any], epoch: int) -> Applied:
    connection.execute(_BEGIN)
    stands = connection.execute(_FENCE).fetchone()
    if stands is None or stands[0] != epoch:
        raise StaleEpoch("fence")
    added = connection.execute(_ADD, values).fetchone()
    if added is not None:
        _commit(connection)
        return Applied(Mark(epoch, str(added[0])), epoch, is_new=True)
    found = connection.execute(_FIND, values).fetchone()
    _commit(connection)
    if found is None:
        raise DatabaseRefused("orders_client_order_unique")  # under another id: a broken digest
    return Applied(Mark(epoch, str(found[0])), int(found[1]), is_new=False)


def _raise(connection: Connection, epoch: int) -> None:
    connection.execute(_BEGIN)
    connection.execute(_RAISE, {"epoch": epoch})
    stands = connection.execute(_STANDS).fetchone()
    if stands is None or stands[0] != epoch:
        raise StaleEpoch("fence")
    _commit(connection)


def _commit(connection: Connection) -> None:
    ended = connection.execute("COMMIT")
    if ended.statusmessage != "COMMIT":  # PostgreSQL answers ROLLBACK, and no error, if it must
        raise psycopg.OperationalError("not committed")
